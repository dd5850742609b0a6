//! SHA-256 and its keyed form, behind our own names.

use std::fmt;

use ring::{digest, hmac};
use zeroize::Zeroize as _;

use crate::base64url;

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut out = [0_u8; 32];
    // The digest has 32 bytes by definition of the algorithm, so the zip covers all of both.
    for (to, from) in out.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    out
}

/// SHA-256, as 43 characters of base64url.
pub fn sha256_base64url(bytes: &[u8]) -> String {
    base64url::encode(&sha256(bytes))
}

/// A key for HMAC-SHA256, under which a store may keep what must not be readable from it.
///
/// `Debug` shows nothing of the key.
pub struct HashKey(hmac::Key);

impl HashKey {
    /// Takes 256 random bits.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        bytes.zeroize();
        Self(key)
    }

    /// HMAC-SHA256 of the bytes, as 43 characters of base64url.
    pub fn mac_base64url(&self, bytes: &[u8]) -> String {
        base64url::encode(hmac::sign(&self.0, bytes).as_ref())
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn sha256_of_nothing_and_of_abc() {
        // FIPS 180-4: the published digests of the empty message and of "abc".
        assert_eq!(
            sha256_base64url(b""),
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
        );
        assert_eq!(
            sha256_base64url(b"abc"),
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
        );
        assert_eq!(sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
    }

    #[test]
    fn the_token_hash_of_rfc_9449() {
        // RFC 9449 section 7.1: `ath` of the token in its example.
        assert_eq!(
            sha256_base64url(b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
        );
    }

    #[test]
    fn the_certificate_thumbprint_of_rfc_8705() {
        // RFC 8705 appendix A: the certificate, and `x5t#S256` of its DER bytes.
        let der = STANDARD
            .decode(
                "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAxODEyMzcwOVoXDTIyMDUw\
                 MjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8Qnhx\
                 xzFQ03C7HKW9OylMbnQZjjJ/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAw\
                 IDSQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOVbUlJSGQgjwD5vaUaKlL\
                 R50Q2DmFfQj1L+SY=",
            )
            .unwrap();
        assert_eq!(
            sha256_base64url(&der),
            "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
        );
    }

    #[test]
    fn the_mac_depends_on_the_key_and_the_message() {
        let key = HashKey::new([1; 32]);
        assert_eq!(
            key.mac_base64url(b"a"),
            HashKey::new([1; 32]).mac_base64url(b"a")
        );
        assert_ne!(key.mac_base64url(b"a"), key.mac_base64url(b"b"));
        assert_ne!(
            key.mac_base64url(b"a"),
            HashKey::new([2; 32]).mac_base64url(b"a")
        );
        assert_eq!(format!("{key:?}"), "HashKey(..)");
    }

    #[test]
    fn the_mac_of_rfc_4231_case_2() {
        // RFC 4231 section 4.3: the key is shorter than ours, and HMAC pads it with zeros as we do here.
        let mut bytes = [0_u8; 32];
        bytes[..4].copy_from_slice(b"Jefe");
        let mac = HashKey::new(bytes).mac_base64url(b"what do ya want for nothing?");
        assert_eq!(mac, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
    }
}
