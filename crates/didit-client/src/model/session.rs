//! Verification sessions.

use serde_json::Value;

use super::read::{model, words};

words! {
    /// Where a session is.
    pub enum SessionStatus {
        /// Nobody has opened it.
        NotStarted = "Not Started",
        /// Somebody is at it.
        InProgress = "In Progress",
        /// It waits for somebody to decide.
        InReview = "In Review",
        /// The person was verified.
        Approved = "Approved",
        /// The person was not.
        Declined = "Declined",
        /// Nobody finished it in time.
        Expired = "Expired",
        /// It was begun and not finished.
        Abandoned = "Abandoned",
        /// The verification is too long ago.
        KycExpired = "Kyc Expired",
        /// Parts of it are to be done again.
        Resubmitted = "Resubmitted",
        /// It waits for the person.
        AwaitingUser = "Awaiting User",
    }
}

impl SessionStatus {
    /// Whether creating a session for the same person gives this one again.
    ///
    /// A status that this version does not know is not said to be unfinished.
    pub fn is_unfinished(&self) -> bool {
        matches!(
            self,
            Self::NotStarted | Self::InProgress | Self::Resubmitted | Self::AwaitingUser
        )
    }
}

words! {
    /// Whom a session verifies.
    pub enum SessionKind {
        /// A person.
        User = "user",
        /// A business.
        Business = "business",
    }
}

model! {
    /// What comes back from creating a session.
    pub struct CreatedSession {
        /// Its id.
        session_id: String,
        /// Its number in the application.
        session_number: Option<u64>,
        /// What opens it in an app; whoever has it can go through the session.
        session_token: Option<String>,
        /// Where the person goes.
        url: Option<String>,
        /// Where it is.
        status: SessionStatus,
        /// Its workflow.
        workflow_id: Option<String>,
        /// Your own name for whom it is about.
        vendor_data: Option<String>,
    }
}

model! {
    /// A row in a list of sessions.
    pub struct Session {
        /// Its id.
        session_id: String,
        /// Its number in the application.
        session_number: Option<u64>,
        /// Whom it verifies.
        session_kind: Option<SessionKind>,
        /// Where it is.
        status: SessionStatus,
        /// Its workflow.
        workflow_id: Option<String>,
        /// Your own name for whom it is about.
        vendor_data: Option<String>,
        /// The name of the person or business.
        full_name: Option<String>,
        /// The country of the document.
        country: Option<String>,
        /// What you gave when it was created.
        metadata: Option<Value>,
        /// When it was created.
        created_at: Option<String>,
        /// When it last changed.
        updated_at: Option<String>,
    }
}

model! {
    /// What was found out, check by check.
    ///
    /// The addresses of images in it work for an hour.
    pub struct Decision {
        /// The session.
        session_id: String,
        /// The outcome.
        status: SessionStatus,
        /// What was checked, as it came.
        features: Option<Value>,
        /// Documents.
        id_verifications: Vec<Check>,
        /// Whether somebody was there.
        liveness_checks: Vec<Check>,
        /// Whether it was the person of the document.
        face_matches: Vec<Check>,
        /// Whether they are on a list of sanctions, or known for worse.
        aml_screenings: Vec<Check>,
        /// Telephone numbers.
        phone_verifications: Vec<Check>,
        /// Email addresses.
        email_verifications: Vec<Check>,
        /// Proofs of address.
        poa_verifications: Vec<Check>,
        /// Registers.
        database_validations: Vec<Check>,
        /// Where they came from on the network.
        ip_analyses: Vec<Check>,
        /// What people decided.
        reviews: Vec<Review>,
        /// Your own name for whom it is about.
        vendor_data: Option<String>,
    }
}

model! {
    /// One check of a decision; what it found is in `rest`, by its kind.
    pub struct Check {
        /// The node of the workflow that it belongs to.
        node_id: Option<String>,
        /// Its outcome.
        status: Option<String>,
        /// What was noticed.
        warnings: Vec<Warning>,
    }
}

model! {
    /// Something that a check noticed.
    pub struct Warning {
        /// What it is, as a word.
        risk: Option<String>,
        /// How much it matters.
        log_type: Option<String>,
        /// What it is, in a sentence.
        short_description: Option<String>,
    }
}

model! {
    /// A decision of a person.
    pub struct Review {
        /// The status it led to.
        new_status: Option<SessionStatus>,
        /// Why.
        comment: Option<String>,
        /// When.
        created_at: Option<String>,
    }
}
