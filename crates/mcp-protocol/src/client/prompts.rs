//! Listing and getting prompts.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::value::to_raw_value;
use tower_service::Service;

use super::error::{ClientError, TransportError};
use super::lists::Received;
use super::outgoing::{Outgoing, Params};
use super::{AnswerBody, Client};
use crate::types::{Prompt, PromptResult};

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Lists the prompts, page after page.
    ///
    /// # Errors
    ///
    /// [`BadAnswer::EndlessList`](super::BadAnswer::EndlessList) over the limits; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, prompts, listing; pagination.
    pub async fn list_prompts(&self) -> Result<Vec<Prompt>, ClientError> {
        self.every_page("prompts/list", "prompts").await
    }

    /// Gets a prompt with these arguments.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] for a prompt that the server does not know; as for
    /// [`call_tool`](Self::call_tool) where the server asks for input; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, prompts, getting.
    pub async fn get_prompt(
        &self,
        name: &str,
        arguments: &BTreeMap<String, String>,
    ) -> Result<Received<PromptResult>, ClientError> {
        const METHOD: &str = "prompts/get";
        // A map of strings is always an object of JSON.
        let arguments = to_raw_value(arguments).map_err(|_| ClientError::Arguments)?;
        let raw = self.in_rounds(Outgoing::new(METHOD, Params::call(name, &arguments)));
        Received::read(METHOD, raw.await?.raw)
    }
}
