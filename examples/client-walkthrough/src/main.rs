//! The way of a client from a 401 to a token, told step by step, on oauth-rs and egress-guard.
//!
//! `client-walkthrough URL` goes to any server that is protected as the Model Context Protocol asks.

#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod callback;
mod tell;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;
use std::time::SystemTime;

use bytes::Bytes;
use egress_guard::{Client, Limits, Policy};
use http::{Request, StatusCode};
use oauth_rs::client::flow::{Flow, FlowOptions, Step};
use oauth_rs::time::UnixSeconds;

use crate::callback::Callback;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        println!("usage: client-walkthrough URL");
        return ExitCode::FAILURE;
    };
    let opened_by_hand = |_: &str| println!("   open it on this machine; waiting for the browser");
    match walk(&url, opened_by_hand, |line| println!("{line}")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("Stopped: {error}.");
            ExitCode::FAILURE
        }
    }
}

/// Walks from a first request without a token to one that carries it.
async fn walk(
    url: &str,
    open: impl Fn(&str),
    mut tell: impl FnMut(String),
) -> Result<(), Box<dyn Error>> {
    // A server chooses where discovery leads, so the client that follows must not be led astray.
    // Plain http is for servers on this machine; for all others it is https and public addresses.
    let policy = if url.starts_with("http://") {
        Policy::dangerous_allow_loopback()
    } else {
        Policy::strict()
    };
    let http = Client::new(policy, Limits::default());

    // 1. Knock. The refusal says where to read on.
    let knock = Request::get(url).body(Bytes::new())?;
    tell(tell::sent(&knock));
    let refused = http.send(knock).await?;
    tell::learned(&refused, &mut tell);
    if refused.status() != StatusCode::UNAUTHORIZED {
        return Err("it did not ask for a token".into());
    }

    // 2. Let the machine decide what to do next, and do it, until there is a token.
    let callback = Callback::bind().await?;
    let options = FlowOptions::new("Client walkthrough", callback.redirect_uri().clone());
    let mut flow = Flow::new(url, None, options)?;
    flow.handle_challenge(refused.status(), refused.headers());
    let access = loop {
        match flow.next_step(now(), &random) {
            Step::Fetch(request) => {
                tell(tell::sent(&request));
                match http.send(request.map(Bytes::from)).await {
                    Ok(response) => {
                        tell::learned(&response, &mut tell);
                        flow.handle_response(&response.map(|body| body.to_vec()), now());
                    }
                    Err(error) => flow.handle_failure(&error.to_string()),
                }
            }
            Step::OpenBrowser { url, state } => {
                tell(format!("-> the browser: {url}"));
                open(&url);
                let query = callback.wait(&state).await?;
                tell("<- the browser came back".to_owned());
                flow.handle_callback(&query);
            }
            Step::Store(grant) => tell(tell::kept(&grant)),
            Step::Done(access) => break access,
            Step::Failed(reason) => return Err(reason.into()),
        }
    };

    // 3. Knock again, with the token.
    let mut knock = Request::get(url).body(Bytes::new())?;
    let headers = access.headers(knock.method(), url, flow.nonces(), now(), &random)?;
    knock.headers_mut().extend(headers);
    tell(tell::sent(&knock));
    let answer = http.send(knock).await?;
    tell::learned(&answer, &mut tell);
    if answer.status() == StatusCode::UNAUTHORIZED {
        return Err("the token is not accepted".into());
    }
    tell("The token is accepted.".to_owned());
    Ok(())
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
