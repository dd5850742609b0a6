//! A refresh token, and its place in the line of tokens of its grant.

use oauth_rs::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use super::text;

/// A refresh token; filed under its keyed hash.
///
/// A spent token stays until its grant ends, so that a reuse is recognised as one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The grant it belongs to; all tokens of a grant are one family.
    pub grant_id: String,
    /// To whom it was issued.
    pub client_id: String,
    /// The thumbprint of the key that it is bound to (RFC 9449 section 5), if it is; so is every token that comes of it.
    #[serde(default)]
    pub jkt: Option<String>,
    /// When it can no longer be used, for want of use.
    #[serde(with = "text::time")]
    pub expires_at: UnixSeconds,
    /// What became of it, if it was used.
    #[serde(default)]
    pub spent: Option<Spent>,
    /// Until when a reuse is recognised.
    #[serde(with = "text::time")]
    pub keep_until: UnixSeconds,
}

/// How a refresh token was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spent {
    /// When.
    #[serde(with = "text::time")]
    pub at: UnixSeconds,
    /// From this, the token itself and the server's key the successor can be made again, by nobody who lacks one of the three.
    pub salt: String,
    /// The keyed hash under which the successor is filed.
    pub successor: String,
}
