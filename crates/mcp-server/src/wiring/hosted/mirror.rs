//! The issuer's own metadata at this server's address, for clients that know no metadata of resources.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use oauth_rs::metadata::server::ServerMetadata;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::IssuerAt;

/// How long the document may take; whoever asks for it meanwhile waits as long.
pub(super) const FETCH_TIME: Duration = Duration::from_secs(5);

/// How long after a failure the next request asks again.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// The document as it was fetched, or as the configuration has it.
#[derive(Debug)]
pub(super) struct Mirror {
    issuer: IssuerAt,
    scopes: Vec<String>,
    kept: Mutex<Kept>,
    /// One fetches, the others wait.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    fetched: Option<Bytes>,
    failed: Option<Instant>,
}

impl Mirror {
    pub(super) fn new(issuer: IssuerAt, scopes: Vec<String>) -> Self {
        Self {
            issuer,
            scopes,
            kept: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// The document; fetched with `fetch` if it was not yet, else built from the configuration.
    pub(super) async fn document<F>(&self, fetch: impl FnOnce(String) -> F) -> Bytes
    where
        F: Future<Output = Result<Bytes, String>>,
    {
        let _alone = self.fetching.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        let url = self.issuer.metadata_url.clone();
        let fetched = tokio::time::timeout(FETCH_TIME, fetch(url)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(format!("no answer within {FETCH_TIME:?}")));
        match fetched.and_then(|document| self.merged(&document)) {
            Ok(document) => {
                self.lock().fetched = Some(document.clone());
                document
            }
            Err(why) => {
                let url = &self.issuer.metadata_url;
                tracing::warn!(%url, %why, "the issuer's metadata is built from the configuration");
                self.lock().failed = Some(Instant::now());
                self.built().to_string().into()
            }
        }
    }

    /// What there is without asking.
    fn known(&self) -> Option<Bytes> {
        let kept = self.lock();
        if let Some(fetched) = &kept.fetched {
            return Some(fetched.clone());
        }
        let is_recent = kept
            .failed
            .is_some_and(|failed| failed.elapsed() < ASK_AGAIN);
        is_recent.then(|| self.built().to_string().into())
    }

    /// The document of the issuer over what the configuration says.
    fn merged(&self, document: &[u8]) -> Result<Bytes, String> {
        // RFC 8414 section 3.3: the issuer is the expected one, and the endpoints are sound.
        ServerMetadata::parse(document, &self.issuer.id).map_err(|why| why.to_string())?;
        let fetched: Value = serde_json::from_slice(document).map_err(|why| why.to_string())?;
        let mut merged = self.built();
        if let (Value::Object(merged), Value::Object(fetched)) = (&mut merged, fetched) {
            merged.extend(fetched);
        }
        Ok(merged.to_string().into())
    }

    /// What the configuration says.
    fn built(&self) -> Value {
        let issuer = &self.issuer;
        json!({
            "issuer": issuer.id.as_str(),
            "authorization_endpoint": issuer.authorization_endpoint,
            "token_endpoint": issuer.token_endpoint,
            "registration_endpoint": issuer.registration_endpoint,
            "jwks_uri": issuer.jwks_url,
            "scopes_supported": self.scopes,
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported":
                ["none", "client_secret_post", "client_secret_basic"],
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
