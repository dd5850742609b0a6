//! A plain axum API that only accepts access tokens made for it: `protect-an-axum-api RESOURCE ISSUER`.
#![expect(clippy::unwrap_used, reason = "an example stops at the first surprise")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its log")]

mod issuer;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::{MatchedPath, Request};
use axum::{Extension, Router, middleware::map_response, response::Response, routing::get};
use oauth_rs::{jose::dpop::Rules, uri::ResourceId};
use resource_guard::{Guard, GuardConfig, GuardLayer, Operations, Principal, Refused, Requirement};
use tokio::net::TcpListener;

use crate::issuer::Trust;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let resource = arguments.next().unwrap();
    let trust = issuer::named(&arguments.next().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}/notes", listener.local_addr().unwrap());
    axum::serve(listener, api(&resource, trust)).await.unwrap();
}

fn api(resource: &str, trust: Trust) -> Router {
    let needs = |scope| Requirement::any_of([scope]).unwrap();
    let operations = Operations::new([
        ("GET /notes", needs("notes:read")),
        ("POST /notes", needs("notes:write")),
    ]);
    let config = GuardConfig::new(ResourceId::parse(resource).unwrap(), trust.issuer)
        .operations(operations.unwrap())
        .dpop(Rules::default());
    let guard = Arc::new(Guard::new(config).unwrap());
    let layer = GuardLayer::new(guard, trust.source, Arc::new(issuer::now)).operation(|request| {
        let route = request.extensions.get::<MatchedPath>()?;
        Some(format!("{} {}", request.method, route.as_str()))
    });
    Router::new()
        .route("/notes", get(notes).post(notes))
        .layer(layer)
        .layer(map_response(log))
}

async fn notes(Extension(who): Extension<Principal>, request: Request) -> String {
    format!("{} may {} notes\n", who.subject, request.method())
}

async fn log(response: Response) -> Response {
    if let Some(refused) = response.extensions().get::<Refused>() {
        println!("{} {refused}", response.status().as_u16());
    }
    response
}
