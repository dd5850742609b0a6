//! Extensions that a program brings: what is declared, and methods that only they have.

use bytes::Bytes;
use http::{Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::outgoing::{Outgoing, Params};
use super::{AnswerBody, Client};
use crate::extension::{self, Extension, ExtensionResult};
use crate::types::{Json, RawObject};

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// The same client that declares this extension with its settings in each request of 2026-07-28, has its methods
    /// ([`call_extension`](Self::call_extension)) and takes its kinds of results.
    ///
    /// A kind of result that a method of the core has by it is [`ClientError::Extended`]. Tasks are followed by
    /// [`following_tasks`](Self::following_tasks) and not by this.
    // MCP-EXT-01.
    #[must_use]
    pub fn with_extension(mut self, extension: Extension) -> Self {
        self.answers.declare(&extension);
        self.extensions.push(extension);
        self
    }

    /// Asks for a method of an extension that this client declares, with parameters that are a JSON object.
    ///
    /// Keys of `_meta` in the parameters go along, but for those that the client writes itself. It is asked once.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoExtension`] for a method of no extension that was declared, and in the older era;
    /// [`ClientError::Arguments`]; [`ClientError::Rpc`] with -32601 where the server does not have the extension;
    /// otherwise as any request.
    // MCP-EXT-01, MCP-VER-05.
    pub async fn call_extension(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<ExtensionResult, ClientError> {
        let (_, own) =
            extension::find(&self.extensions, method).ok_or_else(|| self.no_extension(method))?;
        let params: RawObject = Json::new(params)
            .and_then(|params| params.read())
            .map_err(|_| ClientError::Arguments)?;
        let meta: Option<RawObject> = params
            .get("_meta")
            .map(|meta| meta.read().map_err(|_| ClientError::Arguments))
            .transpose()?;
        let about = own.repeated_member().and_then(|member| params.get(member));
        let about = about.and_then(|about| about.read::<String>().ok());
        if !self.agreed().await?.is_modern() {
            return Err(self.no_extension(method));
        }
        let outgoing =
            Outgoing::new(method, Params::extension(&params, meta.as_ref())).about(about);
        match self.request(&outgoing).await {
            Ok(raw) => read(&raw),
            Err(ClientError::Extended(extended)) => Ok(*extended),
            Err(error) => Err(error),
        }
    }

    pub(super) fn no_extension(&self, method: &str) -> ClientError {
        let method = method.to_owned();
        ClientError::NoExtension { method }
    }
}

fn read(raw: &RawValue) -> Result<ExtensionResult, ClientError> {
    ExtensionResult::new(&raw).map_err(|_| BadAnswer::NotAMessage.into())
}
