//! The requests that came in, for tests that compare them with what should have been sent.

use std::collections::VecDeque;

use axum::extract::Query;
use bytes::Bytes;
use http::{HeaderMap, header, request};
use serde_json::Value;

use crate::form::{self, Part};

/// Requests that are remembered; the oldest goes first. A tool that asks every application of the seed sends far fewer.
const MOST_REQUESTS: usize = 256;
/// Bytes that are kept of one body: with the bound above, 16 MiB in all.
const MOST_BODY_BYTES: usize = 64 * 1024;
/// Bytes that are kept of a path, of a query and of one header.
const MOST_TEXT_BYTES: usize = 8 * 1024;
/// Headers that are kept of one request.
const MOST_HEADERS: usize = 64;

/// A request as it came in. Credentials are not kept: what they were is told in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path as it was sent, with its escapes.
    pub path: String,
    /// The names and values of the query, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// The headers by their names in lower case.
    ///
    /// The value of `authorization` is `Bearer (ID)` with the person's id or `Bearer (unknown)`, that of `x-api-key` is `(UUID)` with the application's or `(unknown)`, and that of `cookie` and `proxy-authorization` is `(hidden)`.
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the body; empty where the request was refused before its body was read.
    pub body: Bytes,
    /// How long the body was.
    pub body_bytes: usize,
}

impl Received {
    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parts of the body as a form, where it is that and was kept whole.
    #[must_use]
    pub fn form(&self) -> Option<Vec<Part>> {
        form::parse(self.header("content-type")?, &self.body).ok()
    }

    /// The body as JSON, where it is that and was kept whole.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The last requests, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Record {
    rows: VecDeque<Received>,
    /// How many have gone from the front.
    gone: u64,
}

impl Record {
    /// Notes a request whose body is not there yet, and gives its number for when it is.
    pub(crate) fn arrived(
        &mut self,
        parts: &request::Parts,
        person: impl Fn(&str) -> Option<String>,
        key: impl Fn(&str) -> Option<String>,
    ) -> u64 {
        if self.rows.len() >= MOST_REQUESTS {
            self.rows.pop_front();
            self.gone += 1;
        }
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        self.rows.push_back(Received {
            method: parts.method.to_string(),
            path: shortened(parts.uri.path()),
            query: pairs
                .map(|query| query.0)
                .unwrap_or_default()
                .into_iter()
                .take(MOST_HEADERS)
                .map(|(name, value)| (shortened(&name), shortened(&value)))
                .collect(),
            headers: headers(&parts.headers, person, key),
            body: Bytes::new(),
            body_bytes: 0,
        });
        self.gone + self.rows.len() as u64
    }

    pub(crate) fn read(&mut self, number: u64, body: &Bytes) {
        let place = number.checked_sub(self.gone + 1);
        let index = place.and_then(|place| usize::try_from(place).ok());
        if let Some(row) = index.and_then(|index| self.rows.get_mut(index)) {
            // A copy: a slice would hold the whole body.
            let kept = body.len().min(MOST_BODY_BYTES);
            row.body = Bytes::copy_from_slice(&body.slice(..kept));
            row.body_bytes = body.len();
        }
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.rows.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.gone += self.rows.len() as u64;
        self.rows.clear();
    }
}

fn headers(
    headers: &HeaderMap,
    person: impl Fn(&str) -> Option<String>,
    key: impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let unknown = || "unknown".to_owned();
    headers
        .iter()
        .take(MOST_HEADERS)
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let shown = if *name == header::AUTHORIZATION {
                let (scheme, credential) = text.split_once(' ').unwrap_or((&text, ""));
                let scheme = if scheme.eq_ignore_ascii_case("bearer") {
                    scheme
                } else {
                    "(hidden)"
                };
                let who = person(credential.trim()).unwrap_or_else(unknown);
                format!("{scheme} ({who})")
            } else if name == "x-api-key" {
                format!("({})", key(text.trim()).unwrap_or_else(unknown))
            } else if *name == header::COOKIE || *name == header::PROXY_AUTHORIZATION {
                "(hidden)".to_owned()
            } else {
                shortened(&text)
            };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}

fn shortened(text: &str) -> String {
    let mut end = text.len().min(MOST_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
