//! The text of the file.

use std::io;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::MAX_FILE_BYTES;
use crate::client::exchange::Client;
use crate::client::flow::StoredGrant;
use crate::json;
use crate::metadata::client::AuthMethod;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{Issuer, RedirectUri, ResourceId};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    grants: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    resource: String,
    issuer: String,
    token_endpoint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    token_endpoint_auth_method: AuthMethod,
    redirect_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requested_scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    granted_scope: Option<String>,
    access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

/// Reads the grants of a file, or says what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<StoredGrant>, &'static str> {
    let document: Document = json::object(bytes).map_err(|_| "not its format")?;
    if document.version != VERSION {
        return Err("another version");
    }
    let grants = document
        .grants
        .into_iter()
        .map(restored)
        .collect::<Option<Vec<_>>>();
    grants.ok_or("a malformed grant")
}

/// Whether [`parse`] will take what [`write`] makes of this grant.
pub(super) fn can_be_read_again(grant: &StoredGrant) -> bool {
    restored(record(grant)).is_some()
}

/// What the file holds for these grants, the oldest left out until it can be read again.
pub(super) fn write(grants: &mut Vec<StoredGrant>) -> io::Result<Zeroizing<Vec<u8>>> {
    loop {
        let document = Document {
            version: VERSION,
            grants: grants.iter().map(record).collect(),
        };
        let mut bytes = Zeroizing::new(serde_json::to_vec_pretty(&document)?);
        bytes.push(b'\n');
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_FILE_BYTES);
        if fits {
            return Ok(bytes);
        }
        if grants.len() <= 1 {
            return Err(io::Error::other("the grant is longer than the file may be"));
        }
        grants.remove(0);
    }
}

fn record(grant: &StoredGrant) -> Record {
    let text = |secret: &Secret| secret.expose().to_owned();
    Record {
        resource: grant.resource.to_string(),
        issuer: grant.issuer.to_string(),
        token_endpoint: grant.token_endpoint.clone(),
        revocation_endpoint: grant.revocation_endpoint.clone(),
        client_id: grant.client.client_id.clone(),
        client_secret: grant.client.secret.as_ref().map(text),
        token_endpoint_auth_method: grant.client.method,
        redirect_uri: grant.redirect_uri.to_string(),
        requested_scope: grant.requested_scope.as_ref().map(ToString::to_string),
        granted_scope: grant.granted_scope.as_ref().map(ToString::to_string),
        access_token: text(&grant.access_token),
        refresh_token: grant.refresh_token.as_ref().map(text),
        expires_at: grant.expires_at.map(|end| end.0),
    }
}

fn restored(record: Record) -> Option<StoredGrant> {
    let scope = |text: Option<String>| text.map(|text| ScopeSet::parse(&text)).transpose().ok();
    Some(StoredGrant {
        resource: ResourceId::parse(&record.resource).ok()?,
        issuer: Issuer::parse(&record.issuer).ok()?,
        token_endpoint: record.token_endpoint,
        revocation_endpoint: record.revocation_endpoint,
        client: Client {
            client_id: record.client_id,
            secret: record.client_secret.map(Secret::new),
            method: record.token_endpoint_auth_method,
        },
        redirect_uri: RedirectUri::parse(&record.redirect_uri).ok()?,
        requested_scope: scope(record.requested_scope)?,
        granted_scope: scope(record.granted_scope)?,
        access_token: Secret::new(record.access_token),
        refresh_token: record.refresh_token.map(Secret::new),
        expires_at: record.expires_at.map(UnixSeconds),
    })
}
