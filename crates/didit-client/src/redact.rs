//! What is never shown in a successful answer, by kind of object.

use serde_json::{Map, Value};

/// Which secrets the objects of an answer hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mask {
    /// The answer holds no secrets of the kinds below.
    Nothing,
    /// Applications: key and client secret become a flag and a preview.
    Application,
    /// Webhook destinations: the shared secret becomes a flag.
    WebhookDestination,
    /// API keys: the key becomes a flag and a preview.
    ApiKey,
}

struct Rule {
    fields: &'static [&'static str],
    shown: Shown,
}

enum Shown {
    FlagAndPreview,
    OneFlag(&'static str),
}

const APPLICATION: Rule = Rule {
    fields: &["api_key", "client_secret", "secret"],
    shown: Shown::FlagAndPreview,
};
const WEBHOOK: Rule = Rule {
    fields: &["secret_shared_key", "signing_secret", "secret"],
    shown: Shown::OneFlag("secret_set"),
};
const API_KEY: Rule = Rule {
    fields: &["api_key", "key", "secret", "token", "value"],
    shown: Shown::FlagAndPreview,
};

impl Mask {
    /// Masks every object of an answer, however deep it is: a row of a page, or the application inside a sign-in.
    pub fn apply(self, value: &mut Value) {
        let rule = match self {
            Self::Nothing => return,
            Self::Application => &APPLICATION,
            Self::WebhookDestination => &WEBHOOK,
            Self::ApiKey => &API_KEY,
        };
        mask(rule, value);
    }
}

/// The depth is that of what was parsed, which the parser bounds.
fn mask(rule: &Rule, value: &mut Value) {
    match value {
        Value::Array(rows) => rows.iter_mut().for_each(|row| mask(rule, row)),
        Value::Object(object) => {
            mask_object(rule, object);
            object.values_mut().for_each(|inner| mask(rule, inner));
        }
        _ => {}
    }
}

fn mask_object(rule: &Rule, object: &mut Map<String, Value>) {
    for field in rule.fields {
        let Some(value) = object.remove(*field) else {
            continue;
        };
        let set = is_set(&value);
        match rule.shown {
            Shown::OneFlag(flag) => {
                let before = object.get(flag).and_then(Value::as_bool).unwrap_or(false);
                object.insert(flag.to_owned(), Value::Bool(set || before));
            }
            Shown::FlagAndPreview => {
                object.insert(format!("{field}_set"), Value::Bool(set));
                if let (true, Value::String(text)) = (set, &value) {
                    object.insert(format!("{field}_preview"), Value::String(preview(text)));
                }
            }
        }
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// What is shown of a secret: bullets for a short one, else both ends and the length.
fn preview(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= 8 {
        return "•".repeat(8);
    }
    let first: String = characters.iter().take(4).collect();
    let last: String = characters.iter().skip(characters.len() - 4).collect();
    format!("{first}…{last} ({})", characters.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masked(mask: Mask, mut value: Value) -> Value {
        mask.apply(&mut value);
        value
    }

    #[test]
    fn an_application_shows_flag_and_preview() {
        let row = json!({"uuid": "a", "api_key": "abcdEFGHijklMNOP", "client_secret": "", "secret": null});
        let want = json!({
            "uuid": "a",
            "api_key_set": true, "api_key_preview": "abcd…MNOP (16)",
            "client_secret_set": false, "secret_set": false,
        });
        assert_eq!(masked(Mask::Application, row.clone()), want);
        assert_eq!(masked(Mask::Application, json!([row])), json!([want]));
        assert_eq!(
            masked(Mask::Application, json!({"results": [row]})),
            json!({"results": [want]})
        );
        assert_eq!(
            masked(Mask::Application, json!({"applications": [row]})),
            json!({"applications": [want]})
        );
    }

    #[test]
    fn what_is_deeper_is_masked_too() {
        let answer = json!({
            "access_token": "kept", "application": {"uuid": "a", "api_key": "0123456789abcdef"},
            "pages": [[{"data": {"client_secret": "short"}}]],
        });
        assert_eq!(
            masked(Mask::Application, answer),
            json!({
                "access_token": "kept",
                "application": {"uuid": "a", "api_key_set": true, "api_key_preview": "0123…cdef (16)"},
                "pages": [[{"data": {"client_secret_set": true, "client_secret_preview": "••••••••"}}]],
            })
        );
    }

    #[test]
    fn a_webhook_shows_one_flag_only() {
        let row = json!({"url": "https://a.example/", "secret_shared_key": "whsec_123456", "signing_secret": null});
        assert_eq!(
            masked(Mask::WebhookDestination, json!([row])),
            json!([{"url": "https://a.example/", "secret_set": true}])
        );
    }

    #[test]
    fn an_api_key_that_is_no_text_is_removed_too() {
        assert_eq!(
            masked(
                Mask::ApiKey,
                json!({"token": {"a": 1}, "value": 7, "name": "n"})
            ),
            json!({"token_set": true, "value_set": true, "name": "n"})
        );
    }

    #[test]
    fn a_short_secret_is_bullets_whatever_its_length() {
        assert_eq!(preview("12345678"), "••••••••");
        assert_eq!(preview("1"), "••••••••");
        assert_eq!(preview("123456789"), "1234…6789 (9)");
    }

    #[test]
    fn without_a_mask_nothing_changes() {
        let value = json!({"api_key": "k", "results": [{"secret": "s"}]});
        assert_eq!(masked(Mask::Nothing, value.clone()), value);
        assert_eq!(masked(Mask::Application, json!("text")), json!("text"));
    }
}
