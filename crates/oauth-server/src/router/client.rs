//! Finding a client: in the store, or by its document, which is kept for a short while.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::ClientIdUrl;

use super::transact;
use crate::check::client::KnownClient;
use crate::check::document;
use crate::endpoint::metadata::offer;
use crate::endpoint::token::GrantType;
use crate::event::Event;
use crate::record;
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind};

/// How long a document counts; short, so that a client that withdraws an address is heeded soon.
const DOCUMENT_LIFE: Duration = Duration::from_secs(60);

/// Most documents that are kept; at 5 KiB each a little over a megabyte.
const MAX_DOCUMENTS: usize = 256;

/// Most documents that are fetched at one moment; whoever comes then is asked to try again.
///
/// Anybody can make the server fetch from slow hosts, and each of them holds a connection for as long as the fetcher waits.
const MAX_FETCHES: usize = 64;

/// Documents that were read a moment ago, and how many are being fetched; refused ones are not kept.
#[derive(Debug, Default)]
pub(crate) struct DocumentCache {
    kept: Mutex<HashMap<String, (UnixSeconds, KnownClient)>>,
    fetches: AtomicUsize,
}

/// The permission to fetch one document.
struct Fetch<'a>(&'a AtomicUsize);

impl Drop for Fetch<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a document that was read at `read` still counts; a clock that was set back does not make it count longer.
fn counts(read: UnixSeconds, now: UnixSeconds) -> bool {
    now.since(read) < DOCUMENT_LIFE && read.since(now) < DOCUMENT_LIFE
}

impl DocumentCache {
    fn get(&self, address: &str, now: UnixSeconds) -> Option<KnownClient> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(address)
            .filter(|(read, _)| counts(*read, now))
            .map(|(_, client)| client.clone())
    }

    fn put(&self, client: &KnownClient, now: UnixSeconds) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_DOCUMENTS {
            kept.retain(|_, (read, _)| counts(*read, now));
        }
        if kept.len() >= MAX_DOCUMENTS {
            kept.clear();
        }
        kept.insert(client.id.clone(), (now, client.clone()));
    }

    fn fetch(&self) -> Result<Fetch<'_>, Refused> {
        // Made first, so that one too many is given back by its own drop.
        let before = self.fetches.fetch_add(1, Ordering::Relaxed);
        let fetch = Fetch(&self.fetches);
        if before < MAX_FETCHES {
            Ok(fetch)
        } else {
            Err(Refused::Contended)
        }
    }
}

/// The client of this identifier.
pub(super) async fn find(server: &Server, client_id: &str) -> Result<KnownClient, Refused> {
    if ClientIdUrl::is_meant(client_id) {
        return by_document(server, client_id).await;
    }
    let key = Key::new(Kind::Client, client_id);
    let found = transact::find(server, &key, record::Client::from_record).await?;
    KnownClient::registered(found.as_ref(), server.now())
}

async fn by_document(server: &Server, client_id: &str) -> Result<KnownClient, Refused> {
    // Without a way to fetch documents such identifiers are unknown ones.
    let documents = server
        .seams
        .documents
        .as_ref()
        .ok_or(Refused::ClientUnknown)?;
    let address = document::address(client_id, server.config.loopback_documents)?;
    if let Some(client) = server.cache.get(address.as_str(), server.now()) {
        return Ok(client);
    }
    let request = document::request(&address)?;
    let fetch = server.cache.fetch()?;
    let answer = documents.fetch(request).await;
    drop(fetch);
    let read = match answer {
        Ok(answer) => document::response(&address, &answer, &offer(&server.config.scopes())),
        Err(error) => Err(Refused::DocumentUnavailable {
            why: error.to_string(),
        }),
    };
    match &read {
        Ok(client) => server.cache.put(client, server.now()),
        Err(reason) => server.tell(&[Event::ClientDocumentRefused {
            client_id: client_id.to_owned(),
            reason: reason.to_string(),
        }]),
    }
    read
}

/// What the document of a client says now to a token request, for a client that has one.
///
/// Called only once a code or a token of this client was presented, so that nobody else makes the server fetch.
/// A document that cannot be had takes nothing back: the grant was made on one that was read then, and a host that is down must not sign everybody out.
pub(super) async fn heed(
    server: &Server,
    client_id: &str,
    grant: GrantType,
) -> Result<(), Refused> {
    if !ClientIdUrl::is_meant(client_id) {
        return Ok(());
    }
    match by_document(server, client_id).await {
        // RFC 6749 section 5.2: unauthorized_client if the client may not use this grant.
        Ok(client) if grant == GrantType::RefreshToken && !client.may_refresh => {
            Err(Refused::GrantNotRegistered("refresh_token"))
        }
        Ok(_) | Err(Refused::DocumentUnavailable { .. }) => Ok(()),
        // Client ID metadata document, section 4: a client that has to authenticate by now is no public one.
        Err(reason) => Err(reason),
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::time::UnixSeconds;

    use super::{DocumentCache, KnownClient, MAX_DOCUMENTS};

    #[test]
    fn documents_are_kept_for_a_minute_and_bounded() {
        let cache = DocumentCache::default();
        let client = |id: usize| KnownClient {
            id: id.to_string(),
            name: None,
            redirect_uris: Vec::new(),
            may_refresh: false,
        };
        cache.put(&client(0), UnixSeconds(100));
        assert!(cache.get("0", UnixSeconds(159)).is_some());
        assert!(cache.get("0", UnixSeconds(160)).is_none());
        // A clock that is set back by an hour does not keep a document for an hour.
        assert!(cache.get("0", UnixSeconds(41)).is_some());
        assert!(cache.get("0", UnixSeconds(40)).is_none());
        for id in 0..MAX_DOCUMENTS * 3 {
            cache.put(&client(id), UnixSeconds(100));
            assert!(cache.get(&id.to_string(), UnixSeconds(100)).is_some());
        }
        assert!(cache.kept.lock().unwrap().len() <= MAX_DOCUMENTS);
    }
}
