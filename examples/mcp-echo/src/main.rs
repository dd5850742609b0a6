//! An MCP server with one tool, for clients of both eras, on mcp-protocol alone.
//!
//! `mcp-echo [PORT]` prints curl lines for both eras, and serves over HTTP. `mcp-echo --stdio` serves
//! over standard input and output, and prints nothing else there.

#![expect(
    clippy::unwrap_used,
    reason = "an example stops at the first surprise; a server tells its operator"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it prints is its purpose"
)]

mod echo;
mod requests;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use mcp_protocol::serve::{HttpService, Options, Pipe};
use tokio::net::TcpListener;

use crate::echo::Echo;
use crate::requests::{curl, requests};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let argument = std::env::args().nth(1);
    if argument.as_deref() == Some("--stdio") {
        return over_stdio().await;
    }
    let port = argument.map_or(0, |port| port.parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());

    let service = serve();
    println!("{}", told(&url));

    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// Serves the client that started this program, until it closes standard input.
#[expect(
    clippy::exit,
    reason = "a read of standard input that is under way would keep the program alive"
)]
async fn over_stdio() {
    let pipe = Pipe::new(Echo, Options::default());
    let ended = pipe.serve(tokio::io::stdin(), tokio::io::stdout()).await;
    if let Err(error) = ended {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// The handler as a service of `http` requests; it answers at any path.
fn serve() -> HttpService<Echo> {
    HttpService::new(Echo, Options::default())
}

/// A curl line for each request.
fn told(url: &str) -> String {
    let mut lines = vec![format!(
        "The tool is at {url}. Paste into another terminal:"
    )];
    for post in requests() {
        lines.push(format!("\n# {}: 200", post.what));
        lines.push(curl(url, &post, ""));
    }
    lines.join("\n")
}
