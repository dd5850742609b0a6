//! The smaller records: what kinds there are, and what they have in common.

use serde_json::{Map, Value};

use crate::date::timestamp;

/// A kind of record per line, with the word for many of them.
macro_rules! kinds {
    ($($kind:ident $plural:literal),* $(,)?) => {
        /// The kinds of the smaller records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum RecordKind {
            $($kind),*
        }

        impl RecordKind {
            /// What many of them are called.
            pub(crate) fn plural(self) -> &'static str {
                match self {
                    $(Self::$kind => $plural),*
                }
            }
        }
    };
}

kinds! {
    VendorUser "users",
    VendorBusiness "businesses",
    Case "cases",
    Transaction "transactions",
    Rule "rules",
    Destination "webhook destinations",
    Questionnaire "questionnaires",
    List "lists",
    Entry "list entries",
    Share "share tokens",
    Import "imports",
    Report "reports",
    Audit "audit entries",
    ApiKey "API keys",
    Setting "settings",
    Wallet "wallet addresses",
    Widget "widget sessions",
    SdkToken "SDK tokens",
    Network "networks",
    Integration "integrations",
    Check "checks",
    Checkout "checkouts",
}

/// A row that is little more than its fields.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) application: usize,
    /// What names it in a path.
    pub(crate) id: String,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) fields: Map<String, Value>,
}

impl Record {
    pub(crate) fn show(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("created_at".to_owned(), timestamp(self.created_at).into());
        fields.insert("updated_at".to_owned(), timestamp(self.updated_at).into());
        Value::Object(fields)
    }
}
