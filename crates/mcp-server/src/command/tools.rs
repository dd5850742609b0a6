//! `mcp-server tools URL`: lists the tools that an MCP server shows to the signed-in person.

use std::io::{self, Write};
use std::process::ExitCode;

use mcp_protocol::client::ListedTools;

use crate::client::error::{CommandError, told};
use crate::client::session::{ConnectionArgs, Session};
use crate::client::terminal;

/// List the tools of an MCP server, signing in first where that is needed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print the whole list as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> ExitCode {
    told(list(args).await)
}

async fn list(args: Args) -> Result<(), CommandError> {
    let mut session = Session::open(args.connection)?;
    let listed = session.tools().await?;
    for dropped in &listed.dropped {
        tracing::warn!(tool = dropped.name, why = %dropped.why, "a tool cannot be called over HTTP");
    }
    print(&listed, args.json, &mut io::stdout().lock())
}

fn print(listed: &ListedTools, json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let tools = &listed.tools;
    if json {
        let text = serde_json::to_string_pretty(tools).map_err(io::Error::from)?;
        writeln!(out, "{}", terminal::json(&text))?;
    } else {
        let width = tools
            .iter()
            .map(|tool| tool.name.chars().count())
            .max()
            .unwrap_or(0)
            .min(MAX_COLUMN);
        for tool in tools {
            let name = terminal::line(&tool.name);
            match &tool.title {
                Some(title) => writeln!(out, "{name:width$}  {}", terminal::line(title))?,
                None => writeln!(out, "{name}")?,
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// Characters of the widest column; a longer name pushes its own title aside and nobody else's.
const MAX_COLUMN: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(json: bool) -> String {
        let tools = json!([
            {"name": "short", "title": "A title\u{1b}]0;pwned\u{7}", "inputSchema": {"type": "object"}},
            {"name": "much_longer", "title": "Another\u{9b}", "inputSchema": {"type": "object"}},
            {"name": "bare", "inputSchema": {"type": "object"}}]);
        print_all(tools, json)
    }

    fn print_all(tools: serde_json::Value, json: bool) -> String {
        let listed = ListedTools {
            tools: serde_json::from_value(tools).unwrap(),
            dropped: Vec::new(),
        };
        let mut out = Vec::new();
        print(&listed, json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_and_titles_are_listed_in_columns() {
        assert_eq!(
            printed(false),
            "short        A title]0;pwned\nmuch_longer  Another\nbare\n"
        );
    }

    #[test]
    fn json_is_the_list() {
        let list: serde_json::Value = serde_json::from_str(&printed(true)).unwrap();
        assert_eq!(list[1]["name"], "much_longer");
        assert_eq!(list[0]["inputSchema"], json!({"type": "object"}));
        assert_eq!(list[1]["title"], "Another\u{9b}");
        assert!(!printed(true).contains('\u{9b}'), "escaped, and the same");
    }

    #[test]
    fn a_name_without_end_does_not_widen_the_lines_of_the_others() {
        let tools = json!([
            {"name": "x".repeat(100_000), "title": "A", "inputSchema": {"type": "object"}},
            {"name": "short", "title": "B", "inputSchema": {"type": "object"}}]);
        let text = print_all(tools, false);
        let second = text.lines().nth(1).unwrap();
        assert_eq!(second, format!("{:64}  B", "short"));
    }
}
