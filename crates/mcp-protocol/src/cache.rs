//! Answers that may be used again (2026-07-28): what is kept, for whom, for how long, and what ends it. No clock, no I/O.
//!
//! Time is a [`Duration`] since any moment that all callers of one cache share.
//!
//! Specification: MCP 2026-07-28, caching.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::types::{CacheHint, CacheScope};

/// What a [`Cache`] holds at most.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// Answers.
    pub entries: usize,
    /// Bytes of all answers; a single answer over this is not kept.
    pub bytes: usize,
    /// The longest that an answer is used, whatever the server says.
    pub longest: Duration,
}

impl Default for CacheLimits {
    /// 256 answers and 16 MiB: the lists of some fifty servers. A day: the longest that a mistake of a server lasts.
    fn default() -> Self {
        Self {
            entries: 256,
            bytes: 16 * 1024 * 1024,
            longest: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What was asked, as far as the answer depends on it.
// MCP-CACHE-03: server, method, and the parameters that affect the result; a list is kept whole, so its cursors are not among
// them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    server: Arc<str>,
    method: &'static str,
    about: Option<String>,
}

impl Key {
    /// A request that has no parameters beside a cursor.
    #[must_use]
    pub fn whole(server: &Arc<str>, method: &'static str) -> Self {
        Self {
            server: Arc::clone(server),
            method,
            about: None,
        }
    }

    /// A request about one thing: `resources/read` of an address.
    #[must_use]
    pub fn about(server: &Arc<str>, method: &'static str, what: &str) -> Self {
        Self {
            about: Some(what.to_owned()),
            ..Self::whole(server, method)
        }
    }
}

/// An answer, page by page, as the server wrote it.
pub type Pages = Arc<[Box<RawValue>]>;

/// How long an answer may be used, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    until: Duration,
    scope: CacheScope,
}

impl Freshness {
    /// Reads it from a result that was received now.
    ///
    /// Absent, negative, or not an integer, the time is over at once; anything but `public` is private.
    #[must_use]
    // MCP-CACHE-04.
    pub fn of(result: &RawValue, now: Duration) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Hints {
            #[serde(default)]
            ttl_ms: Value,
            #[serde(default)]
            cache_scope: Value,
        }
        let hints: Hints = serde_json::from_str(result.get()).unwrap_or_default();
        let hint = CacheHint {
            ttl_ms: hints.ttl_ms.as_u64().unwrap_or(0),
            scope: match hints.cache_scope.as_str() {
                Some("public") => CacheScope::Public,
                _ => CacheScope::Private,
            },
        };
        Self {
            until: now.saturating_add(Duration::from_millis(hint.ttl_ms)),
            scope: hint.scope,
        }
    }

    /// That of two pages together: the shorter time, and private if one of them is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let public = self.scope == CacheScope::Public && other.scope == CacheScope::Public;
        Self {
            until: self.until.min(other.until),
            scope: if public {
                CacheScope::Public
            } else {
                CacheScope::Private
            },
        }
    }
}

/// What has changed at a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale<'a> {
    /// `tools/list`.
    Tools,
    /// `prompts/list`.
    Prompts,
    /// `resources/list` and `resources/templates/list`, and with them `skills/list` and `skills/get`.
    Resources,
    /// `resources/read` of this address.
    Resource(&'a str),
}

/// What was found.
#[derive(Debug)]
pub enum Looked {
    /// A fresh answer.
    Fresh(Pages),
    /// None; whoever gets one may hand it in with this.
    Absent(Ticket),
}

/// The permission to keep one answer: to what, for whom, and since when it is asked for.
#[derive(Debug)]
#[must_use]
pub struct Ticket {
    key: Key,
    principal: Option<Arc<str>>,
    changes: u64,
}

/// Whose an entry is; none is everybody's.
type Owner = Option<Arc<str>>;

#[derive(Debug)]
struct Entry {
    pages: Pages,
    until: Duration,
    bytes: usize,
    used: u64,
}

/// Answers that may be used again.
///
/// A private answer is kept only for a principal that has a name, and is found only under that name.
/// A stale answer is not served, not even when the server cannot be reached: whoever wants that keeps the answer.
///
/// Does not check: whether a server tells the truth about what is public; one that calls private things public shows them to
/// every principal of this cache.
#[derive(Debug, Default)]
pub struct Cache {
    limits: CacheLimits,
    entries: HashMap<(Key, Owner), Entry>,
    bytes: usize,
    uses: u64,
    changes: u64,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Looks for a fresh answer for this principal, its own first.
    // MCP-CACHE-03: never the private entry of somebody else.
    pub fn look(&mut self, key: Key, principal: Option<&Arc<str>>, now: Duration) -> Looked {
        self.uses = self.uses.saturating_add(1);
        let own = principal.map(|principal| Some(Arc::clone(principal)));
        for owner in own.into_iter().chain([None]) {
            let place = (key.clone(), owner);
            match self.entries.get_mut(&place) {
                Some(entry) if now < entry.until => {
                    entry.used = self.uses;
                    return Looked::Fresh(Arc::clone(&entry.pages));
                }
                Some(_) => self.remove(&place),
                None => {}
            }
        }
        Looked::Absent(Ticket {
            key,
            principal: principal.cloned(),
            changes: self.changes,
        })
    }

    /// Keeps an answer, unless something has changed since it was asked for, or it may not be kept.
    pub fn keep(&mut self, ticket: Ticket, pages: Pages, fresh: Freshness, now: Duration) {
        let until = fresh.until.min(now.saturating_add(self.limits.longest));
        // The answer may be older than the change.
        if ticket.changes != self.changes || until <= now {
            return;
        }
        let owner = match (fresh.scope, ticket.principal) {
            (CacheScope::Public, _) => None,
            (CacheScope::Private, Some(principal)) => {
                // What was public is not any more.
                self.remove(&(ticket.key.clone(), None));
                Some(principal)
            }
            (CacheScope::Private, None) => return,
        };
        let bytes = pages
            .iter()
            .map(|page| page.get().len())
            .fold(0, usize::saturating_add);
        let place = (ticket.key, owner);
        self.remove(&place);
        if bytes > self.limits.bytes || self.limits.entries == 0 {
            return;
        }
        while self.entries.len() >= self.limits.entries || bytes > self.limits.bytes - self.bytes {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(place) = oldest.map(|(place, _)| place.clone()) else {
                return;
            };
            self.remove(&place);
        }
        self.bytes += bytes;
        self.uses = self.uses.saturating_add(1);
        let entry = Entry {
            pages,
            until,
            bytes,
            used: self.uses,
        };
        self.entries.insert(place, entry);
    }

    /// Forgets what has changed, for every principal; what is being asked for at this moment is not kept either.
    pub fn forget(&mut self, server: &str, stale: Stale<'_>) {
        self.changes = self.changes.saturating_add(1);
        let is_stale = |key: &Key| {
            *key.server == *server
                && match stale {
                    Stale::Tools => key.method == "tools/list",
                    Stale::Prompts => key.method == "prompts/list",
                    Stale::Resources => {
                        matches!(
                            key.method,
                            "resources/list"
                                | "resources/templates/list"
                                | "skills/list"
                                | "skills/get"
                        )
                    }
                    Stale::Resource(uri) => {
                        key.method == "resources/read" && key.about.as_deref() == Some(uri)
                    }
                }
        };
        self.retain(|(key, _)| !is_stale(key));
    }

    /// Forgets all of one principal's own, at every server: for when it signs out. What is being asked for at this moment is
    /// not kept either.
    pub fn forget_principal(&mut self, principal: &str) {
        self.changes = self.changes.saturating_add(1);
        self.retain(|(_, owner)| owner.as_deref() != Some(principal));
    }

    fn retain(&mut self, keep: impl Fn(&(Key, Owner)) -> bool) {
        let bytes = &mut self.bytes;
        self.entries.retain(|place, entry| {
            let kept = keep(place);
            if !kept {
                *bytes = bytes.saturating_sub(entry.bytes);
            }
            kept
        });
    }

    fn remove(&mut self, place: &(Key, Owner)) {
        if let Some(entry) = self.entries.remove(place) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
