//! The smaller requests: discovery, proposals, log levels, pings, and word of changed folders.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::value::RawValue;
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::lists::Received;
use super::outgoing::{Outgoing, Params};
use super::{AnswerBody, Call, Client};
use crate::jsonrpc;
use crate::types::{CompletionCall, CompletionResult, Discovery, LogLevel};

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// A tool call with more to say: who hears how far it is, how long to wait, and whether it may be made twice.
    ///
    /// `client.call("copy", &arguments).progress(|told| …).timeout(time).send().await`
    pub fn call<'a>(&'a self, name: &'a str, arguments: &'a RawValue) -> Call<'a, S> {
        Call::new(self, name, arguments)
    }

    /// What a server of the newest era says of itself: revisions, capabilities, how to use it.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSpoken`] in the older era; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, discovery.
    pub async fn discover(&self) -> Result<Received<Discovery>, ClientError> {
        const METHOD: &str = "server/discover";
        let mut keepable = match self.look(self.key(METHOD)) {
            Ok(pages) => {
                let kept = pages.first().cloned().ok_or(BadAnswer::NoAnswer)?;
                return Received::read(METHOD, kept);
            }
            Err(keepable) => keepable,
        };
        let agreed = self.agreed().await?;
        if !agreed.is_modern() {
            return Err(ClientError::NotSpoken {
                method: METHOD,
                revision: agreed.revision,
            });
        }
        let received = Received::read(METHOD, self.request(&Outgoing::discover()).await?)?;
        self.note_page(&mut keepable, &received.raw);
        self.keep(keepable, &Arc::from([received.raw.clone()]));
        Ok(received)
    }

    /// Proposals for an argument of a prompt or a variable of a template.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] where the server has none to give; otherwise as any request.
    ///
    /// Specification: MCP 2025-11-25 and 2026-07-28, completion.
    pub async fn complete(
        &self,
        call: &CompletionCall,
    ) -> Result<Received<CompletionResult>, ClientError> {
        const METHOD: &str = "completion/complete";
        let outgoing = Outgoing::new(METHOD, Params::completion(call));
        Received::read(METHOD, self.request(&outgoing).await?)
    }

    /// Wants log messages from this level on; they go to [`with_notices`](Self::with_notices).
    ///
    /// In the older era the server is told, and told again when the session is started anew. In the newest it is said in each
    /// request.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] from a server of the older era that keeps no log; otherwise as any request.
    ///
    /// Specification: MCP 2025-11-25 and 2026-07-28, logging.
    pub async fn set_log_level(&self, level: LogLevel) -> Result<(), ClientError> {
        let agreed = self.agreed().await?;
        if !agreed.is_modern() {
            let outgoing = Outgoing::new("logging/setLevel", Params::level(level));
            self.request(&outgoing).await?;
        }
        self.lock().log_level = Some(level);
        Ok(())
    }

    /// Asks a server of the older era whether it is there.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSpoken`] in the newest era; otherwise as any request.
    ///
    /// Specification: MCP 2025-11-25, ping.
    pub async fn ping(&self) -> Result<(), ClientError> {
        self.older("ping", Params::default()).await
    }

    /// Tells a server of the older era that the host has other folders now.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSpoken`] in the newest era, where a server asks each time; otherwise as any request.
    ///
    /// Specification: MCP 2025-11-25, roots, list changes.
    pub async fn roots_changed(&self) -> Result<(), ClientError> {
        const METHOD: &str = "notifications/roots/list_changed";
        let agreed = self.agreed().await?;
        if agreed.is_modern() {
            return Err(ClientError::NotSpoken {
                method: METHOD,
                revision: agreed.revision,
            });
        }
        let body = jsonrpc::notification_text::<()>(METHOD, None);
        self.tell(body.into(), &agreed).await
    }

    /// A request that only the older era has, and whose result says nothing.
    pub(super) async fn older(
        &self,
        method: &'static str,
        params: Params<'_>,
    ) -> Result<(), ClientError> {
        let agreed = self.agreed().await?;
        if !agreed.revision.has_request(method) {
            return Err(ClientError::NotSpoken {
                method,
                revision: agreed.revision,
            });
        }
        self.request(&Outgoing::new(method, params)).await.map(drop)
    }
}
