//! Finding out which revision a server speaks, and the handshake of the older era.

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::agreed::{self, Agreed, Next};
use super::error::{ClientError, TransportError};
use super::outgoing::{self, Outgoing};
use super::{AnswerBody, Client, answer};
use crate::revision::{Era, Revision};

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// What was agreed on, agreeing first if need be.
    pub(super) async fn agreed(&self) -> Result<Agreed, ClientError> {
        if let Some(agreed) = self.lock().agreed.clone() {
            return Ok(agreed);
        }
        if self.first.era() == Era::Legacy {
            return self.follow(Next::Handshake(self.first)).await;
        }
        let discovered = self.ask(&Outgoing::discover(), &Agreed::NEWEST).await;
        let supported =
            discovered.and_then(|answered| agreed::supported_revisions(answered.result.get()));
        self.follow(agreed::after_discover(supported)).await
    }

    pub(super) async fn follow(&self, next: Next) -> Result<Agreed, ClientError> {
        let agreed = match next {
            Next::Newest => Agreed::NEWEST,
            Next::Handshake(revision) => self.handshake(revision).await?,
            Next::Fail(error) => return Err(error),
        };
        self.lock().agreed = Some(agreed.clone());
        Ok(agreed)
    }

    // MCP 2025-11-25, lifecycle, initialization.
    async fn handshake(&self, offered: Revision) -> Result<Agreed, ClientError> {
        let opening = Outgoing::initialize(offered, self.asker());
        let answered = self.ask(&opening, &Agreed::NOTHING).await?;
        let revision = agreed::initialized_with(answered.result.get())?;
        let agreed = Agreed {
            revision,
            session: answered.session,
        };
        let done = self.http_request(outgoing::initialized(), &agreed)?;
        let done = self.exchange(done).await?;
        answer::taken(done.status(), done.headers())?;
        Ok(agreed)
    }
}
