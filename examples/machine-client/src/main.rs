//! A machine that gets a token by client credentials and calls an MCP server, on oauth-rs and egress-guard.
//!
//! `machine-client URL ISSUER CLIENT_ID` with a key (`MACHINE_KEY`, the name of a PEM file with a P-256 key) or a
//! secret (`MACHINE_SECRET`) in the environment.

#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use egress_guard::{Client, Limits, Policy};
use http::{Request, Response, StatusCode, header};
use oauth_rs::client::machine::{Credential, Grant, Machine, MachineOptions, Step};
use oauth_rs::jose::{Alg, SigningKey};
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::Issuer;

/// The question to the server: what it offers.
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"machine-client","version":"0.1.0"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, issuer, client_id] = arguments.as_slice() else {
        println!("usage: MACHINE_KEY=FILE|MACHINE_SECRET=TEXT machine-client URL ISSUER CLIENT_ID");
        return ExitCode::FAILURE;
    };
    // A server chooses where discovery leads, so the client that follows must not be led astray.
    // Plain http is for servers on this machine; for all others it is https and public addresses.
    let policy = if url.starts_with("http://") {
        Policy::dangerous_allow_loopback()
    } else {
        Policy::strict()
    };
    let http = Client::new(policy, Limits::default());
    let send = async |request| Ok(http.send(request).await?);
    let outcome = match credential() {
        Ok(credential) => {
            run(url, issuer, client_id, credential, send, |line| {
                println!("{line}")
            })
            .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("Stopped: {error}.");
            ExitCode::FAILURE
        }
    }
}

/// A key is better than a secret: it never leaves this machine.
fn credential() -> Result<Credential, Box<dyn Error>> {
    if let Some(file) = std::env::var_os("MACHINE_KEY") {
        let pem = Secret::new(std::fs::read_to_string(file)?);
        let key = SigningKey::from_pem(pem.expose(), Alg::Es256)?;
        return Ok(Credential::Key(Arc::new(key)));
    }
    let secret = std::env::var("MACHINE_SECRET");
    let secret = secret.map_err(|_| "neither MACHINE_KEY nor MACHINE_SECRET is set")?;
    Ok(Credential::Secret(Secret::new(secret)))
}

/// Calls the server, with a token as soon as it wants one.
async fn run(
    url: &str,
    issuer: &str,
    client_id: &str,
    credential: Credential,
    mut send: impl AsyncFnMut(Request<Bytes>) -> Result<Response<Bytes>, Box<dyn Error>>,
    mut tell: impl FnMut(String),
) -> Result<(), Box<dyn Error>> {
    // 1. The credential belongs to one issuer. A server that names another does not get to see it used.
    let issuer = Issuer::parse(issuer)?;
    let options = MachineOptions::new(issuer, client_id, credential, Grant::ClientCredentials);
    let mut machine = Machine::new(url, options)?;

    // 2. Ask without a token. The refusal says where to read on.
    let refused = send(question(url)?).await?;
    tell(format!("asked without a token: {}", refused.status()));
    if refused.status() != StatusCode::UNAUTHORIZED {
        return Err("it did not ask for a token".into());
    }
    machine.handle_challenge(refused.status(), refused.headers());

    // 3. Let the machine decide what to fetch, and fetch it, until there is a token.
    let access = loop {
        match machine.next_step(now(), &random) {
            Step::Fetch(request) => {
                tell(format!("{} {}", request.method(), request.uri()));
                match send(request.map(Bytes::from)).await {
                    Ok(response) => {
                        machine.handle_response(&response.map(|body| body.to_vec()), now());
                    }
                    Err(error) => machine.handle_failure(&error.to_string()),
                }
            }
            Step::Done(access) => break access,
            Step::Failed(reason) => return Err(reason.into()),
        }
    };

    // 4. Ask again, with the token. A program that goes on asks the machine before each call.
    let mut call = question(url)?;
    let headers = access.headers(call.method(), url, &Default::default(), now(), &random)?;
    call.headers_mut().extend(headers);
    let answer = send(call).await?;
    tell(format!("asked with the token: {}", answer.status()));
    if !answer.status().is_success() {
        return Err("the token is not accepted".into());
    }
    machine.accepted();
    // What the server writes is quoted, so that it cannot pretend to be ours.
    tell(format!(
        "answer: {:?}",
        String::from_utf8_lossy(answer.body())
    ));
    Ok(())
}

fn question(url: &str) -> Result<Request<Bytes>, http::Error> {
    Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list")
        .body(Bytes::from_static(QUESTION.as_bytes()))
}

/// The operating system's clock; the machine has none of its own.
fn now() -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    UnixSeconds(since.as_secs())
}

/// The operating system's random source.
fn random(dest: &mut [u8]) {
    // Without randomness nothing of this is worth doing.
    if getrandom::fill(dest).is_err() {
        std::process::abort();
    }
}
