//! The profile `Didit`: a question in JSON, and an answer with members of its own.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderValue, Request, header};
use oauth_rs::introspection::Introspection;
use oauth_rs::secret::Secret;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ask::AskFailed;
use crate::reason::shortened;

/// The question, in place of a form.
pub(super) fn question(
    mut form: Request<Vec<u8>>,
    token: &Secret,
    organization: Option<&str>,
) -> Result<Request<Vec<u8>>, serde_json::Error> {
    #[derive(Serialize)]
    struct Question<'a> {
        token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        requested_org: Option<&'a str>,
    }
    *form.body_mut() = serde_json::to_vec(&Question {
        token: token.expose(),
        requested_org: organization,
    })?;
    let json = HeaderValue::from_static("application/json");
    form.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(form)
}

/// What is read of the answer; a member that is there twice is refused.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    active: Option<&'a RawValue>,
    #[serde(borrow)]
    exp: Option<&'a RawValue>,
    #[serde(borrow)]
    aud: Option<&'a RawValue>,
    #[serde(borrow)]
    sub: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    identifier: Option<Cow<'a, str>>,
    #[serde(borrow)]
    organization_id: Option<Cow<'a, str>>,
    #[serde(default)]
    org_permissions: Words,
    #[serde(default)]
    claims: Words,
    #[serde(default)]
    scope: Words,
}

/// The same answer as RFC 7662 has it.
#[derive(Serialize)]
struct Standard<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<Cow<'a, str>>,
    scope: String,
}

/// Reads an answer by writing it as RFC 7662 has it and reading that, so that one reader is strict
/// for both.
///
/// An answer without an organisation is about the one that was asked for.
pub(super) fn answer(body: &[u8], asked_for: Option<&str>) -> Result<Introspection, AskFailed> {
    let sent = object(body)?;
    let one_audience = sent
        .aud
        .and_then(|aud| serde_json::from_str(aud.get()).ok());
    let standard = Standard {
        active: sent.active,
        exp: sent.exp,
        aud: sent.aud,
        sub: sent.sub.or(sent.user_id),
        client_id: sent.client_id.or(one_audience),
        username: sent.identifier,
        organization_id: sent.organization_id.or(asked_for.map(Cow::Borrowed)),
        scope: union([sent.org_permissions, sent.claims, sent.scope]),
    };
    // A struct of text and JSON always serialises; were it not so, nothing would be active.
    let standard = serde_json::to_vec(&standard).unwrap_or_default();
    Introspection::parse(&standard).map_err(|reason| AskFailed::Answer(reason.into()))
}

/// An object; serde alone would take an array for a struct as well.
fn object(body: &[u8]) -> Result<Sent<'_>, AskFailed> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(AskFailed::Didit("not a JSON object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| AskFailed::Didit(shortened(&error.to_string())))
}

/// Each word once, in order.
fn union(lists: [Words; 3]) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in lists.into_iter().flat_map(|Words(words)| words) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// A list of words, or one text with spaces between them.
#[derive(Default)]
struct Words(Vec<String>);

/// The most words of one list: as many as a set of scopes may have, and some.
const MAX_WORDS: usize = 256;

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a text with spaces, or at most {MAX_WORDS} words")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Words, E> {
                let words: Vec<String> = text.split_ascii_whitespace().map(Into::into).collect();
                if words.len() > MAX_WORDS {
                    return Err(E::custom("too many words"));
                }
                Ok(Words(words))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Words, E> {
                Ok(Words::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = seq.next_element()? {
                    if words.len() == MAX_WORDS {
                        return Err(serde::de::Error::custom("too many words"));
                    }
                    words.push(word);
                }
                Ok(Words(words))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::introspection::ActiveToken;
    use oauth_rs::time::UnixSeconds;

    use super::*;

    fn active(body: &str) -> ActiveToken {
        match answer(body.as_bytes(), None) {
            Ok(Introspection::Active(token)) => *token,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_question_is_json() {
        let ask = |organization| {
            let form = Request::post("https://as.example/introspect/").header("content-type", "x");
            let form = form.body(b"token=t".to_vec()).unwrap();
            question(form, &Secret::new("t"), organization).unwrap()
        };
        assert_eq!(ask(None).body(), br#"{"token":"t"}"#);
        assert_eq!(ask(None).headers()["content-type"], "application/json");
        let body = br#"{"token":"t","requested_org":"o"}"#;
        assert_eq!(ask(Some("o")).body(), body);
    }

    #[test]
    fn members_have_their_places_and_substitutes() {
        let token = active(
            r#"{"active":true,"exp":1700000000.5,"user_id":"u","aud":"client",
                "org_permissions":["read:sessions","write:sessions"],
                "claims":"didit:verification read:sessions","scope":["didit:management"],
                "organization_id":"o","has_2fa_enabled":true,"identifier":"a@b"}"#,
        );
        assert_eq!(token.sub.as_deref(), Some("u"));
        assert_eq!(token.client_id.as_deref(), Some("client"));
        assert_eq!(token.organization_id.as_deref(), Some("o"));
        assert_eq!(token.username.as_deref(), Some("a@b"));
        assert_eq!(token.exp, Some(UnixSeconds(1_700_000_000)));
        let scope = "read:sessions write:sessions didit:verification didit:management";
        assert_eq!(token.scope.as_deref(), Some(scope));
        let own = active(
            r#"{"active":true,"sub":"s","user_id":"u","client_id":"c","aud":["x","y"],
                "scope":null}"#,
        );
        assert_eq!(own.sub.as_deref(), Some("s"));
        assert_eq!(own.client_id.as_deref(), Some("c"));
        assert_eq!(own.aud, ["x", "y"]);
        assert_eq!(own.scope.as_deref(), Some(""));
    }

    #[test]
    fn the_organisation_that_was_asked_for_stands_in_for_a_missing_one() {
        let organization = |body: &str, asked_for| match answer(body.as_bytes(), asked_for) {
            Ok(Introspection::Active(token)) => token.organization_id,
            other => panic!("{other:?}"),
        };
        let (own, none) = (
            r#"{"active":true,"organization_id":"o"}"#,
            r#"{"active":true}"#,
        );
        assert_eq!(organization(own, Some("asked")).as_deref(), Some("o"));
        assert_eq!(organization(none, Some("asked")).as_deref(), Some("asked"));
        assert_eq!(organization(none, None), None);
    }

    #[test]
    fn only_true_is_active() {
        for body in ["{}", r#"{"active":false}"#, r#"{"active":null,"sub":"s"}"#] {
            assert_eq!(
                answer(body.as_bytes(), None),
                Ok(Introspection::Inactive),
                "{body}"
            );
        }
        for body in [
            "",
            "<html>",
            "[true]",
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":true,"active":true}"#,
            r#"{"active":true,"sub":7}"#,
            r#"{"active":true,"exp":"soon"}"#,
            r#"{"active":true,"exp":-1}"#,
            r#"{"active":true,"aud":[]}"#,
            r#"{"active":true,"scope":7}"#,
            r#"{"active":true,"claims":[7]}"#,
        ] {
            assert!(answer(body.as_bytes(), None).is_err(), "{body}");
        }
        let many = format!(r#"{{"active":true,"scope":{:?}}}"#, "a ".repeat(257));
        assert!(answer(many.as_bytes(), None).is_err());
    }
}
