//! The row of the tool that finds tools. It is ours, and no operation of Didit's.

use super::{Tool, tool};
use crate::schema::{Argument, Bounds, Shape};

/// Finds tools that are not listed.
pub(crate) static SEARCH: Tool = tool("didit_tool_search", "Tool Search", "Account & Org")
    .says("Find tools that are not in this list. The answer has their input schemas; call them by name.")
    .takes(&[
        Argument::new("query", Shape::TextWithin(200), "What to do, such as: delete session.").required(),
        Argument::new("limit", Shape::Integer(Bounds::new(Some(1.0), Some(20.0))), "5 if left out."),
    ]);
