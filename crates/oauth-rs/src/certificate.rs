//! Client certificates as tokens name them (RFC 8705) and as proxies hand them on (RFC 9440).

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::base64url;
use crate::hash::sha256_base64url;

/// The longest certificate that is read: those in use have 1 to 3 KiB, and proxies refuse fields
/// beyond 8 or 16 KiB.
pub const MAX_CERTIFICATE_BYTES: usize = 16 * 1024;

/// The SHA-256 hash of a certificate's DER bytes, as `x5t#S256` has it: 43 characters of base64url.
///
/// ```
/// use oauth_rs::certificate::Thumbprint;
///
/// let own = Thumbprint::of_der(b"0\x03\x02\x01\x00");
/// assert_eq!(Thumbprint::parse(own.as_str()), Some(own));
/// assert_eq!(Thumbprint::parse("AA"), None);
/// ```
///
/// Does not check: the certificate. Whoever ended the TLS connection has seen that its sender
/// holds the key; that is all that a bound token needs.
///
/// Specification: RFC 8705 section 3.1.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// The thumbprint of a certificate that a TLS connection was made with.
    pub fn of_der(certificate: &[u8]) -> Self {
        Self(sha256_base64url(certificate))
    }

    /// Reads the text; `None` if it is not 32 bytes in strict base64url.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base64url::decode(text)?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({})", self.0)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("a thumbprint is not 32 bytes of base64url"))
    }
}

/// Why a `Client-Cert` field is not a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidClientCert {
    /// More than one field.
    #[error("there is more than one Client-Cert field")]
    Several,
    /// More than [`MAX_CERTIFICATE_BYTES`] once decoded.
    #[error("the certificate is longer than {MAX_CERTIFICATE_BYTES} bytes")]
    TooLong,
    /// Not base64 between colons.
    #[error("the field is not base64 between colons")]
    Encoding,
    /// Not one DER sequence.
    #[error("the field does not hold one DER certificate")]
    Der,
}

/// The thumbprint of the certificate in the `Client-Cert` field, if there is one.
///
/// # Security
/// Anybody can send the field. Its value counts only on a connection from a proxy that is known to
/// set it and to take away what clients send.
///
/// Does not check: more of the certificate than that it is one DER sequence.
///
/// # Errors
/// There are several fields, or the value is not a certificate.
///
/// Specification: RFC 9440 sections 2.1 and 2.2.
pub fn client_cert(headers: &HeaderMap) -> Result<Option<Thumbprint>, InvalidClientCert> {
    let mut fields = headers.get_all(CLIENT_CERT).iter();
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        return Err(InvalidClientCert::Several);
    }
    let text = field.to_str().map_err(|_| InvalidClientCert::Encoding)?;
    // Four characters for three bytes, and padding and colons.
    if text.len() > MAX_CERTIFICATE_BYTES.div_ceil(3) * 4 + 2 {
        return Err(InvalidClientCert::TooLong);
    }
    // RFC 8941 section 3.3.5: a byte sequence is base64 between colons.
    let inner = text
        .trim_matches(' ')
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'))
        .ok_or(InvalidClientCert::Encoding)?;
    let der = BYTE_SEQUENCE
        .decode(inner)
        .map_err(|_| InvalidClientCert::Encoding)?;
    if !is_one_sequence(&der) {
        return Err(InvalidClientCert::Der);
    }
    Ok(Some(Thumbprint::of_der(&der)))
}

/// The field with the certificate of the client.
pub const CLIENT_CERT: &str = "client-cert";
/// The field with the certificates above it.
pub const CLIENT_CERT_CHAIN: &str = "client-cert-chain";

// RFC 8941 section 4.2.7: parsers accept missing padding.
const BYTE_SEQUENCE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

// ITU-T X.690 section 8.1: a tag, a length, and exactly as many bytes. A certificate is a SEQUENCE.
fn is_one_sequence(der: &[u8]) -> bool {
    let (length, content) = match der {
        [0x30, short @ 0..=0x7f, content @ ..] => (usize::from(*short), content),
        [0x30, 0x81, length, content @ ..] => (usize::from(*length), content),
        [0x30, 0x82, high, low, content @ ..] => {
            (usize::from(*high) * 256 + usize::from(*low), content)
        }
        _ => return false,
    };
    content.len() == length
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(fields: &[&str]) -> Result<Option<Thumbprint>, InvalidClientCert> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(CLIENT_CERT, HeaderValue::from_str(field).unwrap());
        }
        client_cert(&headers)
    }

    /// A sequence with this many bytes in it.
    fn der(content: usize) -> Vec<u8> {
        let [high, low] = u16::try_from(content).unwrap().to_be_bytes();
        let mut der = vec![0x30, 0x82, high, low];
        der.resize(4 + content, 7);
        der
    }

    fn field(der: &[u8]) -> String {
        format!(
            ":{}:",
            base64::engine::general_purpose::STANDARD.encode(der)
        )
    }

    #[test]
    fn a_certificate_is_read_and_hashed() {
        assert_eq!(read(&[]), Ok(None));
        for content in [300, 301, 302, MAX_CERTIFICATE_BYTES - 4] {
            let der = der(content);
            let expected = Ok(Some(Thumbprint::of_der(&der)));
            assert_eq!(read(&[&field(&der)]), expected, "{content}");
            let unpadded = field(&der).replace('=', "");
            assert_eq!(read(&[&unpadded]), expected, "{content}");
        }
        let short = [0x30, 3, 2, 1, 0];
        assert_eq!(
            read(&[&field(&short)]),
            Ok(Some(Thumbprint::of_der(&short)))
        );
        let middle = [&[0x30, 0x81, 0x80][..], &[0; 128]].concat();
        assert!(read(&[&field(&middle)]).is_ok());
    }

    #[test]
    fn each_refusal() {
        let good = field(&der(300));
        let bare = good.trim_matches(':');
        let long = field(&der(MAX_CERTIFICATE_BYTES));
        for (fields, reason) in [
            (
                vec![good.as_str(), good.as_str()],
                InvalidClientCert::Several,
            ),
            (vec![long.as_str()], InvalidClientCert::TooLong),
            (vec![bare], InvalidClientCert::Encoding),
            (vec![""], InvalidClientCert::Encoding),
            (vec![":"], InvalidClientCert::Encoding),
            (vec![":%:"], InvalidClientCert::Encoding),
            (vec![":MIIB-_==:"], InvalidClientCert::Encoding),
            (vec!["::"], InvalidClientCert::Der),
            (vec![":AAAA:"], InvalidClientCert::Der),
        ] {
            assert_eq!(read(&fields), Err(reason), "{fields:?}");
        }
        let mut longer = der(300);
        longer.push(0);
        assert_eq!(read(&[&field(&longer)]), Err(InvalidClientCert::Der));
        longer.truncate(303);
        assert_eq!(read(&[&field(&longer)]), Err(InvalidClientCert::Der));
    }

    #[test]
    fn a_thumbprint_is_32_bytes() {
        // RFC 8705 section 3.1: the value of the example.
        let text = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";
        // It is not canonical base64url: its last character has bits to spare that are not zero.
        assert_eq!(Thumbprint::parse(text), None);
        let text = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
        assert_eq!(Thumbprint::parse(text).unwrap().as_str(), text);
        for other in ["", "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v", "é"] {
            assert_eq!(Thumbprint::parse(other), None, "{other:?}");
        }
    }
}
