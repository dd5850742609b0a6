//! The commands as processes: what they print, which signal ends them, what standard output is for.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A command of the program in an environment that says only this.
fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-server"));
    command
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Nothing here takes so long.
const LIMIT: Duration = Duration::from_secs(30);

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.unwrap()
}

/// What a command prints until it ends, and whether it went well.
async fn ended(arguments: &[&str], environment: &[(&str, &str)]) -> (bool, String, String) {
    let output = in_time(command(arguments, environment).output())
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

const CLIENT: [(&str, &str); 2] = [
    ("MCP_OAUTH_CLIENT_ID", "rs-1"),
    ("MCP_OAUTH_CLIENT_SECRET", "whsec_top_secret"),
];

#[tokio::test]
async fn the_check_prints_every_setting_and_no_secret() {
    let arguments = [
        "serve",
        "--check",
        "--port",
        "0",
        "--set",
        "limits.body=1mb",
    ];
    let (went_well, out, err) = ended(&arguments, &CLIENT).await;
    assert!(went_well, "{err}");
    for line in [
        "listen.port = \"0\"  # --set",
        "limits.body = \"1mb\"  # --set",
        "tokens.client_id = \"rs-1\"  # the environment variable MCP_OAUTH_CLIENT_ID",
        "resource.uri = \"https://mcp.didit.me/mcp\"  # the default",
    ] {
        assert!(
            out.lines().any(|written| written == line),
            "{line} is not in:\n{out}"
        );
    }
    assert!(!out.contains("whsec") && !err.contains("whsec"));
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_ends_the_program() {
    let environment = [CLIENT[1], ("MCP_PORT", "http")];
    for arguments in [
        &["serve"][..],
        &["serve", "--check"],
        &["stdio", "--set", "listen.prot=1"],
    ] {
        let (went_well, out, err) = ended(arguments, &environment).await;
        assert!(!went_well && out.is_empty(), "{out}");
        assert!(
            err.starts_with("mcp-server: the configuration cannot be used:\n  "),
            "{err}"
        );
        assert!(!err.contains("whsec"), "{err}");
    }
    let (_, _, err) = ended(&["serve"], &environment).await;
    assert!(err.contains("listen.port \"http\" is not a whole number (from the environment variable MCP_PORT): write a port"), "{err}");
    assert!(err.contains("tokens.client_id is missing"), "{err}");
}

/// The first line that a process prints.
async fn first_line(child: &mut Child) -> Value {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let line = in_time(lines.next_line()).await.unwrap().unwrap();
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn serve_answers_and_a_signal_ends_it() {
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut child = command(&["serve", "--json", "--port", "0"], &CLIENT)
            .spawn()
            .unwrap();
        let ready = first_line(&mut child).await;
        assert_eq!(ready["resource"], "https://mcp.didit.me/mcp");
        let address = ready["address"].as_str().unwrap();
        let mut socket = TcpStream::connect(address).await.unwrap();
        let ask = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
        socket.write_all(ask).await.unwrap();
        let mut answer = [0; 15];
        in_time(socket.read_exact(&mut answer)).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        // The connection is still open and idle; it does not keep the program.
        let number = child.id().unwrap().to_string();
        let sent = Command::new("kill").args([signal, &number]).status().await;
        assert!(sent.unwrap().success());
        assert!(in_time(child.wait()).await.unwrap().success(), "{signal}");
    }
}

/// A client of `stdio` that speaks line by line.
struct Peer(Child);

impl Peer {
    fn start(environment: &[(&str, &str)]) -> Self {
        Self(command(&["stdio"], environment).spawn().unwrap())
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let input = self.0.stdin.as_mut().unwrap();
        input
            .write_all(format!("{request}\n").as_bytes())
            .await
            .unwrap();
        // One answer for each request, so nothing is read ahead and lost.
        let answer = first_line(&mut self.0).await;
        assert_eq!(answer["id"], 1, "{answer}");
        answer["result"].clone()
    }
}

#[tokio::test]
async fn stdio_is_nothing_but_messages_until_the_client_leaves() {
    let mut peer = Peer::start(&[("MCP_PROT", "told on stderr")]);
    let opened = peer.ask(
        "initialize",
        json!({"protocolVersion": "2025-11-25", "capabilities": {},
               "clientInfo": {"name": "test", "version": "1"}}),
    );
    assert_eq!(opened.await["serverInfo"]["name"], "didit");
    let listed = peer.ask("tools/list", json!({})).await;
    let names: Vec<&str> = listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"didit_session_list"), "{names:?}");
    let called = peer
        .ask(
            "tools/call",
            json!({"name": "didit_org_list", "arguments": {}}),
        )
        .await;
    assert_eq!(
        called["content"][0]["text"],
        "Error [missing_auth]: no Didit account is signed in\n\
         Hint: Set DIDIT_ACCESS_TOKEN, or sign in with didit_account_login; didit_account_register opens an account."
    );
    let mut child = peer.0;
    drop(child.stdin.take());
    let output = in_time(child.wait_with_output()).await.unwrap();
    assert!(output.status.success());
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("perhaps MCP_PORT is meant"), "{told}");
    assert!(
        told.contains("audit: ") && told.contains("transport=\"stdio\""),
        "{told}"
    );
}
