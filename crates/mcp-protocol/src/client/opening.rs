//! Agreeing with a server on a revision, and ending what was agreed on.

use bytes::Bytes;
use http::{Method, Request, Response, header};
use tower_service::Service;

use super::agreed::{self, Agreed, Next};
use super::error::{ClientError, TransportError};
use super::outgoing::{Asker, Outgoing, Params};
use super::patience::{Pulse, within};
use super::{AnswerBody, Client, answer, outgoing};
use crate::revision::{Era, Revision};
use crate::types::LogLevel;

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Agrees on a revision with the server, if that has not happened yet, and says which.
    ///
    /// Every other call does this by itself; alone it is a way to find out whether the server wants authorization.
    /// A program that keeps the answer can give it to [`starting_with`](Self::starting_with) the next time.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unauthorized`] and [`ClientError::Forbidden`] as they come, [`ClientError::NoCommonRevision`] when
    /// there is nothing to agree on, and what carrying the requests brings.
    pub async fn connect(&self) -> Result<Revision, ClientError> {
        self.agreed().await.map(|agreed| agreed.revision)
    }

    /// Ends the session, where the server keeps one. A server that does not let clients end sessions is no error.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`] when the server cannot be reached, [`ClientError::TimedOut`].
    pub async fn close(&self) -> Result<(), ClientError> {
        self.outbox.clear();
        let agreed = self.lock().agreed.take();
        let Some(agreed) = agreed.filter(|agreed| agreed.session.is_some()) else {
            return Ok(());
        };
        // MCP 2025-11-25, transports, session management: DELETE with the session's id; 405 when that is not allowed.
        let mut request = self.http_request(Bytes::new(), &agreed)?;
        *request.method_mut() = Method::DELETE;
        request.headers_mut().remove(header::CONTENT_TYPE);
        self.in_time(self.exchange(request)).await.map(drop)
    }

    /// What was agreed on, agreeing first if need be.
    // MCP-DUAL-04: the era is found out once.
    pub(super) async fn agreed(&self) -> Result<Agreed, ClientError> {
        if let Some(agreed) = self.lock().agreed.clone() {
            return Ok(agreed);
        }
        if self.first.era() == Era::Modern {
            let next = self.probe().await;
            return self.follow(next).await;
        }
        match self.follow(Next::Handshake(self.first)).await {
            // MCP-DUAL-04: what was assumed of the server does not hold.
            Err(failure) if agreed::knows_no_handshake(&failure) => match self.probe().await {
                Next::Newest => self.follow(Next::Newest).await,
                Next::Handshake(_) | Next::Fail(_) => Err(failure),
            },
            outcome => outcome,
        }
    }

    /// Asks in the newest form which revisions there are.
    // MCP-DUAL-03: the body is read before anything is concluded.
    pub(super) async fn probe(&self) -> Next {
        let discovered = self.ask(&Outgoing::discover(), &Agreed::NEWEST).await;
        let supported =
            discovered.and_then(|answered| agreed::supported_revisions(answered.result.get()));
        agreed::after_discover(supported)
    }

    pub(super) async fn follow(&self, next: Next) -> Result<Agreed, ClientError> {
        let agreed = match next {
            Next::Newest => Agreed::NEWEST,
            Next::Handshake(revision) => self.handshake(revision).await?,
            Next::Fail(error) => return Err(error),
        };
        // What was asked in another session is over.
        self.outbox.clear();
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
        self.tell(outgoing::initialized(), &agreed).await?;
        let log_level = self.lock().log_level;
        if let Some(level) = log_level {
            self.ask_for_logs(level, &agreed).await?;
        }
        Ok(agreed)
    }

    /// Tells a server of the older era which log messages are wanted.
    // MCP 2025-11-25, logging, setting the level.
    pub(super) async fn ask_for_logs(
        &self,
        level: LogLevel,
        agreed: &Agreed,
    ) -> Result<(), ClientError> {
        let outgoing = Outgoing::new("logging/setLevel", Params::level(level));
        self.ask(&outgoing, agreed).await.map(drop)
    }

    /// Sends a notification, or an answer to the server.
    pub(super) async fn tell(&self, body: Bytes, agreed: &Agreed) -> Result<(), ClientError> {
        let request = self.http_request(body, agreed)?;
        let taken = self.in_time(self.exchange(request)).await?;
        answer::taken(taken.status(), taken.headers())
    }

    /// Does what has no signs of life in the time of one request.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let patience = self.patience(None, None);
        within(self.pause.as_ref(), patience, &Pulse::default(), work).await
    }

    pub(super) fn asker(&self) -> Asker<'_> {
        let log_level = self.lock().log_level;
        Asker {
            info: &self.info,
            capabilities: &self.answers.declared,
            log_level,
        }
    }
}
