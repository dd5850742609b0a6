//! How many calls each caller may make, over a sliding minute.

use std::collections::{BTreeMap, VecDeque};

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::refused::Refused;

/// Seconds that a call counts for.
const WINDOW: u64 = 60;
/// Callers that are counted at most; the first in order goes when there are more.
const MOST_CALLERS: usize = 1_000;

/// What is counted together, and how much of it there may be in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Read,
    Write,
    Session,
    Transaction,
    Decision,
    Pdf,
}

impl Class {
    fn of(method: &Method, path: &str) -> Self {
        let reads = method == Method::GET;
        match path {
            "/v3/session/" => Self::Session,
            _ if path.ends_with("/decision/") => Self::Decision,
            _ if path.trim_end_matches('/').ends_with("/generate-pdf") => Self::Pdf,
            _ if !reads && path.ends_with("/transactions/") => Self::Transaction,
            _ if reads => Self::Read,
            _ => Self::Write,
        }
    }

    fn limit(self) -> usize {
        match self {
            Self::Read | Self::Session | Self::Transaction => 600,
            Self::Write => 300,
            Self::Decision | Self::Pdf => 100,
        }
    }
}

/// The calls of the last minute, where they are counted at all.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    pub(crate) on: bool,
    calls: BTreeMap<(String, Class), VecDeque<u64>>,
}

/// How a caller stands after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    limit: usize,
    remaining: usize,
    /// When the oldest call that counts no longer does, in Unix seconds.
    reset: u64,
}

impl Rates {
    /// Counts one call. A call too many does not count, and is told how many seconds to wait.
    pub(crate) fn take(
        &mut self,
        who: &str,
        method: &Method,
        path: &str,
        now: u64,
    ) -> (Option<Standing>, Result<(), Refused>) {
        if !self.on {
            return (None, Ok(()));
        }
        let class = Class::of(method, path);
        let key = (who.to_owned(), class);
        if self.calls.len() >= MOST_CALLERS && !self.calls.contains_key(&key) {
            self.calls.pop_first();
        }
        let calls = self.calls.entry(key).or_default();
        calls.retain(|at| now < at.saturating_add(WINDOW));
        let limit = class.limit();
        let fits = calls.len() < limit;
        if fits {
            calls.push_back(now);
        }
        let reset = calls.front().map_or(now, |at| at.saturating_add(WINDOW));
        let standing = Standing {
            limit,
            remaining: limit - calls.len(),
            reset,
        };
        let refused = Refused::Throttled(reset.saturating_sub(now));
        (Some(standing), if fits { Ok(()) } else { Err(refused) })
    }
}

impl Standing {
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("x-ratelimit-limit", self.limit as u64),
            ("x-ratelimit-remaining", self.remaining as u64),
            ("x-ratelimit-reset", self.reset),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_call_has_its_limit() {
        for (method, path, limit) in [
            (Method::GET, "/v3/sessions/", 600),
            (Method::PATCH, "/v3/webhook/", 300),
            (Method::POST, "/v3/session/", 600),
            (Method::POST, "/v3/transactions/", 600),
            (Method::GET, "/v3/transactions/", 600),
            (Method::GET, "/v3/session/{session_id}/decision/", 100),
            (Method::GET, "/v3/session/{session_id}/generate-pdf", 100),
            (Method::GET, "/v3/session/{session_id}/generate-pdf/", 100),
        ] {
            assert_eq!(Class::of(&method, path).limit(), limit, "{method} {path}");
        }
    }

    #[test]
    fn the_callers_that_are_counted_are_bounded() {
        let mut rates = Rates {
            on: true,
            ..Rates::default()
        };
        for number in 0..=MOST_CALLERS {
            let (standing, _) = rates.take(&format!("{number:05}"), &Method::GET, "/", 0);
            assert!(standing.is_some());
        }
        assert_eq!(rates.calls.len(), MOST_CALLERS);
    }
}
