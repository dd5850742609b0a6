//! What the MCP listener answers at which path.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use resource_guard::Refused;
use tower_service::Service;

/// The MCP endpoint and the metadata of its resource behind the guard, and a health check before it.
///
/// Every other path is a 404 for everybody, token or not: a client that is off by a path should
/// learn that, and not be asked to sign in.
#[derive(Clone, Debug)]
pub(crate) struct Front<S> {
    guarded: S,
}

impl<S> Front<S> {
    pub(super) fn new(guarded: S) -> Self {
        Self { guarded }
    }
}

/// Where the MCP endpoint is.
const ENDPOINT: &str = "/mcp";

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Room {
    Guarded,
    Health,
    Nothing,
}

fn room(method: &Method, path: &str) -> Room {
    // RFC 9728 section 3.1: the document is below this prefix, with the resource's path or without.
    let metadata = "/.well-known/oauth-protected-resource";
    match path.strip_prefix(metadata) {
        Some("") | Some(ENDPOINT) => Room::Guarded,
        _ if path == ENDPOINT => Room::Guarded,
        _ if path == "/healthz" && method == Method::GET => Room::Health,
        _ => Room::Nothing,
    }
}

impl<S, I, O> Service<Request<I>> for Front<S>
where
    S: Service<Request<I>, Response = Response<O>, Error = Infallible>,
    S::Future: Send + 'static,
    O: 'static,
{
    type Response = Response<Either<Full<Bytes>, O>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.guarded.poll_ready(cx)
    }

    fn call(&mut self, request: Request<I>) -> Self::Future {
        let own = match room(request.method(), request.uri().path()) {
            Room::Guarded => {
                let answer = self.guarded.call(request);
                return Box::pin(async move {
                    let answer = answer.await?;
                    log(&answer);
                    Ok(answer.map(Either::Right))
                });
            }
            Room::Health => {
                let version = env!("CARGO_PKG_VERSION");
                let body = format!(
                    r#"{{"status":"ok","service":"didit-mcp-server","version":"{version}"}}"#
                );
                json(StatusCode::OK, body)
            }
            Room::Nothing => json(
                StatusCode::NOT_FOUND,
                r#"{"error":"nothing is here; the MCP endpoint is /mcp"}"#.to_owned(),
            ),
        };
        Box::pin(async move { Ok(own.map(|body| Either::Left(Full::new(body)))) })
    }
}

/// One line says why a request was refused; the client learns less.
fn log<B>(answer: &Response<B>) {
    if let Some(refused) = answer.extensions().get::<Refused>() {
        let status = answer.status().as_u16();
        tracing::info!(status, reason = %refused, "refused");
    }
}

fn json(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_one_room() {
        for (method, path, expected) in [
            (Method::POST, "/mcp", Room::Guarded),
            (Method::GET, "/mcp", Room::Guarded),
            (
                Method::GET,
                "/.well-known/oauth-protected-resource",
                Room::Guarded,
            ),
            (
                Method::GET,
                "/.well-known/oauth-protected-resource/mcp",
                Room::Guarded,
            ),
            (Method::GET, "/healthz", Room::Health),
            (Method::POST, "/healthz", Room::Nothing),
            (Method::POST, "/", Room::Nothing),
            (Method::POST, "/mcp/", Room::Nothing),
            (Method::POST, "/mcp-other", Room::Nothing),
            (Method::POST, "//mcp", Room::Nothing),
            (
                Method::GET,
                "/.well-known/oauth-protected-resource/other",
                Room::Nothing,
            ),
            (
                Method::GET,
                "/.well-known/oauth-protected-resourcemcp",
                Room::Nothing,
            ),
        ] {
            assert_eq!(room(&method, path), expected, "{method} {path}");
        }
    }
}
