//! The public keys that a client publishes in its metadata.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{InvalidClientMetadata, bad};
use crate::jose::{JwkSet, PublicJwkSet};
use crate::json::Members;

/// The members of a key that only its owner may know.
///
/// RFC 7518 section 6.2.2, section 6.3.2 and section 6.4.1; RFC 8037 section 2; `priv` is that of
/// the algorithms after quantum computers.
const SECRET_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A key set as a client published it, with no private or symmetric key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedKeys {
    text: String,
}

impl PublishedKeys {
    /// The keys of one's own.
    ///
    /// # Errors
    /// There are more of them than a key set may hold.
    pub fn new(keys: &PublicJwkSet) -> Result<Self, InvalidClientMetadata> {
        let text = serde_json::to_string(keys).map_err(|e| bad("jwks", &e.to_string()))?;
        Self::parse(&text)
    }

    /// It decides, in this order: a key set; no key in it with a private or symmetric member, whatever its kind.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidClientMetadata> {
        JwkSet::parse(text.as_bytes()).map_err(|e| bad("jwks", &e.to_string()))?;
        let members = Members::read(text.as_bytes()).map_err(|e| bad("jwks", &e.to_string()))?;
        let keys: Vec<&RawValue> = members
            .raw("keys")
            .and_then(|keys| serde_json::from_str(keys.get()).ok())
            .unwrap_or_default();
        for key in keys {
            let key = Members::read(key.get().as_bytes()).map_err(|_| {
                bad(
                    "jwks",
                    "holds a key that is not an object with each member once",
                )
            })?;
            // RFC 7517 section 9.2, client ID metadata document, section 4: a published key that is
            // not public is everybody's key.
            if SECRET_MEMBERS.into_iter().any(|member| key.has(member)) {
                return Err(bad("jwks", "holds private or symmetric key material"));
            }
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The text as it was published.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The keys that can be used here; those of other kinds are left out.
    pub fn to_set(&self) -> JwkSet {
        // It was read once, so that it can be read again.
        JwkSet::parse(self.text.as_bytes()).unwrap_or_default()
    }
}

impl Serialize for PublishedKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}
