//! Extensions that a program brings, on both sides: declared, negotiated in each request, with results of their own.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::Revision;
use mcp_protocol::client::{AnswerBody, BadAnswer, Client, ClientError};
use mcp_protocol::extension::{Extension, ExtensionResult, Method};
use mcp_protocol::serve::{Context, Error, Handler, HttpService, Options};
use mcp_protocol::types::{
    CacheHint, Implementation, RawObject, ServerCapabilities, ToolCall, ToolResult,
};
use serde_json::{Value, json};
use tower_service::Service;

use crate::drive::{Call, initialize, legacy, modern, modern_as};

const NAME: &str = "com.example/catalogue";

/// What both sides know of the extension.
pub(crate) fn catalogue() -> Extension {
    let settings = json!({ "currency": "CHF" }).as_object().cloned().unwrap();
    Extension::new(NAME)
        .unwrap()
        .with_settings(settings)
        .with_method(Method::new("catalogue/get").about("sku").cacheable())
        .with_method(Method::new("catalogue/buy"))
        .with_method(Method::new("catalogue/hours").for_everybody())
        .with_result_type("receipt")
}

#[derive(Clone)]
struct Shop;

impl Handler for Shop {
    fn info(&self) -> Implementation {
        Implementation::new("shop", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    fn extensions(&self) -> Vec<Extension> {
        vec![catalogue()]
    }

    fn cache_hint(&self, _method: &str) -> CacheHint {
        CacheHint::public(5)
    }

    async fn call_tool(&self, context: &Context, _: ToolCall) -> Result<ToolResult, Error> {
        if context.revision() == Revision::NEWEST {
            return Err(Error::extended(receipt()));
        }
        Ok(ToolResult::text("paid"))
    }

    async fn call_extension(
        &self,
        _: &Context,
        method: &str,
        mut params: RawObject,
    ) -> Result<ExtensionResult, Error> {
        match method {
            "catalogue/get" => {
                params.insert("ttlMs".to_owned(), json!(1).into());
                let told = params.remove("_meta").unwrap();
                let told: RawObject = told.read().unwrap();
                if let Some(told) = told.get("com.example/told") {
                    let meta = json!({ "com.example/heard": told.to_value() });
                    params.insert("_meta".to_owned(), meta.into());
                }
                ExtensionResult::new(&params).map_err(|error| Error::internal(error.to_string()))
            }
            "catalogue/buy" => Ok(receipt()),
            "catalogue/hours" => {
                let wrong = ExtensionResult::new(&json!({})).unwrap();
                Ok(wrong.of_type("of no extension"))
            }
            _ => Err(Error::method_not_found(method)),
        }
    }
}

fn receipt() -> ExtensionResult {
    let result = ExtensionResult::new(&json!({ "paid": true }));
    result.unwrap().of_type("receipt")
}

fn shop() -> HttpService<Shop> {
    HttpService::new(Shop, Options::default())
}

fn declared() -> Value {
    json!({ "extensions": { NAME: {} } })
}

fn get() -> Call {
    let params = json!({ "sku": "a 1", "sizes": [1.5] });
    modern_as(&declared(), "catalogue/get", params).header("mcp-name", "a 1")
}

#[tokio::test]
async fn a_server_declares_its_extensions_in_discovery_and_in_no_older_revision() {
    let told = modern("server/discover", json!({}))
        .send(&shop())
        .await
        .json();
    assert_eq!(
        told["result"]["capabilities"]["extensions"],
        json!({ NAME: { "currency": "CHF" } })
    );
    let told = initialize("2025-11-25", &json!({}))
        .send(&shop())
        .await
        .json();
    assert_eq!(told["result"]["capabilities"], json!({ "tools": {} }));
}

#[tokio::test]
async fn a_method_of_an_extension_is_served_to_who_declares_it() {
    let answer = get().send(&shop()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["result"],
        json!({
            "resultType": "complete", "ttlMs": 5, "cacheScope": "public",
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "shop", "version": "1" } },
            "sku": "a 1", "sizes": [1.5],
        })
    );
    let params = json!({ "sku": "a" });
    let answer = modern("catalogue/get", params).header("mcp-name", "a");
    let answer = answer.send(&shop()).await;
    assert_eq!(answer.status, 400);
    let error = &answer.json()["error"];
    assert_eq!(error["code"], -32021);
    assert_eq!(
        error["data"],
        json!({ "requiredCapabilities": { "extensions": { NAME: {} } } })
    );
}

#[tokio::test]
async fn the_header_of_a_method_is_as_the_extension_says() {
    for (call, problem) in [
        (get().without("mcp-name"), "header Mcp-Name is missing"),
        (
            get().replace("mcp-name", "b"),
            "header Mcp-Name does not match the body",
        ),
    ] {
        let answer = call.send(&shop()).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"]["code"], -32020);
        assert_eq!(answer.json()["error"]["message"], problem);
    }
    // One that is there twice would be one thing to the header and another to the handler.
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"catalogue/get","params":{"sku":"a","sku":"b","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"extensions":{"com.example/catalogue":{}}}}}}"#;
    let call = crate::drive::post(text)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "catalogue/get")
        .header("mcp-name", "a");
    let answer = call.send(&shop()).await.json();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    // A method without such a member has no header.
    let answer = modern_as(&declared(), "catalogue/buy", json!({ "sku": "a" }));
    assert_eq!(answer.send(&shop()).await.status, 200);
}

#[tokio::test]
async fn a_kind_of_result_is_for_who_declares_the_extension() {
    let bought = modern_as(&declared(), "catalogue/buy", json!({}));
    let result = &bought.send(&shop()).await.json()["result"];
    assert_eq!(
        (&result["resultType"], &result["paid"]),
        (&json!("receipt"), &json!(true))
    );
    assert_eq!(result.get("ttlMs"), None);
    // A method of the core may be answered so too.
    let tool = json!({ "name": "buy" });
    let called = modern_as(&declared(), "tools/call", tool.clone());
    let result = &called.send(&shop()).await.json()["result"];
    assert_eq!(result["resultType"], "receipt");
    let refused = modern("tools/call", tool.clone())
        .send(&shop())
        .await
        .json();
    assert_eq!(refused["error"]["code"], -32603);
    // And a kind that no extension has goes to nobody.
    let wrong = modern("catalogue/hours", json!({}))
        .send(&shop())
        .await
        .json();
    assert_eq!(wrong["error"]["code"], -32603);
    let older = legacy("2025-11-25", "tools/call", &tool)
        .send(&shop())
        .await;
    assert_eq!(older.tool_text(), "paid");
}

#[tokio::test]
async fn a_method_of_no_extension_is_unknown_in_each_revision() {
    let answer = modern_as(&declared(), "catalogue/sell", json!({}));
    let answer = answer.send(&shop()).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (404, &json!(-32601))
    );
    for revision in Revision::over_http().filter(|revision| *revision != Revision::NEWEST) {
        let call = legacy(revision.as_str(), "catalogue/get", &json!({ "sku": "a" }));
        let answer = call.send(&shop()).await.json();
        assert_eq!(answer["error"]["code"], -32601, "{revision}");
    }
    let other = HttpService::new(crate::drive::Server::default(), Options::default());
    assert_eq!(get().send(&other).await.status, 404);
}

#[tokio::test]
async fn the_gate_knows_what_a_request_of_an_extension_is_about() {
    let options = Options {
        gate: Some(std::sync::Arc::new(|_, operation| {
            let named = operation.name.as_deref() == Some("a 1");
            if operation.method == "catalogue/get" && named {
                let refused = Response::builder().status(403).body(Bytes::new());
                return Err(Box::new(refused.unwrap()));
            }
            Ok(())
        })),
        ..Options::default()
    };
    let service = HttpService::new(Shop, options);
    assert_eq!(get().send(&service).await.status, 403);
}

/// The server in the place of a network.
pub(crate) struct Bridge<H>(HttpService<H>);

impl<H> Clone for Bridge<H> {
    fn clone(&self) -> Self {
        Bridge(self.0.clone())
    }
}

impl<H: Handler> Service<Request<Bytes>> for Bridge<H> {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        parts.headers.insert("host", "localhost".parse().unwrap());
        let answer = self.0.call(Request::from_parts(parts, Full::new(body)));
        Box::pin(async move {
            let (parts, body) = answer.await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Response::from_parts(parts, AnswerBody::from(body)))
        })
    }
}

pub(crate) fn client<H: Handler>(handler: H) -> Client<Bridge<H>> {
    let service = Bridge(HttpService::new(handler, Options::default()));
    let endpoint = "http://localhost/mcp".parse().unwrap();
    Client::new(service, endpoint, Implementation::new("tester", "1"))
}

#[tokio::test]
async fn a_client_calls_what_it_declares() {
    let client = client(Shop).with_extension(catalogue());
    let params = json!({
        "sku": "ü 1",
        "_meta": { "com.example/told": 7, "progressToken": "mine", "io.modelcontextprotocol/protocolVersion": "1" },
    });
    let mut got = client
        .call_extension("catalogue/get", &params)
        .await
        .unwrap();
    assert_eq!(got.result_type, "complete");
    assert_eq!(got.members.remove("sku").unwrap().get(), r#""ü 1""#);
    assert_eq!(got.members["_meta"].to_value()["com.example/heard"], 7);
    let bought = client
        .call_extension("catalogue/buy", &json!({}))
        .await
        .unwrap();
    assert_eq!(bought.result_type, "receipt");
    assert_eq!(bought.members["paid"].get(), "true");
    let none = serde_json::value::RawValue::from_string("{}".into()).unwrap();
    match client.call_tool("buy", &none).await {
        Err(ClientError::Extended(extended)) => assert_eq!(extended.result_type, "receipt"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_asks_for_nothing_that_it_does_not_declare() {
    let bare = client(Shop);
    for (client, method) in [
        (&bare, "catalogue/get"),
        (&client(Shop).with_extension(catalogue()), "tools/call"),
        (
            &client(Shop)
                .with_extension(catalogue())
                .starting_with(Revision::V2025_11_25),
            "catalogue/get",
        ),
    ] {
        let refused = client.call_extension(method, &json!({})).await;
        assert!(
            matches!(&refused, Err(ClientError::NoExtension { method: named }) if named == method),
            "{refused:?}"
        );
    }
    let wrong = client(Shop).with_extension(catalogue());
    let refused = wrong.call_extension("catalogue/get", &[1]).await;
    assert!(
        matches!(refused, Err(ClientError::Arguments)),
        "{refused:?}"
    );
    // A server that does not have it says so.
    let lonely = client(crate::drive::Server::default()).with_extension(catalogue());
    let refused = lonely.call_extension("catalogue/buy", &json!({})).await;
    assert!(
        matches!(&refused, Err(ClientError::Rpc { error, .. }) if error.code == -32601),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_kind_of_result_that_was_not_declared_is_no_answer() {
    #[derive(Clone)]
    struct Careless;
    impl Service<Request<Bytes>> for Careless {
        type Response = Response<AnswerBody>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<AnswerBody>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            let asked: Value = serde_json::from_slice(request.body()).unwrap();
            let result = match asked["method"].as_str() {
                Some("server/discover") => {
                    json!({ "supportedVersions": ["2026-07-28"], "capabilities": {} })
                }
                _ => json!({ "resultType": "receipt", "content": [] }),
            };
            let text = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }).to_string();
            let answer = Response::builder().header("content-type", "application/json");
            let body = AnswerBody::from(Bytes::from(text));
            std::future::ready(Ok(answer.body(body).unwrap()))
        }
    }
    let endpoint = "http://localhost/mcp".parse().unwrap();
    let client = Client::new(Careless, endpoint, Implementation::new("tester", "1"));
    let none = serde_json::value::RawValue::from_string("{}".into()).unwrap();
    let called = client.call_tool("buy", &none).await;
    assert!(
        matches!(&called, Err(ClientError::Answer(BadAnswer::UnknownResultType(kind))) if kind == "receipt"),
        "{called:?}"
    );
}
