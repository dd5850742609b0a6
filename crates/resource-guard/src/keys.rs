//! The keys of the trusted issuers, as they were known at one moment.

use std::sync::Arc;

use oauth_rs::jose::{Alg, JwkSet, VerifyingKey};
use oauth_rs::uri::Issuer;

use crate::memory::unique;

/// A key set for each issuer, parsed already; a check reads it and never waits for it.
///
/// Keys belong to their issuer: equal key ids of two issuers are not mixed up.
#[derive(Clone, Debug, Default)]
pub struct KeySnapshot {
    sets: Vec<(Issuer, JwkSet)>,
    /// Another one for other keys; a clone has the same keys.
    id: u64,
}

impl KeySnapshot {
    /// The keys of one issuer.
    pub fn new(issuer: Issuer, keys: JwkSet) -> Self {
        Self {
            sets: vec![(issuer, keys)],
            id: unique(),
        }
    }

    /// The same snapshot with the keys of one more issuer, or with newer keys of one it has.
    #[must_use]
    pub fn with(mut self, issuer: Issuer, keys: JwkSet) -> Self {
        match self.sets.iter_mut().find(|(own, _)| *own == issuer) {
            Some(own) => own.1 = keys,
            None => self.sets.push((issuer, keys)),
        }
        self.id = unique();
        self
    }

    /// The keys of an issuer.
    pub fn keys_of(&self, issuer: &Issuer) -> Option<&JwkSet> {
        self.sets
            .iter()
            .find(|(own, _)| own == issuer)
            .map(|(_, keys)| keys)
    }

    /// Which keys these are: what one snapshot verified, another one may not.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// A source of keys that never change, for the layer.
    pub fn fixed(self) -> impl Fn() -> Arc<Self> + Send + Sync + 'static {
        let snapshot = Arc::new(self);
        move || Arc::clone(&snapshot)
    }

    /// The keys of an issuer that may verify a token with this key id and algorithm.
    pub(crate) fn candidates<'k>(
        &'k self,
        issuer: &Issuer,
        kid: Option<&'k str>,
        alg: Alg,
    ) -> impl Iterator<Item = &'k VerifyingKey> {
        self.keys_of(issuer)
            .into_iter()
            .flat_map(move |keys| keys.find(kid, alg))
            .take(MAX_CANDIDATES)
    }
}

/// Signatures that one token may cost, when it names no key or several keys have its id.
const MAX_CANDIDATES: usize = 8;

#[cfg(test)]
mod tests {
    use oauth_rs::jose::SigningKey;

    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::generate_es256().unwrap()
    }

    #[test]
    fn newer_keys_replace_older_ones_of_the_same_issuer() {
        let (a, b) = (key(), key());
        let own = issuer("https://as.example");
        let snapshot = KeySnapshot::new(own.clone(), JwkSet::from_public([a.public_jwk()]))
            .with(own.clone(), JwkSet::from_public([b.public_jwk()]));
        let keys = snapshot.keys_of(&own).unwrap();
        assert!(keys.has_kid(b.kid()) && !keys.has_kid(a.kid()));
        assert!(snapshot.keys_of(&issuer("https://as.example/")).is_none());
    }

    #[test]
    fn a_token_without_a_key_id_costs_a_bounded_number_of_signatures() {
        let keys: Vec<SigningKey> = (0..12).map(|_| key()).collect();
        let own = issuer("https://as.example");
        let set = JwkSet::from_public(keys.iter().map(SigningKey::public_jwk));
        let snapshot = KeySnapshot::new(own.clone(), set);
        let count = |kid, alg| snapshot.candidates(&own, kid, alg).count();
        assert_eq!(count(None, Alg::Es256), MAX_CANDIDATES);
        assert_eq!(count(Some(keys[11].kid()), Alg::Es256), 1);
        assert_eq!(count(None, Alg::Rs256), 0);
        let other = issuer("https://other.example");
        assert_eq!(snapshot.candidates(&other, None, Alg::Es256).count(), 0);
    }
}
