//! What a delivery says, as a type.

use serde_json::{Map, Value};

use crate::model::InvalidModel;
use crate::model::read::{At, Field, fields, words};

words! {
    /// What happened.
    pub enum EventType {
        /// The status of a session changed.
        StatusUpdated = "status.updated",
        /// The data of a session changed.
        DataUpdated = "data.updated",
        /// The status of a user changed.
        UserStatusUpdated = "user.status.updated",
        /// The data of a user changed.
        UserDataUpdated = "user.data.updated",
        /// The status of a business changed.
        BusinessStatusUpdated = "business.status.updated",
        /// The data of a business changed.
        BusinessDataUpdated = "business.data.updated",
        /// Something was recorded about a user or business.
        ActivityCreated = "activity.created",
        /// A transaction was recorded.
        TransactionCreated = "transaction.created",
        /// The status of a transaction changed.
        TransactionStatusUpdated = "transaction.status.updated",
        /// The status of a travel-rule exchange changed.
        TravelRuleStatusUpdated = "travel_rule.status.updated",
    }
}

words! {
    /// Whether real people are meant.
    pub enum Environment {
        /// Real ones.
        Live = "live",
        /// Made-up ones.
        Sandbox = "sandbox",
    }
}

fields! {
    /// What a delivery says.
    ///
    /// The order of events is not promised: compare times, or read the current state.
    /// There is no way to one but through [`Receiver::verify`](super::Receiver::verify): whoever has an event has a signed one.
    pub struct Event {
        /// The id of the event, the same in each repeat.
        event_id: String,
        /// What happened.
        event_type as "webhook_type": EventType,
        /// When it was signed, in seconds since 1970.
        timestamp: u64,
        /// When it happened, as it came.
        created_at: Option<Value>,
        /// The application it belongs to.
        application_id: Option<String>,
        /// Whether real people are meant.
        environment: Option<Environment>,
        /// The session it is about.
        session_id: Option<String>,
        /// The status now, in the words of what it is about.
        status: Option<String>,
        /// The workflow of the session.
        workflow_id: Option<String>,
        /// The version of that workflow, as it came.
        workflow_version: Option<Value>,
        /// Your own name for whom it is about.
        vendor_data: Option<String>,
        /// What you gave when the session was created.
        metadata: Option<Value>,
        /// The decision, in the body version that the destination asks for.
        decision: Option<Map<String, Value>>,
    }
}

fields! {
    /// The only values that `X-Signature-Simple` covers.
    pub struct FourValues {
        /// When it was signed, in seconds since 1970.
        timestamp: u64,
        /// The session it is about.
        session_id: String,
        /// The status now.
        status: String,
        /// What happened.
        event_type as "webhook_type": EventType,
    }
}

impl Event {
    /// Reads a body whose signature was checked.
    pub(super) fn read_signed(body: Value) -> Result<Self, InvalidModel> {
        Self::read(Some(body), &At::WHOLE)
    }
}

impl FourValues {
    /// Reads the values whose signature is checked next.
    pub(super) fn read_to_check(body: Value) -> Result<Self, InvalidModel> {
        Self::read(Some(body), &At::WHOLE)
    }

    /// What is signed.
    pub(super) fn signed(&self) -> String {
        format!(
            "{}:{}:{}:{}",
            self.timestamp, self.session_id, self.status, self.event_type
        )
    }
}
