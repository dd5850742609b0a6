//! What a server does: one method for each request of the protocol.

use std::future::Future;

use super::{Changes, Context, Error};
use crate::extension::{Extension, ExtensionResult};
use crate::http::HeaderParam;
use crate::types::{
    CacheHint, CompletionCall, CompletionResult, DirectoryAddress, DirectoryReading,
    Implementation, Page, PromptCall, PromptList, PromptResult, RawObject, ResourceAddress,
    ResourceList, ResourceReading, ResourceTemplateList, ServerCapabilities, SkillList,
    SkillReading, ToolCall, ToolList, ToolResult,
};

/// A server. Write the methods as `async fn`; what is not written answers "method not found".
///
/// Declare in [`Handler::capabilities`] exactly what is written.
/// One handler serves all clients at the same time and both eras.
pub trait Handler: Send + Sync + 'static {
    /// What the server is.
    fn info(&self) -> Implementation;

    /// What the server serves.
    fn capabilities(&self) -> ServerCapabilities;

    /// How to use it, for the model.
    fn instructions(&self) -> Option<String> {
        None
    }

    /// How long the answer to this method may be kept (2026-07-28); by default not at all.
    ///
    /// MCP-CACHE-02: what depends on the caller is private.
    fn cache_hint(&self, _method: &str) -> CacheHint {
        CacheHint::NONE
    }

    /// Where changes are announced; without it nobody can listen for any.
    ///
    /// Also asked when the service is made: without it no `listChanged` and no `subscribe` is
    /// announced, whatever [`Handler::capabilities`] declares.
    fn changes(&self) -> Option<&Changes> {
        None
    }

    /// Which arguments of this tool are mirrored in headers; see [`crate::http::header_params`].
    fn header_params(&self, _tool: &str) -> Vec<HeaderParam> {
        Vec::new()
    }

    /// Extensions of 2026-07-28 beside those that this crate has; declared with their settings, and their methods served by
    /// [`Handler::call_extension`]. Asked once, when the service is made.
    fn extensions(&self) -> Vec<Extension> {
        Vec::new()
    }

    /// `tools/list`.
    fn list_tools(
        &self,
        _context: &Context,
        _page: Page,
    ) -> impl Future<Output = Result<ToolList, Error>> + Send {
        async { Err(Error::method_not_found("tools/list")) }
    }

    /// `tools/call`.
    fn call_tool(
        &self,
        _context: &Context,
        _call: ToolCall,
    ) -> impl Future<Output = Result<ToolResult, Error>> + Send {
        async { Err(Error::method_not_found("tools/call")) }
    }

    /// `prompts/list`.
    fn list_prompts(
        &self,
        _context: &Context,
        _page: Page,
    ) -> impl Future<Output = Result<PromptList, Error>> + Send {
        async { Err(Error::method_not_found("prompts/list")) }
    }

    /// `prompts/get`.
    fn get_prompt(
        &self,
        _context: &Context,
        _call: PromptCall,
    ) -> impl Future<Output = Result<PromptResult, Error>> + Send {
        async { Err(Error::method_not_found("prompts/get")) }
    }

    /// `resources/list`.
    fn list_resources(
        &self,
        _context: &Context,
        _page: Page,
    ) -> impl Future<Output = Result<ResourceList, Error>> + Send {
        async { Err(Error::method_not_found("resources/list")) }
    }

    /// `resources/templates/list`.
    fn list_resource_templates(
        &self,
        _context: &Context,
        _page: Page,
    ) -> impl Future<Output = Result<ResourceTemplateList, Error>> + Send {
        async { Err(Error::method_not_found("resources/templates/list")) }
    }

    /// `resources/read`.
    fn read_resource(
        &self,
        _context: &Context,
        _address: ResourceAddress,
    ) -> impl Future<Output = Result<ResourceReading, Error>> + Send {
        async { Err(Error::method_not_found("resources/read")) }
    }

    /// `completion/complete`.
    fn complete(
        &self,
        _context: &Context,
        _call: CompletionCall,
    ) -> impl Future<Output = Result<CompletionResult, Error>> + Send {
        async { Err(Error::method_not_found("completion/complete")) }
    }

    /// `skills/list` (2026-07-28, where [`ServerCapabilities::with_skills`] declares it).
    ///
    /// The list may be short of some, or empty; [`Handler::get_skill`] knows all. [`crate::types::Skill::check`] is for
    /// the tests of whoever writes a server.
    fn list_skills(
        &self,
        _context: &Context,
        _page: Page,
    ) -> impl Future<Output = Result<SkillList, Error>> + Send {
        async { Err(Error::method_not_found("skills/list")) }
    }

    /// `skills/get`, by the address of a `SKILL.md`; [`Error::resource_not_found`] for one that is not served.
    fn get_skill(
        &self,
        _context: &Context,
        _address: ResourceAddress,
    ) -> impl Future<Output = Result<SkillReading, Error>> + Send {
        async { Err(Error::method_not_found("skills/get")) }
    }

    /// `resources/directory/read`, if that is declared; [`Error::resource_not_found`] for what is no folder.
    fn read_directory(
        &self,
        _context: &Context,
        _address: DirectoryAddress,
    ) -> impl Future<Output = Result<DirectoryReading, Error>> + Send {
        async { Err(Error::method_not_found("resources/directory/read")) }
    }

    /// A method of one of [`Handler::extensions`]. It was declared by the client, and its `Mcp-Name` is right.
    ///
    /// The parameters are as they came, with their `_meta`; none of them is there twice.
    fn call_extension(
        &self,
        _context: &Context,
        method: &str,
        _params: RawObject,
    ) -> impl Future<Output = Result<ExtensionResult, Error>> + Send {
        let error = Error::method_not_found(method);
        async { Err(error) }
    }
}
