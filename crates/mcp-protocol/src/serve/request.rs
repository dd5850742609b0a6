//! From a request to a handler at work, whatever carries the request.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Extensions, HeaderMap, Response};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::context::Context;
use super::dispatch::{self, Call};
use super::error::Error;
use super::exchange::{Outgoing, Reply, Working};
use super::handler::Handler;
use super::options::Operation;
use super::round::Round;
use super::service::Shared;
use super::session::Session;
use crate::http as rules;
use crate::jsonrpc::{self, Id, RpcError, Text};
use crate::revision::{Era, Revision};
use crate::stateless::{self, Params};
use crate::types::{
    CompletionTarget, Initialize, Initialized, ServerCapabilities, TASKS_EXTENSION,
};
use crate::violation::{Violation, code};

/// A message whose parameters are taken apart.
pub(super) type Message<'a> = jsonrpc::Message<'a, Params<'a>>;
/// A request whose parameters are taken apart.
pub(super) type Request<'a> = jsonrpc::Request<'a, Params<'a>>;
/// A notification whose parameters are taken apart.
pub(super) type Notification<'a> = jsonrpc::Notification<'a, Params<'a>>;

/// Who sends requests, and to which server.
pub(super) struct Caller<H> {
    pub(super) shared: Arc<Shared<H>>,
    pub(super) extensions: Arc<Extensions>,
    pub(super) principal: Option<String>,
}

/// Where a message of the older revisions belongs.
pub(super) struct Place {
    pub(super) revision: Revision,
    pub(super) session: Option<Arc<Session>>,
}

/// Why no handler is put to work: the answer is there already.
pub(super) enum Answered {
    Refused(Violation),
    Replied(Reply),
    Gated(Box<Response<Bytes>>),
}

impl From<Violation> for Answered {
    fn from(violation: Violation) -> Self {
        Answered::Refused(violation)
    }
}

impl Answered {
    /// The answer where there is no HTTP status.
    pub(super) fn into_text(self, id: Option<&Id>) -> Text {
        let error = match self {
            Answered::Replied(reply) => return reply.text.unwrap_or_default(),
            Answered::Refused(violation) => violation.error(),
            Answered::Gated(response) => RpcError::new(
                code::REFUSED,
                format!("this operation is refused here ({})", response.status()),
            ),
        };
        jsonrpc::error_text(id, &error).into()
    }
}

impl<H: Handler> Caller<H> {
    /// The way of a request of 2026-07-28, in the order of requirements section 14.5.
    ///
    /// Without headers, the checks that compare them with the body are left out.
    pub(super) fn start_modern(
        &self,
        request: &Request<'_>,
        headers: Option<&HeaderMap>,
        outbox: mpsc::Sender<Outgoing>,
    ) -> Result<Working, Answered> {
        let params = &request.params;
        let mirrored = headers.map(rules::mirrored);
        let extensions = self.shared.extensions.as_slice();
        let admitted = stateless::admit(request, params, mirrored.as_ref(), extensions)?;
        self.gate(request)?;
        let refused =
            |error| Answered::Replied(dispatch::refusal_of(&request.id, error, Era::Modern));
        let revision = admitted.revision();
        let round = if stateless::MAY_ASK.contains(&&*request.method) {
            let seal = self.shared.state_seal(self.principal.as_deref(), request);
            Round::read(params, seal).map_err(refused)?
        } else {
            Round::closed()
        };
        let mut call =
            Call::read(revision, extensions, &request.method, params).map_err(refused)?;
        if let (Call::UseTool(call), Some(headers)) = (&call, headers) {
            let mirrored = self.shared.handler.header_params(&call.name);
            if !mirrored.is_empty() {
                // JSON that no value can hold (1e999, half a surrogate pair) would otherwise look like
                // no arguments here, and like some to a handler that skips what it does not know.
                let arguments: Value = serde_json::from_str(call.arguments_text())
                    .map_err(|_| refused(Error::invalid_params("arguments: unreadable")))?;
                rules::check_params(&mirrored, headers, &arguments)?;
            }
        }
        // MCP-TASK-01, MCP-TASK-03: only a tool call, and only if the request itself declares it.
        let trace = params.trace();
        let meta = admitted.into_meta();
        let has_tasks = self.shared.tasks.is_some();
        let follows_tasks = has_tasks && meta.capabilities.extension(TASKS_EXTENSION);
        let may_be_task = matches!(call, Call::UseTool(_)) && follows_tasks;
        // MCP-TASK-10: to listen for tasks needs the extension too.
        if let (Call::Listen(listen), true, false) = (&call, has_tasks, follows_tasks)
            && listen.wants_tasks()
        {
            return Err(Answered::Refused(Violation::ExtensionNotDeclared {
                extension: TASKS_EXTENSION.to_owned(),
            }));
        }
        if let Call::Listen(listen) = &mut call {
            listen.narrow(&self.shared.capabilities, |uri| self.may_read(uri));
        }
        let context = Context {
            revision,
            extensions: Arc::clone(&self.extensions),
            capabilities: meta.capabilities,
            client: meta.client_info,
            progress_token: meta.progress_token,
            trace,
            log_level: meta.log_level,
            may_log: self.shared.capabilities.logging.is_some(),
            outbox,
            session: None,
            cancelled: None,
            round,
            progressed: Mutex::default(),
            principal: self.principal.clone(),
            tasks: self.shared.tasks.clone().filter(|_| may_be_task),
        };
        Ok(self.run(context, request.id.clone(), call))
    }

    /// Reads a request of the older revisions that the gate has let through.
    pub(super) fn read_legacy(
        &self,
        request: &Request<'_>,
        place: &Place,
    ) -> Result<Call, Answered> {
        let refused =
            |error| Answered::Replied(dispatch::refusal_of(&request.id, error, Era::Legacy));
        if request.params.is_unreadable() {
            return Err(refused(Error::invalid_params("_meta must be an object")));
        }
        Call::read(place.revision, &[], &request.method, &request.params).map_err(refused)
    }

    /// Puts the handler to work for a request of the older revisions.
    pub(super) fn run_legacy(
        &self,
        id: Id,
        call: Call,
        params: &Params<'_>,
        place: &Place,
        cancelled: Option<watch::Receiver<bool>>,
        outbox: mpsc::Sender<Outgoing>,
    ) -> Working {
        if let (Some(session), false) = (&place.session, matches!(call, Call::Ping)) {
            // A client that asks has the result of `initialize`, whatever else it forgot to say.
            session.set_ready();
        }
        let peer = place.session.as_ref().map(|session| session.peer());
        let (capabilities, client) = peer
            .map(|peer| (peer.capabilities, Some(peer.client_info)))
            .unwrap_or_default();
        let context = Context {
            revision: place.revision,
            extensions: Arc::clone(&self.extensions),
            capabilities,
            client,
            progress_token: params.progress_token(),
            trace: params.trace(),
            log_level: None,
            may_log: self.shared.capabilities.logging.is_some(),
            outbox,
            session: place.session.clone(),
            cancelled,
            round: Round::closed(),
            progressed: Mutex::default(),
            principal: self.principal.clone(),
            tasks: None,
        };
        self.run(context, id, call)
    }

    fn run(&self, context: Context, id: Id, call: Call) -> Working {
        dispatch::run(Arc::clone(&self.shared), context, id, call)
    }

    /// Reads an `initialize`, which the gate is asked for too.
    pub(super) fn read_initialize(&self, request: &Request<'_>) -> Result<Initialize, Answered> {
        let peer = request.params.parse().map_err(|error| {
            let problem = stateless::clip(&format!("params: {error}"));
            let error = RpcError::invalid_params(problem);
            Answered::Replied(dispatch::refusal(&request.id, error, Era::Legacy))
        })?;
        self.gate(request)?;
        Ok(peer)
    }

    /// The answer to an `initialize`.
    pub(super) fn initialized(
        &self,
        id: &Id,
        revision: Revision,
        capabilities: ServerCapabilities,
    ) -> String {
        let result = Initialized {
            protocol_version: revision.to_string(),
            capabilities,
            server_info: self.shared.info.clone(),
            instructions: self.shared.handler.instructions(),
        };
        jsonrpc::result_text(id, result)
    }

    /// Asks the gate, unless the method is unknown and will be refused anyway.
    pub(super) fn gate_legacy(&self, request: &Request<'_>, place: &Place) -> Result<(), Answered> {
        if place.revision.has_request(&request.method) {
            self.gate(request)
        } else {
            Ok(())
        }
    }

    /// Asks the gate.
    fn gate(&self, request: &Request<'_>) -> Result<(), Answered> {
        let Some(gate) = &self.shared.options.gate else {
            return Ok(());
        };
        let operation = Operation {
            method: request.method.clone().into_owned(),
            name: self.subject(request),
        };
        gate(&self.extensions, &operation).map_err(Answered::Gated)
    }

    /// Asks the gate whether the caller may read a resource.
    fn may_read(&self, uri: &str) -> bool {
        let Some(gate) = &self.shared.options.gate else {
            return true;
        };
        let operation = Operation {
            method: "resources/read".to_owned(),
            name: Some(uri.to_owned()),
        };
        gate(&self.extensions, &operation).is_ok()
    }

    /// What a request is about, for the gate.
    fn subject(&self, request: &Request<'_>) -> Option<String> {
        let params = &request.params;
        let name = match &*request.method {
            "completion/complete" => {
                let target = params.member("ref").ok()??;
                return match serde_json::from_str(target.get()).ok()? {
                    CompletionTarget::Prompt { name } => Some(name),
                    CompletionTarget::Resource { uri } => Some(uri),
                };
            }
            // These have no `Mcp-Name`, but they are about a resource as much as reading it is.
            "resources/subscribe"
            | "resources/unsubscribe"
            | "resources/directory/read"
            | "skills/get" => params.member_text("uri"),
            method => {
                let own = stateless::served(&self.shared.extensions, method);
                stateless::about(own, method, params)
            }
        };
        name.map(Cow::into_owned)
    }
}
