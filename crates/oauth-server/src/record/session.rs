//! A browser in which a person is signed in.

use oauth_rs::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::text;

/// A signed-in browser; filed under the keyed hash of its cookie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Who is signed in.
    pub person: String,
    /// Since when.
    #[serde(with = "text::time")]
    pub signed_in_at: UnixSeconds,
    /// Until when.
    #[serde(with = "text::time")]
    pub expires_at: UnixSeconds,
}
