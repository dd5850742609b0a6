//! The one PEM block that a private key is kept in (RFC 7468 section 10), read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::signing::KeyRejected;

/// The longest text that is read: an RSA key of 4096 bits takes about 3300 bytes.
const MAX_PEM_BYTES: usize = 16 * 1024;
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
// RFC 7468 section 10: the label of an unencrypted PKCS #8 document.
const LABEL: &str = "PRIVATE KEY";

/// The bytes of the block: nothing before it, nothing but white space after it.
///
/// Lines may have any length and end in LF or CRLF; within them nothing but padded base64 is taken.
pub(super) fn private_key(text: &str) -> Result<Zeroizing<Vec<u8>>, KeyRejected> {
    if text.len() > MAX_PEM_BYTES {
        return Err(KeyRejected::Pem);
    }
    let mut lines = text.trim_ascii_end().lines();
    if label(lines.next(), BEGIN)? != LABEL || label(lines.next_back(), END)? != LABEL {
        return Err(KeyRejected::PemLabel);
    }
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    lines.for_each(|line| base64.push_str(line));
    STANDARD
        .decode(base64.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| KeyRejected::Pem)
}

// RFC 7468 section 2: five dashes on either side, one space, and a label.
fn label<'a>(line: Option<&'a str>, start: &str) -> Result<&'a str, KeyRejected> {
    line.and_then(|line| line.strip_prefix(start)?.strip_suffix(DASHES))
        .ok_or(KeyRejected::Pem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, KeyRejected> {
        private_key(text).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn one_block_with_either_line_end() {
        for text in [
            "-----BEGIN PRIVATE KEY-----\nAQID\nBAU=\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\r\nAQID\r\nBAU=\r\n-----END PRIVATE KEY-----\r\n\r\n",
            "-----BEGIN PRIVATE KEY-----\nAQIDBAU=\n-----END PRIVATE KEY-----",
        ] {
            assert_eq!(read(text).unwrap(), [1, 2, 3, 4, 5], "{text:?}");
        }
    }

    #[test]
    fn each_refusal() {
        let good = "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n";
        assert!(read(good).is_ok());
        for (from, to, reason) in [
            ("PRIVATE", "RSA PRIVATE", KeyRejected::PemLabel),
            ("PRIVATE", "EC PRIVATE", KeyRejected::PemLabel),
            ("PRIVATE", "ENCRYPTED PRIVATE", KeyRejected::PemLabel),
            ("PRIVATE", "PUBLIC", KeyRejected::PemLabel),
            ("-----BEGIN", "text\n-----BEGIN", KeyRejected::Pem),
            ("-----BEGIN", " -----BEGIN", KeyRejected::Pem),
            ("-----BEGIN", "----BEGIN", KeyRejected::Pem),
            ("-----END", "----END", KeyRejected::Pem),
            ("KEY-----", "KEY----", KeyRejected::Pem),
            ("AQID", "AQI D", KeyRejected::Pem),
            ("AQID", "AQID ", KeyRejected::Pem),
            ("AQID", "AQI", KeyRejected::Pem),
            ("AQID", "AQ", KeyRejected::Pem),
            ("AQID", "AR==", KeyRejected::Pem),
            ("AQID", "AQ-_", KeyRejected::Pem),
            ("AQID", "Proc-Type: 4,ENCRYPTED\n\nAQID", KeyRejected::Pem),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good);
            assert_eq!(read(&text), Err(reason), "{text:?}");
        }
        let twice = format!("{good}{good}");
        let long = good.replace("AQID", &"AQID".repeat(MAX_PEM_BYTES / 4));
        for text in ["", "-----BEGIN PRIVATE KEY-----", &twice, &long] {
            assert_eq!(read(text), Err(KeyRejected::Pem), "{text:?}");
        }
    }
}
