//! Faults on request: what the upstream does wrong, and to which calls.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request};
use serde_json::{Map, Value, json};

use crate::body::SandboxBody;
use crate::refused::json_response;

/// Faults that wait for their calls at most; the oldest goes when there are more.
const MOST_FAULTS: usize = 64;

/// Something to wait for, made anew for each call that is slow.
pub type Wait = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What goes wrong with a call.
#[derive(Clone)]
#[non_exhaustive]
pub enum Fault {
    /// The call is done after the wait is over; a caller that gives up earlier changed nothing.
    Slow(Wait),
    /// There is never an answer, and nothing is done.
    Silent,
    /// 429 with `Retry-After` in seconds; nothing is done.
    RateLimited {
        /// The value of `Retry-After`.
        retry_after: u64,
    },
    /// A status with a text that is no JSON; nothing is done.
    Status(StatusCode),
    /// 302 to this address; nothing is done.
    Redirect(String),
    /// 200 with a page of HTML; nothing is done.
    Html,
    /// 200 with 100 MiB of JSON, made while it is read; nothing is done.
    Huge,
    /// The call is done, and the connection ends in the middle of its answer.
    Cut,
    /// The call is done, and its answer is the first half of the JSON, as if it were all.
    Truncated,
    /// The call is done, and its answer has a list for an object and an object for a list.
    WrongShape,
    /// The call is done, and every value inside its answer has another type: numbers for texts, texts for numbers, lists for objects.
    WrongTypes,
}

impl Fault {
    /// A call that is done only after what `wait` makes is over.
    ///
    /// The sandbox has no timer of its own: a test passes a sleep of the runtime whose time it moves.
    pub fn slow<F>(wait: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Slow(Arc::new(move || Box::pin(wait())))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slow(_) => f.write_str("Slow"),
            Self::Silent => f.write_str("Silent"),
            Self::RateLimited { retry_after } => write!(f, "RateLimited({retry_after})"),
            Self::Status(status) => write!(f, "Status({status})"),
            Self::Redirect(_) => f.write_str("Redirect"),
            Self::Html => f.write_str("Html"),
            Self::Huge => f.write_str("Huge"),
            Self::Cut => f.write_str("Cut"),
            Self::Truncated => f.write_str("Truncated"),
            Self::WrongShape => f.write_str("WrongShape"),
            Self::WrongTypes => f.write_str("WrongTypes"),
        }
    }
}

/// Which calls a fault is for.
#[derive(Clone, Debug)]
pub struct Matching {
    method: Option<Method>,
    path: Option<String>,
    left: Option<usize>,
}

impl Matching {
    /// The next call, and then no more.
    #[must_use]
    pub fn next() -> Self {
        Self::all().times(1)
    }

    /// Every call.
    #[must_use]
    pub fn all() -> Self {
        Self {
            method: None,
            path: None,
            left: None,
        }
    }

    /// Only so many calls of those that match.
    #[must_use]
    pub fn times(mut self, calls: usize) -> Self {
        self.left = Some(calls);
        self
    }

    /// Only calls with this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only calls whose path contains this text.
    #[must_use]
    pub fn path(mut self, part: impl Into<String>) -> Self {
        self.path = Some(part.into());
        self
    }

    fn holds(&self, parts: &request::Parts) -> bool {
        let method = self.method.as_ref();
        let path = self.path.as_deref();
        method.is_none_or(|method| *method == parts.method)
            && path.is_none_or(|part| parts.uri.path().contains(part))
    }
}

/// The faults that were asked for and are not used up.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(Matching, Fault)>);

impl Faults {
    pub(crate) fn add(&mut self, matching: Matching, fault: Fault) {
        if self.0.len() >= MOST_FAULTS {
            self.0.remove(0);
        }
        self.0.push((matching, fault));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault of this call: the first asked for that matches it.
    pub(crate) fn of(&mut self, parts: &request::Parts) -> Option<Fault> {
        let index = self
            .0
            .iter()
            .position(|(matching, _)| matching.holds(parts))?;
        let (matching, fault) = self.0.get_mut(index)?;
        let fault = fault.clone();
        if let Some(left) = &mut matching.left {
            *left = left.saturating_sub(1);
        }
        self.0.retain(|(matching, _)| matching.left != Some(0));
        Some(fault)
    }
}

/// The answer of a fault that takes the place of the call, or nothing for one that the call is done under.
pub(crate) fn instead(fault: &Fault) -> Option<Response<SandboxBody>> {
    let text = |status: StatusCode, media_type: &'static str, text: &'static str| {
        let mut response = Response::new(SandboxBody::whole(Bytes::from_static(text.as_bytes())));
        *response.status_mut() = status;
        let value = HeaderValue::from_static(media_type);
        response.headers_mut().insert(header::CONTENT_TYPE, value);
        response
    };
    Some(match fault {
        Fault::Slow(_)
        | Fault::Silent
        | Fault::Cut
        | Fault::Truncated
        | Fault::WrongShape
        | Fault::WrongTypes => return None,
        Fault::RateLimited { retry_after } => {
            let body = json!({ "detail": format!("Request was throttled. Expected available in {retry_after} seconds.") });
            let mut response =
                json_response(StatusCode::TOO_MANY_REQUESTS, &body).map(SandboxBody::whole);
            let value = HeaderValue::from(*retry_after);
            response.headers_mut().insert(header::RETRY_AFTER, value);
            response
        }
        Fault::Status(status) => text(*status, "text/plain", "something went wrong"),
        Fault::Redirect(to) => {
            let mut response = text(StatusCode::FOUND, "text/plain", "");
            if let Ok(location) = HeaderValue::from_str(to) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Fault::Html => text(
            StatusCode::OK,
            "text/html",
            "<!doctype html><title>Didit</title><p>Be right back.",
        ),
        Fault::Huge => {
            let mut response = Response::new(SandboxBody::huge());
            let value = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, value);
            response
        }
    })
}

/// What the fault makes of the answer of a call that was done.
pub(crate) fn spoiled(fault: &Fault, response: Response<Bytes>) -> Response<SandboxBody> {
    let (parts, bytes) = response.into_parts();
    let body = match fault {
        Fault::Cut => SandboxBody::cut(&bytes),
        Fault::Truncated => SandboxBody::whole(bytes.slice(..bytes.len() / 2)),
        Fault::WrongShape => rewritten(&bytes, |value| match value {
            Value::Array(_) => json!({ "items": value }),
            _ => json!([value]),
        }),
        Fault::WrongTypes => rewritten(&bytes, wrong_types),
        _ => SandboxBody::whole(bytes),
    };
    Response::from_parts(parts, body)
}

fn rewritten(bytes: &Bytes, change: impl Fn(Value) -> Value) -> SandboxBody {
    match serde_json::from_slice(bytes) {
        Ok(value) => SandboxBody::whole(Bytes::from(change(value).to_string())),
        Err(_) => SandboxBody::whole(bytes.clone()),
    }
}

/// The same outer shape with wrong values inside.
fn wrong_types(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, wrong(value)))
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(items) => items.into_iter().map(wrong_types).collect(),
        other => wrong(other),
    }
}

fn wrong(value: Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(flag) => json!(flag.to_string()),
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(text.len()),
        Value::Array(items) => json!({ "items": items }),
        Value::Object(fields) => json!([fields]),
    }
}
