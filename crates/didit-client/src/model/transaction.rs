//! Transactions.

use serde_json::{Map, Number, Value};

use super::read::{model, words};

words! {
    /// What kind of thing was recorded.
    pub enum TransactionCategory {
        /// A payment.
        Finance = "finance",
        /// A verification.
        Kyc = "kyc",
        /// A transfer under the travel rule.
        TravelRule = "travel_rule",
        /// Something that a user did.
        UserEvent = "user_event",
        /// Something for the record.
        AuditTrailEvent = "audit_trail_event",
        /// A bet.
        GamblingBet = "gambling_bet",
        /// A changed limit.
        GamblingLimitChange = "gambling_limit_change",
        /// A changed bonus.
        GamblingBonusChange = "gambling_bonus_change",
    }
}

model! {
    /// A transaction and what the rules made of it.
    pub struct Transaction {
        /// Its id.
        uuid: String,
        /// Your own name for it.
        transaction_id: Option<String>,
        /// What kind of thing it is.
        transaction_category: Option<TransactionCategory>,
        /// What the rules decided.
        status: Option<String>,
        /// How risky it is.
        score: Option<Number>,
        /// The same in a word.
        severity: Option<String>,
        /// Why it was decided so.
        decision_reason_code: Option<String>,
        /// The rules that ran, as they came.
        rule_runs: Vec<Value>,
        /// What providers said, as it came.
        provider_results: Option<Value>,
        /// Where the travel-rule exchange is, as it came.
        travel_rule: Option<Value>,
        /// What is to be done, as it came.
        action_required: Option<Value>,
        /// Amount, currency, direction.
        transaction_details: Option<Map<String, Value>>,
        /// Whose it is.
        subject: Option<Map<String, Value>>,
        /// The other side.
        counterparty: Option<Map<String, Value>>,
        /// When it was recorded.
        created_at: Option<String>,
    }
}
