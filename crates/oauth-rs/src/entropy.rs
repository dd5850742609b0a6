//! Where random bytes come from, and the two shapes of text made of them.

use crate::base64url;
use crate::secret::Secret;

/// A source of random bytes that an attacker cannot predict.
///
/// Implemented for closures, so a shell passes its operating system's source and a test a fixed one.
///
/// # Security
/// Everything that is unguessable in this family of crates is as strong as this source.
pub trait Entropy: Send + Sync {
    /// Fills the whole of `dest`.
    fn fill(&self, dest: &mut [u8]);
}

impl<F> Entropy for F
where
    F: Fn(&mut [u8]) + Send + Sync,
{
    fn fill(&self, dest: &mut [u8]) {
        self(dest);
    }
}

/// A secret of 256 random bits: 43 characters of base64url.
///
/// Specification: RFC 6749 section 10.10 asks for a guessing chance of at most 2^-128, better 2^-160.
pub fn random_secret(e: &dyn Entropy) -> Secret {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    e.fill(bytes.as_mut_slice());
    Secret::new(base64url::encode(bytes.as_slice()))
}

/// An identifier of 128 random bits: 22 characters of base64url.
///
/// Does not check: that it is kept secret; use [`random_secret`] where knowing it is the proof.
pub fn random_id(e: &dyn Entropy) -> String {
    let mut bytes = [0_u8; 16];
    e.fill(&mut bytes);
    base64url::encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_43_characters_and_an_id_22() {
        let ones = |dest: &mut [u8]| dest.fill(0xff);
        let secret = random_secret(&ones);
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(
            secret.expose(),
            "__________________________________________8"
        );
        assert_eq!(random_id(&ones), "_____________________w");
    }
}
