//! What is known about the settings of each check: facts for `didit_workflow_get_feature_config_schema` and for warnings.
//!
//! The lists are those that Didit has published; a setting or a check that is not here may exist all the same.

mod company;
mod document;
mod face;
mod person;

use serde_json::{Map, Value, json};

use super::finding::nearest;
use super::word::{Operator, RULE_STATUS, words};

/// A check that a feature node can run.
#[derive(Debug)]
pub struct Feature {
    /// Its name in a graph.
    pub name: &'static str,
    /// Whose workflow it may be in.
    pub subject: Subject,
    /// What it does, and what has to be thought of.
    pub says: &'static str,
    /// The settings that are known; `None` where none are published.
    pub settings: Option<&'static [Setting]>,
}

/// Whose workflow a check may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A person's (KYC) only.
    Person,
    /// A company's (KYB) only.
    Company,
    /// Both kinds.
    Either,
}

/// One setting of a check.
#[derive(Debug)]
pub struct Setting {
    /// Its name in `config`.
    pub name: &'static str,
    /// What it may be; `null` leaves the account's default unless the form says otherwise.
    pub form: Form,
    /// What it does, where the name does not say so.
    pub says: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Flag,
    /// A whole number in this range.
    Whole(i64, i64),
    /// Any number.
    Number,
    /// Any text.
    Text,
    /// A UUID as text.
    Uuid,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// Rules that give the check a status.
    StatusRules,
    /// Something larger, of the form that is written out.
    Json(&'static str),
}

/// What may follow from a finding.
const ACTIONS: &[&str] = &["NO_ACTION", "REVIEW", "DECLINE"];

/// What may follow from one that cannot be passed over.
const STERN: &[&str] = &["REVIEW", "DECLINE"];

const fn setting(name: &'static str, form: Form) -> Setting {
    Setting {
        name,
        form,
        says: "",
    }
}

const fn action(name: &'static str) -> Setting {
    setting(name, Form::Choice(ACTIONS))
}

const fn stern(name: &'static str) -> Setting {
    setting(name, Form::Choice(STERN))
}

const fn flag(name: &'static str) -> Setting {
    setting(name, Form::Flag)
}

const fn percent(name: &'static str) -> Setting {
    setting(name, Form::Whole(0, 100))
}

const fn whole(name: &'static str, least: i64, most: i64) -> Setting {
    setting(name, Form::Whole(least, most))
}

const fn json_of(name: &'static str, shape: &'static str) -> Setting {
    setting(name, Form::Json(shape))
}

const STATUS_RULES: Setting = setting("status_rules", Form::StatusRules);

impl Setting {
    const fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }

    /// Why a value does not fit, if it does not; a larger form is not looked into.
    pub(crate) fn refuses(&self, value: &Value) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let wanted = match self.form {
            Form::Flag if value.is_boolean() => return None,
            Form::Flag => "a boolean".to_owned(),
            Form::Whole(least, most) => {
                if value.as_i64().is_some_and(|n| (least..=most).contains(&n)) {
                    return None;
                }
                format!("a whole number from {least} to {most}")
            }
            Form::Number if value.is_number() => return None,
            Form::Number => "a number".to_owned(),
            Form::Text | Form::Uuid if value.is_string() => return None,
            Form::Text => "text".to_owned(),
            Form::Uuid => "a UUID as text".to_owned(),
            Form::Choice(words) => {
                if value.as_str().is_some_and(|word| words.contains(&word)) {
                    return None;
                }
                format!("one of {}", words.join(", "))
            }
            Form::Choices(words) => {
                let known = |item: &Value| item.as_str().is_some_and(|word| words.contains(&word));
                if value
                    .as_array()
                    .is_some_and(|items| items.iter().all(known))
                {
                    return None;
                }
                format!("a list of {}", words.join(", "))
            }
            Form::StatusRules if value.is_array() => return None,
            Form::StatusRules => "a list of rules".to_owned(),
            Form::Json(_) => return None,
        };
        Some(format!("is not {wanted}"))
    }

    fn to_value(&self) -> Value {
        let mut out = Map::new();
        let kind = match self.form {
            Form::Flag => "boolean",
            Form::Whole(..) => "integer",
            Form::Number => "number",
            Form::Text | Form::Choice(_) => "string",
            Form::Uuid => "uuid",
            Form::Choices(_) | Form::StatusRules => "array",
            Form::Json(_) => "json",
        };
        out.insert("type".into(), kind.into());
        match self.form {
            Form::Whole(least, most) => {
                out.insert("minimum".into(), least.into());
                out.insert("maximum".into(), most.into());
            }
            Form::Choice(words) | Form::Choices(words) => {
                out.insert("enum".into(), json!(words));
            }
            Form::StatusRules => {
                out.insert("items".into(), status_rule());
            }
            Form::Json(shape) => {
                out.insert("shape".into(), shape.into());
            }
            _ => {}
        }
        if !self.says.is_empty() {
            out.insert("description".into(), self.says.into());
        }
        Value::Object(out)
    }
}

/// The form of one rule in `status_rules`.
fn status_rule() -> Value {
    json!({
        "field": "text: the value that is looked at",
        "operator": words(Operator::ALL).collect::<Vec<_>>(),
        "value": "what it is compared with",
        "value_type": ["literal", "field", "list", "relative_date"],
        "score": "0 to 100, with fuzzy_match only",
        "status": RULE_STATUS,
    })
}

const ALL: &[&[Feature]] = &[
    document::FEATURES,
    face::FEATURES,
    person::FEATURES,
    company::FEATURES,
];

/// The checks that are known.
pub fn features() -> impl Iterator<Item = &'static Feature> {
    ALL.iter().flat_map(|area| area.iter())
}

impl Feature {
    /// The check of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        features().find(|feature| feature.name == name)
    }

    /// The setting of this name, if it is known.
    pub(crate) fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.settings?.iter().find(|setting| setting.name == name)
    }

    /// The known setting that is most like this name.
    pub(crate) fn nearest_setting(&self, name: &str) -> Option<&'static str> {
        let names: Vec<&str> = self.settings?.iter().map(|setting| setting.name).collect();
        nearest(name, &names)
    }

    /// What is known of it, as JSON; where nothing is published it says so.
    pub fn to_value(&self) -> Value {
        let subject = match self.subject {
            Subject::Person => "kyc",
            Subject::Company => "kyb",
            Subject::Either => "kyc or kyb",
        };
        let mut value = json!({
            "feature": self.name,
            "workflow_type": subject,
            "description": self.says,
        });
        let Value::Object(out) = &mut value else {
            return value;
        };
        match self.settings {
            Some(settings) => {
                let settings = settings
                    .iter()
                    .map(|setting| (setting.name.to_owned(), setting.to_value()));
                out.insert("config".into(), Value::Object(settings.collect()));
            }
            None => {
                let note = "no settings of this check are published; didit_workflow_get_graph shows those that a workflow has";
                out.insert("config_unknown".into(), note.into());
            }
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let mut seen = HashSet::new();
        for feature in features() {
            assert!(seen.insert(feature.name));
            let mut settings = HashSet::new();
            for setting in feature.settings.into_iter().flatten() {
                assert!(
                    settings.insert(setting.name),
                    "{} {}",
                    feature.name,
                    setting.name
                );
            }
        }
        assert_eq!(seen.len(), 17);
    }

    #[test]
    fn kinds_of_workflow_are_apart() {
        let of = |wanted| {
            features()
                .filter(|feature| feature.subject == wanted)
                .map(|feature| feature.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(Subject::Company),
            ["KYB_REGISTRY", "KYB_DOCUMENTS", "KYB_KEY_PEOPLE"]
        );
        assert_eq!(
            of(Subject::Person),
            [
                "OCR",
                "NFC",
                "PROOF_OF_ADDRESS",
                "LIVENESS",
                "FACE_MATCH",
                "AGE_ESTIMATION",
                "DATABASE_VALIDATION"
            ]
        );
    }

    #[test]
    fn values_are_held_to_their_form() {
        let ocr = Feature::find("OCR").unwrap();
        let refuses = |name: &str, value: Value| ocr.setting(name).unwrap().refuses(&value);
        assert_eq!(refuses("minimum_age", json!(18)), None);
        assert_eq!(refuses("minimum_age", json!(null)), None);
        assert_eq!(
            refuses("minimum_age", json!(0)).as_deref(),
            Some("is not a whole number from 1 to 120")
        );
        assert_eq!(
            refuses("minimum_age", json!("18")).as_deref(),
            Some("is not a whole number from 1 to 120")
        );
        assert_eq!(refuses("minimum_age_action", json!("REVIEW")), None);
        assert_eq!(
            refuses("minimum_age_action", json!("review")).as_deref(),
            Some("is not one of NO_ACTION, REVIEW, DECLINE")
        );
        assert_eq!(
            refuses("is_age_restrictions_enabled", json!("true")).as_deref(),
            Some("is not a boolean")
        );
        assert_eq!(
            refuses("image_capture_methods_allowed", json!(["SCAN"])).as_deref(),
            Some("is not a list of CAMERA_SCAN, UPLOAD")
        );
        assert_eq!(refuses("documents_allowed", json!(7)), None);
        assert_eq!(ocr.nearest_setting("minimum_ages"), Some("minimum_age"));
    }

    #[test]
    fn what_is_not_published_is_said() {
        let known = Feature::find("QUESTIONNAIRE").unwrap().to_value();
        assert_eq!(
            known["config"]["questionnaire_uuid"],
            json!({"type": "uuid"})
        );
        assert_eq!(
            known["config"]["status_rules"]["items"]["status"],
            json!(RULE_STATUS)
        );
        let unknown = Feature::find("BANK_VERIFICATION").unwrap().to_value();
        assert!(unknown.get("config").is_none());
        assert!(
            unknown["config_unknown"].as_str().unwrap().contains("not")
                || unknown["config_unknown"]
                    .as_str()
                    .unwrap()
                    .contains("no settings")
        );
    }
}
