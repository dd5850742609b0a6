//! What came with a later revision is not spoken in an earlier one (MCP-LIFE-04).

use mcp_protocol::serve::{Context, Error};
use mcp_protocol::types::{
    ContentBlock, Elicitation, Implementation, LogLevel, PromptCall, PromptMessage, PromptResult,
    Resource, Sampling, ServerCapabilities, ToolCall, ToolResult,
};

use super::*;

/// A handler that knows nothing of revisions, and declares no logging.
struct Unaware;

fn everything() -> Vec<ContentBlock> {
    let link = Resource {
        uri: "test://a".to_owned(),
        name: "a".to_owned(),
        ..Resource::default()
    };
    let audio = ContentBlock::Audio {
        data: "UklGRg==".to_owned(),
        mime_type: "audio/wav".to_owned(),
        annotations: None,
        meta: None,
    };
    vec![
        ContentBlock::text("t"),
        audio,
        ContentBlock::ResourceLink(link),
    ]
}

impl Handler for Unaware {
    fn info(&self) -> Implementation {
        Implementation::new("unaware", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::default()
    }

    async fn call_tool(&self, context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        match call.name.as_str() {
            "object" => Ok(ToolResult {
                content: everything(),
                ..ToolResult::structured(&json!({ "n": 1 })).unwrap()
            }),
            "list" => Ok(ToolResult::structured(&json!([1])).unwrap()),
            "log" => {
                context.log(LogLevel::Error, None, "x").await;
                Ok(ToolResult::text("said nothing"))
            }
            "url" => {
                let ask = Elicitation::Url {
                    message: "m".to_owned(),
                    url: "https://a.example/".to_owned(),
                    elicitation_id: None,
                };
                context.elicit("q", ask).await?;
                Ok(ToolResult::text("asked"))
            }
            "form" => {
                let ask = Elicitation::Form {
                    message: "m".to_owned(),
                    requested_schema: json!({ "type": "object" }).into(),
                };
                context.elicit("q", ask).await?;
                Ok(ToolResult::text("asked"))
            }
            _ => {
                let ask = Sampling {
                    tools: Some(json!([]).into()),
                    ..Sampling::prompt("m", 5)
                };
                context.sample("q", ask).await?;
                Ok(ToolResult::text("asked"))
            }
        }
    }

    async fn get_prompt(&self, _: &Context, _: PromptCall) -> Result<PromptResult, Error> {
        Ok(PromptResult {
            messages: everything().into_iter().map(PromptMessage::user).collect(),
            ..PromptResult::default()
        })
    }
}

const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// A client of a revision that can be asked everything, and a request of that revision.
async fn client(version: &str) -> (Peer, impl Fn(&str, Value) -> Value) {
    let all = json!({ "elicitation": { "form": {}, "url": {} }, "sampling": { "tools": {} } });
    let mut peer = Peer::connect(Pipe::new(Unaware, Options::default()), 1 << 16);
    let is_modern = version == "2026-07-28";
    if !is_modern {
        assert_eq!(peer.open(version, &all).await["protocolVersion"], version);
    }
    let make = move |method: &str, mut params: Value| {
        if is_modern {
            params["_meta"]["io.modelcontextprotocol/logLevel"] = json!("debug");
            modern_as(&all, 1, method, params)
        } else {
            request(1, method, params)
        }
    };
    (peer, make)
}

#[tokio::test(start_paused = true)]
async fn structured_content_came_with_2025_06_18_and_was_an_object_at_first() {
    for (version, object, list) in [
        ("2024-11-05", false, false),
        ("2025-03-26", false, false),
        ("2025-06-18", true, false),
        ("2025-11-25", true, false),
        ("2026-07-28", true, true),
    ] {
        let (mut peer, request) = client(version).await;
        for (name, is_there) in [("object", object), ("list", list)] {
            peer.send(request("tools/call", json!({ "name": name })))
                .await;
            let result = peer.next().await["result"].clone();
            assert_eq!(
                result.get("structuredContent").is_some(),
                is_there,
                "{version}: {result}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn kinds_of_content_that_a_revision_does_not_have_are_said_in_words() {
    for version in REVISIONS {
        let (mut peer, request) = client(version).await;
        let audio = if version == "2024-11-05" {
            json!({ "type": "text", "text": "(audio/wav, which this revision cannot carry)" })
        } else {
            json!({ "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" })
        };
        let link = if version < "2025-06-18" {
            json!({ "type": "text", "text": "a: test://a" })
        } else {
            json!({ "type": "resource_link", "uri": "test://a", "name": "a" })
        };
        let whole = json!([{ "type": "text", "text": "t" }, audio, link]);
        peer.send(request("tools/call", json!({ "name": "object" })))
            .await;
        assert_eq!(peer.next().await["result"]["content"], whole, "{version}");
        peer.send(request("prompts/get", json!({ "name": "p" })))
            .await;
        let answer = peer.next().await;
        let messages = answer["result"]["messages"].as_array().unwrap();
        let contents: Vec<&Value> = messages.iter().map(|one| &one["content"]).collect();
        assert_eq!(json!(contents), whole, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_revision_cannot_ask_is_not_asked_though_the_client_declares_it() {
    for version in REVISIONS {
        for (name, since) in [
            ("form", "2025-06-18"),
            ("url", "2025-11-25"),
            ("tools", "2025-11-25"),
        ] {
            let (mut peer, request) = client(version).await;
            peer.send(request("tools/call", json!({ "name": name })))
                .await;
            let said = peer.next().await;
            if version >= since {
                assert_eq!(said.get("error"), None, "{version} {name}: {said}");
            } else {
                assert_eq!(
                    said["error"],
                    json!({ "code": -32600, "message": format!("{version} cannot ask this") }),
                    "{name}"
                );
            }
        }
    }
}

/// MCP-VER-04, MCP-LIFE-04: what is not declared is not sent, whatever the client wants.
#[tokio::test(start_paused = true)]
async fn a_server_that_declares_no_logging_logs_nothing() {
    for version in REVISIONS {
        let (mut peer, request) = client(version).await;
        peer.send(request("tools/call", json!({ "name": "log" })))
            .await;
        assert_eq!(text(&peer.next().await), "said nothing", "{version}");
    }
}
