//! Finding a client: in the store, or by its document, which is kept for a short while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oauth_rs::time::UnixSeconds;

use super::transact;
use crate::check::client::KnownClient;
use crate::check::document::{self, DocumentAddress};
use crate::event::Event;
use crate::record;
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind};

/// How long a document counts; short, so that a client that withdraws an address is heeded soon.
const DOCUMENT_LIFE: Duration = Duration::from_secs(60);

/// Most documents that are kept; at 5 KiB each a little over a megabyte.
const MAX_DOCUMENTS: usize = 256;

/// Documents that were read a moment ago; refused ones are not kept.
#[derive(Debug, Default)]
pub(crate) struct DocumentCache(Mutex<HashMap<String, (UnixSeconds, KnownClient)>>);

impl DocumentCache {
    fn get(&self, address: &str, now: UnixSeconds) -> Option<KnownClient> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(address)
            .filter(|(end, _)| now < *end)
            .map(|(_, client)| client.clone())
    }

    fn put(&self, client: &KnownClient, now: UnixSeconds) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_DOCUMENTS {
            kept.retain(|_, (end, _)| now < *end);
        }
        if kept.len() >= MAX_DOCUMENTS {
            kept.clear();
        }
        kept.insert(
            client.id.clone(),
            (now.after(DOCUMENT_LIFE), client.clone()),
        );
    }
}

/// The client of this identifier.
pub(super) async fn find(server: &Server, client_id: &str) -> Result<KnownClient, Refused> {
    if document::is_address(client_id) {
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
    let address = DocumentAddress::parse(client_id, server.config.loopback_documents)?;
    if let Some(client) = server.cache.get(address.as_str(), server.now()) {
        return Ok(client);
    }
    let read = match documents.fetch(document::request(&address)?).await {
        Ok(answer) => document::response(&address, &answer),
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
        for id in 0..MAX_DOCUMENTS * 3 {
            cache.put(&client(id), UnixSeconds(100));
            assert!(cache.get(&id.to_string(), UnixSeconds(100)).is_some());
        }
        assert!(cache.0.lock().unwrap().len() <= MAX_DOCUMENTS);
    }
}
