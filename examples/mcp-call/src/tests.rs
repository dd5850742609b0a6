//! The command line, and whole runs with servers that are a few lines of shell.

use crate::arguments::Arguments;
use crate::{run, told};

fn read(given: &[&str]) -> Result<Arguments, &'static str> {
    Arguments::read(given.iter().map(Into::into))
}

#[test]
fn a_command_line_in_order_is_read() {
    let bare = read(&["--", "server", "--stdio", "--call"]).unwrap();
    assert!(bare.call.is_none());
    assert_eq!(bare.program, "server");
    assert_eq!(bare.rest, ["--stdio", "--call"]);
    let call = read(&["--call", "echo", r#"{"a": 1.50}"#, "--", "server"]).unwrap();
    let call = call.call.unwrap();
    assert_eq!(
        (call.tool.as_str(), call.arguments.get()),
        ("echo", r#"{"a": 1.50}"#)
    );
}

#[test]
fn what_is_wrong_on_the_command_line_is_named() {
    for (given, why) in [
        (&[][..], "COMMAND comes after --"),
        (&["server"], "only --call may stand before --"),
        (&["--"], "COMMAND is missing"),
        (&["--call"], "--call: TOOL is missing"),
        (&["--call", "echo"], "--call: JSON is missing"),
        (
            &["--call", "echo", "{", "--", "x"],
            "--call: JSON is not JSON",
        ),
        (
            &["--call", "a", "{}", "--call", "b", "{}", "--", "x"],
            "--call: one call at a time",
        ),
    ] {
        assert_eq!(read(given).unwrap_err(), why, "{given:?}");
    }
}

/// A server that knows a few answers; `$1` is `older` or `newest`.
const SERVER: &str = r#"
    answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
    while IFS= read -r line; do
        id="${line#*\"id\":}"; id="${id%%,*}"
        case "$1 $line" in
        older*server/discover*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}\n' "$id";;
        *server/discover*) answer '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"ttlMs":0,"cacheScope":"public"}';;
        *'"initialize"'*) answer '{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"old","version":"1"}}';;
        *tools/list*) answer '{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":[{"name":"t","description":"two\nlines","inputSchema":{"type":"object"}},{"name":"away","inputSchema":{"type":"object","$ref":"https://example.com/a"}}]}';;
        *'"good"'*) answer '{"resultType":"complete","content":[{"type":"text","text":"fine"},{"type":"image","data":"YQ==","mimeType":"image/png"}]}';;
        *'"bad"'*) answer '{"resultType":"complete","isError":true,"content":[{"type":"text","text":"no"}]}';;
        *'"crash"'*) exit 3;;
        esac
    done"#;

/// Runs with that server, and gives the outcome and what was told.
async fn ran(era: &str, call: Option<&str>) -> (Result<bool, String>, Vec<String>) {
    let mut given = Vec::new();
    if let Some(tool) = call {
        given.extend(["--call", tool, "{}"]);
    }
    given.extend(["--", "/bin/sh", "-c", SERVER, "server", era]);
    let mut lines = Vec::new();
    let outcome = run(read(&given).unwrap(), |line| lines.push(line)).await;
    (outcome.map_err(|error| told(error.as_ref())), lines)
}

#[tokio::test]
async fn a_run_says_revision_tools_result_and_end_in_both_eras() {
    for (era, revision) in [("newest", "2026-07-28"), ("older", "2025-06-18")] {
        let (outcome, lines) = ran(era, Some("good")).await;
        assert_eq!(outcome, Ok(true));
        assert_eq!(
            lines,
            [
                format!("revision: {revision}").as_str(),
                r#"tool: "t": "two\nlines""#,
                r#"not usable: "away": inputSchema refers to another document, "https://example.com/a", which is not fetched"#,
                r#"result: "fine""#,
                r#"result: {"type":"image","data":"YQ==","mimeType":"image/png"}"#,
                "ended: exit status: 0",
            ]
        );
    }
}

#[tokio::test]
async fn a_tool_that_failed_is_told_and_the_server_ends_in_good_order() {
    let (outcome, lines) = ran("newest", Some("bad")).await;
    assert_eq!(outcome, Ok(false));
    assert_eq!(lines.last().unwrap(), "ended: exit status: 0");
    assert!(lines.contains(&r#"failed: "no""#.to_owned()));
    assert_eq!(ran("older", None).await.0, Ok(true));
}

#[tokio::test]
async fn a_server_that_crashes_or_is_not_there_is_told_precisely() {
    let (outcome, lines) = ran("newest", Some("crash")).await;
    let why = outcome.unwrap_err();
    assert_eq!(
        why,
        "the server could not be reached: the server has exited (exit status: 3)"
    );
    assert!(!lines.iter().any(|line| line.starts_with("ended")));
    let nowhere = read(&["--", "/nowhere/mcp"]).unwrap();
    let why = told(run(nowhere, |_| {}).await.unwrap_err().as_ref());
    assert!(
        why.contains(r#"the server "/nowhere/mcp" cannot be started: No such file"#),
        "{why}"
    );
}
