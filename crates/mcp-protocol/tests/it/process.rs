//! The client over real child processes: shell scripts that know a few answers.

use std::future::{pending, ready};
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use mcp_protocol::Revision;
use mcp_protocol::client::pipe::PipeError;
use mcp_protocol::client::process::{Process, ProcessLimits, ServerCommand};
use mcp_protocol::client::{
    Change, Client, ClientError, Filter, Heard, Host, Pausing, Reply, Replying,
};
use mcp_protocol::types::{Ask, ClientCapabilities, Implementation, RootList};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tower_service::Service as _;

/// Reads requests, and answers by the cases that are put in; `$id` is the id, `answer` gives a result.
fn server(cases: &str) -> ServerCommand {
    let script = format!(
        r#"
        answer() {{ printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n' "$id" "$1"; }}
        say() {{ answer "{{\"resultType\":\"complete\",\"content\":[{{\"type\":\"text\",\"text\":\"$1\"}}]}}"; }}
        while IFS= read -r line; do
            id="${{line#*\"id\":}}"; id="${{id%%,*}}"
            case "$line" in
            {cases}
            *server/discover*) answer '{{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{{}},"ttlMs":0,"cacheScope":"public"}}';;
            *'"hello"'*) say hello;;
            *'"crash"'*) exit 3;;
            esac
        done"#
    );
    ServerCommand::new("/bin/sh").arg("-c").arg(script)
}

/// The same of the older era.
const OLD: &str = r#"
    *server/discover*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}\n' "$id";;
    *'"initialize"'*) answer '{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"old","version":"1"}}'; greeted=yes;;
    *'"hello"'*) say "hello $greeted";;
"#;

/// Something to wait for that a signal interrupts; it holds none of the pipes.
const SLEEPER: &str = "sleep 600 </dev/null >/dev/null 2>&1 & sleeper=$!;";

/// Waits that are long enough for a loaded machine, where nothing waits for their end.
fn limits() -> ProcessLimits {
    ProcessLimits {
        exit_wait: Duration::from_secs(30),
        term_wait: Duration::from_secs(30),
        ..ProcessLimits::default()
    }
}

fn start(command: ServerCommand, limits: ProcessLimits) -> (Client<Process>, Process) {
    let process = Process::new(command, limits);
    let info = Implementation::new("tester", "1");
    (Client::over_process(process.clone(), info), process)
}

async fn call(client: &Client<Process>, name: &str) -> Result<String, ClientError> {
    let arguments: &RawValue = serde_json::from_str("{}").unwrap();
    let called = client.call_tool(name, arguments).await?;
    let raw: Value = serde_json::from_str(called.raw.get()).unwrap();
    Ok(raw["content"][0]["text"].as_str().unwrap().to_owned())
}

fn pipe_error<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> PipeError {
    match outcome {
        Err(ClientError::Transport(error)) => error.downcast_ref::<PipeError>().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_started_called_and_ended_by_closing_its_input() {
    let (client, process) = start(server(""), limits());
    assert_eq!(process.started(), 0);
    assert_eq!(call(&client, "hello").await.unwrap(), "hello");
    assert_eq!(call(&client, "hello").await.unwrap(), "hello");
    assert_eq!(process.started(), 1);
    assert!(process.close().await.unwrap().success());
    assert!(matches!(
        pipe_error(call(&client, "hello").await),
        PipeError::ClosedHere
    ));
    assert_eq!(process.started(), 1);
}

#[tokio::test]
async fn a_server_that_crashes_is_an_error_with_its_status_and_is_started_again() {
    let (client, process) = start(server(""), limits());
    let error = pipe_error(call(&client, "crash").await);
    let PipeError::Exited {
        status: Some(status),
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(status.code(), Some(3));
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    assert_eq!(call(&client, "hello").await.unwrap(), "hello");
    assert_eq!(process.started(), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_server_of_the_older_era_that_is_started_again_is_greeted_again() {
    let (client, process) = start(server(OLD), limits());
    assert_eq!(client.connect().await.unwrap(), Revision::V2024_11_05);
    assert_eq!(call(&client, "hello").await.unwrap(), "hello yes");
    assert!(matches!(
        pipe_error(call(&client, "crash").await),
        PipeError::Exited { .. }
    ));
    assert_eq!(call(&client, "hello").await.unwrap(), "hello yes");
    assert_eq!(process.started(), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_server_that_exits_at_the_probe_is_of_the_older_era() {
    let exits = format!("*server/discover*) exit 1;;\n{OLD}");
    let (client, process) = start(server(&exits), limits());
    assert_eq!(call(&client, "hello").await.unwrap(), "hello yes");
    assert_eq!(process.started(), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_exit_is_told_to() {
    let mut at_once = limits();
    at_once.exit_wait = Duration::ZERO;
    let script = format!("{SLEEPER} trap 'kill $sleeper; exit 7' TERM; echo up >&2; wait");
    let (ready, mut up) = mpsc::unbounded_channel();
    let command = ServerCommand::new("/bin/sh")
        .args(["-c", &script])
        .stderr(move |errors| ready.send(errors).unwrap());
    let (client, process) = start(command, at_once);
    let connecting = tokio::spawn(async move { client.connect().await });
    let mut errors = up.recv().await.unwrap();
    let mut told = [0; 3];
    errors.read_exact(&mut told).await.unwrap();
    assert_eq!(process.close().await.unwrap().code(), Some(7));
    assert!(connecting.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_listen_is_killed() {
    // The clock stands still while a blocking task is at work, and then goes on to whatever comes next.
    let (heard, hears) = std::sync::mpsc::channel::<()>();
    let still = tokio::task::spawn_blocking(move || hears.recv());
    let mut limits = limits();
    limits.exit_wait = Duration::ZERO;
    let script = format!(
        "{SLEEPER} trap 'kill $sleeper; echo no >&2; exec sleep 600' TERM; echo up >&2; wait"
    );
    let (ready, mut up) = mpsc::unbounded_channel();
    let command = ServerCommand::new("/bin/sh")
        .args(["-c", &script])
        .stderr(move |errors| ready.send(errors).unwrap());
    let (client, process) = start(command, limits);
    let connecting = tokio::spawn(async move { client.connect().await });
    let mut errors = up.recv().await.unwrap();
    let mut told = [0; 3];
    errors.read_exact(&mut told).await.unwrap();
    let closing = tokio::spawn(async move { process.close().await });
    // It was told to exit, says no, and goes on; only then does the time pass.
    errors.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"no\n");
    drop(heard);
    assert!(still.await.unwrap().is_err());
    assert_eq!(closing.await.unwrap().unwrap().signal(), Some(9));
    assert!(connecting.await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_gets_the_environment_that_was_named_and_little_else() {
    // Cargo sets it for this test, and it is not on the list.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let tells = r#"*'"env"'*) say "${CARGO_MANIFEST_DIR-none} ${TOKEN-none} ${PATH:+path}";;"#;
    let command = server(tells).env("TOKEN", "secret").directory("/");
    assert!(!format!("{command:?}").contains("secret"));
    let (client, _process) = start(command, limits());
    assert_eq!(call(&client, "env").await.unwrap(), "none secret path");
    client.close().await.unwrap();
}

#[tokio::test]
async fn what_is_on_standard_error_is_no_failure() {
    let noisy = r#"*'"noisy"'*) echo "ERROR: on fire" >&2; say fine;;"#;
    let (taken, mut errors) = mpsc::unbounded_channel();
    let command = server(noisy).stderr(move |errors| taken.send(errors).unwrap());
    let (client, _process) = start(command, limits());
    assert_eq!(call(&client, "noisy").await.unwrap(), "fine");
    client.close().await.unwrap();
    let mut text = String::new();
    let mut errors = errors.recv().await.unwrap();
    errors.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "ERROR: on fire\n");
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let (client, process) = start(ServerCommand::new("/nowhere/mcp"), limits());
    let error = pipe_error(call(&client, "hello").await);
    assert!(matches!(&error, PipeError::NotStarted { program, .. } if program == "/nowhere/mcp"));
    assert_eq!(process.close().await, None);
}

#[tokio::test]
async fn a_server_ends_with_its_last_handle() {
    let (taken, mut errors) = mpsc::unbounded_channel();
    let command = server("").stderr(move |errors| taken.send(errors).unwrap());
    let (client, process) = start(command, limits());
    assert_eq!(call(&client, "hello").await.unwrap(), "hello");
    let client = Arc::new(client);
    drop((client, process));
    // Its standard error ends when it has exited.
    let mut errors = errors.recv().await.unwrap();
    assert_eq!(errors.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_subscription_goes_on_with_the_process_that_comes_after_a_crash() {
    let mark = std::env::temp_dir().join(format!("mcp-protocol-crash-{}", std::process::id()));
    drop(std::fs::remove_file(&mark));
    // The first process exits after its acknowledgement; the next one finds the mark.
    let listens = r#"
        *subscriptions/listen*)
            printf '{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/subscriptionId":%s}}}\n' "$id"
            [ -e "$MARK" ] || { : > "$MARK"; exit 1; }
            printf '{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s}}}\n' "$id";;
    "#;
    let (client, process) = start(server(listens).env("MARK", &mark), limits());
    // The second that it waits before it comes again is over at once; no other time ever is.
    let client = client.with_pause(|time: Duration| {
        if time == Duration::from_secs(1) {
            Box::pin(ready(())) as Pausing
        } else {
            Box::pin(pending())
        }
    });
    let mut subscription = client.subscribe(Filter::lists()).await.unwrap();
    assert_eq!(subscription.next().await.unwrap(), Some(Heard::Reopened));
    let changed = Heard::Changed(Change::Tools);
    assert_eq!(subscription.next().await.unwrap(), Some(changed));
    assert_eq!(process.started(), 2);
    drop(subscription);
    client.close().await.unwrap();
    std::fs::remove_file(&mark).unwrap();
}

/// Is asked, and answers when the process that asked is gone.
struct Late(Process);

impl Host for Late {
    fn capabilities(&self) -> ClientCapabilities {
        serde_json::from_str(r#"{"roots": {}}"#).unwrap()
    }

    fn answer<'a>(&'a self, _: &'a Ask) -> Replying<'a> {
        Box::pin(async {
            while self.0.pipe().is_some_and(|pipe| pipe.closed().is_none()) {
                tokio::task::yield_now().await;
            }
            Ok(Reply::Roots(RootList::default()))
        })
    }
}

#[tokio::test]
async fn a_call_that_a_process_has_begun_is_not_made_again_by_the_next() {
    let asks = r#"*'"ask"'*) printf '{"jsonrpc":"2.0","id":1,"method":"roots/list"}\n'; exit 3;;"#;
    let process = Process::new(server(&format!("{asks}\n{OLD}")), limits());
    let info = Implementation::new("tester", "1");
    let client = Client::over_process(process.clone(), info).with_host(Late(process.clone()));
    assert_eq!(call(&client, "hello").await.unwrap(), "hello yes");
    call(&client, "ask").await.unwrap_err();
    assert_eq!(process.started(), 1);
    assert_eq!(call(&client, "hello").await.unwrap(), "hello yes");
    assert_eq!(process.started(), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_read_ends_with_its_last_handle_too() {
    let (taken, mut errors) = mpsc::unbounded_channel();
    let sleeps = r#"*'"sleep"'*) say asleep; exec sleep 1000;;"#;
    let command = server(sleeps).stderr(move |errors| taken.send(errors).unwrap());
    let soon = ProcessLimits {
        exit_wait: Duration::ZERO,
        ..limits()
    };
    let (client, mut process) = start(command, soon);
    assert_eq!(call(&client, "sleep").await.unwrap(), "asleep");
    // More than fits between the two, and as many lines more as wait before a caller has to: the first is being written.
    let mut bodies = Vec::new();
    for id in 0..17 {
        let text = "x".repeat(if id == 0 { 1024 * 1024 } else { 1 });
        let text =
            format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"t","params":{{"a":"{text}"}}}}"#);
        let request = Request::post("/").body(Bytes::from(text)).unwrap();
        bodies.push(process.call(request).await.unwrap());
    }
    drop((client, process, bodies));
    let mut errors = errors.recv().await.unwrap();
    assert_eq!(errors.read(&mut [0; 1]).await.unwrap(), 0);
}
