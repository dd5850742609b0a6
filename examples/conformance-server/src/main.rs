//! The fixture server that the official MCP conformance suite asks for, on mcp-protocol alone.
//!
//! `conformance-server --listen 127.0.0.1:PORT` prints `listening on http://127.0.0.1:PORT/mcp` and
//! serves until it is stopped. Port 0 takes any free port. `conformance-server --stdio` serves one client over its
//! standard input and output.

mod fixture;
mod keyed;

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mcp_protocol::seal::{Key, Keys};
use mcp_protocol::serve::{Body, HttpService, Options, Pipe, Sealing, SessionLimits, TaskLimits};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service as _;

use crate::fixture::Fixture;
use crate::keyed::Keyed;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let over = command_line(std::env::args().skip(1))?;
    let address = match over {
        Over::Stdio => return stdio().await,
        Over::Http(address) => address,
    };
    let listener = TcpListener::bind(address).await?;
    writeln!(
        std::io::stdout(),
        "listening on http://{}/mcp",
        listener.local_addr()?
    )?;

    let service = HttpService::new(Fixture::new()?, options());
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve(stream, service.clone()))),
            // Too many open connections pass, and are no reason to stop serving those that are open.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves one client over the standard input and output, until it closes its side.
async fn stdio() -> Result<(), Box<dyn Error>> {
    let pipe = Pipe::new(Fixture::new()?, options());
    Ok(pipe.serve(tokio::io::stdin(), tokio::io::stdout()).await?)
}

/// Sessions for the older revisions; tasks and sealed state for the newest; hosts and origins as the
/// library has them by default.
fn options() -> Options {
    let (sessions, tasks, salts) = (Keyed::new(), Keyed::new(), Keyed::new());
    let mut key = [0; 32];
    Keyed::new().fill(&mut key);
    Options {
        sessions: Some(SessionLimits::new(move |dest| sessions.fill(dest))),
        tasks: Some(TaskLimits::new(SystemTime::now, move |dest| {
            tasks.fill(dest);
        })),
        seal: Some(Sealing::new(
            Keys::new(Key::new(key)),
            SystemTime::now,
            move |dest| salts.fill(dest),
        )),
        ..Options::default()
    }
}

/// Serves one connection; `/mcp` is the only path.
async fn serve(stream: TcpStream, service: HttpService<Fixture>) {
    let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let mut service = service.clone();
        async move {
            if request.uri().path() == "/mcp" {
                return service.call(request).await;
            }
            let mut missing = http::Response::new(Body::default());
            *missing.status_mut() = http::StatusCode::NOT_FOUND;
            Ok(missing)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), answer);
    // A client that goes away in the middle is its own business.
    drop(connection.await);
}

/// What is served over.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    Http(SocketAddr),
    Stdio,
}

fn command_line(mut arguments: impl Iterator<Item = String>) -> Result<Over, Box<dyn Error>> {
    match (
        arguments.next().as_deref(),
        arguments.next(),
        arguments.next(),
    ) {
        (None, _, _) => Ok(Over::Http(SocketAddr::from(([127, 0, 0, 1], 0)))),
        (Some("--stdio"), None, _) => Ok(Over::Stdio),
        (Some("--listen"), Some(address), None) => {
            let address: SocketAddr = address.parse()?;
            if address.ip().is_loopback() {
                Ok(Over::Http(address))
            } else {
                Err("--listen takes a loopback address".into())
            }
        }
        _ => Err("usage: conformance-server [--listen 127.0.0.1:PORT | --stdio]".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Over, String> {
        command_line(arguments.iter().map(|a| (*a).to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_one_option() {
        let at = |port| Ok(Over::Http(SocketAddr::from(([127, 0, 0, 1], port))));
        assert_eq!(parse(&[]), at(0));
        assert_eq!(parse(&["--listen", "127.0.0.1:4001"]), at(4001));
        assert_eq!(parse(&["--stdio"]), Ok(Over::Stdio));
        assert!(parse(&["--stdio", "x"]).unwrap_err().contains("usage"));
        assert!(
            parse(&["--listen", "0.0.0.0:4001"])
                .unwrap_err()
                .contains("loopback")
        );
        assert!(parse(&["--listen"]).unwrap_err().contains("usage"));
        assert!(parse(&["--port", "1"]).unwrap_err().contains("usage"));
    }
}
