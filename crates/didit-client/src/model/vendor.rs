//! The people and businesses that are verified.

use serde_json::Value;

use super::read::{model, words};

words! {
    /// How somebody is treated.
    pub enum VendorStatus {
        /// As usual.
        Active = "ACTIVE",
        /// With care.
        Flagged = "FLAGGED",
        /// Not at all.
        Blocked = "BLOCKED",
    }
}

model! {
    /// A person, over all their sessions.
    pub struct VendorUser {
        /// Your own name for them.
        vendor_data: String,
        /// Their id at Didit.
        uuid: Option<String>,
        /// The name on their documents.
        full_name: Option<String>,
        /// The name that is shown.
        display_name: Option<String>,
        /// The day they were born, as it was written.
        date_of_birth: Option<String>,
        /// How they are treated.
        status: Option<VendorStatus>,
        /// What you keep with them.
        metadata: Option<Value>,
        /// When they first appeared.
        created_at: Option<String>,
        /// When they last changed.
        updated_at: Option<String>,
    }
}

model! {
    /// A business, over all its sessions.
    pub struct VendorBusiness {
        /// Your own name for it.
        vendor_data: String,
        /// Its id at Didit.
        uuid: Option<String>,
        /// The name in the register.
        legal_name: Option<String>,
        /// The name that is shown.
        display_name: Option<String>,
        /// Its number in the register.
        registration_number: Option<String>,
        /// The country of the register.
        country_code: Option<String>,
        /// How it is treated.
        status: Option<VendorStatus>,
        /// What you keep with it.
        metadata: Option<Value>,
        /// When it first appeared.
        created_at: Option<String>,
        /// When it last changed.
        updated_at: Option<String>,
    }
}
