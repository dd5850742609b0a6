//! Organisations and applications.

use super::read::{model, words};

words! {
    /// What somebody may do in an organisation.
    pub enum Role {
        /// Everything.
        Owner = "OWNER",
        /// Everything.
        Admin = "ADMIN",
        /// Reads, and writes reviews, cases and lists.
        ComplianceOfficer = "COMPLIANCE_OFFICER",
        /// Workflows, webhooks, API keys and sessions.
        Developer = "DEVELOPER",
        /// Reads.
        Reader = "READER",
    }
}

words! {
    /// Whether an application is about real people.
    pub enum Mode {
        /// Real ones, and it costs.
        Live = "live",
        /// Made-up ones.
        Sandbox = "sandbox",
    }
}

model! {
    /// An organisation.
    pub struct Organization {
        /// Its id.
        uuid: String,
        /// Its name.
        name: Option<String>,
        /// What the caller may do in it.
        role: Option<Role>,
    }
}

model! {
    /// An application; its secrets are masked.
    pub struct Application {
        /// Its id.
        uuid: String,
        /// Its name.
        name: Option<String>,
        /// Whether it is about real people.
        mode: Option<Mode>,
        /// The id it signs in with.
        client_id: Option<String>,
        /// The ends of its key.
        api_key_preview: Option<String>,
        /// When it was made.
        created_at: Option<String>,
    }
}
