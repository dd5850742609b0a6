//! Which client this is: registered, or by document.

use oauth_rs::metadata::client::ClientMetadata;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::RedirectUri;

use crate::decision::Found;
use crate::record;
use crate::refused::Refused;

/// A client that this server knows: it registered, or its document was read.
///
/// Does not check: that the client is who it says it is; anybody may register any name.
#[derive(Clone, Debug)]
pub(crate) struct KnownClient {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) may_refresh: bool,
    /// Whether it gets no token without a DPoP proof.
    pub(crate) dpop_bound: bool,
}

impl KnownClient {
    /// The client of a registration, unless it has lapsed.
    pub(crate) fn registered(
        found: Option<&Found<record::Client>>,
        now: UnixSeconds,
    ) -> Result<Self, Refused> {
        let client = found
            .map(|found| &found.record)
            .filter(|client| client.expires_at.is_none_or(|end| now < end))
            .ok_or(Refused::ClientUnknown)?;
        Ok(Self {
            id: client.client_id.clone(),
            name: client.name.clone(),
            redirect_uris: client.redirect_uris.clone(),
            may_refresh: client
                .grant_types
                .iter()
                .any(|grant| grant == "refresh_token"),
            dpop_bound: client.dpop_bound,
        })
    }

    /// The client of a document that was fetched from `url` and read.
    pub(crate) fn documented(url: &str, document: &ClientMetadata) -> Self {
        Self {
            id: url.to_owned(),
            name: document.client_name.clone(),
            redirect_uris: document.redirect_uris.clone(),
            may_refresh: document
                .grant_types
                .iter()
                .any(|grant| grant == "refresh_token"),
            dpop_bound: document.dpop_bound_access_tokens,
        }
    }
}
