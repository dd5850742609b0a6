//! The tower service around the routes: host check, and bodies that are ordinary bytes.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use tower_service::Service;

use crate::refused::Refused;
use crate::route;
use crate::world::World;

/// What the error of a request body must turn into.
pub type RequestError = Box<dyn std::error::Error + Send + Sync>;

/// The sandbox as a tower service; clones share one state.
///
/// Checked, in this order: the host is a loopback one, the path is known, the credential is known, the method is known for the path, the caller is a member of the organisation named, the role carries the permission, the body is JSON and its fields are right.
#[derive(Clone)]
pub struct SandboxService {
    router: Router,
}

impl SandboxService {
    pub(crate) fn new(
        world: &Arc<Mutex<World>>,
        clock: &Arc<dyn Fn() -> u64 + Send + Sync>,
    ) -> Self {
        Self {
            router: route::router(world, clock),
        }
    }
}

impl fmt::Debug for SandboxService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxService").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for SandboxService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<RequestError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is ready at all times.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !host_is_loopback(&request) {
            return Box::pin(async { Ok(Refused::ForeignHost.response()) });
        }
        let answer = self.router.call(request.map(Body::new));
        Box::pin(async move {
            let (parts, body) = answer.await?.into_parts();
            // Every answer is made whole in memory, so that reading it cannot fail.
            let bytes = body
                .collect()
                .await
                .map(|body| body.to_bytes())
                .unwrap_or_default();
            Ok(Response::from_parts(parts, Full::new(bytes)))
        })
    }
}

/// Whether the request was sent to a loopback host. One without a host did not come from a web page.
fn host_is_loopback<B>(request: &Request<B>) -> bool {
    let authority = match request.headers().get(header::HOST) {
        Some(value) => value.to_str().ok().map(str::to_owned),
        None => match request.uri().authority() {
            Some(authority) => Some(authority.as_str().to_owned()),
            None => return true,
        },
    };
    let Some(authority) = authority else {
        return false;
    };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority.as_str(),
    };
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_hosts_pass_and_others_do_not() {
        for (host, passes) in [
            ("localhost", true),
            ("LocalHost:3002", true),
            ("127.0.0.1:3002", true),
            ("127.8.8.8", true),
            ("[::1]:3002", true),
            ("[::1]", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:3002", false),
            ("0.0.0.0", false),
            ("[::ffff:10.0.0.1]", false),
            ("user@localhost", false),
            ("2130706433", false),
            ("", false),
        ] {
            let request = Request::get("/").header("host", host).body(()).unwrap();
            assert_eq!(host_is_loopback(&request), passes, "{host}");
        }
        let request = Request::get("http://evil.example/").body(()).unwrap();
        assert!(!host_is_loopback(&request));
        assert!(host_is_loopback(&Request::get("/").body(()).unwrap()));
    }
}
