//! The program itself over pipes: what a client that starts it sees.

#![cfg(test)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Starts the program, gives it these lines and the end of its input, and reads what it says.
fn talk(lines: &[Value]) -> Vec<Value> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mcp-echo"))
        .arg("--stdio")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    drop(input);
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn call(id: i64, text: &str, meta: Value) -> Value {
    let params = json!({ "name": "echo", "arguments": { "text": text }, "_meta": meta });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

#[test]
fn both_eras_are_answered_and_nothing_else_is_written() {
    let modern = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let answers = talk(&[
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        call(2, "older", json!({})),
        call(3, "newest", modern),
    ]);
    assert_eq!(answers.len(), 3, "{answers:?}");
    let answer = |id: i64| &answers.iter().find(|answer| answer["id"] == id).unwrap()["result"];
    assert_eq!(answer(1)["protocolVersion"], "2024-11-05");
    assert_eq!(answer(2)["content"][0]["text"], "older");
    assert_eq!(answer(2).get("resultType"), None);
    assert_eq!(answer(3)["content"][0]["text"], "newest");
    assert_eq!(answer(3)["resultType"], "complete");
}

#[test]
fn what_must_fail_fails_and_the_end_of_the_input_ends_the_program() {
    let answers = talk(&[json!(7), call(2, "too early", json!({}))]);
    let codes: Vec<&Value> = answers
        .iter()
        .map(|answer| &answer["error"]["code"])
        .collect();
    assert_eq!(codes, [&json!(-32600), &json!(-32600)]);
    assert_eq!(talk(&[]), Vec::<Value>::new());
}
