//! What an authorization server says of a token that it was asked about (RFC 7662).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use crate::jose::claim::{self, InvalidClaims, read_audience, read_seconds};
use crate::jose::jwt::{Actors, Confirmation};
use crate::json;
use crate::time::UnixSeconds;

/// The longest answer that is read: a token has at most 16 KiB, and its claims no more.
pub const MAX_INTROSPECTION_BYTES: usize = 64 * 1024;

/// An answer to the question whether a token is good.
///
/// ```
/// use oauth_rs::introspection::Introspection;
///
/// let answer = br#"{"active":true,"sub":"u1","aud":"https://rs.example","scope":"read"}"#;
/// let Introspection::Active(token) = Introspection::parse(answer)? else { panic!() };
/// assert_eq!(token.aud, ["https://rs.example"]);
///
/// assert_eq!(Introspection::parse(b"{}")?, Introspection::Inactive);
/// assert!(Introspection::parse(br#"{"active":"true"}"#).is_err());
/// # Ok::<(), oauth_rs::jose::jwt::InvalidClaims>(())
/// ```
///
/// Specification: RFC 7662 section 2.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    /// It is not, and nothing more is said.
    Inactive,
    /// It is, in the eyes of the server that was asked.
    Active(Box<ActiveToken>),
}

/// What is said of a token that is active; every member may be missing.
///
/// Does not check: any value. The server answers for whoever asks; whether the token is for this
/// resource, and whether its time has come, is the resource's to compare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ActiveToken {
    /// Who issued it.
    pub iss: Option<String>,
    /// Whom it speaks for.
    pub sub: Option<String>,
    /// For whom it is; empty if nothing is said.
    #[serde(deserialize_with = "owned_audience")]
    pub aud: Vec<String>,
    /// The client it was issued to.
    pub client_id: Option<String>,
    /// A name of the person for people.
    pub username: Option<String>,
    /// The organisation that the token is about; a private member.
    pub organization_id: Option<String>,
    /// What it allows, as scope text.
    pub scope: Option<String>,
    /// How it is presented: `Bearer` or `DPoP`.
    pub token_type: Option<String>,
    /// From when on it is void.
    #[serde(deserialize_with = "seconds_or_null")]
    pub exp: Option<UnixSeconds>,
    /// When it was issued.
    #[serde(deserialize_with = "seconds_or_null")]
    pub iat: Option<UnixSeconds>,
    /// Before when it is void.
    #[serde(deserialize_with = "seconds_or_null")]
    pub nbf: Option<UnixSeconds>,
    /// Its own identifier.
    pub jti: Option<String>,
    /// The grant that it came from, for revocation; a private member.
    pub grant_id: Option<String>,
    /// The key or certificate that its sender has to hold.
    #[serde(deserialize_with = "json::not_null")]
    pub cnf: Option<Confirmation>,
    /// Who acts on behalf of the subject.
    pub act: Actors,
    /// How the person signed in.
    pub acr: Option<String>,
    /// When the person signed in.
    #[serde(deserialize_with = "seconds_or_null")]
    pub auth_time: Option<UnixSeconds>,
}

impl Introspection {
    /// Reads the body of an answer, or the member `token_introspection` of a signed one.
    ///
    /// It decides, in this order: length; an object without repeated members; `active`, where a
    /// missing one is false; and, if that is true, the types of the members. `null` counts as
    /// missing, but for `cnf`, `act` and `aud`.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidClaims> {
        #[derive(Deserialize)]
        struct Verdict {
            #[serde(default)]
            active: bool,
        }
        if body.len() > MAX_INTROSPECTION_BYTES {
            return Err(InvalidClaims::new("the answer is too long"));
        }
        // RFC 7662 section 2.2: active is REQUIRED; without it nothing says that the token is good.
        if claim::read::<Verdict>(body)?.active {
            claim::read(body).map(|token| Self::Active(Box::new(token)))
        } else {
            Ok(Self::Inactive)
        }
    }
}

fn owned_audience<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    Ok(read_audience(d)?.into_iter().map(Cow::into_owned).collect())
}

fn seconds_or_null<'de, D: Deserializer<'de>>(d: D) -> Result<Option<UnixSeconds>, D::Error> {
    #[derive(Deserialize)]
    struct Seconds(#[serde(deserialize_with = "read_seconds")] UnixSeconds);
    Ok(Option::<Seconds>::deserialize(d)?.map(|Seconds(at)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(members: &str) -> Result<ActiveToken, InvalidClaims> {
        match Introspection::parse(format!(r#"{{"active":true{members}}}"#).as_bytes())? {
            Introspection::Active(token) => Ok(*token),
            Introspection::Inactive => panic!("inactive"),
        }
    }

    #[test]
    fn an_active_token_is_read_with_what_is_said_of_it() {
        let token = active(
            r#","sub":"u","client_id":"c","scope":"a b","token_type":"DPoP","exp":20.5,"iat":10,
            "nbf":null,"aud":["x","y"],"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
            "act":{"sub":"s"},"acr":"l2","auth_time":9,"username":"u","more":{"a":[1]}"#,
        )
        .unwrap();
        assert_eq!(token.sub.as_deref(), Some("u"));
        assert_eq!(token.exp, Some(UnixSeconds(20)));
        assert_eq!(token.nbf, None);
        assert_eq!(token.aud, ["x", "y"]);
        assert!(token.cnf.unwrap().jkt.is_some());
        assert_eq!(token.act.0[0].sub, "s");
        assert_eq!(token.username.as_deref(), Some("u"));
        assert_eq!(active("").unwrap(), ActiveToken::default());
        assert_eq!(
            active(r#","iss":null,"exp":null"#).unwrap(),
            ActiveToken::default()
        );
    }

    #[test]
    fn whatever_does_not_say_active_is_not() {
        for body in [
            "{}",
            r#"{"active":false}"#,
            r#"{"active":false,"sub":7,"exp":"x"}"#,
        ] {
            assert_eq!(
                Introspection::parse(body.as_bytes()),
                Ok(Introspection::Inactive),
                "{body}"
            );
        }
    }

    #[test]
    fn each_refusal() {
        for members in [
            r#","active":true"#,
            r#","sub":7"#,
            r#","sub":"a","sub":"b""#,
            r#","aud":7"#,
            r#","aud":[]"#,
            r#","aud":null"#,
            r#","exp":"20""#,
            r#","exp":-1"#,
            r#","exp":1e300"#,
            r#","cnf":null"#,
            r#","cnf":{}"#,
            r#","act":null"#,
            r#","act":[]"#,
            r#","scope":["a"]"#,
            r#","auth_time":"9""#,
        ] {
            assert!(active(members).is_err(), "{members}");
        }
        for body in [
            "",
            "[]",
            "true",
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":null}"#,
        ] {
            assert!(Introspection::parse(body.as_bytes()).is_err(), "{body}");
        }
        let long = format!(
            r#"{{"active":true,"x":"{}"}}"#,
            "a".repeat(MAX_INTROSPECTION_BYTES)
        );
        assert!(Introspection::parse(long.as_bytes()).is_err());
    }
}
