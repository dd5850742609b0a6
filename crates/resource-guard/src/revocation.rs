//! What was revoked, for as long as a token that it concerns can be valid.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::Issuer;

use crate::principal::Principal;

/// What an authorization server withdraws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Withdrawn<'a> {
    /// One token, by its `jti`.
    Token(&'a str),
    /// Every token of a grant, past and to come.
    Grant(&'a str),
    /// Every token that was issued until now for a subject, at any client.
    Subject(&'a str),
}

/// What is looked up of a token; see [`Revocations::is_revoked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts<'a> {
    /// Who issued it.
    pub issuer: &'a Issuer,
    /// Whom it speaks for, if it is not a client for itself.
    pub subject: Option<&'a str>,
    /// Its identifier.
    pub token_id: Option<&'a str>,
    /// The grant that it came from.
    pub grant_id: Option<&'a str>,
    /// When it was issued.
    pub issued_at: Option<UnixSeconds>,
}

impl<'a> From<&'a Principal> for TokenFacts<'a> {
    fn from(principal: &'a Principal) -> Self {
        Self {
            issuer: &principal.issuer,
            subject: principal.subject.named(),
            token_id: principal.token_id.as_deref(),
            grant_id: principal.grant_id.as_deref(),
            issued_at: principal.issued_at,
        }
    }
}

/// Revocations that count at the next request, told by an authorization server in the same process
/// or by whatever carries its events.
///
/// 1. A token, or a grant, that was withdrawn stays so.
/// 2. A subject loses the tokens that were issued up to that second; one issued later is good. A
///    token that does not say when it was issued is not.
/// 3. Nothing is forgotten in favour of a token: an entry that leaves, because it is old or because
///    there are too many, takes with it every token of any issuer that was issued before it. So the
///    memory is bounded, and a flood of revocations makes clients refresh instead of reviving what
///    was withdrawn.
///
/// Does not check: who may revoke; and a token without `iat` is not concerned by the third rule,
/// since such a token is known only from its issuer's own word, which is asked again within a minute.
///
/// ```
/// use oauth_rs::time::UnixSeconds;
/// use oauth_rs::uri::Issuer;
/// use resource_guard::revocation::{Revocations, TokenFacts, Withdrawn};
///
/// let issuer = Issuer::parse("https://as.example").unwrap();
/// let token = TokenFacts {
///     issuer: &issuer,
///     subject: Some("user-1"),
///     token_id: Some("token-1"),
///     grant_id: None,
///     issued_at: Some(UnixSeconds(1000)),
/// };
/// let revocations = Revocations::default();
/// assert!(!revocations.is_revoked(&token));
/// revocations.revoke(&issuer, Withdrawn::Token("token-1"), UnixSeconds(1100));
/// assert!(revocations.is_revoked(&token));
/// ```
pub struct Revocations {
    /// Nothing was ever revoked: a check looks no further, and takes no lock.
    none: AtomicBool,
    list: RwLock<List>,
    hasher: RandomState,
    longest_lifetime: Duration,
    capacity: usize,
}

#[derive(Default)]
struct List {
    at: HashMap<Key, UnixSeconds>,
    order: VecDeque<(Key, UnixSeconds)>,
    /// Every token that was issued up to then is refused.
    all_until: Option<UnixSeconds>,
}

/// What kind of thing, of which issuer, with which name, as a hash under a random key.
///
/// Two that fall together by chance, one in 2^64, would be a refusal too many and never one too few.
type Key = u64;

#[derive(Clone, Copy, Hash)]
enum Kind {
    Token,
    Grant,
    Subject,
}

/// Entries that are kept at most, some 3 MiB: more than a large site revokes in a day.
pub const MAX_REVOCATIONS: usize = 65_536;

/// A day: no access token should live longer.
pub const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Revocations {
    fn default() -> Self {
        Self::new(LONGEST_LIFETIME)
    }
}

impl Revocations {
    /// A list for tokens that live no longer than this.
    ///
    /// A token that lives longer is refused once a revocation that is younger than it leaves the
    /// list.
    pub fn new(longest_lifetime: Duration) -> Self {
        Self {
            none: AtomicBool::new(true),
            list: RwLock::new(List::default()),
            hasher: RandomState::new(),
            longest_lifetime,
            capacity: MAX_REVOCATIONS,
        }
    }

    /// Withdraws from now on.
    pub fn revoke(&self, issuer: &Issuer, withdrawn: Withdrawn<'_>, now: UnixSeconds) {
        let key = match withdrawn {
            Withdrawn::Token(id) => self.key(Kind::Token, issuer, id),
            Withdrawn::Grant(id) => self.key(Kind::Grant, issuer, id),
            Withdrawn::Subject(id) => self.key(Kind::Subject, issuer, id),
        };
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        list.insert(key, now);
        list.shrink(now, self.longest_lifetime, self.capacity);
        // Whoever sees it waits for the list, and finds the entry there.
        self.none.store(false, Ordering::Release);
    }

    /// Refuses every token, of any issuer, that was issued up to then: for a process that starts and
    /// does not know what was withdrawn before. Clients refresh once.
    ///
    /// A token without `iat` is not concerned.
    pub fn refuse_issued_until(&self, then: UnixSeconds) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        list.all_until = list.all_until.max(Some(then));
        self.none.store(false, Ordering::Release);
    }

    /// Whether this token was withdrawn.
    pub fn is_revoked(&self, token: &TokenFacts<'_>) -> bool {
        if self.none.load(Ordering::Acquire) {
            return false;
        }
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        let is_before = |then: UnixSeconds| token.issued_at.is_some_and(|at| at <= then);
        if list.all_until.is_some_and(is_before) {
            return true;
        }
        let issuer = token.issuer;
        let names = [(Kind::Token, token.token_id), (Kind::Grant, token.grant_id)];
        let is_listed = |(kind, id): (Kind, Option<&str>)| {
            id.is_some_and(|id| list.at.contains_key(&self.key(kind, issuer, id)))
        };
        if names.into_iter().any(is_listed) {
            return true;
        }
        let subject = token.subject;
        let subject = subject.map(|subject| self.key(Kind::Subject, issuer, subject));
        let withdrawn = subject.and_then(|subject| list.at.get(&subject));
        withdrawn.is_some_and(|then| token.issued_at.is_none_or(|at| at <= *then))
    }

    fn key(&self, kind: Kind, issuer: &Issuer, id: &str) -> Key {
        self.hasher.hash_one((kind, issuer.as_str(), id))
    }

    /// How many revocations are kept.
    pub fn len(&self) -> usize {
        let list = self.list.read().unwrap_or_else(PoisonError::into_inner);
        list.at.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl List {
    fn insert(&mut self, key: Key, now: UnixSeconds) {
        let before = self.at.get(&key).copied();
        // A clock that was set back takes nothing back.
        if before.is_none_or(|at| at < now) {
            self.at.insert(key, now);
            self.order.push_back((key, now));
        }
    }

    fn shrink(&mut self, now: UnixSeconds, lifetime: Duration, capacity: usize) {
        while let Some(&(key, at)) = self.order.front() {
            let is_old = now.since(at) > lifetime;
            if !is_old && self.order.len() <= capacity {
                return;
            }
            self.order.pop_front();
            // An entry that was renewed is in the order once more.
            if self.at.get(&key) == Some(&at) {
                self.at.remove(&key);
                self.all_until = self.all_until.max(Some(at));
            }
        }
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        Issuer::parse("https://as.example").unwrap()
    }

    fn facts(issuer: &Issuer, issued_at: Option<u64>) -> TokenFacts<'_> {
        TokenFacts {
            issuer,
            subject: Some("u"),
            token_id: Some("t"),
            grant_id: Some("g"),
            issued_at: issued_at.map(UnixSeconds),
        }
    }

    /// Whether a token of that time is refused after one withdrawal at 1000.
    fn after(withdrawn: Withdrawn<'_>, issued_at: Option<u64>) -> bool {
        let (list, issuer) = (Revocations::default(), issuer());
        list.revoke(&issuer, withdrawn, UnixSeconds(1000));
        list.is_revoked(&facts(&issuer, issued_at))
    }

    #[test]
    fn a_token_and_a_grant_are_withdrawn_for_good() {
        for issued_at in [Some(1), Some(1000), Some(5000), None] {
            assert!(after(Withdrawn::Token("t"), issued_at));
            assert!(after(Withdrawn::Grant("g"), issued_at));
            // An identifier is of one kind.
            for other in [
                Withdrawn::Token("g"),
                Withdrawn::Grant("t"),
                Withdrawn::Subject("t"),
                Withdrawn::Token("u"),
                Withdrawn::Token(""),
            ] {
                assert!(!after(other, issued_at), "{other:?}");
            }
        }
    }

    #[test]
    fn a_subject_loses_what_was_issued_until_then() {
        let withdrawn = Withdrawn::Subject("u");
        assert!(after(withdrawn, Some(999)) && after(withdrawn, Some(1000)));
        assert!(!after(withdrawn, Some(1001)));
        assert!(after(withdrawn, None));
    }

    #[test]
    fn issuers_do_not_revoke_for_each_other() {
        let list = Revocations::default();
        let other = Issuer::parse("https://as.example/").unwrap();
        for withdrawn in [
            Withdrawn::Token("t"),
            Withdrawn::Grant("g"),
            Withdrawn::Subject("u"),
        ] {
            list.revoke(&other, withdrawn, UnixSeconds(1000));
        }
        assert!(list.is_revoked(&facts(&other, Some(1))));
        assert!(!list.is_revoked(&facts(&issuer(), Some(1))));
    }

    #[test]
    fn a_token_without_identifiers_is_known_by_its_subject_only() {
        let (list, issuer) = (Revocations::default(), issuer());
        list.revoke(&issuer, Withdrawn::Token("t"), UnixSeconds(1000));
        let nameless = TokenFacts {
            token_id: None,
            grant_id: None,
            ..facts(&issuer, Some(1))
        };
        assert!(!list.is_revoked(&nameless));
        list.revoke(&issuer, Withdrawn::Subject("u"), UnixSeconds(1000));
        assert!(list.is_revoked(&nameless));
    }

    #[test]
    fn whoever_starts_without_knowledge_refuses_what_is_older() {
        let (list, issuer) = (Revocations::default(), issuer());
        list.refuse_issued_until(UnixSeconds(1000));
        // A clock that was set back takes nothing back.
        list.refuse_issued_until(UnixSeconds(500));
        for (issued_at, refused) in [(Some(1000), true), (Some(1001), false), (None, false)] {
            let token = facts(&issuer, issued_at);
            assert_eq!(list.is_revoked(&token), refused, "{issued_at:?}");
        }
        assert!(list.is_empty());
    }

    #[test]
    fn an_old_entry_leaves_and_takes_older_tokens_with_it() {
        let (list, issuer) = (Revocations::new(Duration::from_secs(100)), issuer());
        list.revoke(&issuer, Withdrawn::Token("t"), UnixSeconds(1000));
        list.revoke(&issuer, Withdrawn::Token("x"), UnixSeconds(1100));
        assert_eq!(list.len(), 2);
        list.revoke(&issuer, Withdrawn::Token("y"), UnixSeconds(1101));
        assert_eq!(list.len(), 2);
        let fresh = TokenFacts {
            token_id: Some("another"),
            ..facts(&issuer, Some(1001))
        };
        assert!(!list.is_revoked(&fresh));
        // Longer lived than anybody said: it is refused, as is the one that was withdrawn.
        let old = TokenFacts {
            issued_at: Some(UnixSeconds(1000)),
            ..fresh
        };
        assert!(list.is_revoked(&old));
        assert!(list.is_revoked(&facts(&issuer, Some(900))));
    }

    #[test]
    fn a_renewed_entry_stays_as_long_as_its_last_renewal() {
        let (list, issuer) = (Revocations::new(Duration::from_secs(100)), issuer());
        for now in [1000, 1050, 1050, 1040, 1120] {
            list.revoke(&issuer, Withdrawn::Subject("u"), UnixSeconds(now));
        }
        list.revoke(&issuer, Withdrawn::Token("x"), UnixSeconds(1200));
        assert_eq!(list.len(), 2);
        let until = TokenFacts {
            token_id: None,
            ..facts(&issuer, Some(1120))
        };
        assert!(list.is_revoked(&until));
        let later = TokenFacts {
            issued_at: Some(UnixSeconds(1121)),
            ..until
        };
        assert!(!list.is_revoked(&later));
    }

    #[test]
    fn a_flood_is_bounded_and_revives_nothing() {
        let issuer = issuer();
        let list = Revocations {
            capacity: 100,
            ..Revocations::default()
        };
        list.revoke(&issuer, Withdrawn::Token("t"), UnixSeconds(1000));
        for n in 0..10_000_u64 {
            let id = n.to_string();
            list.revoke(&issuer, Withdrawn::Token(&id), UnixSeconds(1001 + n));
            assert!(list.len() <= 100);
            assert!(list.is_revoked(&facts(&issuer, Some(1000))));
        }
        let fresh = TokenFacts {
            token_id: Some("fresh"),
            ..facts(&issuer, Some(20_000))
        };
        assert!(!list.is_revoked(&fresh));
        assert!(!list.is_empty());
    }
}
