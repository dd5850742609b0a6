//! An API made of a table.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

/// One version of a workflow.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) application: &'static str,
    pub(super) row: Value,
    pub(super) graph: Value,
}

#[derive(Default)]
struct State {
    versions: Vec<Version>,
    /// What is answered to other questions: method, end of the path, status, body.
    answers: Vec<(&'static str, &'static str, u16, Value)>,
    sent: Vec<(String, Value)>,
    /// What the API does to a graph that it stores.
    storing: Option<fn(&mut Value)>,
}

#[derive(Clone, Default)]
pub(super) struct Backend(Arc<Mutex<State>>);

impl Backend {
    /// One published workflow in the first of these applications of one organisation.
    pub(super) fn new() -> Self {
        let backend = Self::default();
        backend.add(
            "a-1",
            "v-1",
            "w-1",
            "Onboarding",
            "published",
            super::graph(),
        );
        backend
    }

    pub(super) fn add(
        &self,
        application: &'static str,
        uuid: &str,
        workflow_id: &str,
        label: &str,
        status: &str,
        graph: Value,
    ) {
        let row = json!({"uuid": uuid, "workflow_id": workflow_id, "workflow_label": label, "status": status, "workflow_type": "kyc"});
        let version = Version {
            application,
            row,
            graph,
        };
        self.0.lock().unwrap().versions.push(version);
    }

    /// Answers so from now on to requests of this method whose path ends so.
    pub(super) fn answering(
        self,
        method: &'static str,
        end: &'static str,
        status: u16,
        body: Value,
    ) -> Self {
        self.0
            .lock()
            .unwrap()
            .answers
            .push((method, end, status, body));
        self
    }

    pub(super) fn storing(self, change: fn(&mut Value)) -> Self {
        self.0.lock().unwrap().storing = Some(change);
        self
    }

    /// What was sent, as method and path, without the reading of organisations and applications.
    pub(super) fn lines(&self) -> Vec<String> {
        self.sent().into_iter().map(|(line, _)| line).collect()
    }

    pub(super) fn sent(&self) -> Vec<(String, Value)> {
        let mut sent = self.0.lock().unwrap().sent.clone();
        sent.retain(|(line, _)| !line.contains("/me/"));
        sent
    }

    /// The requests that change something.
    pub(super) fn writes(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| !line.starts_with("GET") && !line.ends_with("/validate/"));
        lines
    }

    pub(super) fn version(&self, uuid: &str) -> Version {
        let state = self.0.lock().unwrap();
        let found = state
            .versions
            .iter()
            .find(|version| version.row["uuid"] == uuid);
        found.unwrap_or_else(|| panic!("no version {uuid}")).clone()
    }
}

impl State {
    fn reply(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let fixed = self
            .answers
            .iter()
            .find(|(of, end, ..)| *of == method && path.ends_with(end));
        if let Some((_, _, status, body)) = fixed {
            return (*status, body.clone());
        }
        if path.ends_with("/organizations/me/") {
            return (
                200,
                json!([{"uuid": "o-1", "name": "Harbour", "role": "ADMIN"}]),
            );
        }
        if path.ends_with("/me/o-1/applications/") {
            let mut ids: Vec<&str> = self
                .versions
                .iter()
                .map(|version| version.application)
                .collect();
            ids.sort_unstable();
            ids.dedup();
            let rows: Vec<Value> = ids
                .iter()
                .map(|id| json!({"uuid": id, "name": id, "mode": "live"}))
                .collect();
            return (200, rows.into());
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            (
                "GET",
                [
                    "api",
                    "organization",
                    "o-1",
                    "application",
                    app,
                    "verification-settings",
                ],
            ) => (200, self.list(app)),
            (
                _,
                [
                    "api",
                    "organization",
                    "o-1",
                    "application",
                    app,
                    "verification-settings",
                    id,
                    rest @ ..,
                ],
            ) => self.of_version(method, app, id, rest, body),
            ("POST", [.., "workflow-graph", "validate"]) => {
                let bad = body["graph"]["nodes"].get("bad").is_some();
                (
                    200,
                    json!({"is_valid": !bad, "errors": if bad { vec!["bad is bad"] } else { vec![] }}),
                )
            }
            _ => (404, json!({"detail": "Not found."})),
        }
    }

    /// Published versions alone, with a word on whether there is a draft.
    fn list(&self, app: &str) -> Value {
        let of_app = |version: &&Version| version.application == app;
        let published = self
            .versions
            .iter()
            .filter(of_app)
            .filter(|version| version.row["status"] == "published");
        let rows = published.map(|version| {
            let mut row = version.row.clone();
            let is_draft = |other: &Version| {
                other.row["workflow_id"] == row["workflow_id"] && other.row["status"] == "draft"
            };
            row["has_draft"] = self.versions.iter().any(is_draft).into();
            row
        });
        json!({"results": rows.collect::<Vec<_>>()})
    }

    fn of_version(
        &mut self,
        method: &str,
        app: &str,
        id: &str,
        rest: &[&str],
        body: &Value,
    ) -> (u16, Value) {
        let at = self
            .versions
            .iter()
            .position(|version| version.application == app && version.row["uuid"] == id);
        let Some(at) = at else {
            return (404, json!({"detail": "Not found."}));
        };
        match (method, rest) {
            ("GET", []) => (200, self.versions[at].row.clone()),
            ("PATCH", []) => {
                for (name, value) in body.as_object().unwrap() {
                    self.versions[at].row[name] = value.clone();
                }
                (200, self.versions[at].row.clone())
            }
            ("DELETE", []) => {
                self.versions.remove(at);
                (204, json!(null))
            }
            ("POST", ["create-draft"]) => {
                let source = self.versions[at].clone();
                let same = |version: &Version| {
                    version.row["workflow_id"] == source.row["workflow_id"]
                        && version.row["status"] == "draft"
                };
                if let Some(draft) = self.versions.iter().find(|version| same(version)) {
                    return (200, draft.row.clone());
                }
                let mut draft = source;
                draft.row["uuid"] = json!(format!("{id}-draft"));
                draft.row["status"] = json!("draft");
                self.versions.push(draft.clone());
                (201, draft.row)
            }
            ("GET", ["workflow-graph"]) => (200, json!({"graph": self.versions[at].graph})),
            ("PUT", ["workflow-graph"]) => {
                let mut graph = body["graph"].clone();
                if let Some(change) = self.storing {
                    change(&mut graph);
                }
                self.versions[at].graph = graph.clone();
                (200, json!({"graph": graph}))
            }
            _ => (404, json!({"detail": "Not found."})),
        }
    }
}

impl tower_service::Service<Request<Bytes>> for Backend {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut state = self.0.lock().unwrap();
        let (method, path) = (request.method().as_str(), request.uri().path());
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let short = path.replace("/api/organization/o-1/application/", "");
        state.sent.push((format!("{method} {short}"), body.clone()));
        let (status, answer) = state.reply(method, path, &body);
        let bytes = if status == 204 {
            Bytes::new()
        } else {
            answer.to_string().into()
        };
        ready(Ok(Response::builder().status(status).body(bytes).unwrap()))
    }
}
