//! The tower service around the routes: host check, and bodies that are ordinary bytes.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::BodyExt;
use tower_service::Service;

use crate::body::SandboxBody;
use crate::fault::{self, Fault, Faults};
use crate::rate::Rates;
use crate::received::Record;
use crate::refused::Refused;
use crate::route;
use crate::world::World;

/// What the error of a request body must turn into.
pub type RequestError = Box<dyn std::error::Error + Send + Sync>;

/// What the clones of a sandbox share.
pub(crate) struct Shared {
    world: Mutex<World>,
    pub(crate) clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    record: Mutex<Record>,
    faults: Mutex<Faults>,
    rates: Mutex<Rates>,
}

/// The number of a request in the record, carried to where its body is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number(pub(crate) u64);

impl Shared {
    pub(crate) fn new(world: World, clock: Arc<dyn Fn() -> u64 + Send + Sync>) -> Self {
        Self {
            world: Mutex::new(world),
            clock,
            record: Mutex::default(),
            faults: Mutex::default(),
            rates: Mutex::default(),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rates(&self) -> MutexGuard<'_, Rates> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sandbox as a tower service; clones share one state.
///
/// Checked, in this order: the host is a loopback one, the path is known, the credential is known, the method is known for the path, the caller has not called too often (where that is counted), the caller is a member of the organisation named, the role carries the permission, the body is of its type and its fields are right.
/// A fault that was asked for comes after the host, and before everything else.
#[derive(Clone)]
pub struct SandboxService {
    shared: Arc<Shared>,
    router: Router,
}

impl SandboxService {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            router: route::router(shared),
        }
    }

    /// Writes the request into the record, and says which fault it meets.
    fn arrived(&self, parts: &http::request::Parts) -> (Number, Option<Fault>) {
        let number = {
            let world = self.shared.world();
            let person = |credential: &str| {
                let index = world.person_of(credential)?;
                Some(world.people.get(index)?.id.to_string())
            };
            let key = |key: &str| {
                let index = world.application_of_key(key)?;
                Some(world.applications.get(index)?.uuid.clone())
            };
            self.shared.record().arrived(parts, person, key)
        };
        (Number(number), self.shared.faults().of(parts))
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
    type Response = Response<SandboxBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is ready at all times.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !host_is_loopback(&request) {
            return Box::pin(async { Ok(Refused::ForeignHost.response().map(SandboxBody::whole)) });
        }
        let (mut parts, body) = request.into_parts();
        let (number, fault) = self.arrived(&parts);
        parts.extensions.insert(number);
        let request = Request::from_parts(parts, Body::new(body));
        let mut router = self.router.clone();
        Box::pin(async move {
            match &fault {
                Some(Fault::Silent) => std::future::pending().await,
                Some(Fault::Slow(wait)) => wait().await,
                Some(fault) => {
                    if let Some(response) = fault::instead(fault) {
                        return Ok(response);
                    }
                }
                None => {}
            }
            let (parts, body) = router.call(request).await?.into_parts();
            // Every answer is made whole in memory, so that reading it cannot fail.
            let bytes = body
                .collect()
                .await
                .map(|body| body.to_bytes())
                .unwrap_or_default();
            let response = Response::from_parts(parts, bytes);
            Ok(match &fault {
                Some(fault) => fault::spoiled(fault, response),
                None => response.map(SandboxBody::whole),
            })
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
