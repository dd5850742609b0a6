//! What the MCP listener answers at which path.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_tools::Wish;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use resource_guard::Refused;
use tower_service::Service;

use super::downloads::{self, Tickets};
use crate::metrics::Metrics;

/// The MCP endpoint and the metadata of its resource behind the guard, and beside it the pages that need no token.
///
/// Every other path is a 404 for everybody, token or not: a client that is off by a path should
/// learn that, and not be asked to sign in.
#[derive(Clone, Debug)]
pub(crate) struct Front<S> {
    guarded: S,
    pages: Arc<Pages>,
}

impl<S> Front<S> {
    pub(super) fn new(guarded: S, pages: Pages) -> Self {
        Self {
            guarded,
            pages: Arc::new(pages),
        }
    }
}

/// A page that may take a moment to make.
pub(super) type Page = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;
/// Makes a page for each request.
pub(super) type MakePage = Box<dyn Fn() -> Page + Send + Sync>;

/// What is served besides the health check; what is not there is a 404.
#[derive(Default)]
pub(super) struct Pages {
    /// `/readyz`.
    pub(super) ready: Option<MakePage>,
    /// `/metrics`.
    pub(super) metrics: Option<Arc<Metrics>>,
    /// `/.well-known/oauth-authorization-server`.
    pub(super) server_metadata: Option<MakePage>,
    /// The reports behind links.
    pub(super) downloads: Option<Arc<Tickets>>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    fn page(&self, room: &Room, query: Option<&str>) -> Option<Page> {
        let page: Page = match room {
            Room::Guarded => return None,
            Room::Health => {
                let version = env!("CARGO_PKG_VERSION");
                let body = format!(
                    r#"{{"status":"ok","service":"didit-mcp-server","version":"{version}"}}"#
                );
                Box::pin(ready(json(StatusCode::OK, body)))
            }
            Room::Ready => self.ready.as_ref()?(),
            Room::Metrics => {
                let mut page = Response::new(Bytes::from(self.metrics.as_ref()?.text()));
                let kind = HeaderValue::from_static("text/plain; version=0.0.4");
                page.headers_mut().insert(CONTENT_TYPE, kind);
                Box::pin(ready(page))
            }
            Room::ServerMetadata => self.server_metadata.as_ref()?(),
            Room::Download => Box::pin(ready(self.downloads.as_ref()?.page(query))),
            Room::Options => {
                let mut page = Response::new(Bytes::new());
                *page.status_mut() = StatusCode::NO_CONTENT;
                page.headers_mut()
                    .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
                Box::pin(ready(page))
            }
            Room::Nothing => Box::pin(ready(nothing())),
        };
        Some(page)
    }
}

/// A page for everybody, pages of other origins included.
pub(super) fn open(mut page: Response<Bytes>) -> Response<Bytes> {
    page.headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    page
}

/// A page that says how things are now.
pub(super) fn fleeting(mut page: Response<Bytes>) -> Response<Bytes> {
    page.headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

fn nothing() -> Response<Bytes> {
    json(
        StatusCode::NOT_FOUND,
        r#"{"error":"nothing is here; the MCP endpoint is /mcp"}"#.to_owned(),
    )
}

/// Where the MCP endpoint is.
const ENDPOINT: &str = "/mcp";

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Room {
    Guarded,
    Health,
    Ready,
    Metrics,
    ServerMetadata,
    /// A report behind a link: the ticket in the query is what opens it.
    Download,
    /// A question what may be asked, where nothing is protected.
    Options,
    Nothing,
}

fn room(method: &Method, path: &str) -> Room {
    // RFC 9728 section 3.1: the document is below this prefix, with the resource's path or without.
    let metadata = "/.well-known/oauth-protected-resource";
    match path.strip_prefix(metadata) {
        Some("") | Some(ENDPOINT) => Room::Guarded,
        _ if path == ENDPOINT => Room::Guarded,
        _ if method == Method::OPTIONS => Room::Options,
        _ if method != Method::GET => Room::Nothing,
        _ => match path {
            "/healthz" => Room::Health,
            "/readyz" => Room::Ready,
            "/metrics" => Room::Metrics,
            // RFC 8414 section 3: where clients looked that knew no metadata of resources.
            "/.well-known/oauth-authorization-server" => Room::ServerMetadata,
            downloads::PATH => Room::Download,
            _ => Room::Nothing,
        },
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

    fn call(&mut self, mut request: Request<I>) -> Self::Future {
        let room = room(request.method(), request.uri().path());
        if room == Room::Guarded {
            Wish::leave(&mut request);
            let (answer, pages) = (self.guarded.call(request), Arc::clone(&self.pages));
            return Box::pin(async move {
                let answer = answer.await?;
                told(&answer, pages.metrics.as_deref());
                Ok(answer.map(Either::Right))
            });
        }
        let page = self.pages.page(&room, request.uri().query());
        let page = page.unwrap_or_else(|| Box::pin(ready(nothing())));
        Box::pin(async move { Ok(page.await.map(|body| Either::Left(Full::new(body)))) })
    }
}

/// One line says why a request was refused; the client learns less.
fn told<B>(answer: &Response<B>, metrics: Option<&Metrics>) {
    let refused = answer.extensions().get::<Refused>();
    if let Some(metrics) = metrics {
        metrics.answered(answer.status());
        if let Some(refused) = refused {
            metrics.refused(refused.reason());
        }
    }
    if let Some(refused) = refused {
        let status = answer.status().as_u16();
        tracing::info!(status, reason = %refused, "refused");
    }
}

pub(super) fn json(status: StatusCode, body: String) -> Response<Bytes> {
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
            (Method::GET, "/readyz", Room::Ready),
            (Method::GET, "/metrics", Room::Metrics),
            (
                Method::GET,
                "/.well-known/oauth-authorization-server",
                Room::ServerMetadata,
            ),
            (
                Method::GET,
                "/.well-known/oauth-authorization-server/mcp",
                Room::Nothing,
            ),
            (Method::GET, "/downloads/session-report.pdf", Room::Download),
            (Method::POST, "/downloads/session-report.pdf", Room::Nothing),
            (Method::GET, "/downloads/", Room::Nothing),
            (Method::OPTIONS, "/mcp", Room::Guarded),
            (Method::OPTIONS, "/healthz", Room::Options),
            (Method::OPTIONS, "/anything", Room::Options),
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
