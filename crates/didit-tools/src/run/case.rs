//! `didit_case_manage`: one tool for what can be done with a case.

use serde_json::Value;

use crate::acting::{Acting, Transport, row};
use crate::outcome::Outcome;
use crate::precheck::unconfirmed;
use crate::schema::Checked;

/// The status that files a suspicious activity report with an authority.
const FILED: &str = "SAR_FILED";

impl<S: Transport> Acting<'_, S> {
    pub(super) async fn case_manage(&self, checked: &Checked) -> Outcome {
        let data = checked.get("data").and_then(Value::as_object);
        let status = data.and_then(|data| data.get("status")?.as_str());
        let files = status.is_some_and(|status| status.trim().eq_ignore_ascii_case(FILED));
        if files && !checked.is_true("confirm") {
            let what = "it files a suspicious activity report";
            return Err(unconfirmed(self.tool, "confirm", what));
        }
        let operation = match checked.text("action") {
            Some("update") => row("case.update")?,
            Some("comment") => row("case.comment")?,
            // The word is the last part of the path.
            _ => row("case.act")?,
        };
        self.run_at_its_place(operation, checked).await
    }
}
