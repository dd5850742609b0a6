//! `didit_org_list_api_keys`: of one application where one is named, else of the organisation.

use crate::acting::{Acting, Transport, row};
use crate::outcome::Outcome;
use crate::schema::Checked;

impl<S: Transport> Acting<'_, S> {
    pub(super) async fn org_list_api_keys(&self, checked: &Checked) -> Outcome {
        let operation = match checked.text("application_id") {
            Some(_) => row("organization.application_keys")?,
            None => row("organization.keys")?,
        };
        self.run_at_its_place(operation, checked).await
    }
}
