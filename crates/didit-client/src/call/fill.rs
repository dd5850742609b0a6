//! What the typed requests fill a call with.

use std::fmt;

use serde_json::{Map, Value};

use super::Call;
use crate::file::File;

/// Shows which values are there, not what they are: passwords and personal data are among them.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        let body: Vec<&String> = self.body.keys().collect();
        let form: Vec<&str> = self.form.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Call")
            .field("operation", &self.operation.name)
            .field("parts", &self.parts)
            .field("query", &query)
            .field("body", &body)
            .field("form", &form)
            .finish_non_exhaustive()
    }
}

impl Call {
    pub(crate) fn maybe_query(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(name, value.to_string()),
            None => self,
        }
    }

    pub(crate) fn maybe_field(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.field(name, value.into()),
            None => self,
        }
    }

    pub(crate) fn maybe_form_field(self, name: &str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.form_field(name, value.to_string()),
            None => self,
        }
    }

    pub(crate) fn maybe_file(self, name: &str, file: Option<File>) -> Self {
        match file {
            Some(file) => self.file(name, file),
            None => self,
        }
    }

    /// Adds members to the JSON body; one that is already there stays as it is.
    pub(crate) fn more(mut self, members: Map<String, Value>) -> Self {
        for (name, value) in members {
            self.body.entry(name).or_insert(value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operation::find;

    #[test]
    fn values_are_not_printed() {
        let call = Call::new(find("account.login").unwrap())
            .field("email", json!("ada@example.org"))
            .field("password", json!("hunter2"));
        let shown = format!("{call:?}");
        assert!(
            shown.contains("password") && !shown.contains("hunter2"),
            "{shown}"
        );
        assert!(!shown.contains("example.org"), "{shown}");
    }

    #[test]
    fn further_members_do_not_replace_what_is_there() {
        let call = Call::new(find("case.act").unwrap())
            .field("status", json!("RESOLVED"))
            .more(Map::from_iter([
                ("status".to_owned(), json!("SAR_FILED")),
                ("note".to_owned(), json!("x")),
            ]));
        assert_eq!(call.body["status"], "RESOLVED");
        assert_eq!(call.body["note"], "x");
    }
}
