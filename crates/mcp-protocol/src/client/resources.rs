//! Listing and reading resources.

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::error::{ClientError, TransportError};
use super::lists::Received;
use super::outgoing::{Outgoing, Params};
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
    /// [`BadAnswer::EndlessList`](super::BadAnswer::EndlessList) over the limits; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, resources, listing; pagination.
    pub async fn list_resources(&self) -> Result<Vec<Resource>, ClientError> {
        self.every_page("resources/list", "resources").await
    }

    /// Lists the templates of resources, page after page.
    ///
    /// # Errors
    ///
    /// [`BadAnswer::EndlessList`](super::BadAnswer::EndlessList) over the limits; otherwise as any request.
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
    /// [`ClientError::Rpc`] for an address that the server does not know; as for
    /// [`call_tool`](Self::call_tool) where the server asks for input; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, resources, reading.
    pub async fn read_resource(&self, uri: &str) -> Result<Received<ResourceReading>, ClientError> {
        const METHOD: &str = "resources/read";
        let raw = self.in_rounds(Outgoing::new(METHOD, Params::resource(uri)));
        Received::read(METHOD, raw.await?)
    }
}
