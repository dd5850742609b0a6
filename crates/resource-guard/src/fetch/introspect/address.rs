//! Where an issuer is asked about tokens.

use std::time::{Duration, Instant};

use oauth_rs::client::discover::{self, DiscoveryFailed};
use oauth_rs::uri::Issuer;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::ask::AskFailed;
use crate::fetch::send::HttpClient;

/// Where an issuer is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntrospectionSource {
    /// At `introspection_endpoint` of the issuer's metadata, which is read before the first question
    /// and again when it is [`MAX_AGE`] old. While it cannot be read the address that is known is
    /// used, for [`MAX_USABLE`] at most.
    ///
    /// The document's `issuer` has to be the expected one, byte for byte.
    Discovered,
    /// At this address, which the operator wrote down.
    At(String),
}

/// An hour: an endpoint that has moved is found within it, and no question waits for the metadata
/// otherwise.
pub const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// A day: longer than most outages of a metadata document, while the endpoint itself answers.
pub const MAX_USABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// A minute: how soon a document that could not be read is asked for again.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// Two seconds: how long a question waits for the document where it could do without, which leaves
/// most of its own time.
const READ_TIME: Duration = Duration::from_secs(2);

/// The address, once it is known.
pub(super) struct Address {
    source: IntrospectionSource,
    found: Mutex<Option<Found>>,
}

/// The address of a document.
struct Found {
    url: String,
    read: Instant,
    read_again: Instant,
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
        let known = match &mut *found {
            Some(found) if now() < found.read_again => return Ok(found.url.clone()),
            Some(found) if now().saturating_duration_since(found.read) < MAX_USABLE => {
                // Whoever comes meanwhile does not wait.
                found.read_again = later(now(), READ_AGAIN);
                found.url.clone()
            }
            _ => {
                let url = discover(issuer, http).await?;
                *found = Some(Found::new(&url, now()));
                return Ok(url);
            }
        };
        drop(found);
        match timeout(READ_TIME, discover(issuer, http)).await {
            Ok(Ok(url)) => {
                *self.found.lock().await = Some(Found::new(&url, now()));
                Ok(url)
            }
            // The issuer says that there is none any more.
            Ok(Err(AskFailed::NoEndpoint)) => {
                *self.found.lock().await = None;
                Err(AskFailed::NoEndpoint)
            }
            Ok(Err(_)) | Err(_) => Ok(known),
        }
    }
}

impl Found {
    fn new(url: &str, now: Instant) -> Self {
        Self {
            url: url.to_owned(),
            read: now,
            read_again: later(now, MAX_AGE),
        }
    }
}

/// A time that no clock reaches is as good as none: the document is read then.
fn later(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
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
