//! The seam to the network for client ID metadata documents.

use std::error::Error;

use async_trait::async_trait;
use bytes::Bytes;

use crate::check::document;

/// Fetches the document that a client's identifier points to.
///
/// The address was chosen by a stranger.
/// What stands behind this trait has to resolve its host, refuse addresses that are not on the public network, connect to the address that it checked, follow no redirect, and bound the time and the size of the answer.
///
/// It is asked at every step that needs the client, several times in one sign-in, so it should keep what HTTP caching allows it to keep, for minutes rather than days: a client that withdraws an address has to be heeded.
/// It must not keep errors, nor an answer that [`is_document`] turns down.
/// One fetch for all who ask for an address at the same time is its job too.
///
/// Does not need to check: status, media type, and content of the answer; the server does.
///
/// Specification: draft-ietf-oauth-client-id-metadata-document sections 5.2 and 8.6.
#[async_trait]
pub trait ClientDocuments: Send + Sync {
    /// Sends this GET request and returns the answer whole.
    ///
    /// # Errors
    ///
    /// Whatever kept an answer from being had; the person sees a page, the reason goes to the event.
    async fn fetch(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, Box<dyn Error + Send + Sync>>;
}

/// Largest document in bytes, the size that the draft recommends.
///
/// A longer one is refused; who fetches may stop there.
///
/// Specification: draft-ietf-oauth-client-id-metadata-document section 8.7.
pub const MAX_DOCUMENT: usize = 5 * 1024;

/// Whether an answer from this address is a document, and so one that may be kept.
///
/// Does not check: whether the server offers what the document needs, nor whether it accepts documents from this machine; both are asked at every use.
///
/// Specification: draft-ietf-oauth-client-id-metadata-document section 5.2.
#[must_use]
pub fn is_document(address: &str, answer: &http::Response<Bytes>) -> bool {
    document::address(address, true).is_ok_and(|address| document::read(&address, answer).is_ok())
}
