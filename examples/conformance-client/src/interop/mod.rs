//! The job `interop`: everything that a client does, case by case, with a server that another implementation is.
//!
//! One line on the standard output for each case that went as it should, by the names in `xtask/src/interop/cases.rs`;
//! the first that goes wrong ends the job. The servers offer what `examples/conformance-server` does.

mod cases;
mod notices;
mod watched;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use mcp_protocol::Revision;
use mcp_protocol::client::process::Process;
use mcp_protocol::client::{AnswerBody, Client, TransportError};
use mcp_protocol::http::{PROTOCOL_VERSION, SESSION_ID};
use tower_service::Service;

use self::cases::{ensure, seen};
pub(crate) use self::notices::Inbox;
pub(crate) use self::watched::Watched;
use crate::carrier::{Carried, Carrier};
use crate::failed::Failed;

/// Whatever carries requests, over HTTP or over the pipe to a process.
pub(crate) trait Speaking:
    Service<Request<Bytes>, Response = Response<Self::Body>, Error: Into<TransportError>> + Clone
{
    /// The bodies of its answers.
    type Body: Into<AnswerBody>;
}

impl<S, B> Speaking for S
where
    S: Service<Request<Bytes>, Response = Response<B>, Error: Into<TransportError>> + Clone,
    B: Into<AnswerBody>,
{
    type Body = B;
}

/// How the job is called.
pub(crate) const NAME: &str = "interop";

/// Goes through the cases with the server at `url`, of which this is a client whose notices are in the inbox.
///
/// This revision has to be agreed on.
pub(crate) async fn run<C: Carrier<Future = Carried>>(
    client: &Client<Watched<C>>,
    inbox: &Inbox,
    wire: Watched<C>,
    url: &str,
    revision: Revision,
) -> Result<(), Failed> {
    cases::walk(client, revision, inbox).await?;
    client.close().await?;
    let end = wire.seen();
    // Since 2026-07-28 there are no sessions, and nothing is left to be ended.
    ensure(end.ended.is_some() == end.session.is_some(), || {
        format!("the session was left open: {end:?}")
    })?;
    if let Some(session) = end.session {
        let status = status_in(wire, url, revision, session).await?;
        ensure(status == StatusCode::NOT_FOUND, || {
            format!("the session that has ended answers with {status}")
        })?;
    }
    seen("end")
}

/// Goes through the cases with the server that this process is, which then leaves by itself.
pub(crate) async fn run_process(
    client: &Client<Process>,
    inbox: &Inbox,
    process: &Process,
    revision: Revision,
) -> Result<(), Failed> {
    cases::walk(client, revision, inbox).await?;
    client.close().await?;
    let status = process.close().await;
    ensure(status.is_some_and(|status| status.success()), || {
        format!("the server left with {status:?}")
    })?;
    seen("end")
}

/// What the server says to a request in this session.
async fn status_in<C: Carrier<Future = Carried>>(
    mut wire: Watched<C>,
    url: &str,
    revision: Revision,
    session: HeaderValue,
) -> Result<StatusCode, Failed> {
    let ping = Bytes::from_static(br#"{"jsonrpc":"2.0","id":"after","method":"ping"}"#);
    let mut request = Request::post(url);
    if let Some(headers) = request.headers_mut() {
        let value = HeaderValue::from_static;
        headers.insert(header::CONTENT_TYPE, value("application/json"));
        let both = value("application/json, text/event-stream");
        headers.insert(header::ACCEPT, both);
        headers.insert(PROTOCOL_VERSION, value(revision.as_str()));
        headers.insert(SESSION_ID, session);
    }
    let request = request
        .body(ping)
        .map_err(|error| Failed::Case(error.to_string()))?;
    let response = wire.call(request).await;
    Ok(response
        .map_err(|error| Failed::Case(error.to_string()))?
        .status())
}
