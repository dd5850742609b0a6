//! A client in memory, whose server answers with any bytes at all.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, Uri};
use mcp_protocol::Revision;
use mcp_protocol::client::{AnswerBody, Client, Limits};
use mcp_protocol::types::Implementation;
use tokio::runtime::Builder;
use tower_service::Service;

/// Answers everything alike.
#[derive(Clone)]
struct Hostile {
    kind: &'static str,
    body: Bytes,
}

impl Service<Request<Bytes>> for Hostile {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let mut response = Response::new(AnswerBody::from(self.body.clone()));
        let kind = http::HeaderValue::from_static(self.kind);
        response.headers_mut().insert("content-type", kind);
        ready(Ok(response))
    }
}

/// The answer of a server: the client comes to an end, with a result or an error, and asks no more than its limits allow.
///
/// The first byte chooses the form of the answer and the era.
pub fn answer(data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else {
        return;
    };
    let kind = ["application/json", "text/event-stream"][usize::from(choice & 1)];
    let service = Hostile {
        kind,
        body: Bytes::copy_from_slice(body),
    };
    let endpoint = Uri::from_static("https://server.example/mcp");
    let limits = Limits {
        max_pages: 3,
        max_rounds: 2,
        ..Limits::default()
    };
    let client = Client::new(service, endpoint, Implementation::new("fuzzed", "0"));
    let client = client.with_limits(limits);
    let client = if choice & 2 == 0 {
        client
    } else {
        client.starting_with(Revision::NEWEST_LEGACY)
    };
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        drop(client.connect().await);
        drop(client.list_tools().await);
    });
}
