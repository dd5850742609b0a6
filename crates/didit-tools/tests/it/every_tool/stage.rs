//! A sandbox with somebody signed in, what the tools send to it, and what it answers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_client::send::Sender;
use didit_client::{Api, Secret};
use didit_sandbox::{Received, Sandbox};
use didit_tools::{Credentials, DiditTools, NoCredential};
use http::{Extensions, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Map, Value, json};
use tower_service::Service;

use super::cases::FOUND;
use crate::mcp::ask_of;
use crate::upstream::NOW;

/// Who calls: an administrator of Harbour Lane Bank and of nothing else.
pub(crate) const PERSON: &str = "adam";
const NEW_PERSON: &str = "new@mail.example";

/// The status and the body of each answer of the sandbox.
type Answers = Arc<Mutex<Vec<(u16, Bytes)>>>;

/// The sandbox as an HTTP client that notes the answers.
#[derive(Clone)]
pub(crate) struct Wire {
    sandbox: Sandbox,
    answers: Answers,
    open: Arc<()>,
}

impl Service<Request<Bytes>> for Wire {
    type Response = Response<Bytes>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (mut service, answers) = (self.sandbox.service(), Arc::clone(&self.answers));
        let open = Arc::clone(&self.open);
        Box::pin(async move {
            let _open = open;
            let answer = service.call(request.map(Full::new)).await;
            let (parts, body) = answer.map_err(|error| error.to_string())?.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?;
            let body = body.to_bytes();
            let mut answers = answers.lock().unwrap();
            answers.push((parts.status.as_u16(), body.clone()));
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// The seam, with one credential.
pub(crate) struct Desk(String);

impl Credentials for Desk {
    async fn credential(&self, _: &Extensions) -> Result<Secret, NoCredential> {
        Ok(Secret::new(self.0.clone()))
    }

    fn person(&self, _: &Extensions) -> Option<String> {
        Some(self.0.clone())
    }
}

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) answers: Answers,
    /// Held by each request that is under way, beside the stage and each client.
    open: Arc<()>,
    found: RefCell<HashMap<String, String>>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            sandbox: Sandbox::new(Arc::new(|| NOW)),
            answers: Arc::default(),
            open: Arc::default(),
            found: RefCell::default(),
        }
    }

    /// The tools over the sandbox, for a caller over HTTP or over standard input and output.
    pub(crate) fn tools(&self, credential: String, stdio: bool) -> DiditTools<Wire, Desk> {
        let api = Api::at("http://127.0.0.1/auth/v2", "http://127.0.0.1/v3").unwrap();
        let wire = Wire {
            sandbox: self.sandbox.clone(),
            answers: Arc::clone(&self.answers),
            open: Arc::clone(&self.open),
        };
        let tools = DiditTools::new(Sender::new(api, wire), Desk(credential), || NOW);
        if stdio { tools.over_stdio() } else { tools }
    }

    /// The result of a call over MCP, as the person.
    pub(crate) async fn call(&self, tool: &str, arguments: Value, stdio: bool) -> Value {
        let credential = self.sandbox.credential(PERSON).unwrap();
        self.call_as(credential, tool, arguments, stdio).await
    }

    /// The text of a refusal, past the protocol and its own bounds.
    pub(crate) async fn refusal(
        &self,
        tool: &str,
        arguments: &Map<String, Value>,
        stdio: bool,
    ) -> Option<String> {
        let tools = self.tools(self.sandbox.credential(PERSON).unwrap(), stdio);
        let outcome = tools.call(&Extensions::new(), tool, Some(arguments)).await;
        outcome.unwrap().err().map(|failure| failure.text())
    }

    pub(crate) async fn call_as(
        &self,
        credential: String,
        tool: &str,
        arguments: Value,
        stdio: bool,
    ) -> Value {
        let tools = self.tools(credential, stdio);
        let params = json!({"name": tool, "arguments": arguments});
        let answer = ask_of(tools, "tools/call", params).await;
        assert!(answer.get("error").is_none(), "{tool}: {answer}");
        answer["result"].clone()
    }

    /// Clients and requests that are still there.
    pub(crate) fn still_open(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// Forgets what was sent and answered.
    pub(crate) fn forget(&self) {
        self.sandbox.forget_requests();
        self.answers.lock().unwrap().clear();
    }

    /// What was sent, without the reading of organisations and applications.
    pub(crate) fn sent(&self) -> Vec<Received> {
        let mut all = self.sandbox.requests();
        all.retain(|request| !request.path.starts_with("/auth/v2/organizations/me/"));
        all
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let credential = self.sandbox.credential(PERSON).unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1{path}"))
            .header("content-type", "application/json");
        if !path.contains("/programmatic/") {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let answer = self.sandbox.service().call(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{method} {path}: {status} {body:?}");
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// The value of a name in double braces: found or made once.
    pub(crate) async fn known(&self, name: &str) -> String {
        if let Some(value) = self.found.borrow().get(name) {
            return value.clone();
        }
        let value = match name {
            "otp" => self.sandbox.second_factor_code(NEW_PERSON).unwrap(),
            "guarded" => {
                let email = Box::pin(self.known("registered")).await;
                assert!(self.sandbox.require_second_factor(&email));
                email
            }
            _ => Box::pin(self.find(name)).await,
        };
        self.found
            .borrow_mut()
            .insert(name.to_owned(), value.clone());
        value
    }

    async fn find(&self, name: &str) -> String {
        let line = FOUND
            .trim()
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} | ")))
            .unwrap_or_else(|| panic!("nothing is known of {name}"));
        let [request, body, from] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (method, path) = request.split_once(' ').unwrap();
        let path = path.replace("{app}/", "/v3/organization/{{org}}/application/{{app}}/");
        let (path, body) = (self.filled(&path).await, self.filled(body).await);
        let answer = self.ask(method, &path, &body).await;
        if let Some(address) = from.strip_prefix("code:") {
            return self.sandbox.code_sent_to(address).unwrap();
        }
        if let Some(value) = from.strip_prefix("is:") {
            return value.to_owned();
        }
        let value = answer
            .pointer(from)
            .unwrap_or_else(|| panic!("{name}: {answer}"));
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    }

    /// The text with each name in double braces replaced, the first first.
    pub(crate) async fn filled(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, left) = after.split_once("}}").unwrap();
            out.push_str(before);
            out.push_str(&self.known(name).await);
            rest = left;
        }
        out + rest
    }
}
