//! An access token that was revoked before its time.

use oauth_rs::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::text;

/// A revoked access token; filed under its `jti`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevokedToken {
    /// The grant it was issued from.
    #[serde(default)]
    pub grant_id: Option<String>,
    /// When it would have expired by itself, and the record with it.
    #[serde(with = "text::time")]
    pub expires_at: UnixSeconds,
}
