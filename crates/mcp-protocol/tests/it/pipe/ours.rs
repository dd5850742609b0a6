//! Our client and our server at the two ends of a pipe, in every revision.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mcp_protocol::Revision;
use mcp_protocol::client::pipe::{Pipe, PipeLimits};
use mcp_protocol::client::{Change, Client, Filter, Heard};
use mcp_protocol::serve::{self, Options};
use mcp_protocol::types::Implementation;
use tokio::task::JoinHandle;

use super::call;
use super::questions::Somebody;
use crate::drive::Server;

type Served = JoinHandle<Result<(), serve::PipeError>>;

/// A client that begins in this revision, the handler behind it, and the server as a task.
fn both(revision: Revision) -> (Arc<Client<Pipe>>, Server, Served) {
    let (ours, theirs) = tokio::io::duplex(1024);
    let handler = Server::default();
    let server = serve::Pipe::new(handler.clone(), Options::default());
    let (reader, writer) = tokio::io::split(theirs);
    let served = tokio::spawn(async move { server.serve(reader, writer).await });
    let (reader, writer) = tokio::io::split(ours);
    let (pipe, driving) = Pipe::new(reader, writer, PipeLimits::default());
    drop(tokio::spawn(driving));
    let client = Client::over_pipe(pipe, Implementation::new("tester", "1"))
        .starting_with(revision)
        .with_host(Somebody);
    (Arc::new(client), handler, served)
}

#[tokio::test(start_paused = true)]
async fn every_revision_is_spoken_from_the_first_message_to_the_end() {
    for revision in Revision::all() {
        let (client, handler, served) = both(revision);
        assert_eq!(client.connect().await.unwrap(), revision);
        assert_eq!(client.list_tools().await.unwrap().tools.len(), 1);
        assert_eq!(call(&client, "revision").await.unwrap(), revision.as_str());
        assert_eq!(call(&client, "many").await.unwrap(), "done");
        // Asked in the middle of the call, or in a round of its own.
        if revision >= Revision::V2025_06_18 {
            assert_eq!(call(&client, "name").await.unwrap(), "Decline None");
        }
        // Taken back, the work is dropped while the pipe goes on.
        let waiting = tokio::time::timeout(Duration::from_secs(1), call(&client, "wait"));
        assert!(waiting.await.is_err());
        assert_eq!(call(&client, "echo").await.unwrap(), "{}");
        assert!(handler.dropped.load(Ordering::SeqCst), "{revision}");
        client.close().await.unwrap();
        served.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn changes_are_heard_while_calls_go_on() {
    let (client, handler, _served) = both(Revision::NEWEST);
    let mut subscription = client.subscribe(Filter::lists()).await.unwrap();
    assert_eq!(call(&client, "echo").await.unwrap(), "{}");
    handler.changes.announce(serve::Change::Tools);
    let heard = subscription.next().await.unwrap();
    assert_eq!(heard, Some(Heard::Changed(Change::Tools)));
    assert_eq!(call(&client, "echo").await.unwrap(), "{}");
}
