//! Agreeing with a server on a revision, and ending what was agreed on.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use http::{Method, Request, Response, header};
use tower_service::Service;

use super::agreed::{self, Agreed, Next};
use super::error::{ClientError, TransportError};
use super::outgoing::{Asker, Outgoing, Params};
use super::patience::{Pulse, within};
use super::{AnswerBody, Client, Wire, answer, outgoing};
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

    /// Ends the session, where the server keeps one, and closes a pipe. A server that does not let clients end sessions is no error.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`] when the server cannot be reached, [`ClientError::TimedOut`].
    pub async fn close(&self) -> Result<(), ClientError> {
        self.outbox.clear();
        let agreed = self.lock().agreed.take();
        // A pipe is closed whether anything was agreed on or not.
        let pipe = || (self.wire == Wire::Lines).then_some(Agreed::NEWEST);
        let session = agreed.filter(|agreed| agreed.session.is_some());
        let Some(agreed) = session.or_else(pipe) else {
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
        // Boxed: it happens once, and would make the future of every call several times as large.
        Box::pin(self.first_agreed()).await
    }

    async fn first_agreed(&self) -> Result<Agreed, ClientError> {
        // Calls that come meanwhile wait: a pipe has one handshake.
        let _agreeing = self.agreeing.lock().await;
        if let Some(agreed) = self.lock().agreed.clone() {
            return Ok(agreed);
        }
        if self.first.era() == Era::Modern {
            let agreed = self.probed().await?;
            return Ok(self.settled(agreed));
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

    /// Agrees anew where this does not hold any more, unless another call has done so already.
    pub(super) async fn agreed_anew(
        &self,
        stale: &Agreed,
        next: Next,
    ) -> Result<Agreed, ClientError> {
        let _agreeing = self.agreeing.lock().await;
        let known = self.lock().agreed.clone();
        match known.filter(|known| known != stale) {
            Some(agreed) => Ok(agreed),
            None => self.follow(next).await,
        }
    }

    /// Asks for the revisions, and does what follows from the answer, or from there being none.
    // MCP-DUAL-02.
    async fn probed(&self) -> Result<Agreed, ClientError> {
        let mut probe = pin!(self.probe());
        let Some(pause) = self.pause.as_ref().filter(|_| self.wire == Wire::Lines) else {
            return self.reached(probe.await).await;
        };
        let waiting = pause.pause(self.limits.max_probe);
        if let First::Left(next) = first(probe.as_mut(), pin!(waiting)).await {
            return self.reached(next).await;
        }
        // Silence means the older era, or a server that is slow to start: then its answer still comes first, because it
        // was asked first, and counts.
        let mut handshake = pin!(self.handshake(Revision::NEWEST_LEGACY));
        match first(probe, handshake.as_mut()).await {
            First::Left(Next::Newest) => Ok(Agreed::NEWEST),
            First::Left(_) => handshake.await,
            First::Right(agreed) => agreed,
        }
    }

    /// Asks in the newest form which revisions there are.
    // MCP-DUAL-03: the body is read before anything is concluded.
    pub(super) async fn probe(&self) -> Next {
        let discovered = self.ask(&Outgoing::discover(), &Agreed::NEWEST).await;
        let supported =
            discovered.and_then(|answered| agreed::supported_revisions(answered.result.get()));
        agreed::after_discover(supported, self.wire)
    }

    async fn follow(&self, next: Next) -> Result<Agreed, ClientError> {
        let agreed = self.reached(next).await?;
        Ok(self.settled(agreed))
    }

    async fn reached(&self, next: Next) -> Result<Agreed, ClientError> {
        match next {
            Next::Newest => Ok(Agreed::NEWEST),
            Next::Handshake(revision) => self.handshake(revision).await,
            Next::Fail(error) => Err(error),
        }
    }

    fn settled(&self, agreed: Agreed) -> Agreed {
        // What was asked in another session is over.
        self.outbox.clear();
        self.lock().agreed = Some(agreed.clone());
        agreed
    }

    // MCP 2025-11-25, lifecycle, initialization.
    async fn handshake(&self, offered: Revision) -> Result<Agreed, ClientError> {
        let opening = Outgoing::initialize(offered, self.asker());
        let answered = self.ask(&opening, &Agreed::NOTHING).await?;
        let revision = agreed::initialized_with(answered.result.get(), self.wire)?;
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
            of_host: &self.answers.of_host,
            log_level,
        }
    }
}

/// Which of two was ready first.
enum First<A, B> {
    Left(A),
    Right(B),
}

/// Waits for one of two.
async fn first<A: Future, B: Future>(
    mut left: Pin<&mut A>,
    mut right: Pin<&mut B>,
) -> First<A::Output, B::Output> {
    poll_fn(|context| {
        if let Poll::Ready(output) = left.as_mut().poll(context) {
            return Poll::Ready(First::Left(output));
        }
        right.as_mut().poll(context).map(First::Right)
    })
    .await
}
