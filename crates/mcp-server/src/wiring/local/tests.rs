//! `stdio` whole, in memory: a client that speaks line by line, the tools, and the sandbox as the Didit API.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_sandbox::{Sandbox, SandboxService};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::serve::Pipe;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};

use super::*;
use crate::config::source::Sources;
use crate::system::SystemEntropy;

const NOW: u64 = 1_800_000_000;

/// The sandbox as an HTTP client of whole bodies.
#[derive(Clone)]
struct InMemory(SandboxService);

impl tower_service::Service<Request<Bytes>> for InMemory {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut sandbox = self.0.clone();
        Box::pin(async move {
            let answer = sandbox.call(request.map(Full::new)).await?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// A client, and the sandbox behind the tools.
struct Peer {
    sandbox: Sandbox,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
}

impl Peer {
    /// Starts the server with these variables.
    fn start(environment: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::new(Arc::new(|| NOW));
        let own = [
            ("DIDIT_AUTH_BASE_URL", "http://127.0.0.1:3002/auth/v2"),
            ("DIDIT_API_BASE_URL", "http://127.0.0.1:3002/v3"),
        ];
        let all = own.iter().chain(environment);
        let environment: BTreeMap<String, String> = all
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let sources = Sources {
            file: None,
            environment: &environment,
            flags: &[],
            read_secret: &|_| Err("no files here".to_owned()),
        };
        let (config, _) = Stdio::read(&sources).unwrap();
        let client = InMemory(sandbox.service());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let tools = tools(config, client, Arc::new(|| NOW), &entropy).unwrap();
        let (client, server) = tokio::io::duplex(1 << 16);
        let (reader, writer) = tokio::io::split(client);
        drop(tokio::spawn(async move {
            let (input, output) = tokio::io::split(server);
            Pipe::new(tools, options()).serve(input, output).await
        }));
        Self {
            sandbox,
            lines: BufReader::new(reader).lines(),
            writer,
        }
    }

    async fn ask(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let line = format!("{request}\n");
        self.writer.write_all(line.as_bytes()).await.unwrap();
        let answer = self.lines.next_line().await.unwrap().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["result"].clone()
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask("tools/call", params).await
    }

    /// What a tool answers that does what it is asked.
    async fn ok(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert!(result["isError"] != true, "{tool}: {result}");
        result["structuredContent"].clone()
    }

    /// What a tool says that does not.
    async fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result["isError"], true, "{tool}: {result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// The names of the organisations that the person reaches, with the role in each.
    async fn reached(&mut self) -> Vec<(String, String)> {
        let context = self.ok("didit_org_list", json!({})).await;
        let rows = context["value"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        rows.iter()
            .map(|row| (text(&row["name"]), text(&row["role"])))
            .collect()
    }
}

const EMAIL: &str = "agent@robots.example";
const PASSWORD: &str = "Correct-Horse-7";
const SIGNED_OUT: &str = "Error [missing_auth]: no Didit account is signed in\n\
     Hint: Set DIDIT_ACCESS_TOKEN, or sign in with didit_account_login; didit_account_register opens an account.";

fn account() -> Value {
    json!({"email": EMAIL, "password": PASSWORD})
}

/// An agent that has opened an account, and is signed in by it.
async fn registered() -> Peer {
    let mut peer = Peer::start(&[]);
    peer.ok("didit_account_register", account()).await;
    let code = peer.sandbox.code_sent_to(EMAIL).unwrap();
    let verify = json!({"email": EMAIL, "code": code});
    peer.ok("didit_account_verify_email", verify).await;
    peer
}

/// The row of the seed systems: an agent gets from nothing to credentials in two calls.
#[tokio::test(start_paused = true)]
async fn an_agent_gets_from_nothing_to_credentials() {
    let mut peer = Peer::start(&[]);
    assert_eq!(peer.refused("didit_org_list", json!({})).await, SIGNED_OUT);
    assert!(peer.sandbox.requests().is_empty());

    peer.ok("didit_account_register", account()).await;
    // Registering alone signs nobody in.
    assert_eq!(peer.refused("didit_org_list", json!({})).await, SIGNED_OUT);
    let wrong = json!({"email": EMAIL, "code": "000000x"});
    peer.refused("didit_account_verify_email", wrong).await;
    assert_eq!(peer.refused("didit_org_list", json!({})).await, SIGNED_OUT);

    let code = peer.sandbox.code_sent_to(EMAIL).unwrap();
    let verify = json!({"email": EMAIL, "code": code});
    let account = peer.ok("didit_account_verify_email", verify).await;
    let organization = account["organization"]["name"].as_str().unwrap().to_owned();
    assert_eq!(peer.reached().await, [(organization, "OWNER".to_owned())]);
    // The only organisation and application resolve by themselves.
    peer.ok("didit_workflow_list", json!({})).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_comes_before_the_credentials() {
    let mut peer = registered().await;
    let mine = peer.reached().await;
    assert!(peer.sandbox.require_second_factor(EMAIL));
    let waiting = peer.ok("didit_account_login", account()).await;
    let verify = |code: &str| json!({"temp_token": waiting["temp_token"], "code": code});
    peer.refused("didit_account_verify_2fa", verify("000000x"))
        .await;
    let code = peer.sandbox.second_factor_code(EMAIL).unwrap();
    peer.ok("didit_account_verify_2fa", verify(&code)).await;
    assert_eq!(peer.reached().await, mine);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_counts_from_then_on_and_a_failed_one_changes_nothing() {
    let sandbox = Sandbox::new(Arc::new(|| NOW));
    let token = sandbox.credential("rita").unwrap();
    let mut peer = Peer::start(&[("DIDIT_ACCESS_TOKEN", &token)]);
    let ritas = peer.reached().await;
    assert!(ritas.iter().all(|(_, role)| role == "READER"), "{ritas:?}");

    peer.ok("didit_account_register", account()).await;
    let code = peer.sandbox.code_sent_to(EMAIL).unwrap();
    let verify = json!({"email": EMAIL, "code": code});
    peer.ok("didit_account_verify_email", verify).await;
    let own = peer.reached().await;
    assert_eq!(own.len(), 1);
    assert_ne!(own, ritas);

    let wrong = json!({"email": EMAIL, "password": "Wrong-Horse-7"});
    let error = peer.refused("didit_account_login", wrong).await;
    assert!(error.starts_with("Error [unauthorized]: "), "{error}");
    assert_eq!(peer.reached().await, own);
    peer.ok("didit_account_login", account()).await;
    assert_eq!(peer.reached().await, own);
}

#[tokio::test(start_paused = true)]
async fn the_limits_of_accounts_are_told() {
    let mut peer = registered().await;
    let wrong = json!({"email": EMAIL, "password": "Wrong-Horse-7"});
    for _ in 0..5 {
        let error = peer.refused("didit_account_login", wrong.clone()).await;
        assert!(error.starts_with("Error [unauthorized]: "), "{error}");
    }
    // After five failures even the right password has to wait for a quarter of an hour.
    let error = peer.refused("didit_account_login", account()).await;
    assert!(error.starts_with("Error [rate_limited]: "), "{error}");
    assert!(
        error.ends_with("Hint: Too many calls: wait 900 s, then call again."),
        "{error}"
    );

    let mut peer = Peer::start(&[]);
    let other =
        |n: u32| json!({"email": format!("agent-{n}@robots.example"), "password": PASSWORD});
    for n in 0..5 {
        peer.ok("didit_account_register", other(n)).await;
    }
    let error = peer.refused("didit_account_register", other(5)).await;
    assert!(error.starts_with("Error [rate_limited]: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_token_and_the_place_come_from_the_environment() {
    let sandbox = Sandbox::new(Arc::new(|| NOW));
    let token = sandbox.credential("olivia").unwrap();
    let mut peer = Peer::start(&[("DIDIT_ACCESS_TOKEN", &token)]);
    let context = peer.ok("didit_context_get", json!({})).await;
    let organization = context["organizations"][1]["organization_id"]
        .as_str()
        .unwrap();
    let mut peer = Peer::start(&[
        ("DIDIT_ACCESS_TOKEN", &token),
        ("MCP_DEFAULT_ORG", organization),
    ]);
    peer.ok("didit_org_get_balance", json!({})).await;
    let asked = peer.sandbox.requests();
    let path = format!("/organization/{organization}/");
    assert!(
        asked
            .iter()
            .any(|request| format!("{request:?}").contains(&path)),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_is_what_can_be_called() {
    let mut peer = Peer::start(&[]);
    let listed = peer.ask("tools/list", json!({})).await;
    let tools = listed["tools"].as_array().unwrap();
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    for tool in [
        "didit_account_register",
        "didit_account_verify_email",
        "didit_account_resend_otp",
        "didit_account_login",
        "didit_account_verify_2fa",
        "didit_org_reveal_application_api_key",
        "didit_session_list",
    ] {
        assert!(names.contains(&tool), "{tool}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_skills_are_served() {
    let mut peer = Peer::start(&[]);
    let listed = peer.ask("skills/list", json!({})).await;
    assert_eq!(
        listed["skills"].as_array().map(Vec::len),
        Some(3),
        "{listed}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_is_enclosed_in_the_answer() {
    use base64::Engine as _;
    let mut peer = registered().await;
    let create = json!({"workflow_label": "Check", "features": [{"feature": "OCR"}]});
    peer.ok("didit_workflow_create", create).await;
    let workflows = peer.ok("didit_workflow_list", json!({})).await;
    let rows = workflows.get("results").unwrap_or(&workflows["value"]);
    let create = json!({"workflow_id": rows[0]["workflow_id"]});
    let session = peer.ok("didit_session_create", create).await;
    let id = session["session_id"].as_str().unwrap();
    let report = json!({"session_id": id});
    let result = peer.call("didit_session_generate_pdf", report).await;
    let file = &result["content"][1];
    assert_eq!(file["type"], "resource", "{result}");
    let file = &file["resource"];
    assert_eq!(file["uri"], format!("didit://session/{id}/report.pdf"));
    assert_eq!(file["mimeType"], "application/pdf");
    let blob = file["blob"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(blob)
        .unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    // The text, which a model reads, is about the file and not the file.
    let about = json!({"media_type": "application/pdf", "size_bytes": bytes.len()});
    assert_eq!(result["structuredContent"], about);
    assert_eq!(result["content"][0]["text"], about.to_string());
}
