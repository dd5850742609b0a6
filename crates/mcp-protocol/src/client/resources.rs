//! Listing and reading resources.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::lists::Received;
use super::outgoing::{Outgoing, Params};
use super::rounds::Completed;
use super::{AnswerBody, Client};
use crate::types::{Resource, ResourceReading, ResourceTemplate};

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Lists the resources, page after page.
    ///
    /// # Errors
    ///
    /// [`BadAnswer::EndlessList`] over the limits; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, resources, listing; pagination.
    pub async fn list_resources(&self) -> Result<Vec<Resource>, ClientError> {
        self.every_page("resources/list", "resources").await
    }

    /// Lists the templates of resources, page after page.
    ///
    /// # Errors
    ///
    /// [`BadAnswer::EndlessList`] over the limits; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, resources, templates; pagination.
    pub async fn list_resource_templates(&self) -> Result<Vec<ResourceTemplate>, ClientError> {
        self.every_page("resources/templates/list", "resourceTemplates")
            .await
    }

    /// Reads a resource.
    ///
    /// Does not check: whether what comes back is of this address, and whether it is harmless.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] for an address that the server does not know
    /// ([`is_resource_not_found`](ClientError::is_resource_not_found)); as for
    /// [`call_tool`](Self::call_tool) where the server asks for input; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, resources, reading.
    pub async fn read_resource(&self, uri: &str) -> Result<Received<ResourceReading>, ClientError> {
        const METHOD: &str = "resources/read";
        let mut keepable = match self.look(self.key_about(METHOD, uri)) {
            Ok(pages) => {
                let kept = pages.first().cloned().ok_or(BadAnswer::NoAnswer)?;
                return Received::read(METHOD, kept);
            }
            Err(keepable) => keepable,
        };
        let rounds = self.in_rounds(Outgoing::new(METHOD, Params::resource(uri)));
        let Completed { raw, rounds } = rounds.await?;
        let received = Received::read(METHOD, raw)?;
        // MCP-MRTR-09: what somebody has answered something for is not kept.
        if rounds == 0 {
            self.note_page(&mut keepable, &received.raw);
            self.keep(keepable, &Arc::from([received.raw.clone()]));
        }
        Ok(received)
    }

    /// Asks a server of the older era to tell when this resource changes; it is told on the stream of
    /// [`listen`](Self::listen).
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSpoken`] in the newest era, which has [`subscribe`](Self::subscribe); otherwise as any request.
    ///
    /// Specification: MCP 2025-11-25, resources, subscriptions.
    pub async fn subscribe_resource(&self, uri: &str) -> Result<(), ClientError> {
        self.older("resources/subscribe", Params::resource(uri))
            .await
    }

    /// Takes that back.
    ///
    /// # Errors
    ///
    /// As [`subscribe_resource`](Self::subscribe_resource).
    ///
    /// Specification: MCP 2025-11-25, resources, subscriptions.
    pub async fn unsubscribe_resource(&self, uri: &str) -> Result<(), ClientError> {
        self.older("resources/unsubscribe", Params::resource(uri))
            .await
    }
}
