//! The memory of tokens that were verified, for a guard.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::memory::{Remembered, TokenHash, TokenMemory};

/// Tokens whose signature a guard has verified, by their SHA-256, in bounded memory.
///
/// It holds JWTs that were granted, and nothing else: tokens that are refused leave no trace, so
/// nobody fills it who has none. At most [`MAX_TOKENS`] with [`MAX_TOKEN_BYTES`] together are kept;
/// those that are used stay longest.
///
/// A token found here is still refused when its time is over, when its issuer's keys have changed
/// and no longer verify it, when the proof of the key or certificate that it is bound to is missing,
/// and when it was revoked, which the layer asks for each request.
#[derive(Clone)]
pub struct VerifiedTokens {
    cache: Arc<Cache<TokenHash, Entry, Bytes, BuildHasherDefault<OfHash>>>,
}

/// Ten thousand: more clients than one process serves within the life of a token.
pub const MAX_TOKENS: usize = 10_000;

/// Sixteen MiB: ten thousand tokens of a usual length, with what each takes besides.
pub const MAX_TOKEN_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Clone)]
struct Entry {
    what: Remembered,
    bytes: usize,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<TokenHash, Entry> for Bytes {
    fn weight(&self, _: &TokenHash, entry: &Entry) -> u64 {
        // What is kept of the claims is no longer than the token.
        u64::try_from(entry.bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(OVERHEAD)
    }
}

/// What an entry takes besides its text: hash, pointers, and the members of a principal.
const OVERHEAD: u64 = 768;

/// Takes the last eight bytes of a SHA-256 as they are: they are as good as random already.
///
/// Whoever wants many keys in one place has to find tokens by trial whose hashes agree, and only
/// tokens that an issuer has signed are kept; the issuer chooses what is in them and how often it
/// signs. Whatever was found that way, a look-up compares all 32 bytes.
#[derive(Default)]
struct OfHash(u64);

impl Hasher for OfHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // An array hashes its length and then its bytes: what was written last is the key.
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_ne_bytes(*last);
        }
    }
}

impl VerifiedTokens {
    /// A memory with nothing in it.
    pub fn new() -> Self {
        Self {
            cache: Arc::new(Cache::with(
                MAX_TOKENS,
                MAX_TOKEN_BYTES,
                Bytes,
                BuildHasherDefault::default(),
                DefaultLifecycle::default(),
            )),
        }
    }

    /// How many tokens are kept.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.cache.clear();
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenMemory for VerifiedTokens {
    fn recall(&self, token: &TokenHash) -> Option<Remembered> {
        self.cache.get(token).map(|entry| entry.what)
    }

    fn remember(&self, token: TokenHash, bytes: usize, what: Remembered) {
        self.cache.insert(token, Entry { what, bytes });
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::hash::sha256;
    use oauth_rs::scope::ScopeSet;
    use oauth_rs::uri::Issuer;

    use super::*;
    use crate::issuer::Demand;
    use crate::memory::Known;
    use crate::principal::{Binding, Identity, Principal, Subject};

    #[test]
    fn memory_is_bounded_by_tokens_and_by_bytes() {
        let principal = Principal::new(Identity {
            subject: Subject::Named("u".to_owned()),
            client_id: None,
            username: None,
            organization: None,
            scopes: ScopeSet::empty(),
            issuer: Issuer::parse("https://as.example").unwrap(),
            actors: Vec::new(),
            binding: Binding::default(),
            issued_at: None,
            expires_at: None,
            token_id: None,
            grant_id: None,
            acr: None,
            auth_time: None,
        });
        let what = Remembered {
            guard: 1,
            keys: 1,
            known: Known {
                nbf: None,
                demand: Demand::Nothing,
                is_passed_on: false,
                principal,
            },
        };
        for bytes in [500, 16 * 1024] {
            let tokens = VerifiedTokens::new();
            for n in 0..50_000_u32 {
                tokens.remember(sha256(&n.to_be_bytes()), bytes, what.clone());
            }
            assert!(tokens.cache.weight() <= MAX_TOKEN_BYTES);
            let each = u64::try_from(bytes).unwrap() + OVERHEAD;
            assert!(tokens.len() > usize::try_from(MAX_TOKEN_BYTES / each / 2).unwrap());
        }
    }
}
