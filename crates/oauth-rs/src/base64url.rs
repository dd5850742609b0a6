//! Base64url without padding, strict both ways (RFC 7515 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Encodes without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; padding, whitespace, `+`, `/` and non-zero trailing bits are all refused.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.as_bytes()).ok()
}

/// The most bytes that this many characters decode to.
pub(crate) fn decoded_len(characters: usize) -> usize {
    characters.div_ceil(4) * 3
}

/// Decodes as [`decode`] does, onto the end of `bytes`, and tells where that was.
pub(crate) fn decode_onto(text: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    let from = bytes.len();
    bytes.resize(from + decoded_len(text.len()), 0);
    let space = bytes.get_mut(from..)?;
    let written = URL_SAFE_NO_PAD.decode_slice(text.as_bytes(), space).ok()?;
    bytes.truncate(from + written);
    Some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode("AQAB"), Some(vec![1, 0, 1]));
        assert_eq!(decode(""), Some(Vec::new()));
        for text in [
            "AQ==", "AQ=", "A", "AB", "A+8A", "A/8A", "AQ AB", "AQAB\n", "é",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
            assert_eq!(decode_onto(text, &mut Vec::new()), None, "{text:?}");
        }
    }

    #[test]
    fn parts_are_put_one_after_the_other() {
        let mut bytes = Vec::new();
        for (text, from, all) in [
            ("AQAB", 0, &[1, 0, 1][..]),
            ("", 3, &[1, 0, 1]),
            ("_w", 3, &[1, 0, 1, 0xff]),
        ] {
            assert_eq!(decode_onto(text, &mut bytes), Some(from));
            assert_eq!(bytes, all);
        }
    }

    #[test]
    fn encoding_has_no_padding() {
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }
}
