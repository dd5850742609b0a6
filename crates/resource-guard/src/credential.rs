//! Finding the token in the request, in the one place where it may be.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::refused::Refused;

/// Finds the bearer token of a request.
///
/// 1. More than one `Authorization` field, or one and a token in the query, is refused.
/// 2. A token in the query alone is not read, and counts as no token.
/// 3. Another scheme than `Bearer` counts as no token.
/// 4. What follows the scheme is one `token68`.
///
/// Does not check: a form body, which is never read; what the token says.
pub(crate) fn bearer_token(parts: &Parts) -> Result<&str, Refused> {
    let in_query = parts.uri.query().is_some_and(names_a_token);
    let Some(field) = only_authorization(&parts.headers)? else {
        // RFC 9700 section 4.3.2: a token in the query MUST NOT be used.
        return Err(if in_query {
            Refused::TokenInQuery
        } else {
            Refused::NoToken
        });
    };
    // RFC 6750 section 2: clients MUST NOT use more than one method in a request.
    if in_query {
        return Err(Refused::SeveralCredentials);
    }
    let field = field.to_str().map_err(|_| Refused::MalformedCredentials)?;
    let (scheme, rest) = field.split_once(' ').unwrap_or((field, ""));
    // RFC 9110 section 11.1: the scheme is compared without regard to case.
    if !scheme.eq_ignore_ascii_case("Bearer") {
        return Err(Refused::NoToken);
    }
    let token = rest.trim_matches(' ');
    if !is_token68(token) {
        return Err(Refused::MalformedCredentials);
    }
    Ok(token)
}

/// The `Authorization` field, of which there is at most one.
// RFC 9110 section 5.3: a field that is not a list MUST NOT be sent twice.
fn only_authorization(headers: &HeaderMap) -> Result<Option<&http::HeaderValue>, Refused> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    match (fields.next(), fields.next()) {
        (field, None) => Ok(field),
        (_, Some(_)) => Err(Refused::SeveralCredentials),
    }
}

// RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(allowed)
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

    fn find(uri: &str, fields: &[&[u8]]) -> Result<String, Refused> {
        let mut request = Request::get(uri);
        for field in fields {
            request = request.header("authorization", *field);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        bearer_token(&parts).map(str::to_owned)
    }

    #[test]
    fn one_bearer_field_holds_the_token() {
        for field in [
            "Bearer a.b-c_d~e+f/g==",
            "bearer a.b-c_d~e+f/g==",
            "BEARER  a.b-c_d~e+f/g== ",
        ] {
            assert_eq!(
                find("/", &[field.as_bytes()]),
                Ok("a.b-c_d~e+f/g==".to_owned()),
                "{field}"
            );
        }
        assert!(
            find(
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
            assert_eq!(find("/", fields), Err(Refused::NoToken), "{fields:?}");
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
                find(&format!("/?{query}"), &[]),
                Err(Refused::TokenInQuery),
                "{query}"
            );
            assert_eq!(
                find(&format!("/?{query}"), &[b"Bearer x"]),
                Err(Refused::SeveralCredentials),
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
            assert_eq!(find("/", &fields), Err(Refused::SeveralCredentials));
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
                find("/", &[field]),
                Err(Refused::MalformedCredentials),
                "{field:?}"
            );
        }
    }
}
