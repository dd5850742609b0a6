//! The claims that say who may use a token, and on whose behalf (RFC 7800, RFC 8693).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::certificate::Thumbprint;
use crate::json;

/// The most actors in one chain; each is a service that called the next one.
pub const MAX_ACTORS: usize = 8;

/// `cnf`: the key or certificate that whoever presents the token has to hold.
///
/// Reading decides: an object with at least one of the two members that are known here. Others are
/// ignored beside them, and are a refusal alone: a binding that nobody can check is not kept.
///
/// Specification: RFC 7800 section 3.1; RFC 9449 section 6.1; RFC 8705 section 3.1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Confirmation {
    /// The thumbprint of the key that signs DPoP proofs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// The thumbprint of the TLS client certificate.
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
}

impl<'de> Deserialize<'de> for Confirmation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            #[serde(default, deserialize_with = "json::not_null")]
            jkt: Option<String>,
            #[serde(rename = "x5t#S256", default, deserialize_with = "json::not_null")]
            certificate: Option<Thumbprint>,
        }
        let Members { jkt, certificate } = json::nested(deserializer)?;
        if jkt.is_none() && certificate.is_none() {
            return Err(D::Error::custom(
                "cnf has none of the members jkt and x5t#S256",
            ));
        }
        // Any thumbprint with SHA-256 has this form, RFC 7638 section 3.1.
        if jkt
            .as_deref()
            .is_some_and(|jkt| Thumbprint::parse(jkt).is_none())
        {
            return Err(D::Error::custom("jkt of cnf is not a thumbprint"));
        }
        Ok(Self { jkt, certificate })
    }
}

/// One party of an `act` claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who it is; unique within its issuer.
    pub sub: String,
    /// Who named it, if that is another than the issuer of the token.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::not_null"
    )]
    pub iss: Option<String>,
    /// The client that it acted through.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::not_null"
    )]
    pub client_id: Option<String>,
}

/// `act`: who acts on behalf of the subject; the first one does now, the others did before.
///
/// At most [`MAX_ACTORS`] deep.
///
/// Specification: RFC 8693 section 4.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actors(pub Vec<Actor>);

impl Actors {
    /// Whether the subject acts in person.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Actors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut next = Some(Box::new(json::nested::<Nested, D>(deserializer)?));
        let mut actors = Vec::new();
        while let Some(one) = next {
            if actors.len() == MAX_ACTORS {
                return Err(D::Error::custom("too many actors"));
            }
            let Nested {
                sub,
                iss,
                client_id,
                act,
            } = *one;
            actors.push(Actor {
                sub,
                iss,
                client_id,
            });
            next = act;
        }
        Ok(Self(actors))
    }
}

impl Serialize for Actors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nested = self.0.iter().rev().fold(None, |act, actor| {
            Some(Box::new(Nested {
                sub: actor.sub.clone(),
                iss: actor.iss.clone(),
                client_id: actor.client_id.clone(),
                act,
            }))
        });
        nested.serialize(serializer)
    }
}

#[derive(Serialize, Deserialize)]
struct Nested {
    sub: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::not_null"
    )]
    iss: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "json::not_null"
    )]
    client_id: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "earlier"
    )]
    act: Option<Box<Nested>>,
}

fn earlier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Nested>>, D::Error> {
    json::nested(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn confirmation(text: &str) -> Option<Confirmation> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn a_confirmation_names_what_can_be_checked() {
        let both = format!(r#"{{"jkt":"{JKT}","x5t#S256":"{JKT}"}}"#);
        let read = confirmation(&both).unwrap();
        assert_eq!(read.jkt.as_deref(), Some(JKT));
        assert_eq!(read.certificate, Thumbprint::parse(JKT));
        assert_eq!(serde_json::to_string(&read).unwrap(), both);
        let one = confirmation(&format!(r#"{{"kid":"x","jkt":"{JKT}"}}"#)).unwrap();
        assert_eq!(one.certificate, None);
    }

    #[test]
    fn a_confirmation_that_cannot_be_checked_is_refused() {
        for text in [
            "{}",
            "null",
            "\"text\"",
            r#"{"kid":"x"}"#,
            r#"{"jwk":{}}"#,
            r#"{"jkt":null}"#,
            r#"{"jkt":""}"#,
            r#"{"jkt":7}"#,
            r#"{"jkt":"short"}"#,
            r#"{"x5t#S256":"short"}"#,
            r#"{"x5t#s256":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        ] {
            assert_eq!(confirmation(text), None, "{text}");
        }
        for text in [
            format!(r#"{{"jkt":"{JKT}","jkt":"{JKT}"}}"#),
            // A member that nobody reads counts too, and an array is no object.
            format!(r#"{{"x":1,"jkt":"{JKT}","x":2}}"#),
            format!(r#"["{JKT}"]"#),
        ] {
            assert_eq!(confirmation(&text), None, "{text}");
        }
    }

    #[test]
    fn the_chain_of_actors_is_bounded() {
        let nested = |depth: usize| {
            let mut text = r#"{"sub":"last"}"#.to_owned();
            for index in 1..depth {
                text = format!(r#"{{"sub":"{index}","client_id":"c","act":{text}}}"#);
            }
            text
        };
        let text = nested(MAX_ACTORS);
        let actors: Actors = serde_json::from_str(&text).unwrap();
        assert_eq!(actors.0.len(), MAX_ACTORS);
        assert_eq!(actors.0.last().unwrap().sub, "last");
        assert_eq!(serde_json::to_string(&actors).unwrap(), text);
        for text in [
            nested(MAX_ACTORS + 1),
            nested(1000),
            "{}".to_owned(),
            "\"a\"".to_owned(),
            r#"{"sub":"a","act":null}"#.to_owned(),
            r#"["a"]"#.to_owned(),
            r#"{"sub":"a","act":["b"]}"#.to_owned(),
            r#"{"sub":"a","act":{"sub":"b","x":1,"x":1}}"#.to_owned(),
        ] {
            assert!(serde_json::from_str::<Actors>(&text).is_err(), "{text}");
        }
    }
}
