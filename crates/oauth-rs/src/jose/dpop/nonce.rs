//! DPoP nonces that nobody has to store (RFC 9449 section 8).

use std::fmt;
use std::time::Duration;

use crate::hash::HashKey;
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// Makes nonces and knows its own again.
///
/// A nonce is a keyed hash of the time slot in which it was made, so that any instance with the same
/// secret knows it and none has to remember it. It is good in its slot and in the next one.
///
/// ```
/// use oauth_rs::jose::dpop::Nonces;
/// use oauth_rs::time::UnixSeconds;
///
/// let nonces = Nonces::new([7; 32]);
/// let nonce = nonces.fresh(UnixSeconds(1000));
/// assert!(nonces.is_current(&nonce, UnixSeconds(1300)));
/// assert!(!nonces.is_current(&nonce, UnixSeconds(2000)));
/// assert!(!Nonces::new([8; 32]).is_current(&nonce, UnixSeconds(1000)));
/// ```
///
/// # Security
/// Whoever knows the secret can make proofs today that are good tomorrow. Take 256 random bits.
pub struct Nonces {
    current: HashKey,
    previous: Option<HashKey>,
}

impl Nonces {
    /// Nonces under a secret of 256 random bits.
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            current: HashKey::new(secret),
            previous: None,
        }
    }

    /// Makes nonces under a new secret from now on, and still knows those under the last one.
    #[must_use]
    pub fn rotated(self, secret: [u8; 32]) -> Self {
        Self {
            current: HashKey::new(secret),
            previous: Some(self.current),
        }
    }

    /// The nonce of this slot.
    pub fn fresh(&self, now: UnixSeconds) -> String {
        nonce(&self.current, slot(now))
    }

    /// Whether a nonce was made in this slot or the one before.
    pub fn is_current(&self, text: &str, now: UnixSeconds) -> bool {
        let slot = slot(now);
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|key| [slot, slot.saturating_sub(1)].map(|slot| nonce(key, slot)))
            .any(|own| Secret::new(own).ct_eq(text))
    }

    /// Whether a nonce is of this slot; a client with an older one should be given the next.
    pub fn is_fresh(&self, text: &str, now: UnixSeconds) -> bool {
        Secret::new(self.fresh(now)).ct_eq(text)
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(..)")
    }
}

fn slot(now: UnixSeconds) -> u64 {
    now.0 / NONCE_SLOT.as_secs()
}

fn nonce(key: &HashKey, slot: u64) -> String {
    let mut message = *b"dpop-nonce/\0\0\0\0\0\0\0\0";
    for (to, from) in message.iter_mut().skip(11).zip(slot.to_be_bytes()) {
        *to = from;
    }
    key.mac_base64url(&message)
}

/// Five minutes: a client makes one more request for a nonce every five to ten minutes at most, and
/// a proof that was made beforehand is worth nothing after ten.
pub const NONCE_SLOT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_in_its_slot_and_the_next() {
        let nonces = Nonces::new([1; 32]);
        let nonce = nonces.fresh(UnixSeconds(600));
        assert_eq!(nonce.len(), 43);
        for (now, current, fresh) in [
            (0, false, false),
            (599, false, false),
            (600, true, true),
            (899, true, true),
            (900, true, false),
            (1199, true, false),
            (1200, false, false),
            (u64::MAX, false, false),
        ] {
            let now = UnixSeconds(now);
            assert_eq!(nonces.is_current(&nonce, now), current, "{now:?}");
            assert_eq!(nonces.is_fresh(&nonce, now), fresh, "{now:?}");
        }
        for other in ["", "x", &format!("{nonce}A")] {
            assert!(!nonces.is_current(other, UnixSeconds(600)), "{other}");
        }
    }

    #[test]
    fn a_new_secret_does_not_void_what_was_handed_out() {
        let now = UnixSeconds(600);
        let nonces = Nonces::new([1; 32]);
        let old = nonces.fresh(now);
        let nonces = nonces.rotated([2; 32]);
        assert!(nonces.is_current(&old, now));
        assert!(!nonces.is_fresh(&old, now));
        assert_ne!(nonces.fresh(now), old);
        assert!(!nonces.rotated([3; 32]).is_current(&old, now));
        assert_eq!(format!("{:?}", Nonces::new([1; 32])), "Nonces(..)");
    }
}
