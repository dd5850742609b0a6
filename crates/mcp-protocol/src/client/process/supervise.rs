//! Watches over one process, and ends it in good order.

use std::future::Future;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use super::ProcessLimits;
use crate::client::pipe::{Ending, PipeError, SharedBoard};

/// Whether a process has exited.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exit {
    Running,
    /// With this status, where it is known.
    Exited(Option<ExitStatus>),
}

/// How long the rest of what a process wrote is read after it has exited: its children may hold its output open.
const REST: Duration = Duration::from_millis(500);

/// Runs until the process has exited.
pub(super) async fn supervise(
    mut child: Child,
    driving: impl Future<Output = PipeError> + Send + 'static,
    board: SharedBoard,
    limits: ProcessLimits,
    exited: watch::Sender<Exit>,
) {
    let board = Ending(board);
    let mut driving = tokio::spawn(driving);
    let status = tokio::select! {
        status = child.wait() => status.ok(),
        // It has closed its output, or nobody needs it any more.
        _ = &mut driving => stop(&mut child, limits).await,
        () = board.0.closing() => stop(&mut child, limits).await,
    };
    if !driving.is_finished() && timeout(REST, &mut driving).await.is_err() {
        driving.abort();
    }
    board.0.end(&PipeError::Exited { status });
    exited.send_replace(Exit::Exited(status));
}

/// Waits, tells it to exit, waits, and kills it; its input is closed already.
// MCP-STDIO-05.
async fn stop(child: &mut Child, limits: ProcessLimits) -> Option<ExitStatus> {
    if let Ok(status) = timeout(limits.exit_wait, child.wait()).await {
        return status.ok();
    }
    let told = timeout(limits.term_wait, async {
        if terminate(child).await {
            child.wait().await.ok()
        } else {
            None
        }
    });
    if let Ok(Some(status)) = told.await {
        return Some(status);
    }
    // What cannot be killed has exited.
    drop(child.kill().await);
    child.wait().await.ok()
}

/// Sends TERM; says whether that could be done.
///
/// The process is not yet waited for, so that its id cannot be another's.
#[cfg(unix)]
async fn terminate(child: &Child) -> bool {
    let Some(id) = child.id() else {
        return false;
    };
    let sent = Command::new("/bin/sh")
        .args(["-c", "kill -TERM \"$0\"", &id.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    sent.is_ok_and(|status| status.success())
}

/// There is no such signal.
#[cfg(not(unix))]
async fn terminate(_: &Child) -> bool {
    false
}
