//! What is used again, and what is not made again, where there are neither addresses nor headers.

use std::time::Duration;

use mcp_protocol::cache::CacheLimits;
use mcp_protocol::client::pipe::PipeLimits;
use mcp_protocol::client::{Client, ClientError, SharedCache};
use mcp_protocol::types::Implementation;
use serde_json::json;

use super::{calling, pair, pipe};

#[tokio::test(start_paused = true)]
async fn mcp_cache_03_servers_on_two_pipes_are_two_servers() {
    let cache = SharedCache::new(CacheLimits::default(), || Duration::ZERO);
    for name in ["one", "two"] {
        let (pipe, mut peer) = pipe(PipeLimits::default());
        let client = Client::over_pipe(pipe, Implementation::new("tester", "1"));
        let client = client.with_cache(cache.clone());
        let listed = tokio::spawn(async move {
            for _ in 0..2 {
                let listed = client.list_tools().await.unwrap();
                assert_eq!(listed.tools[0].name, name);
            }
        });
        peer.be_modern().await;
        let asked = peer.expect("tools/list").await;
        let tools = json!([{"name": name, "inputSchema": {"type": "object"}}]);
        let answer = json!({"resultType": "complete", "tools": tools, "ttlMs": 60_000, "cacheScope": "public"});
        peer.answer(&asked, answer).await;
        listed.await.unwrap();
        // The second time it was found.
        assert_eq!(peer.line().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn mcp_xhdr_06_over_a_pipe_no_call_is_made_again_for_its_headers() {
    let (client, _pipe, mut peer) = pair();
    let called = calling(&client, "t");
    peer.be_modern().await;
    let request = peer.expect("tools/call").await;
    peer.refuse(&request, -32020).await;
    let failure = called.await.unwrap().unwrap_err();
    assert!(matches!(failure, ClientError::Rpc { error, .. } if error.code == -32020));
}
