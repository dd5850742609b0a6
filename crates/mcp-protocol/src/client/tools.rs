//! Listing and calling tools.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tower_service::Service;

use super::agreed::Agreed;
use super::error::{BadAnswer, ClientError, TransportError};
use super::lists::Listed;
use super::notice::Change;
use super::outgoing::{Manner, Outgoing, Params};
use super::{AnswerBody, Client, Wire, mirror, tasks};
use crate::http::{HeaderParam, InvalidAnnotation, header_params};
use crate::schema::{self, SchemaProblem};
use crate::types::json::is_object;
use crate::types::{Tool, ToolResult};
use crate::violation::code;

const LIST: &str = "tools/list";

/// The arguments to repeat in headers, by the name of the tool.
pub(super) type ParamsByTool = BTreeMap<String, Vec<HeaderParam>>;

/// The tools of a server.
#[derive(Clone, Debug, Default)]
pub struct ListedTools {
    /// Those that can be called, in the server's order.
    pub tools: Vec<Tool>,
    /// Those that were left out of the list.
    pub dropped: Vec<DroppedTool>,
}

/// A tool that was left out of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedTool {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub why: UnusableTool,
}

/// Why a tool is left out of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableTool {
    /// It asks for headers that cannot be sent; over HTTP only.
    #[error("inputSchema: {0}")]
    Headers(#[from] InvalidAnnotation),
    /// The schema of its arguments is too deep, too large, or leads to another document.
    #[error("inputSchema {0}")]
    Input(SchemaProblem),
    /// The schema of its results is.
    #[error("outputSchema {0}")]
    Output(SchemaProblem),
}

/// What a tool call gave.
#[derive(Clone, Debug)]
pub struct Called {
    /// The result, read.
    pub result: ToolResult,
    /// The result as the server wrote it.
    pub raw: Box<RawValue>,
}

impl Called {
    pub(super) fn read(raw: Box<RawValue>) -> Result<Self, ClientError> {
        let result = serde_json::from_str(raw.get())
            .map_err(|error| BadAnswer::result("tools/call", &error))?;
        Ok(Self { result, raw })
    }
}

/// One page of the list.
#[derive(Deserialize)]
struct ListPage {
    tools: Vec<Tool>,
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Lists the tools, page after page.
    ///
    /// A tool is left out and reported beside the list when its `x-mcp-header` annotations break the rules, or when a
    /// schema of it is over the bounds of [`schema`] or refers to another document, which is never fetched.
    ///
    /// Does not check: the dialect of a schema, and that arguments are an object. Nothing is evaluated here; who evaluates
    /// schemas looks with [`Tool::check`].
    ///
    /// # Errors
    ///
    /// [`BadAnswer::EndlessList`] over the limits; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, tools, listing; pagination.
    pub async fn list_tools(&self) -> Result<ListedTools, ClientError> {
        let listed = self.pages(LIST).await?;
        self.read_tools(listed)
    }

    fn read_tools(&self, pages: Listed) -> Result<ListedTools, ClientError> {
        let mut listed = ListedTools::default();
        let mut params = ParamsByTool::new();
        for page in pages.pages.iter() {
            let page: ListPage = serde_json::from_str(page.get())
                .map_err(|error| BadAnswer::result(LIST, &error))?;
            for tool in page.tools {
                if listed.tools.len() + listed.dropped.len() >= self.limits.max_entries {
                    return Err(BadAnswer::EndlessList(self.limits.max_pages).into());
                }
                match self.usable(&tool) {
                    Ok(found) => {
                        if !found.is_empty() {
                            params.insert(tool.name.clone(), found);
                        }
                        listed.tools.push(tool);
                    }
                    // MCP-XHDR-02, MCP-SCH-02, MCP-SCH-03: drop the tool and keep the others.
                    Err(why) => listed.dropped.push(DroppedTool {
                        name: tool.name,
                        why,
                    }),
                }
            }
        }
        self.lock().params = params;
        self.keep(pages.keepable, &pages.pages);
        Ok(listed)
    }

    /// Calls a tool with arguments that are a JSON object.
    ///
    /// A result that says that the tool failed is a result, not an error: see [`ToolResult::is_error`].
    ///
    /// Arguments that the listed schema wants in headers are repeated there; when a server of the newest era refuses the
    /// call because it misses one (the tool was never listed, or has changed), the tools are listed and it is made once more.
    /// What the server asks before it answers goes to the [`Host`](super::Host).
    /// How far it is, other times and more is with [`call`](Self::call).
    ///
    /// # Errors
    ///
    /// [`ClientError::Arguments`]; [`ClientError::InputRequired`] where the host declared no way to answer, and
    /// [`ClientError::Unanswered`] where it could not; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, tools, calling; transports, `Mcp-Param-*`.
    pub async fn call_tool(&self, name: &str, arguments: &RawValue) -> Result<Called, ClientError> {
        self.called(name, arguments, Manner::default()).await
    }

    pub(super) async fn called(
        &self,
        name: &str,
        arguments: &RawValue,
        manner: Manner<'_>,
    ) -> Result<Called, ClientError> {
        if !is_object(arguments) {
            return Err(ClientError::Arguments);
        }
        let mut outgoing = Outgoing::new("tools/call", Params::call(name, arguments));
        outgoing.mirrored = self.headers_for(name, arguments)?;
        outgoing.manner = manner;
        let raw = self.in_rounds(outgoing).await?.raw;
        match self
            .follows_tasks
            .then(|| tasks::started(&raw))
            .transpose()?
        {
            Some(Some(task)) => Called::read(self.followed(task, manner.watcher).await?),
            Some(None) | None => Called::read(raw),
        }
    }

    /// Whether a server refused a request for its headers, without having done anything for it.
    ///
    /// In the older era, and over a pipe, the code means something else.
    fn is_refused_for_headers(&self, failure: &ClientError) -> bool {
        let agreed = self.lock().agreed.as_ref().map(Agreed::is_modern);
        self.wire == Wire::Http
            && agreed == Some(true)
            && matches!(failure, ClientError::Rpc { status, error }
                if status.is_client_error() && error.code == code::HEADER_MISMATCH)
    }

    /// Asks, and once more where a tool wants other headers than those that were sent.
    // MCP-XHDR-06.
    pub(super) async fn request_with_headers(
        &self,
        outgoing: &mut Outgoing<'_>,
    ) -> Result<Box<RawValue>, ClientError> {
        let outcome = self.request(outgoing).await;
        let (Err(failure), Some((name, arguments))) = (&outcome, outgoing.tool()) else {
            return outcome;
        };
        if !self.is_refused_for_headers(failure) {
            return outcome;
        }
        // What is kept of the list is what has led to this.
        self.forget(&Change::Tools);
        Box::pin(self.list_tools()).await?;
        outgoing.mirrored = self.headers_for(name, arguments)?;
        self.request(outgoing).await
    }

    /// The arguments that a tool wants in headers, if the tool can be used at all.
    fn usable(&self, tool: &Tool) -> Result<Vec<HeaderParam>, UnusableTool> {
        let input = value(&tool.input_schema);
        schema::check_carried(&input).map_err(UnusableTool::Input)?;
        if let Some(output) = &tool.output_schema {
            schema::check_carried(&value(output)).map_err(UnusableTool::Output)?;
        }
        match self.wire {
            Wire::Http => Ok(header_params(&input)?),
            // MCP 2026-07-28, tools, `x-mcp-header`: on another transport the annotations mean nothing.
            Wire::Lines => Ok(Vec::new()),
        }
    }

    fn headers_for(
        &self,
        name: &str,
        arguments: &RawValue,
    ) -> Result<Vec<(HeaderName, HeaderValue)>, ClientError> {
        let state = self.lock();
        let Some(params) = state.params.get(name) else {
            return Ok(Vec::new());
        };
        let arguments: Map<String, Value> =
            serde_json::from_str(arguments.get()).map_err(|_| ClientError::Arguments)?;
        Ok(params
            .iter()
            .filter_map(|param| mirror::header(param, &arguments))
            .collect())
    }
}

fn value(schema: &RawValue) -> Value {
    // The text was read as JSON before, so this does not fail; a schema that did would ask for nothing.
    serde_json::from_str(schema.get()).unwrap_or_default()
}
