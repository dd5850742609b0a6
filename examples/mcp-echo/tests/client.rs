//! The program itself as the child process of our client.

#![cfg(test)]
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use mcp_protocol::Revision;
use mcp_protocol::client::pipe::PipeError;
use mcp_protocol::client::process::{Process, ProcessLimits, ServerCommand};
use mcp_protocol::client::{Client, ClientError};
use mcp_protocol::types::Implementation;
use serde_json::json;
use serde_json::value::to_raw_value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStderr;
use tokio::sync::mpsc;

/// What the client may begin with, and the revision that is spoken then.
const ERAS: [Revision; 2] = [Revision::V2026_07_28, Revision::V2024_11_05];

/// The program behind a shell that writes its number to standard error first; `exec` keeps the number.
fn start(
    begin: Revision,
) -> (
    Client<Process>,
    Process,
    mpsc::UnboundedReceiver<ChildStderr>,
) {
    let (taken, errors) = mpsc::unbounded_channel();
    let script = r#"echo $$ >&2; exec "$0" --stdio"#;
    let command = ServerCommand::new("/bin/sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_mcp-echo")])
        .stderr(move |errors| taken.send(errors).unwrap());
    let process = Process::new(command, ProcessLimits::default());
    let client = Client::over_process(process.clone(), Implementation::new("test", "1"));
    (client.starting_with(begin), process, errors)
}

async fn echo(client: &Client<Process>, text: &str) -> Result<String, ClientError> {
    let arguments = to_raw_value(&json!({ "text": text })).unwrap();
    let called = client.call_tool("echo", &arguments).await?;
    Ok(called.result.content[0].as_text().unwrap().to_owned())
}

fn signal(name: &str, number: &str) {
    let kill = format!("kill -{name} {number}");
    let done = Command::new("/bin/sh").args(["-c", &kill]).status();
    assert!(done.unwrap().success());
}

#[tokio::test]
async fn the_program_is_listed_called_and_ended_in_both_eras() {
    for begin in ERAS {
        let (client, process, _errors) = start(begin);
        assert_eq!(client.connect().await.unwrap(), begin);
        let listed = client.list_tools().await.unwrap();
        assert_eq!(listed.tools.len(), 1);
        assert_eq!(listed.tools[0].name, "echo");
        assert_eq!(echo(&client, "hello").await.unwrap(), "hello");
        // It leaves by itself at the end of its input: nobody told it to.
        let status = process.close().await.unwrap();
        assert_eq!(status.code(), Some(0), "{begin:?}");
        assert_eq!(process.started(), 1);
    }
}

#[tokio::test]
async fn a_program_that_is_killed_is_an_error_that_says_so_and_is_started_again() {
    for begin in ERAS {
        let (client, process, mut errors) = start(begin);
        assert_eq!(echo(&client, "before").await.unwrap(), "before");
        let mut number = String::new();
        let mut stderr = BufReader::new(errors.recv().await.unwrap());
        stderr.read_line(&mut number).await.unwrap();
        // It stands still, so that the call is in flight when it is killed.
        signal("STOP", number.trim());
        let (called, ()) = tokio::join!(biased; echo(&client, "lost"), async {
            signal("KILL", number.trim());
        });
        let Err(ClientError::Transport(why)) = called else {
            panic!("{called:?}");
        };
        let Some(PipeError::Exited { status }) = why.downcast_ref() else {
            panic!("{why:?}");
        };
        assert_eq!(status.unwrap().signal(), Some(9));
        assert_eq!(echo(&client, "after").await.unwrap(), "after");
        assert_eq!(process.started(), 2);
        client.close().await.unwrap();
    }
}
