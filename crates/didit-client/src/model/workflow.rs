//! Workflows.

use serde_json::Value;

use super::read::{model, words};

words! {
    /// Whether a version of a workflow can be used.
    pub enum WorkflowStatus {
        /// It is being written.
        Draft = "draft",
        /// Sessions can be created with it.
        Published = "published",
    }
}

model! {
    /// A version of a workflow.
    pub struct Workflow {
        /// The id of this version.
        uuid: String,
        /// The id that all versions share.
        workflow_id: Option<String>,
        /// Its name.
        workflow_label: Option<String>,
        /// What it verifies, such as `kyc`.
        workflow_type: Option<String>,
        /// Whether it can be used.
        status: Option<WorkflowStatus>,
        /// The number of this version, as it came.
        version: Option<Value>,
        /// Whether it is the one for sessions that name none.
        is_default: Option<bool>,
        /// Whether it was put away.
        is_archived: Option<bool>,
        /// What it checks, as it came.
        features: Option<Value>,
        /// When it was made.
        created_at: Option<String>,
        /// When it last changed.
        updated_at: Option<String>,
    }
}
