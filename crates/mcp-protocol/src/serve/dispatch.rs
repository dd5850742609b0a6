//! From a method and its parameters to the handler, and from what it returns to the text of a response.

use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::json;

use super::context::Context;
use super::error::{Error, Instead, Reason};
use super::exchange::{Reply, Working};
use super::handler::Handler;
use super::listen::{self, Hearing, Listen};
use super::round::Round;
use super::service::Shared;
use super::since;
use super::tasks::Tasks;
use crate::extension::{Extension, ExtensionResult};
use crate::jsonrpc::{self, Id, RpcError, Twice};
use crate::revision::{Era, Revision};
use crate::stateless::{self, Envelope, Params};
use crate::types::{
    ClientCapabilities, CompletionCall, DirectoryAddress, Discovery, Empty, LogLevel, Outcome,
    Page, PromptCall, RawObject, ResourceAddress, TaskAddress, TaskUpdate, ToolCall,
};
use crate::violation::{code, status_of};

/// A request with its parameters read.
pub(super) enum Call {
    Discover,
    Ping,
    SetLogLevel(LogLevel),
    Subscribe(ResourceAddress),
    Unsubscribe(ResourceAddress),
    Listen(Listen),
    ListTools(Page),
    UseTool(ToolCall),
    ListPrompts(Page),
    GetPrompt(PromptCall),
    ListResources(Page),
    ListTemplates(Page),
    ReadResource(ResourceAddress),
    Complete(CompletionCall),
    GetTask(TaskAddress),
    UpdateTask(TaskUpdate),
    CancelTask(TaskAddress),
    ListSkills(Page),
    GetSkill(ResourceAddress),
    ReadDirectory(DirectoryAddress),
    /// A method of one of the handler's own extensions.
    Extension {
        method: String,
        params: RawObject,
        is_cacheable: bool,
    },
}

impl Call {
    /// Reads the parameters of a method.
    ///
    /// # Errors
    /// -32601 for a method that is not in the revision, -32602 for parameters that do not fit.
    pub(super) fn read(
        revision: Revision,
        extensions: &[Extension],
        method: &str,
        params: &Params<'_>,
    ) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Level {
            level: LogLevel,
        }
        let own = stateless::served(extensions, method);
        if own.is_none() && !revision.has_request(method) {
            return Err(Error::method_not_found(&stateless::clip(method)));
        }
        if let Some((extension, own)) = own
            && !extension.is_of_this_crate()
        {
            let twice = |Twice| Error::invalid_params("params: a member is there twice");
            return Ok(Call::Extension {
                method: method.to_owned(),
                params: params.object().map_err(twice)?,
                is_cacheable: own.is_cacheable(),
            });
        }
        Ok(match method {
            "server/discover" => Call::Discover,
            "ping" => Call::Ping,
            "logging/setLevel" => Call::SetLogLevel(read::<Level>(params)?.level),
            "resources/subscribe" => Call::Subscribe(read(params)?),
            "resources/unsubscribe" => Call::Unsubscribe(read(params)?),
            "subscriptions/listen" => Call::Listen(read(params)?),
            "tools/list" => Call::ListTools(read(params)?),
            "tools/call" => Call::UseTool(tool_call(params).map_err(unfit)?),
            "prompts/list" => Call::ListPrompts(read(params)?),
            "prompts/get" => Call::GetPrompt(read(params)?),
            "resources/list" => Call::ListResources(read(params)?),
            "resources/templates/list" => Call::ListTemplates(read(params)?),
            "resources/read" => Call::ReadResource(read(params)?),
            "completion/complete" => Call::Complete(read(params)?),
            "tasks/get" => Call::GetTask(read(params)?),
            "tasks/update" => Call::UpdateTask(read(params)?),
            "tasks/cancel" => Call::CancelTask(read(params)?),
            "skills/list" => Call::ListSkills(read(params)?),
            "skills/get" => Call::GetSkill(read(params)?),
            "resources/directory/read" => Call::ReadDirectory(read(params)?),
            _ => return Err(Error::method_not_found(&stateless::clip(method))),
        })
    }
}

fn read<T: DeserializeOwned>(params: &Params<'_>) -> Result<T, Error> {
    params.parse().map_err(unfit)
}

fn unfit(error: impl Display) -> Error {
    Error::invalid_params(stateless::clip(&format!("params: {error}")))
}

/// Reads a tool call as `ToolCall` reads itself, but takes the arguments as they were found: a reader
/// would look through all of them once more.
fn tool_call(params: &Params<'_>) -> Result<ToolCall, serde_json::Error> {
    let Some(name) = params.member("name").map_err(|Twice| twice("name"))? else {
        return Err(serde_json::Error::missing_field("name"));
    };
    let arguments = params
        .member("arguments")
        .map_err(|Twice| twice("arguments"))?;
    Ok(ToolCall {
        name: String::deserialize(name)?,
        arguments: arguments
            .filter(|raw| raw.get() != "null")
            .map(ToOwned::to_owned),
    })
}

fn twice(field: &'static str) -> serde_json::Error {
    serde_json::Error::duplicate_field(field)
}

/// Puts the handler to work, for as long as it may take.
pub(super) fn run<H: Handler>(
    shared: Arc<Shared<H>>,
    context: Context,
    id: Id,
    call: Call,
) -> Working {
    Box::pin(async move {
        let is_endless = matches!(call, Call::Listen(_));
        let mut answer = pin!(answer(&shared, &context, &id, call));
        if is_endless {
            return answer.await;
        }
        tokio::select! {
            biased;
            reply = &mut answer => reply,
            // MCP-RPC-12: the work is dropped, and nobody waits any longer.
            () = context.overdue(&shared.options) => refusal(
                &id,
                RpcError::internal("the handler took too long"),
                context.revision.era(),
            ),
        }
    })
}

async fn answer<H: Handler>(shared: &Shared<H>, context: &Context, id: &Id, call: Call) -> Reply {
    let handler = &shared.handler;
    let out = Out {
        shared,
        id,
        revision: context.revision,
        round: &context.round,
        capabilities: &context.capabilities,
    };
    let page = context;
    match call {
        Call::Discover => out.write("server/discover", Ok(discovery(shared))),
        Call::Ping => out.write("ping", Ok(Empty {})),
        Call::SetLogLevel(level) => {
            if shared.capabilities.logging.is_none() {
                let error = Error::method_not_found("logging/setLevel");
                return out.refuse("logging/setLevel", error);
            }
            if let Some(session) = &context.session {
                session.set_log_level(level);
            }
            out.write("logging/setLevel", Ok(Empty {}))
        }
        Call::Subscribe(address) => out.write(
            "resources/subscribe",
            subscribe(shared, context, Some(address.uri)),
        ),
        Call::Unsubscribe(address) => {
            let result = subscribe(shared, context, None);
            if let (Ok(_), Some(session)) = (&result, &context.session) {
                session.unsubscribe(&address.uri);
            }
            out.write("resources/unsubscribe", result)
        }
        Call::Listen(wanted) => {
            let method = "subscriptions/listen";
            let Some(changes) = handler.changes() else {
                return out.refuse(method, Error::method_not_found(method));
            };
            let Some(_room) = shared.streams.enter(context.principal.as_deref()) else {
                return out.refuse(method, Error::internal("too many streams are open"));
            };
            let changes = changes.subscribe();
            let outbox = context.outbox.clone();
            let end = shared.authorization_end(&context.extensions);
            let extensions = Arc::clone(&context.extensions);
            let hearing = Hearing::new(shared.options.may_hear.clone(), extensions);
            listen::listen(id.clone(), wanted, changes, hearing, end, outbox).await
        }
        Call::ListTools(at) => out.write("tools/list", handler.list_tools(page, at).await),
        Call::UseTool(call) => {
            let result = handler.call_tool(page, call).await;
            let result = result.map(|result| since::tool_result(result, context.revision));
            out.write("tools/call", result)
        }
        Call::ListPrompts(at) => out.write("prompts/list", handler.list_prompts(page, at).await),
        Call::GetPrompt(call) => {
            let result = handler.get_prompt(page, call).await;
            let result = result.map(|result| since::prompt_result(result, context.revision));
            out.write("prompts/get", result)
        }
        Call::ListResources(at) => {
            out.write("resources/list", handler.list_resources(page, at).await)
        }
        Call::ListTemplates(at) => {
            let list = handler.list_resource_templates(page, at).await;
            out.write("resources/templates/list", list)
        }
        Call::ReadResource(address) => {
            out.write("resources/read", handler.read_resource(page, address).await)
        }
        Call::Complete(call) => {
            out.write("completion/complete", handler.complete(page, call).await)
        }
        Call::GetTask(address) => {
            let task = desk(shared, "tasks/get")
                .and_then(|tasks| tasks.get(&address, context.principal.as_deref()));
            out.write("tasks/get", task)
        }
        Call::UpdateTask(update) => {
            let taken = desk(shared, "tasks/update")
                .and_then(|tasks| tasks.update(update, context.principal.as_deref()));
            out.write("tasks/update", taken)
        }
        Call::CancelTask(address) => {
            let cancelled = desk(shared, "tasks/cancel")
                .and_then(|tasks| tasks.cancel(&address, context.principal.as_deref()));
            out.write("tasks/cancel", cancelled)
        }
        Call::ListSkills(at) => out.write("skills/list", handler.list_skills(page, at).await),
        Call::GetSkill(address) => out.write("skills/get", handler.get_skill(page, address).await),
        Call::ReadDirectory(address) => {
            let reading = handler.read_directory(page, address).await;
            out.write("resources/directory/read", reading)
        }
        Call::Extension {
            method,
            params,
            is_cacheable,
        } => {
            let result = handler.call_extension(page, &method, params).await;
            out.extension(&method, is_cacheable, result)
        }
    }
}

fn desk<'a, H: Handler>(shared: &'a Shared<H>, method: &str) -> Result<&'a Tasks, Error> {
    shared
        .tasks
        .as_deref()
        .ok_or_else(|| Error::method_not_found(method))
}

fn discovery<H: Handler>(shared: &Shared<H>) -> Discovery {
    let mut capabilities = shared.capabilities.clone();
    // MCP-TASK-01, MCP-EXT-01: an extension is declared among the extensions, and in no other place.
    for extension in &shared.extensions {
        let settings = extension.settings().clone().into();
        let declared = &mut capabilities.extensions;
        declared.insert(extension.name().to_owned(), settings);
    }
    Discovery {
        supported_versions: Revision::over(shared.transport)
            .map(|version| version.to_string())
            .collect(),
        capabilities,
        instructions: shared.handler.instructions(),
        meta: None,
    }
}

fn subscribe<H: Handler>(
    shared: &Shared<H>,
    context: &Context,
    uri: Option<String>,
) -> Result<Empty, Error> {
    let resources = shared.capabilities.resources.unwrap_or_default();
    // Without a session there is nothing to remember it in, and no stream to tell changes on.
    let (true, Some(session)) = (resources.subscribe, &context.session) else {
        return Err(Error::method_not_found("resources/subscribe"));
    };
    if let Some(uri) = uri {
        session.subscribe(uri)?;
    }
    Ok(Empty {})
}

/// Writes what came of a request.
struct Out<'a, H> {
    shared: &'a Shared<H>,
    id: &'a Id,
    revision: Revision,
    round: &'a Round,
    capabilities: &'a ClientCapabilities,
}

impl<H: Handler> Out<'_, H> {
    fn write<T: Outcome>(&self, method: &str, result: Result<T, Error>) -> Reply {
        let result = match result {
            Ok(result) => result,
            Err(error) => return self.refuse(method, error),
        };
        let cache = stateless::CACHEABLE
            .contains(&method)
            .then(|| self.shared.handler.cache_hint(method));
        self.text("complete", cache, result)
    }

    /// Writes the result of a method of an extension.
    fn extension(
        &self,
        method: &str,
        is_cacheable: bool,
        result: Result<ExtensionResult, Error>,
    ) -> Reply {
        match result {
            Ok(mut result) if result.result_type == "complete" => {
                let cache = is_cacheable.then(|| self.shared.handler.cache_hint(method));
                if is_cacheable {
                    // The hint is said once.
                    result.members.remove("ttlMs");
                    result.members.remove("cacheScope");
                }
                self.text("complete", cache, result)
            }
            Ok(result) => self.refuse(method, Error::extended(result)),
            Err(error) => self.refuse(method, error),
        }
    }

    /// Whether this client takes this kind of result from one of the extensions.
    // MCP-EXT-01, MCP-VER-05.
    fn may_answer_as(&self, result_type: &str) -> bool {
        self.revision.era() == Era::Modern
            && self.shared.extensions.iter().any(|extension| {
                !extension.is_of_this_crate()
                    && extension.has_result_type(result_type)
                    && self.capabilities.extension(extension.name())
            })
    }

    fn refuse(&self, method: &str, error: Error) -> Reply {
        match error.0 {
            Reason::Cancelled => Reply {
                status: 200,
                text: None,
                instead: None,
            },
            // MCP-MRTR-01: three methods may ask, and only since 2026-07-28.
            // MCP-CACHE-01: no hint on an interim result.
            Reason::Input(input)
                if self.revision.era() == Era::Modern && stateless::MAY_ASK.contains(&method) =>
            {
                match self.round.send(*input) {
                    Ok(input) => self.text("input_required", None, input),
                    Err(error) => refusal_of(self.id, error, self.revision.era()),
                }
            }
            // MCP-TASK-03: the answer to a tool call, and to nothing else.
            Reason::Task(task) if method == "tools/call" => self.text("task", None, *task),
            Reason::Extended(result) if self.may_answer_as(&result.result_type) => {
                let result_type = result.result_type.clone();
                self.text(&result_type, None, *result)
            }
            Reason::Extended(_) => refusal(
                self.id,
                RpcError::internal("the client does not take this kind of result"),
                self.revision.era(),
            ),
            Reason::Task(_) => refusal(
                self.id,
                RpcError::internal("this method cannot go on as a task"),
                self.revision.era(),
            ),
            Reason::Input(_) => refusal(
                self.id,
                RpcError::internal("this method cannot ask the client"),
                self.revision.era(),
            ),
            Reason::Http(instead) => answered_instead(self.id, *instead),
            Reason::Rpc(error) => refusal(self.id, *error, self.revision.era()),
        }
    }

    fn text<T: Outcome>(
        &self,
        result_type: &str,
        cache: Option<crate::types::CacheHint>,
        result: T,
    ) -> Reply {
        let era = self.revision.era();
        let envelope = Envelope {
            era,
            server_info: &self.shared.written_info,
            cache,
            result_type,
        };
        match stateless::response(self.id, result, envelope) {
            Ok(text) => Reply {
                status: 200,
                text: Some(text),
                instead: None,
            },
            Err(_) => refusal(
                self.id,
                RpcError::internal("the result could not be written"),
                era,
            ),
        }
    }
}

/// The code that an error has in an era.
pub(super) fn in_era(mut error: RpcError, era: Era) -> RpcError {
    // MCP-RES-01, MCP-ERR-03: since 2026-07-28 an unknown resource is a matter of parameters.
    if era == Era::Modern && error.code == code::RESOURCE_NOT_FOUND {
        error.code = code::INVALID_PARAMS;
    }
    // MCP-META-05: the code for a missing capability came with 2026-07-28.
    if era == Era::Legacy && error.code == code::MISSING_CLIENT_CAPABILITY {
        error.code = code::INVALID_REQUEST;
    }
    error
}

/// An error response in the code and status of its era.
pub(super) fn refusal(id: &Id, error: RpcError, era: Era) -> Reply {
    let error = in_era(error, era);
    let status = match (era, error.code) {
        // A refusal by a handler is an ordinary answer in the older revisions.
        (Era::Legacy, _) => 200,
        (Era::Modern, code) => status_of(code, era),
    };
    Reply {
        status,
        text: Some(jsonrpc::error_text(Some(id), &error).into()),
        instead: None,
    }
}

/// An HTTP response in place of one of JSON-RPC, which says the same where it comes too late for that.
fn answered_instead(id: &Id, instead: Instead) -> Reply {
    Reply {
        status: instead.status.as_u16(),
        text: Some(jsonrpc::error_text(Some(id), &instead.error()).into()),
        instead: Some(Box::new(instead)),
    }
}

/// The same for an error that a handler did not make itself.
pub(super) fn refusal_of(id: &Id, error: Error, era: Era) -> Reply {
    match error.0 {
        Reason::Rpc(error) => refusal(id, *error, era),
        Reason::Http(instead) => answered_instead(id, *instead),
        Reason::Input(_) | Reason::Task(_) | Reason::Extended(_) | Reason::Cancelled => refusal(
            id,
            RpcError::internal("no result").with_data(json!({})),
            era,
        ),
    }
}
