//! Which credential goes to the Didit API for a caller of the hosted server.

use std::collections::HashMap;

use didit_client::Secret;
use didit_tools::{Credentials, Grants, NoCredential};
use http::Extensions;
use oauth_rs::hash::sha256;
use resource_guard::{PassedToken, Principal};

use crate::wiring::gate;

/// The two ways that a configuration can choose.
pub(crate) enum Acting {
    /// The caller's own token, which the guard hands on if its audience has the Didit API.
    CallersToken,
    /// One for each subject, which somebody has put into a file.
    Supplied(HashMap<String, Secret>),
}

impl Credentials for Acting {
    async fn credential(&self, caller: &Extensions) -> Result<Secret, NoCredential> {
        match self {
            Self::CallersToken => caller
                .get::<PassedToken>()
                .map(|passed| Secret::new(passed.token().expose()))
                .ok_or(NoCredential::OtherAudience),
            Self::Supplied(known) => caller
                .get::<Principal>()
                .and_then(|who| known.get(who.subject.named()?))
                .cloned()
                .ok_or(NoCredential::Unknown),
        }
    }

    fn grants(&self, caller: &Extensions) -> Grants {
        gate::grants(caller)
    }

    fn person(&self, caller: &Extensions) -> Option<String> {
        match self {
            // Two tokens of one person may reach different organisations; of a token only its hash is kept.
            Self::CallersToken => caller.get::<PassedToken>().map(|passed| {
                let hash = sha256(passed.token().expose().as_bytes());
                hash.iter().map(|byte| format!("{byte:02x}")).collect()
            }),
            Self::Supplied(_) => {
                let who = caller.get::<Principal>()?;
                who.subject.named().map(str::to_owned)
            }
        }
    }

    fn organization(&self, caller: &Extensions) -> Option<String> {
        caller.get::<Principal>()?.organization.clone()
    }
}

/// The most people whom a file has credentials for.
const MAX_PEOPLE: usize = 10_000;

/// Reads the credentials of a file: a JSON object from subjects to tokens.
///
/// # Errors
/// What is wrong with the file, without anything of what is in it.
pub(crate) fn supplied(text: &str) -> Result<Acting, String> {
    let wrong = "is not a JSON object with one token, as text, for each subject";
    let read: HashMap<String, String> = serde_json::from_str(text).map_err(|_| wrong.to_owned())?;
    if read.len() > MAX_PEOPLE {
        return Err(format!("has more than {MAX_PEOPLE} subjects"));
    }
    if read
        .iter()
        .any(|(subject, token)| subject.is_empty() || token.is_empty())
    {
        return Err("has an empty subject or token".to_owned());
    }
    let known = read.into_iter();
    Ok(Acting::Supplied(
        known
            .map(|(subject, token)| (subject, Secret::new(token)))
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_credentials_is_one_object_of_texts() {
        assert!(
            matches!(supplied(r#"{"ada":"t-1"}"#), Ok(Acting::Supplied(known)) if known.len() == 1)
        );
        for text in [
            "",
            "[]",
            r#"{"ada":7}"#,
            r#"{"ada":"whsec_1""#,
            r#"{"":"t"}"#,
            r#"{"ada":""}"#,
        ] {
            let why = supplied(text).err().unwrap();
            assert!(!why.contains("whsec"), "{why}");
        }
        let many: HashMap<String, &str> = (0..=MAX_PEOPLE).map(|n| (n.to_string(), "t")).collect();
        assert!(supplied(&serde_json::to_string(&many).unwrap()).is_err());
    }
}
