//! What a person allowed a client to do: the thing that tokens are issued from and that revocation ends.

use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::ResourceId;
use serde::{Deserialize, Serialize};

use super::text;

/// What a person allowed a client to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// Who may act.
    pub client_id: String,
    /// For whom.
    pub person: String,
    /// What was allowed.
    #[serde(with = "text")]
    pub scope: ScopeSet,
    /// At which resource.
    #[serde(with = "text")]
    pub resource: ResourceId,
    /// Since when.
    #[serde(with = "text::time")]
    pub created_at: UnixSeconds,
    /// The absolute end; refreshing does not move it.
    #[serde(with = "text::time")]
    pub expires_at: UnixSeconds,
    /// When it was ended early, if it was.
    #[serde(default, with = "text::maybe_time")]
    pub revoked_at: Option<UnixSeconds>,
}

impl Grant {
    /// Whether tokens may be issued from it at `now`.
    #[must_use]
    pub fn is_live(&self, now: UnixSeconds) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}
