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
        }
    }

    #[test]
    fn encoding_has_no_padding() {
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }
}
