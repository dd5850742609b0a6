//! The tools as an MCP server.

use std::sync::LazyLock;

use mcp_protocol::serve::{Context, Error, Handler};
use mcp_protocol::types::{
    CacheHint, ContentBlock, Implementation, Meta, Page, ResourceAddress, ResourceContents,
    ResourceList, ResourceReading, ResourceTemplateList, ServerCapabilities, SkillList,
    SkillReading, Tool as Listed, ToolAnnotations, ToolCall, ToolList, ToolResult,
};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use crate::acting::Transport;
use crate::attend::Begun;
use crate::catalog::{self, Tool};
use crate::credential::Credentials;
use crate::outcome::{Given, structured};
use crate::schema::{input_schema, output_schema};
use crate::selection::Lists;
use crate::skill;
use crate::tools::{DiditTools, Surface};
use didit_client::operation::Kind;

/// How long a list may be kept, in milliseconds.
const LIST_KEPT_MS: u64 = 60_000;

const INSTRUCTIONS: &str = "Tools for Didit, an identity verification service, as the signed-in person. \
     Start with didit_context_get to see the organisations, the person's role in each, and the applications. \
     Verification runs as sessions of a workflow: didit_workflow_list, didit_session_create, didit_session_get_decision, didit_session_update_status. \
     Answers hold personal data: repeat only what was asked for.";

impl<S: Transport, C: Credentials> Handler for DiditTools<S, C> {
    fn info(&self) -> Implementation {
        Implementation {
            title: Some("Didit".to_owned()),
            ..Implementation::new("didit", env!("CARGO_PKG_VERSION"))
        }
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools().with_skills(false)
    }

    fn instructions(&self) -> Option<String> {
        Some(INSTRUCTIONS.to_owned())
    }

    fn cache_hint(&self, method: &str) -> CacheHint {
        match method {
            "tools/list" | "server/discover" => CacheHint::private(LIST_KEPT_MS),
            // The same texts for everybody, until the program is another.
            "skills/list"
            | "skills/get"
            | "resources/list"
            | "resources/read"
            | "resources/templates/list" => CacheHint::public(LIST_KEPT_MS),
            _ => CacheHint::NONE,
        }
    }

    async fn list_tools(&self, context: &Context, page: Page) -> Result<ToolList, Error> {
        one_page(&page)?;
        let selection = self.selection(context.extensions());
        let selection = selection.map_err(|why| Error::invalid_params(why.to_string()))?;
        Ok(ToolList {
            tools: lists(selection.surface).of(&selection),
            next_cursor: None,
        })
    }

    async fn list_skills(&self, _: &Context, page: Page) -> Result<SkillList, Error> {
        one_page(&page)?;
        Ok(SkillList {
            skills: skill::entries().into(),
            next_cursor: None,
        })
    }

    async fn get_skill(
        &self,
        _: &Context,
        address: ResourceAddress,
    ) -> Result<SkillReading, Error> {
        skill::get(&address.uri).ok_or_else(|| Error::resource_not_found(&address.uri))
    }

    async fn list_resources(&self, _: &Context, page: Page) -> Result<ResourceList, Error> {
        one_page(&page)?;
        Ok(ResourceList {
            resources: skill::resources().into(),
            next_cursor: None,
        })
    }

    async fn list_resource_templates(
        &self,
        _: &Context,
        page: Page,
    ) -> Result<ResourceTemplateList, Error> {
        one_page(&page)?;
        Ok(ResourceTemplateList::default())
    }

    async fn read_resource(
        &self,
        _: &Context,
        address: ResourceAddress,
    ) -> Result<ResourceReading, Error> {
        skill::read(&address.uri).ok_or_else(|| Error::resource_not_found(&address.uri))
    }

    async fn call_tool(&self, context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        let arguments: Map<String, Value> = call
            .arguments()
            .map_err(|_| Error::invalid_params("the arguments are not an object"))?;
        let extensions = context.extensions();
        let watch = self.attendant.as_ref().map(|attendant| {
            let tool = catalog::named(&call.name);
            let check = self.permission_check(extensions, tool, &arguments);
            attendant.begins(&Begun::new(extensions, tool, &arguments, check))
        });
        let outcome = self.given(extensions, &call.name, Some(&arguments)).await;
        if let Some(watch) = watch {
            let ended = outcome.as_ref().map(|outcome| outcome.as_ref().map(|_| ()));
            if let Some(instead) = watch.ended(ended) {
                return Err(Error::http(instead));
            }
        }
        match outcome {
            // MCP-ERR-05: a tool that does not exist is a protocol error.
            None => Err(call.unknown().into()),
            Some(Ok(given)) => success(given),
            Some(Err(failure)) => Ok(ToolResult::error(failure.text())),
        }
    }
}

/// Every list has one page.
fn one_page(page: &Page) -> Result<(), Error> {
    match page.cursor {
        Some(_) => Err(Error::invalid_params(
            "the list has one page; there is no cursor",
        )),
        None => Ok(()),
    }
}

/// The text is the answer as it is; the structured content is an object; a file is an embedded resource beside them.
fn success(given: Given) -> Result<ToolResult, Error> {
    let Given { value, enclosed } = given;
    let unwritable = |_| Error::internal("the answer cannot be written as JSON");
    let written = to_raw_value(&value).map_err(unwritable)?;
    let mut result = ToolResult::text(written.get());
    // An object is written once for both.
    result.structured_content = Some(match value {
        Value::Object(_) => written,
        other => to_raw_value(&structured(other)).map_err(unwritable)?,
    });
    if let Some(file) = enclosed {
        result.content.push(ContentBlock::Resource {
            resource: ResourceContents::blob(&file.uri, file.media_type, file.base64()),
            annotations: None,
            meta: None,
        });
    }
    Ok(result)
}

/// Every list, written out when somebody asks for one first.
fn lists(surface: Surface) -> &'static Lists {
    static HTTP: LazyLock<Lists> = LazyLock::new(|| Lists::new(Surface::Http));
    static STDIO: LazyLock<Lists> = LazyLock::new(|| Lists::new(Surface::Stdio));
    match surface {
        Surface::Http => &HTTP,
        Surface::Stdio => &STDIO,
    }
}

/// A tool as it is listed under one of its names.
pub(crate) fn shown(
    tool: &Tool,
    name: &'static str,
    surface: Surface,
) -> Result<Listed, serde_json::Error> {
    let arguments = tool
        .arguments
        .iter()
        .filter(|argument| surface == Surface::Stdio || !argument.stdio_only);
    let schema = input_schema(arguments, tool.open, tool.any_of);
    let mut listed = Listed::new(name, tool.says, &schema)?;
    listed.title = Some(tool.title.to_owned());
    listed.output_schema = Some(to_raw_value(&output_schema())?);
    listed.annotations = Some(ToolAnnotations {
        title: Some(tool.title.to_owned()),
        read_only_hint: Some(tool.kind == Kind::Read),
        destructive_hint: Some(tool.kind == Kind::Destructive),
        idempotent_hint: None,
        open_world_hint: Some(tool.open_world),
    });
    let category = ("category".to_owned(), json!(tool.category).into());
    listed.meta = Some(Meta::from([category]));
    Ok(listed)
}
