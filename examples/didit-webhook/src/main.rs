//! A receiver of Didit's webhooks, on didit-client's verification alone.
//!
//! `DIDIT_WEBHOOK_SECRET=… didit-webhook 127.0.0.1:3004` prints a line for each event, and for each delivery that it refuses.

#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod receive;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use didit_client::Secret;
use didit_client::webhook::{Receiver, Recipe, Secrets};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::receive::Hook;

/// Connections that are served at once; Didit sends from one address and needs few.
const CONNECTIONS: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1);
    // While the secret is being changed: the old one and the new one, with a comma between them.
    let secrets = std::env::var("DIDIT_WEBHOOK_SECRET");
    let (Some(address), Ok(secrets)) = (address, secrets) else {
        println!("usage: DIDIT_WEBHOOK_SECRET=SECRET[,SECRET] didit-webhook ADDRESS:PORT");
        return ExitCode::FAILURE;
    };
    match serve(&address, &secrets).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("stopped   {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str, secrets: &str) -> Result<(), Box<dyn Error>> {
    let secrets = Secrets::new(secrets.split(',').map(Secret::new))?;
    let receiver = Receiver::new(Recipe::Body, secrets);
    let hook = Arc::new(Hook::new(receiver, now, |line| println!("{line}")));
    let listener = TcpListener::bind(address).await?;
    println!("listening {}", listener.local_addr()?);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await?;
        let (stream, _) = listener.accept().await?;
        let hook = Arc::clone(&hook);
        let service = service_fn(move |request| {
            let hook = Arc::clone(&hook);
            async move { hook.answer(request).await }
        });
        tokio::spawn(async move {
            // A connection that breaks is its client's affair.
            let _ended = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(place);
        });
    }
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs())
}
