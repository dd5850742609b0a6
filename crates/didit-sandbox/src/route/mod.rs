//! What happens to every request before its handler sees it.

mod account;
mod analytics;
mod call;
mod case;
mod decision;
mod list;
mod questionnaire;
mod record;
mod review;
mod session;
mod session_create;
mod table;
mod transaction;
mod vendor_user;
mod webhook;
mod workflow;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query as UrlQuery, RawPathParams};
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request};
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

pub(crate) use call::{Answer, Call, Outcome, Place};

use table::{ROUTES, Route};

use crate::field::type_of;
use crate::query::Query;
use crate::refused::{Refused, json_response};
use crate::service::{Number, Shared};
use crate::world::World;

/// Bytes of a request body at most: a portrait of 1 MB in base64, and room for the rest.
const MOST_BODY_BYTES: usize = 2 * 1024 * 1024;

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
                let answer = answer(&shared, path, params, request).await;
                answer
                    .map_or_else(|refused| refused.response(), written)
                    .map(Body::from)
            }
        };
        let router = router.route(path, any(handler));
        match path.strip_suffix('/') {
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
    }
}

async fn answer(
    shared: &Shared,
    path: &'static str,
    params: Vec<(String, String)>,
    request: request::Request<Body>,
) -> Outcome {
    let (parts, body) = request.into_parts();
    let caller = caller(&shared.world(), &parts.headers)?;
    let route = route(path, &parts.method)?;
    let place = place(&shared.world(), caller, &params)?;
    permitted(&shared.world(), caller, place, route.permission)?;
    let bytes = read(body).await?;
    if let Some(Number(number)) = parts.extensions.get() {
        shared.record().read(*number, &bytes);
    }
    let body = object(&parts, &bytes)?;
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
        acting_organization: header_text(&parts.headers, "x-didit-organization-id"),
    };
    let mut world = shared.world();
    // The body took its time: what the path names may be gone, and the role with it.
    let call = Call {
        place: self::place(&world, caller, &call.params)?,
        ..call
    };
    permitted(&world, caller, call.place, route.permission)?;
    (route.handle)(&mut world, &call)
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

// RFC 6750 section 2.1: the credential follows the scheme, whose case does not matter.
fn caller(world: &World, headers: &HeaderMap) -> Result<usize, Refused> {
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        return Err(Refused::NoCredential);
    };
    let text = header.to_str().map_err(|_| Refused::UnknownCredential)?;
    match text.split_once(' ') {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => world
            .person_of(credential.trim())
            .ok_or(Refused::UnknownCredential),
        _ => Err(Refused::NoCredential),
    }
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

/// Which organisation, application and session the path is about; all must hang together and be the caller's to see.
fn place(world: &World, caller: usize, params: &[(String, String)]) -> Result<Place, Refused> {
    let get = |name: &str| {
        params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let mut place = Place::default();
    if let Some(uuid) = get("org") {
        place.organization = Some(world.organization_named(uuid).ok_or(Refused::NotFound)?);
    }
    if let Some(uuid) = get("app") {
        let index = world.application_named(uuid).ok_or(Refused::NotFound)?;
        if Some(world.application(index)?.organization) != place.organization {
            return Err(Refused::NotFound);
        }
        place.application = Some(index);
    }
    if let Some(id) = get("session_id") {
        let session = world.session(id).ok_or(Refused::NotFound)?;
        if place
            .application
            .is_some_and(|application| application != session.application)
        {
            return Err(Refused::NotFound);
        }
        place.application = Some(session.application);
        place.organization = Some(world.application(session.application)?.organization);
    }
    match place.organization {
        // An organisation that one is not in looks like one that is not there.
        Some(organization) if world.role_of(caller, organization).is_none() => {
            Err(Refused::NotFound)
        }
        _ => Ok(place),
    }
}

fn permitted(
    world: &World,
    caller: usize,
    place: Place,
    permission: Option<&str>,
) -> Result<(), Refused> {
    let Some(permission) = permission else {
        return Ok(());
    };
    let organization = place.organization.ok_or(Refused::NotFound)?;
    let role = world
        .role_of(caller, organization)
        .ok_or(Refused::NotFound)?;
    if role.may(permission) {
        Ok(())
    } else {
        Err(Refused::NotPermitted)
    }
}

async fn read(body: Body) -> Result<Bytes, Refused> {
    match Limited::new(body, MOST_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refused::BodyTooLong),
        Err(_) => Err(Refused::BodyBroken),
    }
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
