//! The seam to the network for client ID metadata documents.

use std::error::Error;

use async_trait::async_trait;
use bytes::Bytes;

/// Fetches the document that a client's identifier points to.
///
/// The address was chosen by a stranger.
/// What stands behind this trait has to resolve its host, refuse addresses that are not on the public network, connect to the address that it checked, follow no redirect, and bound the time and the size of the answer.
///
/// Does not need to check: status, media type, and content of the answer; the server does.
///
/// Specification: draft-ietf-oauth-client-id-metadata-document section 8.6.
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
