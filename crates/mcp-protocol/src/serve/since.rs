//! What a handler returns, as the revision of the request has it: a handler need not know of revisions.
//!
//! Members that an older client does not know (a title, an icon, a schema of the output) stay, because
//! it leaves them out of account. What would break its reading, or claims to be what it is not, goes.

use crate::revision::{Feature, Revision};
use crate::types::json::is_object;
use crate::types::{ContentBlock, PromptMessage, PromptResult, ToolResult};

/// MCP-LIFE-04: the result of a tool without what the revision does not have.
///
/// The text that stands beside structured content stays (MCP-TOOL-04).
pub(super) fn tool_result(mut result: ToolResult, revision: Revision) -> ToolResult {
    let fits = revision.has(Feature::StructuredValues)
        || revision.has(Feature::StructuredContent)
            && result
                .structured_content
                .as_ref()
                .is_some_and(|value| is_object(value));
    if !fits {
        result.structured_content = None;
    }
    contents(&mut result.content, revision);
    result
}

/// MCP-LIFE-04: the same for a prompt.
pub(super) fn prompt_result(mut result: PromptResult, revision: Revision) -> PromptResult {
    let messages = result.messages.iter_mut();
    contents(
        messages.map(|PromptMessage { content, .. }| content),
        revision,
    );
    result
}

/// Kinds that the revision does not have are said in words.
fn contents<'a>(blocks: impl IntoIterator<Item = &'a mut ContentBlock>, revision: Revision) {
    if revision.has(Feature::Audio) && revision.has(Feature::ResourceLinks) {
        return;
    }
    for block in blocks {
        let words = match block {
            ContentBlock::Audio { mime_type, .. } if !revision.has(Feature::Audio) => {
                format!("({mime_type}, which this revision cannot carry)")
            }
            ContentBlock::ResourceLink(link) if !revision.has(Feature::ResourceLinks) => {
                format!("{}: {}", link.name, link.uri)
            }
            _ => continue,
        };
        *block = ContentBlock::text(words);
    }
}
