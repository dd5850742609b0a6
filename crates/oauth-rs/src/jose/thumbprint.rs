//! The thumbprint of a key (RFC 7638).

use super::jwk::Kind;
use crate::hash::sha256_base64url;

/// SHA-256 over the required members only, in lexicographic order and without white space.
pub(super) fn of(kind: &Kind) -> String {
    // RFC 7638 section 3.2, RFC 8037 section 2: the required members of each key type.
    // The values are base64url text that was checked, so nothing in them needs escaping.
    let text = match kind {
        Kind::Ec { crv, x, y } => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
        Kind::Okp { crv, x } => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        Kind::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
    };
    sha256_base64url(text.as_bytes())
}
