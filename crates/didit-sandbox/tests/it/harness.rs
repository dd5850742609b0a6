//! A sandbox with a clock that tests move, and calls that return a status and a body.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use didit_sandbox::Sandbox;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower_service::Service;

/// 2026-01-01 at midnight.
pub(crate) const START: u64 = 1_767_225_600;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    now: Arc<AtomicU64>,
    /// What was found or made so far, by the names that examples have for it.
    pub(crate) found: RefCell<HashMap<String, String>>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Arc::new(AtomicU64::new(START));
        let shown = Arc::clone(&now);
        let sandbox = Sandbox::new(Arc::new(move || shown.load(Ordering::SeqCst)));
        Self {
            sandbox,
            now,
            found: RefCell::default(),
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let response = self.sandbox.service().call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let body = if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).unwrap()
            };
            Reply {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body,
            }
        })
    }

    /// The status and the bytes of an answer, whatever they are.
    pub(crate) fn raw(&self, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let response = self.sandbox.service().call(request).await.unwrap();
            let status = response.status().as_u16();
            (
                status,
                response.into_body().collect().await.unwrap().to_bytes(),
            )
        })
    }

    pub(crate) fn call(&self, who: &str, method: &str, path: &str, body: Value) -> Reply {
        self.send(self.request(who, method, path, body))
    }

    /// A request as that person, with a JSON body unless it is null.
    pub(crate) fn request(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Request<Full<Bytes>> {
        let credential = self.sandbox.credential(who).unwrap();
        let builder = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header("host", "localhost:3002")
            .header("authorization", format!("Bearer {credential}"));
        let request = if body.is_null() {
            builder.body(Full::default())
        } else {
            builder
                .header("content-type", "application/json")
                .body(Full::from(body.to_string()))
        };
        request.unwrap()
    }

    pub(crate) fn get(&self, who: &str, path: &str) -> Reply {
        self.call(who, "GET", path, Value::Null)
    }

    /// The path of an organisation, by its place among those of Olivia, Noah and Samir.
    pub(crate) fn org_id(&self, organization: usize) -> String {
        let who = ["olivia", "noah", "samir"][organization];
        let reply = self.get(who, "/auth/v2/organizations/me/");
        reply.body[0]["uuid"].as_str().unwrap().to_owned()
    }

    pub(crate) fn app_id(&self, organization: usize, application: usize) -> String {
        let who = ["olivia", "noah", "samir"][organization];
        let name = format!("application {organization} {application}");
        if let Some(value) = self.found.borrow().get(&name) {
            return value.clone();
        }
        let path = format!(
            "/auth/v2/organizations/me/{}/applications/",
            self.org_id(organization)
        );
        let found = self.get(who, &path).body[application]["uuid"]
            .as_str()
            .unwrap()
            .to_owned();
        self.found.borrow_mut().insert(name, found.clone());
        found
    }

    /// The start of the paths of one application.
    pub(crate) fn app(&self, organization: usize, application: usize) -> String {
        let (org, app) = (
            self.org_id(organization),
            self.app_id(organization, application),
        );
        format!("/v3/organization/{org}/application/{app}")
    }

    /// The id of a workflow of Harbour Lane Bank's application.
    pub(crate) fn workflow(&self, application: usize, workflow: usize) -> String {
        let path = format!("{}/verification-settings/", self.app(0, application));
        self.get("olivia", &path).body[workflow]["uuid"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A session of Harbour Lane Bank with that status.
    pub(crate) fn session_with(&self, status: &str) -> String {
        let path = format!(
            "/v3/organization/{}/sessions/?status={}",
            self.org_id(0),
            status.replace(' ', "%20")
        );
        self.get("olivia", &path).body["results"][0]["session_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
