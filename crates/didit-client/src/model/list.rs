//! Lists of what is let through, blocked or looked at.

use serde_json::Value;

use super::read::{model, words};

words! {
    /// What a list does.
    pub enum ListType {
        /// What is on it passes.
        Allowlist = "allowlist",
        /// What is on it is declined.
        Blocklist = "blocklist",
        /// What workflows and rules make of it.
        Custom = "custom",
    }
}

words! {
    /// What a list holds.
    pub enum EntryType {
        /// Faces.
        Face = "face",
        /// Documents.
        Document = "document",
        /// Telephone numbers.
        Phone = "phone",
        /// Email addresses.
        Email = "email",
        /// IP addresses.
        IpAddress = "ip_address",
        /// Devices.
        DeviceFingerprint = "device_fingerprint",
        /// Wallets.
        WalletAddress = "wallet_address",
        /// Bank accounts.
        BankAccount = "bank_account",
        /// Users.
        User = "user",
        /// Businesses.
        Business = "business",
        /// Countries.
        Country = "country",
        /// Any other text.
        Key = "key",
    }
}

model! {
    /// A list.
    pub struct List {
        /// Its id.
        uuid: String,
        /// Its name.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// What it does.
        list_type: Option<ListType>,
        /// What it holds.
        entry_type: Option<EntryType>,
        /// Whether Didit made it.
        is_system: Option<bool>,
        /// How many entries it has.
        entries_count: Option<u64>,
    }
}

model! {
    /// An entry of a list.
    pub struct ListEntry {
        /// Its id.
        uuid: String,
        /// What is on the list, as it came.
        value: Option<Value>,
        /// How it is shown.
        display_label: Option<String>,
        /// Why it is there.
        comment: Option<String>,
        /// The session it was taken from.
        reference_session_id: Option<String>,
        /// What was given with it.
        metadata: Option<Value>,
        /// When it was added.
        created_at: Option<String>,
    }
}
