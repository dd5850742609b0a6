//! Finding the token in the request, in the one place where it may be.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use oauth_rs::jose::MAX_JWS_BYTES;

use crate::reason::Reason;
use crate::refused::{Refused, Scheme};

/// The token of a request, and the scheme it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presented<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: &'a str,
}

/// Finds the access token of a request.
///
/// 1. More than one `Authorization` field, or one and a token in the query, is refused.
/// 2. A token in the query alone is not read, and counts as no token.
/// 3. Another scheme than `Bearer`, and `DPoP` where it is taken, counts as no token.
/// 4. What follows the scheme is one `token68`, no longer than [`MAX_JWS_BYTES`].
///
/// Does not check: a form body, which is never read; what the token says.
pub(crate) fn find(parts: &Parts, takes_dpop: bool) -> Result<Presented<'_>, Refused> {
    let nobody = |reason| Refused::of(Scheme::Bearer, reason);
    let in_query = parts.uri.query().is_some_and(names_a_token);
    let Some(field) = only_authorization(&parts.headers).map_err(nobody)? else {
        // RFC 9700 section 4.3.2: a token in the query MUST NOT be used.
        return Err(nobody(if in_query {
            Reason::TokenInQuery
        } else {
            Reason::NoToken
        }));
    };
    // RFC 6750 section 2: clients MUST NOT use more than one method in a request.
    if in_query {
        return Err(nobody(Reason::SeveralCredentials));
    }
    let field = field.as_bytes();
    let end = field.iter().position(|byte| *byte == b' ');
    let (scheme, rest) = field.split_at(end.unwrap_or(field.len()));
    // RFC 9110 section 11.1: the scheme is compared without regard to case.
    let scheme = if scheme.eq_ignore_ascii_case(b"Bearer") {
        Scheme::Bearer
    } else if takes_dpop && scheme.eq_ignore_ascii_case(b"DPoP") {
        Scheme::Dpop
    } else {
        return Err(nobody(Reason::NoToken));
    };
    let Some(token) = token68(trim_spaces(rest)) else {
        return Err(Refused::of(scheme, Reason::MalformedCredentials));
    };
    if token.len() > MAX_JWS_BYTES {
        let bytes = token.len();
        return Err(Refused::of(scheme, Reason::TokenTooLong { bytes }));
    }
    Ok(Presented { scheme, token })
}

/// The `Authorization` field, of which there is at most one.
// RFC 9110 section 5.3: a field that is not a list MUST NOT be sent twice.
fn only_authorization(headers: &HeaderMap) -> Result<Option<&http::HeaderValue>, Reason> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    match (fields.next(), fields.next()) {
        (field, None) => Ok(field),
        (_, Some(_)) => Err(Reason::SeveralCredentials),
    }
}

fn trim_spaces(mut bytes: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = bytes {
        bytes = rest;
    }
    bytes
}

// RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
fn token68(bytes: &[u8]) -> Option<&str> {
    let mut body = bytes;
    while let [rest @ .., b'='] = body {
        body = rest;
    }
    // No branch and no early end, so that many bytes are compared at a time; between `-` and `9` there
    // are `.`, `/` and the digits.
    let is_allowed = |b: u8| {
        let is_letter = (b | 0x20).is_ascii_lowercase();
        is_letter | (b'-'..=b'9').contains(&b) | (b == b'_') | (b == b'~') | (b == b'+')
    };
    let is_good = body.iter().fold(true, |good, b| good & is_allowed(*b));
    if body.is_empty() || !is_good {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

// RFC 6750 section 2.3: the name of the parameter is access_token.
fn names_a_token(query: &str) -> bool {
    query
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
        .any(|name| decodes_to(name.as_bytes(), b"access_token"))
}

/// Whether percent-encoded text means these bytes, compared as it is decoded.
fn decodes_to(mut encoded: &[u8], expected: &[u8]) -> bool {
    for want in expected {
        let (got, rest) = match encoded {
            [b'%', high, low, rest @ ..] => {
                (hex(*high).zip(hex(*low)).map(|(h, l)| h * 16 + l), rest)
            }
            [byte, rest @ ..] => (Some(*byte), rest),
            [] => return false,
        };
        if got != Some(*want) {
            return false;
        }
        encoded = rest;
    }
    encoded.is_empty()
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn found(uri: &str, fields: &[&[u8]]) -> Result<String, Reason> {
        let mut request = Request::get(uri);
        for field in fields {
            request = request.header("authorization", *field);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        find(&parts, false)
            .map(|presented| presented.token.to_owned())
            .map_err(|refused| refused.reason().clone())
    }

    #[test]
    fn one_bearer_field_holds_the_token() {
        for field in [
            "Bearer a.b-c_d~e+f/g==",
            "bearer a.b-c_d~e+f/g==",
            "BEARER  a.b-c_d~e+f/g== ",
        ] {
            assert_eq!(
                found("/", &[field.as_bytes()]),
                Ok("a.b-c_d~e+f/g==".to_owned()),
                "{field}"
            );
        }
        assert!(
            found(
                "/?token=x&access_tokens=y&access_toke=z&%zz",
                &[b"Bearer t"]
            )
            .is_ok()
        );
    }

    #[test]
    fn no_token_where_none_is_read() {
        for fields in [
            &[][..],
            &[b"Basic dTpw".as_slice()],
            &[b"DPoP abc"],
            &[b"Bearerabc"],
            &[b""],
        ] {
            assert_eq!(found("/", fields), Err(Reason::NoToken), "{fields:?}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_not_read() {
        for query in [
            "access_token=x",
            "access_token",
            "a=b&access_token=",
            "access%5ftoken=x",
            "%61ccess_token=x",
        ] {
            assert_eq!(
                found(&format!("/?{query}"), &[]),
                Err(Reason::TokenInQuery),
                "{query}"
            );
            assert_eq!(
                found(&format!("/?{query}"), &[b"Bearer x"]),
                Err(Reason::SeveralCredentials),
                "{query}"
            );
        }
    }

    #[test]
    fn two_fields_are_refused_whatever_they_say() {
        for fields in [
            [b"Bearer x".as_slice(), b"Bearer x"],
            [b"Bearer x", b"Basic y"],
        ] {
            assert_eq!(found("/", &fields), Err(Reason::SeveralCredentials));
        }
    }

    #[test]
    fn what_is_not_one_token68_is_malformed() {
        for field in [
            b"Bearer".as_slice(),
            b"Bearer ",
            b"Bearer ==",
            b"Bearer a b",
            b"Bearer a,Basic b",
            b"Bearer \"a\"",
            b"Bearer a=b",
            b"Bearer a\tb",
            b"Bearer caf\xc3\xa9",
            b"Bearer token={x}",
        ] {
            assert_eq!(
                found("/", &[field]),
                Err(Reason::MalformedCredentials),
                "{field:?}"
            );
        }
    }

    #[test]
    fn a_token_has_these_characters_and_no_others() {
        let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        for byte in 0..=u8::MAX {
            let bytes = [b'a', byte, b'b'];
            let is_allowed = allowed.as_bytes().contains(&byte);
            assert_eq!(token68(&bytes).is_some(), is_allowed, "{byte:#x}");
        }
        assert_eq!(token68(b"a=="), Some("a=="));
        assert_eq!(token68(b"=="), None);
        assert_eq!(token68(b""), None);
    }

    #[test]
    fn dpop_is_a_scheme_where_it_is_taken() {
        for (field, scheme) in [
            ("DPoP abc", Scheme::Dpop),
            ("dpop abc", Scheme::Dpop),
            ("Bearer abc", Scheme::Bearer),
        ] {
            let request = Request::get("/").header("authorization", field);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let token = "abc";
            assert_eq!(find(&parts, true), Ok(Presented { scheme, token }));
        }
    }

    #[test]
    fn a_token_has_a_longest_length() {
        let field = |length| format!("Bearer {}", "a".repeat(length));
        assert!(found("/", &[field(MAX_JWS_BYTES).as_bytes()]).is_ok());
        let bytes = MAX_JWS_BYTES + 1;
        assert_eq!(
            found("/", &[field(bytes).as_bytes()]),
            Err(Reason::TokenTooLong { bytes })
        );
    }
}
