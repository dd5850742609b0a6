//! The tools that are more than one call.

mod append_choices;
mod case;
mod catalogs;
mod delivery;
mod explain;
mod feature_schema;
pub(crate) mod files;
mod graph_ask;
mod graph_save;
mod keys;
mod network;
mod questionnaire;
mod report;
mod workflow;
mod workflow_delete;
mod workflow_publish;

use serde_json::{Map, Value};

use crate::acting::{Acting, Transport, row};
use crate::outcome::{Failure, Outcome};
use crate::place::Place;
use crate::schema::Checked;
use didit_client::{ApiError, Call, ErrorCode, PathPart};

impl<S: Transport> Acting<'_, S> {
    /// Runs a tool by the name of its run.
    pub(crate) async fn named(&self, run: &str, checked: &Checked) -> Outcome {
        match run {
            "case_manage" => self.case_manage(checked).await,
            "network_get" => self.network_get(checked).await,
            "org_list_api_keys" => self.org_list_api_keys(checked).await,
            "questionnaire_append_choices" => self.questionnaire_append_choices(checked).await,
            "questionnaire_create" | "questionnaire_update" => {
                self.questionnaire_write(checked).await
            }
            "questionnaire_get" => self.questionnaire_get(checked).await,
            "session_explain_decision" => self.session_explain_decision(checked).await,
            "session_webhooks" => self.session_webhooks(checked).await,
            "workflow_build_graph" => self.workflow_build_graph(checked).await,
            "workflow_create_draft" => self.workflow_create_draft(checked).await,
            "workflow_delete" => self.workflow_delete(checked).await,
            "workflow_edit_graph" => self.workflow_edit_graph(checked).await,
            "workflow_get_branch_fields" => self.workflow_get_branch_fields(checked).await,
            "workflow_get_feature_config_schema" => feature_schema::answer(checked),
            "workflow_get_field_definitions" => self.workflow_get_field_definitions(checked).await,
            "workflow_get_graph" => self.workflow_get_graph(checked).await,
            "workflow_get_id_verification_methods_catalog" => {
                self.workflow_get_id_verification_methods_catalog(checked)
                    .await
            }
            "workflow_get_kyb_registry_catalog" => {
                self.workflow_get_kyb_registry_catalog(checked).await
            }
            "workflow_publish" => self.workflow_publish(checked).await,
            "workflow_set_graph" => self.workflow_set_graph(checked).await,
            "workflow_validate_graph" => self.workflow_validate_graph(checked).await,
            // A test walks all tools, so this does not happen.
            _ => Err(Failure::new(
                ErrorCode::Error,
                format!("there is no run {run}"),
            )),
        }
    }

    /// A call of an operation in one application, with this part and these fields.
    async fn api(
        &self,
        operation: &str,
        place: &Place,
        part: Option<(&'static str, &PathPart)>,
        fields: Map<String, Value>,
    ) -> Result<Value, ApiErrorOr> {
        let operation = row(operation)?;
        let mut call = Call::new(operation);
        for name in operation.parts() {
            let known = match name {
                "org" => place.organization.as_ref(),
                "app" => place.application.as_ref(),
                own => part.filter(|(name, _)| *name == own).map(|(_, part)| part),
            };
            let part = known
                .ok_or_else(|| Failure::bad_request(format!("{name} is missing")).field(name))?;
            call = call.part(name, part.clone());
        }
        if let Some(organization) = &place.organization {
            call = call.acting_in(organization.clone());
        }
        for (name, value) in fields {
            call = call.field(name, value);
        }
        self.send(call).await.map_err(ApiErrorOr::Api)
    }

    /// The same, for a tool that ends where the call fails.
    async fn asked(
        &self,
        operation: &str,
        place: &Place,
        part: Option<(&'static str, &PathPart)>,
        fields: Map<String, Value>,
    ) -> Result<Value, Failure> {
        match self.api(operation, place, part, fields).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.told(error, place).await),
        }
    }

    /// The failure that a tool ends with, with the reason of a refusal explained.
    async fn told(&self, error: ApiErrorOr, place: &Place) -> Failure {
        match error {
            ApiErrorOr::Api(error) => self.explained(error, place.organization.as_ref()).await,
            ApiErrorOr::Failure(failure) => failure,
        }
    }
}

/// What a single call ends with when it does not succeed: the API's refusal, or one of ours.
enum ApiErrorOr {
    Api(ApiError),
    Failure(Failure),
}

impl ApiErrorOr {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Api(error) => error.code(),
            Self::Failure(failure) => failure.code(),
        }
    }

    fn message(&self) -> &str {
        match self {
            Self::Api(error) => error.message(),
            Self::Failure(failure) => failure.message(),
        }
    }
}

impl From<Failure> for ApiErrorOr {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The object of a `json!` literal.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
