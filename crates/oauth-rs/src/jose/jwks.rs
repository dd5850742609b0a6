//! A set of public keys, and choosing from it (RFC 7517 section 5).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::alg::Alg;
use super::jwk::{PublicJwk, UnusableKey, VerifyingKey};
use crate::json;

/// The longest key set that is read.
pub const MAX_JWK_SET_BYTES: usize = 256 * 1024;
/// The most keys in one set.
pub const MAX_KEYS: usize = 64;

/// Why a document is not a key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidJwkSet {
    /// More than [`MAX_JWK_SET_BYTES`].
    #[error("the key set is longer than {MAX_JWK_SET_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_KEYS`].
    #[error("the key set has more than {MAX_KEYS} keys")]
    TooMany,
    /// Not an object with an array `keys`.
    #[error("the key set is not an object with an array of keys")]
    Malformed,
}

/// A key that was left out of a set, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in the document, from zero.
    pub index: usize,
    /// The reason.
    pub reason: UnusableKey,
}

/// The keys of an issuer that can be used, decoded once.
///
/// ```
/// use oauth_rs::jose::{Alg, InvalidJwkSet, JwkSet, SigningKey};
///
/// let key = SigningKey::generate_es256()?;
/// let set = JwkSet::from_public([key.public_jwk()]);
/// assert_eq!(set.find(Some(key.kid()), Alg::Es256).count(), 1);
/// assert_eq!(set.find(Some(key.kid()), Alg::Rs256).count(), 0);
/// assert_eq!(JwkSet::parse(b"[]").unwrap_err(), InvalidJwkSet::Malformed);
/// # Ok::<(), oauth_rs::jose::KeyRejected>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct JwkSet {
    keys: Vec<VerifyingKey>,
    skipped: Vec<SkippedKey>,
}

#[derive(Deserialize)]
struct Raw {
    keys: Vec<Box<RawValue>>,
}

impl JwkSet {
    /// Reads a key set document; keys that cannot be used are skipped with a reason.
    ///
    /// # Errors
    /// The document as a whole is too long, has too many keys, or is not a key set.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidJwkSet> {
        if bytes.len() > MAX_JWK_SET_BYTES {
            return Err(InvalidJwkSet::TooLong);
        }
        let raw: Raw = json::object(bytes).map_err(|_| InvalidJwkSet::Malformed)?;
        if raw.keys.len() > MAX_KEYS {
            return Err(InvalidJwkSet::TooMany);
        }
        // RFC 7517 section 5: keys that are not understood SHOULD be ignored.
        Ok(Self::collect(
            raw.keys
                .iter()
                .map(|key| PublicJwk::parse(key.get().as_bytes())),
        ))
    }

    /// Takes keys that were read or made already.
    pub fn from_public<'a>(keys: impl IntoIterator<Item = &'a PublicJwk>) -> Self {
        Self::collect(keys.into_iter().cloned().map(Ok))
    }

    fn collect(keys: impl Iterator<Item = Result<PublicJwk, UnusableKey>>) -> Self {
        let mut set = Self::default();
        for (index, jwk) in keys.enumerate() {
            match jwk.and_then(|jwk| VerifyingKey::new(&jwk)) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set.skipped.push(SkippedKey { index, reason }),
            }
        }
        set
    }

    /// The keys for this algorithm: those of this id, or, when a token names none, all of them.
    pub fn find(&self, kid: Option<&str>, alg: Alg) -> impl Iterator<Item = &VerifyingKey> {
        self.keys
            .iter()
            .filter(move |key| key.alg() == alg && (kid.is_none() || key.kid() == kid))
    }

    /// Whether any usable key has this id; if not, the set may be out of date.
    pub fn has_kid(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == Some(kid))
    }

    /// The usable keys in order.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// The keys that were left out.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}

/// A key set as it is published: `{"keys": [...]}`.
#[derive(Debug, Clone, Serialize)]
pub struct PublicJwkSet {
    /// The keys.
    pub keys: Vec<PublicJwk>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::SigningKey;

    #[test]
    fn bad_keys_are_skipped_and_good_ones_kept() {
        let key = SigningKey::generate_es256().unwrap();
        let good = serde_json::to_string(key.public_jwk()).unwrap();
        let text = format!(r#"{{"keys":[{{"kty":"oct","k":"AA"}},{good},7,["EC"]],"more":1}}"#);
        let set = JwkSet::parse(text.as_bytes()).unwrap();
        assert_eq!(set.keys().len(), 1);
        assert!(set.has_kid(key.kid()));
        assert!(!set.has_kid("other"));
        let reasons: Vec<(usize, &UnusableKey)> = set
            .skipped()
            .iter()
            .map(|skipped| (skipped.index, &skipped.reason))
            .collect();
        assert_eq!(
            reasons,
            [
                (0, &UnusableKey::Private),
                (2, &UnusableKey::Malformed),
                (3, &UnusableKey::Malformed)
            ]
        );
    }

    #[test]
    fn choosing_by_id_and_algorithm() {
        let (a, b) = (
            SigningKey::generate_es256().unwrap(),
            SigningKey::generate_es256().unwrap(),
        );
        let set = JwkSet::from_public([a.public_jwk(), b.public_jwk()]);
        assert_eq!(set.find(None, Alg::Es256).count(), 2);
        assert_eq!(
            set.find(Some(b.kid()), Alg::Es256).next().unwrap().kid(),
            Some(b.kid())
        );
        assert_eq!(set.find(Some("other"), Alg::Es256).count(), 0);
        assert_eq!(set.find(None, Alg::EdDsa).count(), 0);
    }

    #[test]
    fn each_refusal() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[],"keys":[]}"#,
            "[[]]",
        ] {
            assert_eq!(
                JwkSet::parse(text.as_bytes()).unwrap_err(),
                InvalidJwkSet::Malformed,
                "{text}"
            );
        }
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; MAX_KEYS + 1].join(","));
        assert_eq!(
            JwkSet::parse(many.as_bytes()).unwrap_err(),
            InvalidJwkSet::TooMany
        );
        let long = vec![b' '; MAX_JWK_SET_BYTES + 1];
        assert_eq!(JwkSet::parse(&long).unwrap_err(), InvalidJwkSet::TooLong);
    }

    #[test]
    fn what_is_published_can_be_read() {
        let key = SigningKey::generate_es256().unwrap();
        let document = PublicJwkSet {
            keys: vec![key.public_jwk().clone()],
        };
        let set = JwkSet::parse(&serde_json::to_vec(&document).unwrap()).unwrap();
        assert_eq!((set.keys().len(), set.skipped().len()), (1, 0));
    }
}
