//! The only file that names the crypto library: a digest, and a keyed digest that is compared in constant time.

use ring::{digest, hmac};

/// SHA-256 over these pieces, one after the other.
///
/// Specification: FIPS 180-4 section 6.2.
pub(crate) fn sha256<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for piece in pieces {
        context.update(piece);
    }
    let mut out = [0; 32];
    // A SHA-256 digest has 32 bytes, so all of it is copied.
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// Whether `tag` is the HMAC-SHA256 of `text` under `key`; how long it takes does not depend on where they differ.
///
/// Specification: RFC 2104 section 2.
pub(crate) fn hmac_sha256_is(key: &[u8], text: &[u8], tag: &[u8; 32]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), text, tag).is_ok()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| DIGITS.get(usize::from(half)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_the_standard() {
        // FIPS 180-4, the example "abc", in two pieces.
        let digest = sha256([&b"a"[..], b"bc"].into_iter());
        assert_eq!(
            hex(&digest),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn the_keyed_digest_of_the_specification() {
        // RFC 4231 section 4.3.
        let tag = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
            0x64, 0xec, 0x38, 0x43,
        ];
        let text = b"what do ya want for nothing?";
        assert!(hmac_sha256_is(b"Jefe", text, &tag));
        assert!(!hmac_sha256_is(b"Jeff", text, &tag));
        assert!(!hmac_sha256_is(b"Jefe", b"what", &tag));
        let mut other = tag;
        other[31] ^= 1;
        assert!(!hmac_sha256_is(b"Jefe", text, &other));
    }
}
