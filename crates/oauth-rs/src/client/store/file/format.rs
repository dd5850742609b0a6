//! The text of the file.

use std::io;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::MAX_FILE_BYTES;
use crate::client::auth::{AuthRefused, Client, ClientAuth};
use crate::client::flow::StoredGrant;
use crate::client::store::grants::Grants;
use crate::client::store::{Kept, Lease, MAX_HOLDER_BYTES, Standing, Version};
use crate::json;
use crate::metadata::client::AuthMethod;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{Issuer, RedirectUri, ResourceId};

/// The format that is written; the one before it had no versions of grants, and is read as well.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    /// The last version that a grant was given.
    #[serde(default)]
    last: u64,
    grants: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(default)]
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<Held>,
    #[serde(default)]
    ended: bool,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dpop_jkt: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Held {
    holder: String,
    until: u64,
}

/// Reads the grants of a file, or says what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Grants, &'static str> {
    let document: Document = json::object(bytes).map_err(|_| "not its format")?;
    if !(1..=FORMAT).contains(&document.version) {
        return Err("another version");
    }
    let kept = document
        .grants
        .into_iter()
        .map(restored)
        .collect::<Option<Vec<_>>>()
        .ok_or("a malformed grant")?;
    let highest = kept.iter().map(|kept| kept.version.0).max();
    Ok(Grants {
        // Were it lower, a version would be given twice.
        last: document.last.max(highest.unwrap_or(0)),
        kept,
    })
}

/// Whether [`parse`] will take what [`write`] makes of this grant.
pub(super) fn can_be_read_again(grant: &StoredGrant, standing: &Standing) -> bool {
    restored(record(grant, standing, Version(0))).is_some()
}

/// What the file holds for these grants, the oldest left out until it can be read again.
pub(super) fn write(grants: &mut Grants) -> io::Result<Zeroizing<Vec<u8>>> {
    loop {
        let document = Document {
            version: FORMAT,
            last: grants.last,
            grants: grants
                .kept
                .iter()
                .map(|kept| record(&kept.grant, &kept.standing, kept.version))
                .collect(),
        };
        let mut bytes = Zeroizing::new(serde_json::to_vec_pretty(&document)?);
        bytes.push(b'\n');
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_FILE_BYTES);
        if fits {
            return Ok(bytes);
        }
        if !grants.make_room() {
            return Err(io::Error::other("the grant is longer than the file may be"));
        }
    }
}

fn record(grant: &StoredGrant, standing: &Standing, version: Version) -> Record {
    let text = |secret: &Secret| secret.expose().to_owned();
    let lease = match standing {
        Standing::Renewing(lease) => Some(Held {
            holder: lease.holder.clone(),
            until: lease.until.0,
        }),
        Standing::Good | Standing::Ended => None,
    };
    Record {
        version: version.0,
        lease,
        ended: *standing == Standing::Ended,
        resource: grant.resource.to_string(),
        issuer: grant.issuer.to_string(),
        token_endpoint: grant.token_endpoint.clone(),
        revocation_endpoint: grant.revocation_endpoint.clone(),
        client_id: grant.client.client_id.clone(),
        client_secret: grant.client.auth.secret().map(text),
        token_endpoint_auth_method: grant.client.auth.method(),
        redirect_uri: grant.redirect_uri.to_string(),
        requested_scope: grant.requested_scope.as_ref().map(ToString::to_string),
        granted_scope: grant.granted_scope.as_ref().map(ToString::to_string),
        access_token: text(&grant.access_token),
        refresh_token: grant.refresh_token.as_ref().map(text),
        expires_at: grant.expires_at.map(|end| end.0),
        dpop_jkt: grant.dpop_jkt.clone(),
    }
}

fn restored(record: Record) -> Option<Kept> {
    let scope = |text: Option<String>| text.map(|text| ScopeSet::parse(&text)).transpose().ok();
    let secret = record.client_secret.map(Secret::new);
    let auth = match ClientAuth::named(record.token_endpoint_auth_method.as_str(), secret, None) {
        Ok(auth) => auth,
        // No private key is ever in the file.
        Err(AuthRefused::KeyMissing) => ClientAuth::KeyAbsent,
        Err(_) => return None,
    };
    let standing = match (record.ended, record.lease) {
        (false, None) => Standing::Good,
        (false, Some(lease)) if lease.holder.len() <= MAX_HOLDER_BYTES => {
            Standing::Renewing(Lease {
                holder: lease.holder,
                until: UnixSeconds(lease.until),
            })
        }
        (true, None) => Standing::Ended,
        (true | false, Some(_)) => return None,
    };
    let grant = StoredGrant {
        resource: ResourceId::parse(&record.resource).ok()?,
        issuer: Issuer::parse(&record.issuer).ok()?,
        token_endpoint: record.token_endpoint,
        revocation_endpoint: record.revocation_endpoint,
        client: Client {
            client_id: record.client_id,
            auth,
        },
        redirect_uri: RedirectUri::parse(&record.redirect_uri).ok()?,
        requested_scope: scope(record.requested_scope)?,
        granted_scope: scope(record.granted_scope)?,
        access_token: Secret::new(record.access_token),
        refresh_token: record.refresh_token.map(Secret::new),
        expires_at: record.expires_at.map(UnixSeconds),
        dpop_jkt: record.dpop_jkt,
    };
    Some(Kept {
        version: Version(record.version),
        grant,
        standing,
    })
}
