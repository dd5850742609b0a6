//! Sealed texts: given to clients to carry, readable and makeable only with the key.
//!
//! A server that keeps nothing between two requests gives its state to the client. What comes back
//! is then hostile, unless it is sealed: encrypted and authenticated, for one purpose, one principal
//! and one operation, until a time. No I/O here, no clock and no randomness: all are arguments.
//!
//! ```
//! use mcp_protocol::seal::{Binding, Key, Keys, Purpose, Refused};
//!
//! // Both from a random source; here they are fixed so that the example repeats.
//! let (key, salt) = (Key::new([7; 32]), [9; 24]);
//! let keys = Keys::new(key);
//!
//! let ada = Binding::to_principal(Some("ada")).and_operation("tools/call", None);
//! let sealed = keys.seal(Purpose::RequestState, &ada, 1_600, "step 2", salt).unwrap();
//!
//! // Opened: by Ada, with the same call, in time.
//! let opened = keys.open(Purpose::RequestState, &ada, 1_599, &sealed).unwrap();
//! assert_eq!(opened.payload(), "step 2");
//!
//! // Refused: somebody else, and too late.
//! let eve = Binding::to_principal(Some("eve")).and_operation("tools/call", None);
//! let refused = keys.open(Purpose::RequestState, &eve, 1_599, &sealed).unwrap_err();
//! assert_eq!(refused, Refused::OtherPrincipal);
//! let refused = keys.open(Purpose::RequestState, &ada, 1_600, &sealed).unwrap_err();
//! assert_eq!(refused, Refused::Expired);
//! ```
//!
//! # The format
//!
//! Base64url without padding (RFC 4648 section 5) of: one byte of version (1), four bytes of key id,
//! 24 bytes of salt, the ciphertext, 16 bytes of tag. The plaintext is the time of expiry (eight
//! bytes), the digest of the principal, the digest of the operation (32 each), and the payload.
//!
//! # Why a key for each text
//!
//! AES-256-GCM breaks when a nonce is used twice under one key, and a random nonce of 96 bits may be
//! used for 2^32 texts (NIST SP 800-38D section 8.3): a busy server gets there in weeks, and nodes
//! that share a key cannot count together. So each text has a key of its own, derived by HKDF-SHA256
//! (RFC 5869) from the key and 192 random bits; its one nonce is zero. Two texts share a key with a
//! probability of 2^-64 after 2^64 texts, so no count is kept and no rotation is forced. The purpose
//! goes into the derivation: a text of one purpose is noise for another.
//!
//! # Why the binding is inside
//!
//! Principal and operation could be associated data; then a text in the wrong hands would look like
//! one that was changed. Inside the plaintext they are as well protected, and after the tag has been
//! checked the reason for a refusal can be told exactly. They are compared without stopping at the
//! first difference, so that no time tells how much of a digest was right.
//!
//! # What is not done
//!
//! - A text can be opened as often as it is brought back; [`Spent`] is for those that must not be.
//! - A clock that is set back lets a text live longer by as much. What [`Spent`] has seen expire does
//!   not come back by it.
//! - Nothing tells one service from another: each has keys of its own.
//! - The length of the payload shows in the length of the text.
//! - Keys are overwritten when they are dropped, as far as safe code without another dependency can:
//!   copies that the compiler or the crypto library made stay in memory until it is used again.

mod binding;
mod crypto;
mod spent;

#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use binding::Binding;
pub use crypto::SALT_BYTES;
pub use spent::Spent;

use crate::jsonrpc::RpcError;
use crypto::{Hasher, KEY_BYTES};

/// How many keys there may be: the current one, and those that still open. Rotation needs two; more
/// are for those who rotate faster than texts expire.
pub const MAX_KEYS: usize = 8;

const VERSION: u8 = 1;

const ID_BYTES: usize = 4;

/// Version, key id and salt; authenticated with the text.
const HEADER_BYTES: usize = 1 + ID_BYTES + SALT_BYTES;

const TAG_BYTES: usize = 16;

/// Expiry and binding.
const PREFIX_BYTES: usize = 8 + 2 * KEY_BYTES;

/// What a sealed text is for. One that is sealed for one purpose does not open for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `requestState` of a call in several rounds.
    RequestState,
    /// The id of a session.
    Session,
}

impl Purpose {
    /// The longest sealed text, in bytes. Longer ones are neither made nor read.
    ///
    /// `requestState`: 256 KiB, a quarter of the longest body by default, so that it fits beside
    /// arguments and answers. Session ids: 1024, because they travel in a header, and servers and
    /// proxies begin to refuse headers of a few thousand bytes.
    #[must_use]
    pub fn max_bytes(self) -> usize {
        match self {
            Purpose::RequestState => 256 * 1024,
            Purpose::Session => 1024,
        }
    }

    /// The longest payload, in bytes: what is left of [`Purpose::max_bytes`].
    #[must_use]
    pub fn max_payload_bytes(self) -> usize {
        // Four characters for three bytes.
        (self.max_bytes() / 4 * 3).saturating_sub(HEADER_BYTES + PREFIX_BYTES + TAG_BYTES)
    }

    fn label(self) -> &'static [u8] {
        match self {
            Purpose::RequestState => b"mcp-protocol seal 1: request-state",
            Purpose::Session => b"mcp-protocol seal 1: session",
        }
    }
}

/// 256 random bits. Nothing prints them.
pub struct Key {
    id: [u8; ID_BYTES],
    bytes: Box<[u8; KEY_BYTES]>,
}

impl Key {
    /// A key from 32 random bytes. Its id is derived from it, so that nodes that share a key agree
    /// on the id, and no two keys can be mixed up by their names.
    ///
    /// # Security
    /// The bytes must come from a cryptographic source and be used for nothing else. A password is
    /// no key.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let mut hasher = Hasher::new("mcp-protocol seal 1: key id");
        hasher.part(&bytes);
        let digest = hasher.finish();
        let mut id = [0; ID_BYTES];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        Key {
            id,
            bytes: Box::new(bytes),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.bytes.fill(0);
        // So that the writing above is not left out as useless.
        std::hint::black_box(&self.bytes);
    }
}

/// The key that seals, and those that still open.
///
/// To rotate: give all nodes the new key as a previous one, then make it the current one, and take
/// the old one away when the longest lifetime has passed since.
#[derive(Debug)]
pub struct Keys {
    current: Key,
    previous: Vec<Key>,
}

/// A key that cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// There are [`MAX_KEYS`] already.
    #[error("more than {MAX_KEYS} keys")]
    TooMany,
    /// The key is there already.
    #[error("a key is there twice")]
    Twice,
}

/// The payload is longer than [`Purpose::max_payload_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too long to be sealed: at most {limit} bytes")]
pub struct TooLong {
    /// The limit.
    pub limit: usize,
}

/// Why a text does not open. For the operator; what the peer hears is [`Refused::error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than any that is made here.
    #[error("longer than a sealed text can be")]
    TooLong,
    /// Not of the format.
    #[error("not a sealed text")]
    Malformed,
    /// Sealed by a key that is not listed, or not any more.
    #[error("sealed by an unknown key")]
    UnknownKey,
    /// Changed, made up, or sealed for another purpose.
    #[error("changed, or sealed for another purpose")]
    Tampered,
    /// Brought by somebody else than the principal for whom it was sealed.
    #[error("bound to another principal")]
    OtherPrincipal,
    /// Brought with another method, or with other parameters.
    #[error("bound to another operation")]
    OtherOperation,
    /// Too late.
    #[error("expired")]
    Expired,
    /// Brought back a second time, where once is all.
    #[error("used already")]
    Replayed,
    /// It cannot be remembered that this one was used.
    #[error("too many used texts to remember one more")]
    TooManySpent,
}

impl Refused {
    /// What the peer hears of a `requestState` that does not open.
    ///
    /// That it expired or was used is told: only its owner, with its own call, gets so far. The rest
    /// sounds the same for everyone.
    #[must_use]
    pub fn error(self) -> RpcError {
        match self {
            Refused::TooLong
            | Refused::Malformed
            | Refused::UnknownKey
            | Refused::Tampered
            | Refused::OtherPrincipal
            | Refused::OtherOperation => RpcError::invalid_params(
                "requestState was not given for this call: call again without it",
            ),
            Refused::Expired => {
                RpcError::invalid_params("requestState has expired: call again without it")
            }
            Refused::Replayed => {
                RpcError::invalid_params("requestState was used already: call again without it")
            }
            Refused::TooManySpent => {
                RpcError::internal("too many calls are waiting for answers: call again later")
            }
        }
    }
}

/// A text that opened: proof that it was sealed here, for this purpose and binding, and has not
/// expired.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    payload: String,
    expires: u64,
    salt: [u8; SALT_BYTES],
}

impl Opened {
    /// What was sealed.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// What was sealed.
    #[must_use]
    pub fn into_payload(self) -> String {
        self.payload
    }

    /// From which second on it does not open any more.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.expires
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// One key, which seals and opens.
    #[must_use]
    pub fn new(current: Key) -> Self {
        Keys {
            current,
            previous: Vec::new(),
        }
    }

    /// Adds a key that opens and does not seal.
    ///
    /// # Errors
    /// [`BadKeys`].
    pub fn with_previous(mut self, key: Key) -> Result<Self, BadKeys> {
        if self.all().any(|known| known.id == key.id) {
            return Err(BadKeys::Twice);
        }
        if self.all().count() >= MAX_KEYS {
            return Err(BadKeys::TooMany);
        }
        self.previous.push(key);
        Ok(self)
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Seals a payload. It opens while the time is before `expires`, both in the same unit; this
    /// crate takes seconds since 1970.
    ///
    /// # Security
    /// The salt must be new for each text, from a cryptographic source: two texts with the same salt
    /// under the same key give both away.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn seal(
        &self,
        purpose: Purpose,
        binding: &Binding,
        expires: u64,
        payload: &str,
        salt: [u8; SALT_BYTES],
    ) -> Result<String, TooLong> {
        let too_long = TooLong {
            limit: purpose.max_payload_bytes(),
        };
        if payload.len() > too_long.limit {
            return Err(too_long);
        }
        let length = HEADER_BYTES + PREFIX_BYTES + payload.len() + TAG_BYTES;
        let mut sealed = Vec::with_capacity(length);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.current.id);
        sealed.extend_from_slice(&salt);
        let mut text = Vec::with_capacity(length);
        text.extend_from_slice(&expires.to_be_bytes());
        text.extend_from_slice(&binding.principal);
        text.extend_from_slice(&binding.operation);
        text.extend_from_slice(payload.as_bytes());
        let info = [purpose.label()];
        crypto::seal(&self.current.bytes, &salt, &info, &sealed, &mut text)
            .map_err(|_| too_long)?;
        sealed.extend_from_slice(&text);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a text that was sealed for this purpose and this binding, if the time has not come.
    ///
    /// The order: length, form, key, tag, principal, operation, time. So what is told about a text
    /// is told only to those for whom it was sealed.
    ///
    /// # Errors
    /// [`Refused`], but for its last two.
    pub fn open(
        &self,
        purpose: Purpose,
        binding: &Binding,
        now: u64,
        text: &str,
    ) -> Result<Opened, Refused> {
        if text.len() > purpose.max_bytes() {
            return Err(Refused::TooLong);
        }
        let sealed = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| Refused::Malformed)?;
        let (header, text) = sealed
            .split_at_checked(HEADER_BYTES)
            .ok_or(Refused::Malformed)?;
        let (version, rest) = header.split_first().ok_or(Refused::Malformed)?;
        let (id, salt) = rest.split_first_chunk().ok_or(Refused::Malformed)?;
        let salt: [u8; SALT_BYTES] = salt.try_into().map_err(|_| Refused::Malformed)?;
        if *version != VERSION || text.len() < PREFIX_BYTES + TAG_BYTES {
            return Err(Refused::Malformed);
        }
        let key = self
            .all()
            .find(|key| key.id == *id)
            .ok_or(Refused::UnknownKey)?;
        let mut text = text.to_vec();
        let info = [purpose.label()];
        let text = crypto::open(&key.bytes, &salt, &info, header, &mut text)
            .map_err(|_| Refused::Tampered)?;
        let (expires, text) = text.split_first_chunk().ok_or(Refused::Malformed)?;
        let (principal, text) = text.split_first_chunk().ok_or(Refused::Malformed)?;
        let (operation, payload) = text.split_first_chunk().ok_or(Refused::Malformed)?;
        if !same(principal, &binding.principal) {
            return Err(Refused::OtherPrincipal);
        }
        if !same(operation, &binding.operation) {
            return Err(Refused::OtherOperation);
        }
        let expires = u64::from_be_bytes(*expires);
        if now >= expires {
            return Err(Refused::Expired);
        }
        let payload = std::str::from_utf8(payload).map_err(|_| Refused::Malformed)?;
        Ok(Opened {
            payload: payload.to_owned(),
            expires,
            salt,
        })
    }
}

/// Compares all of both, whatever is found.
fn same(one: &[u8; KEY_BYTES], other: &[u8; KEY_BYTES]) -> bool {
    let differences = one
        .iter()
        .zip(other)
        .fold(0, |found, (one, other)| found | (one ^ other));
    std::hint::black_box(differences) == 0
}
