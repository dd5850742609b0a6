//! Money.

use std::fmt;

use serde_json::Value;

use super::InvalidModel;
use super::read::{At, Field, model};

/// An amount as it was written, whether as text or as a number; it is not computed with here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Amount(String);

impl Amount {
    /// The digits as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for Amount {
    fn read(found: Option<Value>, at: &At<'_>) -> Result<Self, InvalidModel> {
        match found {
            Some(Value::String(text)) => Ok(Self(text)),
            Some(Value::Number(number)) => Ok(Self(number.to_string())),
            other => Err(at.wrong("an amount", other.as_ref())),
        }
    }
}

model! {
    /// What an organisation has left to spend, in US dollars.
    pub struct Balance {
        /// What is left.
        balance: Amount,
        /// Whether it is topped up by itself.
        auto_refill_enabled: Option<bool>,
        /// By how much.
        auto_refill_amount: Option<Amount>,
        /// Below what.
        auto_refill_threshold: Option<Amount>,
    }
}

model! {
    /// Where a person pays for more.
    pub struct TopUp {
        /// The id of the payment.
        checkout_session_id: String,
        /// The address to open in a browser.
        checkout_session_url: String,
    }
}
