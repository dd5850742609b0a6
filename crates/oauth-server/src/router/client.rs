//! Finding a client: in the store, or by its document.

use std::sync::atomic::{AtomicUsize, Ordering};

use oauth_rs::uri::ClientIdUrl;

use super::transact;
use crate::check::client::KnownClient;
use crate::check::document;
use crate::endpoint::token::GrantType;
use crate::event::Event;
use crate::record;
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind};

/// Most requests that wait for a document at one moment; whoever comes then is asked to try again.
///
/// Anybody can make the server wait for slow hosts. It is what one document's worth of sign-ins may need; how many
/// connections that means is for the fetcher to bound.
const MAX_WAITING: usize = 256;

/// How many requests wait for a document.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicUsize);

/// The permission to wait for one document.
struct Wait<'a>(&'a AtomicUsize);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Waiting {
    fn begin(&self) -> Result<Wait<'_>, Refused> {
        // Made first, so that one too many is given back by its own drop.
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let wait = Wait(&self.0);
        if before < MAX_WAITING {
            Ok(wait)
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
    let request = document::request(&address)?;
    let wait = server.waiting.begin()?;
    let answer = documents.fetch(request).await;
    drop(wait);
    let read = match answer {
        Ok(answer) => document::response(&server.config, &address, &answer),
        Err(error) => Err(Refused::DocumentUnavailable {
            why: error.to_string(),
        }),
    };
    if let Err(reason) = &read {
        server.tell(&[Event::ClientDocumentRefused {
            client_id: client_id.to_owned(),
            reason: reason.to_string(),
        }]);
    }
    read
}

/// What the document of a client says now to a token request, for a client that has one: whether it gets no token without a proof.
///
/// Called only once a code or a token of this client was presented, so that nobody else makes the server fetch.
/// A document that cannot be had takes nothing back: the grant was made on one that was read then, and a host that is down must not sign everybody out.
pub(super) async fn heed(
    server: &Server,
    client_id: &str,
    grant: GrantType,
) -> Result<bool, Refused> {
    if !ClientIdUrl::is_meant(client_id) {
        return Ok(false);
    }
    match by_document(server, client_id).await {
        // RFC 6749 section 5.2: unauthorized_client if the client may not use this grant.
        Ok(client) if grant == GrantType::RefreshToken && !client.may_refresh => {
            Err(Refused::GrantNotRegistered("refresh_token"))
        }
        Ok(client) => Ok(client.dpop_bound),
        Err(Refused::DocumentUnavailable { .. }) => Ok(false),
        // Client ID metadata document, section 4: a client that has to authenticate by now is no public one.
        Err(reason) => Err(reason),
    }
}
