//! Streamable HTTP rules as functions over the parts of a request.

mod param;
mod value;

pub use param::{HeaderParam, InvalidAnnotation, ParamKind, check_params, header_params};
pub use value::{decode, encode, mirror};

use ::http::header::{ACCEPT, CONTENT_TYPE, HOST, ORIGIN};
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue};

use crate::stateless::{Mirror, Mirrored};
use crate::violation::Violation;

/// The version of the request.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The method, as in the body (2026-07-28).
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The name or address, as in the body (2026-07-28).
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// The session (2025-03-26 to 2025-11-25).
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The event after which a broken stream goes on (2025-03-26 to 2025-11-25).
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// What comes before the name of a mirrored argument (2026-07-28).
pub const PARAM_PREFIX: &str = "mcp-param-";

/// Who may call: the names that this server answers to, and the pages that may call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    /// Whether `localhost`, `127.0.0.1` and `[::1]` are allowed on any port, as host and as origin.
    pub loopback: bool,
    /// Further hosts; one without a port stands for any port.
    pub hosts: Vec<String>,
    /// Further origins, exactly as a browser writes them: `https://app.example`.
    pub origins: Vec<String>,
    /// Whether every origin is allowed but `null`.
    ///
    /// # Security
    /// It is for a server that does nothing without a token which a page has to hold: then a page can do
    /// no more than its person has let it. Hosts are checked all the same, so no page can rebind its name.
    pub dangerous_any_origin: bool,
}

impl Default for Callers {
    /// Loopback only.
    fn default() -> Self {
        Callers {
            loopback: true,
            hosts: Vec::new(),
            origins: Vec::new(),
            dangerous_any_origin: false,
        }
    }
}

impl Callers {
    /// Checks `Host` (or the authority of the request line) and `Origin`.
    ///
    /// 1. There is exactly one host and it is allowed.
    /// 2. There is no origin, or exactly one and it is allowed; `null` never is.
    ///
    /// Does not check: who the caller is. A program can send any host and origin; this protects
    /// people whose browser runs somebody else's page (DNS rebinding).
    ///
    /// # Errors
    /// [`Violation::Host`], [`Violation::Origin`].
    ///
    /// Specification: MCP 2025-11-25 and 2026-07-28, transports, "Security Warning".
    pub fn check(&self, parts: &Parts) -> Result<(), Violation> {
        let mut hosts = parts.headers.get_all(HOST).iter();
        let authority = match (parts.uri.authority(), hosts.next(), hosts.next()) {
            (_, Some(_), Some(_)) => return Err(Violation::Host),
            // RFC 9112 section 3.2.2: the authority of the request line takes precedence.
            (Some(authority), _, _) => authority.as_str(),
            (None, Some(host), None) => host.to_str().map_err(|_| Violation::Host)?,
            (None, _, _) => return Err(Violation::Host),
        };
        if !self.allows_host(authority) {
            return Err(Violation::Host);
        }
        let mut origins = parts.headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if self.allows_origin(origin) => Ok(()),
            _ => Err(Violation::Origin),
        }
    }

    fn allows_host(&self, authority: &str) -> bool {
        let host = host_of(authority);
        (self.loopback && is_loopback(host))
            || self.hosts.iter().any(|allowed| {
                allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(authority)
            })
    }

    fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if self.origins.iter().any(|allowed| allowed == origin) {
            return true;
        }
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        if self.dangerous_any_origin {
            return true;
        }
        self.loopback && matches!(scheme, "http" | "https") && is_loopback(host_of(authority))
    }
}

/// An authority without its port.
///
/// Nothing else is taken off: with somebody's name before the host, or text after an address in
/// brackets (`[::1].example`), it is none of the hosts that are allowed.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || host == "[::1]"
}

/// Checks that the body says it is JSON.
///
/// # Errors
/// [`Violation::ContentType`].
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Violation> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Violation::ContentType);
    };
    let value = value.to_str().map_err(|_| Violation::ContentType)?;
    if media_type(value).eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Violation::ContentType)
    }
}

const USUAL_ACCEPT: &str = "application/json, text/event-stream";
const USUAL_TYPES: [&str; 2] = ["application/json", "text/event-stream"];

/// Checks that the client accepts all of these media types; no `Accept` accepts everything.
///
/// The most specific range that fits a type decides, and a weight of 0 refuses the type. Other
/// weights make no difference: the answer decides its type, not the client.
///
/// MCP-HTTP-04: a POST lists both `application/json` and `text/event-stream`.
///
/// # Errors
/// [`Violation::NotAcceptable`].
///
/// Specification: RFC 9110 sections 12.4.2 and 12.5.1.
pub fn check_accept(headers: &HeaderMap, wanted: &[&str]) -> Result<(), Violation> {
    let mut values = headers.get_all(ACCEPT).iter();
    match (values.next(), values.next()) {
        (None, _) => return Ok(()),
        // What nearly every client says, word by word.
        (Some(value), None)
            if value == USUAL_ACCEPT && wanted.iter().all(|one| USUAL_TYPES.contains(one)) =>
        {
            return Ok(());
        }
        _ => {}
    }
    let accepts = |wanted: &str| {
        let group = wanted.split('/').next().unwrap_or_default();
        headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| Some((precedence(media_type(range), wanted, group)?, range)))
            .max_by_key(|(precedence, _)| *precedence)
            .is_some_and(|(_, range)| !is_refused(range))
    };
    if wanted.iter().all(|wanted| accepts(wanted)) {
        Ok(())
    } else {
        Err(Violation::NotAcceptable)
    }
}

/// RFC 9110 section 12.5.1: the most specific range that matches takes precedence.
fn precedence(range: &str, wanted: &str, group: &str) -> Option<u8> {
    let is_group = || {
        range
            .strip_suffix("/*")
            .is_some_and(|range| range.eq_ignore_ascii_case(group))
    };
    match range {
        range if range.eq_ignore_ascii_case(wanted) => Some(2),
        _ if is_group() => Some(1),
        "*/*" => Some(0),
        _ => None,
    }
}

/// RFC 9110 section 12.4.2: a weight of 0 is "not acceptable".
fn is_refused(range: &str) -> bool {
    range
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .any(|(_, weight)| weight.trim().parse() == Ok(0.0_f32))
}

fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Reads the three mirrored headers.
#[must_use]
pub fn mirrored(headers: &HeaderMap) -> Mirrored<'_> {
    Mirrored {
        version: mirror(headers, &PROTOCOL_VERSION),
        method: mirror(headers, &METHOD),
        name: mirror(headers, &NAME),
    }
}

/// Reads the session id; one that is there twice names no session.
#[must_use]
pub fn session_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(SESSION_ID).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// Reads the event after which a stream should go on; one that is there twice, or is not readable,
/// names no event.
#[must_use]
pub fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    let first = values.next()?;
    Some(match values.next() {
        None => first.to_str().unwrap_or_default(),
        Some(_) => "",
    })
}

/// Whether a mirrored header is there and differs from the body.
///
/// For notifications, where no revision says that the headers are required.
#[must_use]
pub fn contradicts(mirror: &Mirror<'_>, body: &str) -> bool {
    match mirror {
        Mirror::Absent => false,
        Mirror::Unreadable => true,
        Mirror::Text(text) => text != body,
    }
}

#[cfg(test)]
mod tests;
