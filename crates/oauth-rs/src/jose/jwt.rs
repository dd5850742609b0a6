//! The claims of an access token (RFC 9068), with the types they must have (RFC 7519, RFC 8725).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use super::binding::{Actor, Actors, Confirmation, MAX_ACTORS};
use super::claim::{
    self, read_audience, read_optional_seconds, read_optional_text, read_seconds, read_text,
    write_audience, write_optional_seconds, write_seconds,
};
pub use super::claim::{InvalidClaims, MAX_AUDIENCES};
use crate::json;
use crate::time::UnixSeconds;

/// The claims of an access token.
///
/// Reading decides: an object without repeated members; every required claim is there and has its
/// type; points in time are numbers, with fractions cut off, from 1970 to 9999; the audience is a
/// string or up to [`MAX_AUDIENCES`] of them; `cnf` and `act` have the forms of [`Confirmation`] and
/// [`Actors`].
///
/// Does not check: any value. Issuer, audience and times are the resource's to compare.
///
/// # Security
/// A token with `cnf` is not a bearer token: whoever accepts it has to see the proof that its sender
/// holds the key.
///
/// ```
/// use oauth_rs::jose::jwt::AccessTokenClaims;
/// use oauth_rs::time::UnixSeconds;
///
/// let text = r#"{"iss":"https://as.example","sub":"u1","aud":"https://rs.example/mcp",
///     "exp":1300.5,"iat":1000,"jti":"j1","client_id":"c1"}"#;
/// let claims = AccessTokenClaims::parse(text.as_bytes())?;
/// assert_eq!(claims.exp, UnixSeconds(1300));
/// assert_eq!(claims.aud, ["https://rs.example/mcp"]);
/// assert!(AccessTokenClaims::parse(text.replace("1300.5", "\"1300\"").as_bytes()).is_err());
/// # Ok::<(), oauth_rs::jose::jwt::InvalidClaims>(())
/// ```
///
/// Specification: RFC 9068 section 2.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims<'a> {
    /// Who issued the token.
    #[serde(borrow, deserialize_with = "read_text")]
    pub iss: Cow<'a, str>,
    /// Whom it speaks for.
    #[serde(borrow, deserialize_with = "read_text")]
    pub sub: Cow<'a, str>,
    /// For whom it is: the resources that may accept it.
    #[serde(
        borrow,
        serialize_with = "write_audience",
        deserialize_with = "read_audience"
    )]
    pub aud: Vec<Cow<'a, str>>,
    /// From when on it is void.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub exp: UnixSeconds,
    /// When it was issued.
    #[serde(serialize_with = "write_seconds", deserialize_with = "read_seconds")]
    pub iat: UnixSeconds,
    /// Before when it is void.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_optional_seconds",
        deserialize_with = "read_optional_seconds"
    )]
    pub nbf: Option<UnixSeconds>,
    /// Its own identifier.
    #[serde(borrow, deserialize_with = "read_text")]
    pub jti: Cow<'a, str>,
    /// The client it was issued to.
    #[serde(borrow, deserialize_with = "read_text")]
    pub client_id: Cow<'a, str>,
    /// What it allows, as scope text.
    #[serde(
        default,
        borrow,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_optional_text"
    )]
    pub scope: Option<Cow<'a, str>>,
    /// The authorization server's grant that it came from, for revocation; a private claim.
    #[serde(
        default,
        borrow,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_optional_text"
    )]
    pub grant_id: Option<Cow<'a, str>>,
    /// The organisation that it is about; a private claim, named as in an answer about a token.
    #[serde(
        default,
        borrow,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_optional_text"
    )]
    pub organization_id: Option<Cow<'a, str>>,
    /// The key or certificate that its sender has to hold.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::not_null"
    )]
    pub cnf: Option<Confirmation>,
    /// Who acts on behalf of the subject.
    #[serde(default, skip_serializing_if = "Actors::is_empty")]
    pub act: Actors,
    /// How the person signed in: an authentication context class.
    #[serde(
        default,
        borrow,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_optional_text"
    )]
    pub acr: Option<Cow<'a, str>>,
    /// When the person signed in.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_optional_seconds",
        deserialize_with = "read_optional_seconds"
    )]
    pub auth_time: Option<UnixSeconds>,
}

impl<'a> AccessTokenClaims<'a> {
    /// Reads the payload of a verified token; texts without escapes are not copied.
    ///
    /// # Errors
    /// A claim is missing, occurs twice or has the wrong type.
    pub fn parse(payload: &'a [u8]) -> Result<Self, InvalidClaims> {
        claim::read(payload)
    }

    /// The same claims with texts of their own.
    pub fn into_owned(self) -> AccessTokenClaims<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        AccessTokenClaims {
            iss: own(self.iss),
            sub: own(self.sub),
            aud: self.aud.into_iter().map(own).collect(),
            exp: self.exp,
            iat: self.iat,
            nbf: self.nbf,
            jti: own(self.jti),
            client_id: own(self.client_id),
            scope: self.scope.map(own),
            grant_id: self.grant_id.map(own),
            organization_id: self.organization_id.map(own),
            cnf: self.cnf,
            act: self.act,
            acr: self.acr.map(own),
            auth_time: self.auth_time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::claim::MAX_SECONDS;

    const CLAIMS: &str =
        r#"{"iss":"i","sub":"s","aud":"a","exp":20,"iat":10,"jti":"j","client_id":"c"}"#;

    fn parse(text: &str) -> Result<AccessTokenClaims<'_>, InvalidClaims> {
        AccessTokenClaims::parse(text.as_bytes())
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let claims = parse(CLAIMS).unwrap();
        assert_eq!(serde_json::to_string(&claims).unwrap(), CLAIMS);
        let full = AccessTokenClaims {
            aud: vec!["a".into(), "b".into()],
            nbf: Some(UnixSeconds(5)),
            scope: Some("x y".into()),
            grant_id: Some("g".into()),
            organization_id: Some("o".into()),
            cnf: Some(Confirmation {
                jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into()),
                certificate: None,
            }),
            act: Actors(vec![Actor {
                sub: "service".into(),
                iss: None,
                client_id: None,
            }]),
            acr: Some("level2".into()),
            auth_time: Some(UnixSeconds(4)),
            ..claims
        };
        assert_eq!(parse(&serde_json::to_string(&full).unwrap()).unwrap(), full);
    }

    #[test]
    fn times_may_have_fractions_and_unknown_claims_are_ignored() {
        let claims = CLAIMS.replace("20", "20.9").replace("{", "{\"x\":[1],");
        let claims = parse(&claims).unwrap();
        assert_eq!(claims.exp, UnixSeconds(20));
        assert_eq!(
            parse(&CLAIMS.replace("20", "2e1")).unwrap().exp,
            UnixSeconds(20)
        );
        assert_eq!(
            parse(&CLAIMS.replace("20", "253402300799")).unwrap().exp.0,
            MAX_SECONDS
        );
    }

    #[test]
    fn each_refusal() {
        for (from, to) in [
            ("20", "\"20\""),
            ("20", "-1"),
            ("20", "-0.5"),
            ("20", "253402300800"),
            ("20", "1e300"),
            ("20", "1e400"),
            ("20", "18446744073709551616"),
            ("20", "null"),
            ("20", "true"),
            ("20", "[20]"),
            ("\"aud\":\"a\"", "\"aud\":7"),
            ("\"aud\":\"a\"", "\"aud\":[]"),
            ("\"aud\":\"a\"", "\"aud\":[\"a\",7]"),
            ("\"aud\":\"a\"", "\"aud\":{\"a\":1}"),
            ("\"aud\":\"a\"", "\"aud\":\"a\",\"aud\":\"b\""),
            ("\"iss\":\"i\"", "\"iss\":[\"i\"]"),
            ("\"iss\":\"i\",", ""),
            ("\"sub\":\"s\",", ""),
            ("\"aud\":\"a\",", ""),
            ("\"exp\":20,", ""),
            ("\"iat\":10,", ""),
            ("\"jti\":\"j\",", ""),
            (",\"client_id\":\"c\"", ""),
            ("\"jti\"", "\"x\":1,\"x\":1,\"jti\""),
            ("\"jti\"", "\"cnf\":{\"jkt\":\"k\"},\"jti\""),
            ("\"jti\"", "\"cnf\":{},\"jti\""),
            ("\"jti\"", "\"act\":\"a\",\"jti\""),
            ("\"jti\"", "\"act\":null,\"jti\""),
            ("\"jti\"", "\"acr\":1,\"jti\""),
            ("\"jti\"", "\"auth_time\":\"4\",\"jti\""),
            ("\"jti\"", "\"cnf\":null,\"jti\""),
            ("\"jti\"", "\"nbf\":null,\"jti\""),
            ("\"jti\"", "\"nbf\":\"1\",\"jti\""),
            ("\"jti\"", "\"scope\":[\"x\"],\"jti\""),
            ("\"jti\"", "\"scope\":null,\"jti\""),
            ("\"jti\"", "\"organization_id\":7,\"jti\""),
            ("\"jti\"", "\"organization_id\":null,\"jti\""),
        ] {
            let text = CLAIMS.replacen(from, to, 1);
            assert_ne!(text, CLAIMS);
            assert!(parse(&text).is_err(), "{text}");
        }
        let many = vec!["\"a\""; MAX_AUDIENCES + 1].join(",");
        assert!(parse(&CLAIMS.replace("\"a\"", &format!("[{many}]"))).is_err());
        assert!(parse("[\"i\",\"s\",\"a\",20,10,null,\"j\",\"c\"]").is_err());
    }
}
