//! The table of routes, and what is checked before any of them: the host and the method.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};

use super::body::Unread;
use super::{authorize, cors, person, register, respond, revoke, token};
use crate::check::redirect_uri::Location;
use crate::endpoint::metadata::{self, path};
use crate::server::Server;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Metadata,
    Keys,
    Register,
    Authorize,
    SignIn,
    Consent,
    Token,
    Revoke,
}

impl Route {
    /// The methods that it has.
    const fn allow(self) -> &'static str {
        match self {
            Self::Metadata | Self::Keys => "GET, HEAD, OPTIONS",
            Self::Authorize | Self::SignIn | Self::Consent => "GET, HEAD, POST",
            Self::Register | Self::Token | Self::Revoke => "POST, OPTIONS",
        }
    }

    /// Whether scripts of other sites may call it.
    ///
    /// OAuth 2.1 section 3: not at the authorization endpoint, nor on any page of it.
    const fn shared(self) -> bool {
        match self {
            Self::Metadata | Self::Keys | Self::Register | Self::Token | Self::Revoke => true,
            Self::Authorize | Self::SignIn | Self::Consent => false,
        }
    }

    fn has(self, method: &Method) -> bool {
        self.allow()
            .split(", ")
            .any(|allowed| allowed == method.as_str())
    }
}

/// The route of a request, or the response to one that has none.
pub(super) fn route(server: &Server, parts: &Parts) -> Result<Route, Box<Response<Bytes>>> {
    if !host_is_ours(server, parts) {
        return Err(Box::new(respond::text(
            StatusCode::FORBIDDEN,
            "host is not served here\n",
        )));
    }
    let Some(route) = find(server, parts.uri.path()) else {
        return Err(Box::new(respond::text(
            StatusCode::NOT_FOUND,
            "not found\n",
        )));
    };
    if !route.has(&parts.method) {
        let mut response = respond::text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static(route.allow()));
        return Err(Box::new(finished(parts, route, response)));
    }
    if parts.method == Method::OPTIONS {
        return Err(Box::new(finished(
            parts,
            route,
            cors::preflight(route.allow()),
        )));
    }
    Ok(route)
}

/// Serves a request whose route is known.
pub(super) async fn serve(
    server: &Server,
    route: Route,
    parts: &Parts,
    body: Bytes,
) -> Response<Bytes> {
    let get = parts.method != Method::POST;
    let mut response = match route {
        Route::Metadata => {
            let documents = server.seams.documents.is_some();
            respond::json(
                StatusCode::OK,
                &metadata::document(&server.config, documents),
            )
        }
        Route::Keys => respond::json(StatusCode::OK, &metadata::keys(&server.config)),
        Route::Register => register::serve(server, parts, &body).await,
        Route::Authorize => authorize::serve(server, parts, &body).await,
        Route::SignIn if get => person::sign_in_page(server, parts).await,
        Route::SignIn => person::sign_in(server, parts, &body).await,
        Route::Consent if get => person::consent_page(server, parts).await,
        Route::Consent => person::consent(server, parts, &body).await,
        Route::Token => token::serve(server, parts, &body).await,
        Route::Revoke => revoke::serve(server, parts, &body).await,
    };
    if parts.method == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    finished(parts, route, response)
}

/// The response to a request whose body was not read.
pub(super) fn without_body(parts: &Parts, route: Route, unread: &Unread) -> Response<Bytes> {
    let response = if route.shared() {
        respond::error(unread.status(), "invalid_request", unread.why())
    } else {
        respond::text(unread.status(), unread.why())
    };
    finished(parts, route, response)
}

fn finished(parts: &Parts, route: Route, mut response: Response<Bytes>) -> Response<Bytes> {
    if route.shared() {
        cors::allow(&parts.headers, &mut response);
    }
    response
}

fn find(server: &Server, requested: &str) -> Option<Route> {
    let (_, base) = server_place(server);
    // RFC 8414 section 3.1: the well-known part is inserted between host and path; OpenID Connect appends it.
    for (well_known, appended) in [(path::METADATA, false), (path::OPENID, true)] {
        let inserted = requested.strip_prefix(well_known);
        let appended = appended.then(|| requested.strip_prefix(base)).flatten();
        if inserted == Some(base) || appended == Some(well_known) {
            return Some(Route::Metadata);
        }
    }
    match requested.strip_prefix(base)? {
        path::JWKS => Some(Route::Keys),
        path::REGISTER => Some(Route::Register),
        path::AUTHORIZE => Some(Route::Authorize),
        path::SIGN_IN => Some(Route::SignIn),
        path::CONSENT => Some(Route::Consent),
        path::TOKEN => Some(Route::Token),
        path::REVOKE => Some(Route::Revoke),
        _ => None,
    }
}

/// The authority of the issuer and its path without a slash at the end.
pub(super) fn server_place(server: &Server) -> (&str, &str) {
    let issuer = server.config.issuer.as_str();
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, base) = rest.split_at_checked(end).unwrap_or((rest, ""));
    (authority, base.trim_end_matches('/'))
}

/// Whether the request was sent to the name that the issuer has.
///
/// A page on another name that resolves to this machine has another host.
fn host_is_ours(server: &Server, parts: &Parts) -> bool {
    if server.config.any_host {
        return true;
    }
    let (authority, _) = server_place(server);
    let mut named = parts.headers.get_all(header::HOST).iter();
    // RFC 9112 section 3.2: more than one Host header is a 400 of the server around this; here the request names nobody.
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, None) => parts.uri.authority().map(http::uri::Authority::as_str),
        _ => None,
    };
    host.is_some_and(|host| same_authority(server, host, authority))
}

fn same_authority(server: &Server, sent: &str, own: &str) -> bool {
    let default = if server.config.issuer.as_str().starts_with("https:") {
        ":443"
    } else {
        ":80"
    };
    let bare = |text: &str| {
        text.strip_suffix(default)
            .unwrap_or(text)
            .to_ascii_lowercase()
    };
    bare(sent) == bare(own)
}

/// The path of a page of this server.
pub(super) fn path(server: &Server, page: &str) -> String {
    format!("{}{page}", server_place(server).1)
}

/// The page about one request.
pub(super) fn page(server: &Server, page: &str, request: &str) -> Location {
    Location::own(&path(server, page), request)
}

/// The origin of the issuer.
pub(super) fn origin(server: &Server) -> String {
    let scheme = server
        .config
        .issuer
        .as_str()
        .split("://")
        .next()
        .unwrap_or_default();
    format!("{scheme}://{}", server_place(server).0)
}
