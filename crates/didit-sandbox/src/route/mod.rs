//! What happens to every request before its handler sees it.

mod access;
mod account;
mod analytics;
mod call;
mod case;
mod check;
mod code;
mod compliance;
mod decision;
mod entry;
mod import;
mod list;
mod member;
mod network;
mod questionnaire;
mod record;
mod report;
mod review;
mod session;
mod session_create;
mod session_data;
mod setting;
mod sign_in;
mod table;
mod transaction;
mod transaction_rule;
mod travel_rule;
mod vendor;
mod webhook;
mod workflow;
mod workflow_graph;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query as UrlQuery, RawPathParams};
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

pub(crate) use call::{Answer, Call, Caller, Outcome};

use table::{Do, ROUTES, Route};

use crate::field::type_of;
use crate::form::{self, Part};
use crate::query::Query;
use crate::rate::Standing;
use crate::refused::{Refused, json_response};
use crate::service::{Number, Shared};

/// Bytes of a JSON body at most: a portrait of 1 MB in base64, and room for the rest.
const MOST_BODY_BYTES: usize = 2 * 1024 * 1024;
/// Bytes of a form at most, and of a JSON body with a file: two files of 15 MB, or one in base64, and room for the rest.
const MOST_FILE_BYTES: usize = 32 * 1024 * 1024;

/// One operation that the sandbox serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The path with `{names}` for its parts; it starts with `/auth/v2/` or `/v3/`.
    pub path: &'static str,
    /// Whether a bearer credential is taken.
    pub takes_bearer: bool,
    /// Whether the key of an application is taken.
    pub takes_key: bool,
    /// What a person's role must carry; empty where being signed in is enough, or nothing is asked.
    pub permission: &'static str,
}

pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    ROUTES.iter().map(|route| Operation {
        method: match route.method {
            Method::GET => "GET",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            _ => "POST",
        },
        path: route.path,
        takes_bearer: matches!(route.access, table::Access::Person | table::Access::Both),
        takes_key: matches!(route.access, table::Access::Key | table::Access::Both),
        permission: route.permission,
    })
}

/// Builds the router: one entry per path, and one for the path without its last slash.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let mut paths: Vec<&'static str> = ROUTES.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let router = paths.into_iter().fold(Router::new(), |router, path| {
        let shared = Arc::clone(shared);
        let handler = move |params: RawPathParams, request: request::Request<Body>| {
            let shared = Arc::clone(&shared);
            async move {
                let params: Vec<(String, String)> = params
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
                let mut standing = None;
                let answer = answer(&shared, path, params, request, &mut standing).await;
                let mut response = answer.map_or_else(|refused| refused.response(), written);
                if let Some(standing) = standing {
                    standing.write(response.headers_mut());
                }
                response.map(Body::from)
            }
        };
        let router = router.route(path, any(handler));
        let bare = path.strip_suffix('/');
        match bare.filter(|bare| ROUTES.iter().all(|route| route.path != *bare)) {
            Some(bare) => router.route(
                bare,
                any(async |request: request::Request<Body>| to_slash(&request).map(Body::from)),
            ),
            None => router,
        }
    });
    router.fallback(async || Refused::NotFound.response().map(Body::from))
}

/// The redirect that Didit answers with when the last slash is missing. It names no host.
fn to_slash(request: &request::Request<Body>) -> Response<Bytes> {
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{query}", request.uri().path())) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn written(answer: Answer) -> Response<Bytes> {
    match answer {
        Answer::Nothing => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Answer::Body(status, body) => json_response(status, &body),
        Answer::File(media_type, bytes) => {
            let mut response = Response::new(bytes);
            let value = HeaderValue::from_static(media_type);
            response.headers_mut().insert(header::CONTENT_TYPE, value);
            response
        }
    }
}

async fn answer(
    shared: &Shared,
    path: &'static str,
    params: Vec<(String, String)>,
    request: request::Request<Body>,
    standing: &mut Option<Standing>,
) -> Outcome {
    let (parts, body) = request.into_parts();
    let (route, caller) = {
        let world = shared.world();
        let found = route(path, &parts.method);
        // Whoever may not come in is not told which methods there are.
        let access = match &found {
            Ok(route) => route.access,
            Err(_) => access_of(path),
        };
        let caller = access::caller(&world, &parts.headers, access)?;
        let route = found?;
        let who = match caller {
            Caller::Person(person) => format!("person {person}"),
            Caller::Key(application) => format!("key {application}"),
            Caller::Nobody => caller_address(&parts.headers),
        };
        let now = (shared.clock)();
        let taken = shared.rates().take(&who, &route.method, route.path, now);
        *standing = taken.0;
        taken.1?;
        let place = access::place(&world, caller, &params, &parts)?;
        access::permitted(&world, caller, place, route)?;
        (route, caller)
    };
    let bytes = read(body, route).await?;
    if let Some(Number(number)) = parts.extensions.get() {
        shared.record().read(*number, &bytes);
    }
    let (body, form) = match route.what {
        Do::Form(_) => (Map::new(), parsed_form(&parts, &bytes)?),
        _ => (object(&parts, &bytes)?, Vec::new()),
    };
    let mut world = shared.world();
    // The body took its time: what the path names may be gone, and the role with it.
    let place = access::place(&world, caller, &params, &parts)?;
    access::permitted(&world, caller, place, route)?;
    let pairs = UrlQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let call = Call {
        now: (shared.clock)(),
        caller,
        place,
        params,
        query: Query::new(
            pairs.map(|query| query.0).unwrap_or_default(),
            address(&parts),
        ),
        body,
        form,
        address: caller_address(&parts.headers),
        idempotency_key: header_text(&parts.headers, "idempotency-key"),
        acting_organization: header_text(&parts.headers, "x-didit-organization-id"),
    };
    let answer = route.what.run(&mut world, &call)?;
    if route.method != Method::GET {
        report::note(&mut world, &call, route.method.as_str(), route.path);
    }
    Ok(answer)
}

pub(crate) fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Where a request says it came from: the first address of `X-Forwarded-For`.
fn caller_address(headers: &HeaderMap) -> String {
    let forwarded = header_text(headers, "x-forwarded-for").unwrap_or_default();
    let first = forwarded.split(',').next().unwrap_or_default().trim();
    first.chars().take(64).collect()
}

fn route(path: &str, method: &Method) -> Result<&'static Route, Refused> {
    let here = || ROUTES.iter().filter(|route| route.path == path);
    here().find(|route| route.method == method).ok_or_else(|| {
        let allowed: Vec<&str> = here().map(|route| route.method.as_str()).collect();
        Refused::MethodNotAllowed {
            method: method.to_string(),
            allowed: allowed.join(", "),
        }
    })
}

/// What the first route of a path asks of its callers.
fn access_of(path: &str) -> table::Access {
    let first = ROUTES.iter().find(|route| route.path == path);
    first.map_or(table::Access::Person, |route| route.access)
}

async fn read(body: Body, route: &Route) -> Result<Bytes, Refused> {
    let most = match route.what {
        Do::Form(_) | Do::File(_) => MOST_FILE_BYTES,
        _ => MOST_BODY_BYTES,
    };
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refused::BodyTooLong),
        Err(_) => Err(Refused::BodyBroken),
    }
}

/// The parts of a form; every other body is of the wrong type.
fn parsed_form(parts: &request::Parts, bytes: &Bytes) -> Result<Vec<Part>, Refused> {
    let media_type = header_text(&parts.headers, "content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("multipart/form-data") {
        return Err(Refused::WrongType(essence.chars().take(100).collect()));
    }
    form::parse(&media_type, bytes).map_err(Refused::BrokenForm)
}

/// The body as an object; no body, and the body of a GET, count as an empty one.
fn object(parts: &request::Parts, bytes: &Bytes) -> Result<Map<String, Value>, Refused> {
    if bytes.is_empty() || parts.method == Method::GET {
        return Ok(Map::new());
    }
    let media_type = header_text(&parts.headers, "content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refused::WrongType(essence.chars().take(100).collect()));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Refused::NotAnObject(type_of(&other))),
        Err(error) => Err(Refused::NotJson(error.to_string())),
    }
}

/// Where the request was sent, without its query. The host was checked to be a loopback one.
fn address(parts: &request::Parts) -> String {
    let host = header_text(&parts.headers, "host")
        .or_else(|| parts.uri.authority().map(ToString::to_string));
    let start = host
        .map(|host| format!("http://{host}"))
        .unwrap_or_default();
    format!("{start}{}", parts.uri.path())
}
