//! Cases.

use serde_json::Value;

use super::read::model;

model! {
    /// Something that people look into.
    pub struct Case {
        /// Its id.
        uuid: String,
        /// Its number in the application, as it came.
        case_number: Option<Value>,
        /// What it is about.
        title: Option<String>,
        /// What it is about, at length.
        description: Option<String>,
        /// Where it is; each organisation may have words of its own.
        status: Option<String>,
        /// How much it matters.
        priority: Option<String>,
        /// The session it began with.
        session_id: Option<String>,
        /// Your own name for whom it is about.
        vendor_data: Option<String>,
        /// Who looks into it, as it came.
        assignee: Option<Value>,
        /// When it was opened.
        created_at: Option<String>,
        /// When it last changed.
        updated_at: Option<String>,
    }
}
