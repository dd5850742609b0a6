//! Reports that wait to be fetched, each behind a ticket that nobody can guess.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use didit_client::FileKind;
use didit_tools::{Download, Downloads, NoRoom};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use oauth_rs::entropy::Entropy;
use oauth_rs::hash::sha256;
use oauth_rs::time::Clock;

/// Where reports are fetched, on the listener of the MCP endpoint.
pub(super) const PATH: &str = "/downloads/session-report.pdf";

/// How long a report waits, in seconds: a person clicks on a link while the conversation is about it.
const LIFE: u64 = 300;

/// The most reports that wait: more than four people a second would have to ask for them.
const MAX_FILES: usize = 1024;

/// The most bytes that wait: eight of the largest bodies that are read from Didit.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The most reports of one person that wait; the oldest goes for a further one.
const MAX_OF_ONE: usize = 4;

/// Reports in memory, with the hash of the ticket of each.
///
/// A link holds nothing but its ticket, and is good at this process alone, until it ends.
/// What is late goes when the next report comes or is fetched.
pub(crate) struct Tickets {
    /// Scheme, host and port of the listener, as clients see it.
    origin: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    kept: Mutex<VecDeque<Kept>>,
}

/// One report that waits.
struct Kept {
    /// Of a ticket with 256 random bits: who reads it here, or finds out where two differ, has no ticket.
    hash: [u8; 32],
    person: Option<String>,
    expires_at: u64,
    kind: FileKind,
    file: Bytes,
}

impl Tickets {
    pub(super) fn new(
        origin: impl Into<String>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            origin: origin.into(),
            clock,
            entropy,
            kept: Mutex::default(),
        }
    }

    /// The answer to a request with this query.
    pub(super) fn page(&self, query: Option<&str>) -> Response<Bytes> {
        let ticket = query.and_then(|query| query.strip_prefix("token="));
        let found = ticket.and_then(|ticket| self.find(ticket));
        let (status, kind, body) = match found {
            Some((kind, file)) => (StatusCode::OK, kind.media_type(), file),
            None => (
                StatusCode::FORBIDDEN,
                "text/plain; charset=utf-8",
                Bytes::from_static(
                    b"This link is not good, or not any more: a report can be fetched for five minutes. Ask for it again.\n",
                ),
            ),
        };
        let mut page = Response::new(body);
        *page.status_mut() = status;
        let headers = page.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if status == StatusCode::OK {
            let saved = HeaderValue::from_static("attachment; filename=\"session-report.pdf\"");
            headers.insert(CONTENT_DISPOSITION, saved);
        }
        page
    }

    fn find(&self, ticket: &str) -> Option<(FileKind, Bytes)> {
        let (hash, now) = (sha256(ticket.as_bytes()), self.clock.now().0);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| now < one.expires_at);
        let one = kept.iter().find(|one| one.hash == hash)?;
        Some((one.kind, one.file.clone()))
    }
}

impl Downloads for Tickets {
    fn keep(&self, person: Option<&str>, kind: FileKind, file: Bytes) -> Result<Download, NoRoom> {
        let mut random = [0; 32];
        self.entropy.fill(&mut random);
        let ticket: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = self.clock.now().0;
        let expires_at = now.saturating_add(LIFE);

        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| now < one.expires_at);
        let own = kept.iter().filter(|one| one.person.as_deref() == person);
        if own.count() >= MAX_OF_ONE
            && let Some(oldest) = kept.iter().position(|one| one.person.as_deref() == person)
        {
            kept.remove(oldest);
        }
        let bytes: usize = kept.iter().map(|one| one.file.len()).sum();
        if kept.len() >= MAX_FILES || bytes.saturating_add(file.len()) > MAX_BYTES {
            // The oldest is the first to go.
            let next = kept.front().map_or(LIFE, |one| one.expires_at - now);
            return Err(NoRoom { retry_after: next });
        }
        kept.push_back(Kept {
            hash: sha256(ticket.as_bytes()),
            person: person.map(str::to_owned),
            expires_at,
            kind,
            file,
        });
        Ok(Download {
            url: format!("{}{PATH}?token={ticket}", self.origin),
            expires_at,
            expires_in: LIFE,
        })
    }
}
