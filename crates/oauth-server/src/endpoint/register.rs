//! Registration of a client by itself (RFC 7591): every client is public.

use oauth_rs::entropy::random_id;
use oauth_rs::error_code::ErrorCode;
use oauth_rs::metadata::client::{AuthMethod, ClientMetadata, InvalidClientMetadata};
use serde::Serialize;

use super::metadata::{self, offer};
use crate::config::UNUSED_CLIENT_LIFETIME;
use crate::decision::{Decision, Present};
use crate::event::Event;
use crate::record;
use crate::refused::Refused;
use crate::store::{Key, Kind, Write};

/// Longest redirect addresses of one client, all together; two of the longest that there can be.
const MAX_ADDRESSES: usize = 4096;

/// What a registration answers: everything that was registered, as it was registered.
///
/// Specification: RFC 7591 section 3.2.1.
#[derive(Debug, Serialize)]
pub(crate) struct Registered {
    client_id: String,
    client_id_issued_at: u64,
    #[serde(flatten)]
    metadata: ClientMetadata,
}

/// Decides on a registration.
pub(crate) fn decide(present: &Present<'_>, body: &[u8]) -> Decision<Registered> {
    if !present.config.registration {
        return Decision::refused(Refused::RegistrationClosed);
    }
    let parsed = ClientMetadata::parse_registration(body).and_then(|asked| settle(present, asked));
    let mut metadata = match parsed {
        Ok(metadata) => metadata,
        Err(invalid) => return Decision::refused(Refused::Metadata(invalid)),
    };
    let client_id = random_id(present.entropy);
    let record = record::Client {
        client_id: client_id.clone(),
        name: metadata.client_name.clone(),
        redirect_uris: metadata.redirect_uris.clone(),
        grant_types: metadata.grant_types.clone(),
        dpop_bound: metadata.dpop_bound_access_tokens,
        registered_at: present.now,
        expires_at: Some(present.now.after(UNUSED_CLIENT_LIFETIME)),
    };
    metadata.client_id = None;
    let registered = Registered {
        client_id: client_id.clone(),
        client_id_issued_at: present.now.0,
        metadata,
    };
    let key = Key::new(Kind::Client, client_id.clone());
    Decision::of(registered)
        .with(Write::Insert {
            key,
            record: record.into(),
        })
        .telling(Event::ClientRegistered { client_id })
}

/// What the server makes of what was asked for.
fn settle(
    present: &Present<'_>,
    asked: ClientMetadata,
) -> Result<ClientMetadata, InvalidClientMetadata> {
    let mut asked = asked;
    // RFC 7591 section 2: the server may replace values; a client that expects a secret gets none and is told so.
    if asked.token_endpoint_auth_method.shares_a_secret() {
        asked.token_endpoint_auth_method = AuthMethod::None;
    }
    let settled = asked.negotiate(&offer(&present.config.scopes()))?;
    if !settled
        .grant_types
        .iter()
        .any(|grant| grant == "authorization_code")
    {
        return Err(InvalidClientMetadata {
            code: ErrorCode::InvalidClientMetadata,
            field: "grant_types",
            why: "does not hold authorization_code".to_owned(),
        });
    }
    metadata::can_bind(present.config, &settled)?;
    // RFC 7591 section 5: whatever anybody can make the server keep is bounded.
    let kept: usize = settled
        .redirect_uris
        .iter()
        .map(|uri| uri.as_str().len())
        .sum();
    if kept > MAX_ADDRESSES {
        return Err(InvalidClientMetadata {
            code: ErrorCode::InvalidRedirectUri,
            field: "redirect_uris",
            why: format!("longer than {MAX_ADDRESSES} bytes in all"),
        });
    }
    // OpenID Connect Registration section 2: a web client has https addresses away from this machine.
    let web = settled.application_type.as_deref() == Some("web");
    let remote = |uri: &oauth_rs::uri::RedirectUri| uri.scheme() == "https";
    if web && !settled.redirect_uris.iter().all(remote) {
        return Err(InvalidClientMetadata {
            code: ErrorCode::InvalidRedirectUri,
            field: "redirect_uris",
            why: "a web application has https addresses only".to_owned(),
        });
    }
    Ok(settled)
}
