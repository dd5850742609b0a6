//! Where an issuer is asked about tokens.

use std::time::{Duration, Instant};

use oauth_rs::client::discover::{self, DiscoveryFailed};
use oauth_rs::uri::Issuer;
use tokio::sync::Mutex;

use super::ask::AskFailed;
use crate::fetch::send::HttpClient;

/// Where an issuer is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionSource {
    /// At `introspection_endpoint` of the issuer's metadata, which is read before the first question
    /// and again when it is [`MAX_AGE`] old.
    ///
    /// The document's `issuer` has to be the expected one, byte for byte.
    Discovered,
    /// At this address, which the operator wrote down.
    At(String),
}

/// An hour: an endpoint that has moved is found within it, and no question waits for the metadata
/// otherwise.
pub const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The address, once it is known.
pub(super) struct Address {
    source: IntrospectionSource,
    found: Mutex<Option<(String, Instant)>>,
}

impl Address {
    pub(super) fn new(source: IntrospectionSource) -> Self {
        Self {
            source,
            found: Mutex::new(None),
        }
    }

    /// The address; it is looked for once, whoever waits, within the time that one question has.
    // RFC 8414 section 2: introspection_endpoint; its address is checked where the document is read.
    pub(super) async fn get(
        &self,
        issuer: &Issuer,
        http: &HttpClient,
        now: impl Fn() -> Instant,
    ) -> Result<String, AskFailed> {
        if let IntrospectionSource::At(url) = &self.source {
            return Ok(url.clone());
        }
        let mut found = self.found.lock().await;
        if let Some((url, then)) = &*found
            && now().saturating_duration_since(*then) < MAX_AGE
        {
            return Ok(url.clone());
        }
        let url = discover(issuer, http).await?;
        *found = Some((url.clone(), now()));
        Ok(url)
    }
}

async fn discover(issuer: &Issuer, http: &HttpClient) -> Result<String, AskFailed> {
    let mut failed = AskFailed::NoEndpoint;
    for url in issuer.metadata_urls() {
        let request = discover::request(&url).map_err(DiscoveryFailed::from)?;
        let response = http.send(request).await?;
        match discover::server_document(&response, issuer) {
            Ok(metadata) => return metadata.introspection_endpoint.ok_or(AskFailed::NoEndpoint),
            Err(reason) if reason.may_try_next() => failed = reason.into(),
            // RFC 8414 section 3.3: a document of another issuer MUST NOT be used.
            Err(reason) => return Err(reason.into()),
        }
    }
    Err(failed)
}
