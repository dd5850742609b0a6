//! `mcp-server call URL TOOL JSON`: calls one tool and prints what it says.

use std::io::{self, Write};
use std::process::ExitCode;

use mcp_protocol::client::Called;
use serde_json::value::RawValue;

use crate::client::error::{CommandError, told};
use crate::client::session::{ConnectionArgs, Session};
use crate::client::terminal;

/// Call one tool of an MCP server, signing in first where that is needed.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// The name of the tool
    #[arg(value_name = "TOOL")]
    tool: String,
    /// The arguments, a JSON object
    #[arg(value_name = "JSON", default_value = "{}")]
    arguments: String,
    /// Print the whole result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command: 0 for a result, 1 for a failure of the tool or on the way to it, 2 for wrong use.
pub(crate) async fn run(args: Args) -> ExitCode {
    told(call(args).await)
}

async fn call(args: Args) -> Result<(), CommandError> {
    let arguments = arguments(&args.arguments)?;
    let mut session = Session::open(args.connection)?;
    let called = session.call(&args.tool, &arguments).await?;
    print(&called, args.json, &mut io::stdout().lock())
}

/// The arguments, checked to be a JSON object before anything is sent.
fn arguments(text: &str) -> Result<Box<RawValue>, CommandError> {
    let refused = |why: String| {
        CommandError::Usage(format!(
            "the arguments of a tool are a JSON object, such as '{{}}': {why}"
        ))
    };
    let raw: Box<RawValue> =
        serde_json::from_str(text).map_err(|error| refused(error.to_string()))?;
    if !raw.get().starts_with('{') {
        return Err(refused(format!("{text:?} is JSON, but not an object")));
    }
    Ok(raw)
}

/// Prints the result on `out`; a result that says that the tool failed is an error.
fn print(called: &Called, json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let texts: Vec<&str> = called
        .result
        .content
        .iter()
        .filter_map(|block| block.as_text())
        .collect();
    if json {
        writeln!(out, "{}", terminal::json(called.raw.get()))?;
    } else if !called.result.is_error {
        for text in &texts {
            writeln!(out, "{}", terminal::lines(text))?;
        }
        let others = called.result.content.len() - texts.len();
        if others > 0 {
            writeln!(out, "({others} more that are not text; --json shows them)")?;
        }
    }
    out.flush()?;
    if called.result.is_error {
        return Err(CommandError::Tool(texts.join("\n")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn called(result: serde_json::Value) -> Called {
        let raw = serde_json::value::to_raw_value(&result).unwrap();
        Called {
            result: serde_json::from_value(result).unwrap(),
            raw,
        }
    }

    fn printed(called: &Called, json: bool) -> (String, Result<(), String>) {
        let mut out = Vec::new();
        let outcome = print(called, json, &mut out).map_err(|error| error.to_string());
        (String::from_utf8(out).unwrap(), outcome)
    }

    #[test]
    fn arguments_are_a_json_object() {
        assert_eq!(arguments(r#" {"a": [1]} "#).unwrap().get(), r#"{"a": [1]}"#);
        for (text, why) in [
            ("[]", "not an object"),
            ("x", "expected value"),
            ("{} {}", "trailing"),
        ] {
            let refused = arguments(text).unwrap_err();
            assert!(refused.to_string().contains(why), "{refused}");
            assert_eq!(refused.exit_code(), 2);
        }
    }

    #[test]
    fn text_is_printed_and_what_is_not_text_is_counted() {
        let called = called(json!({"content": [
            {"type": "text", "text": "one\n\u{1b}[31mtwo"},
            {"type": "image", "data": "eA==", "mimeType": "image/png"}]}));
        let (out, outcome) = printed(&called, false);
        assert_eq!(
            out,
            "one\n[31mtwo\n(1 more that are not text; --json shows them)\n"
        );
        assert_eq!(outcome, Ok(()));
        let (out, _) = printed(&called, true);
        assert_eq!(out, format!("{}\n", called.raw.get()));
    }

    #[test]
    fn json_does_not_steer_the_terminal() {
        let called = called(json!({"content": [{"type": "text", "text": "a\u{9b}31m\u{202e}b"}]}));
        let (out, _) = printed(&called, true);
        assert!(out.contains(r"a\u009b31m\u202eb"), "{out:?}");
    }

    #[test]
    fn a_failure_of_the_tool_is_an_error_with_its_text() {
        let called = called(
            json!({"isError": true, "content": [{"type": "text", "text": "no such session"}]}),
        );
        let (out, outcome) = printed(&called, false);
        assert_eq!(out, "");
        assert_eq!(outcome, Err("the tool failed: no such session".to_owned()));
        let (out, outcome) = printed(&called, true);
        assert!(out.contains("\"isError\":true"));
        assert!(outcome.is_err());
    }
}
