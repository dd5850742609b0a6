//! `serve`: the MCP endpoint for the public, with tokens of an issuer elsewhere.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::config::source::Layers;
use crate::config::{Acting as Chosen, Serve, shown};
use crate::listen::{Limits, Listener, serve};
use crate::settings::{SettingsArgs, read_private};
use crate::stop::Stop;
use crate::system::{SystemClock, SystemEntropy};
use crate::wiring::hosted::acting::{Acting, supplied};
use crate::wiring::{hosted, outside};

/// Serve the MCP endpoint with Didit's tools, for tokens of Didit's authorization server.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Print the effective configuration with the source of each setting, and do nothing else
    #[arg(long)]
    check: bool,
    /// Print one line of JSON when ready, and nothing else on stdout
    #[arg(long, conflicts_with = "check")]
    json: bool,
}

/// The largest file of credentials.
const MAX_CREDENTIALS_BYTES: u64 = 8 * 1024 * 1024;

/// Runs until the process is asked to stop.
pub(crate) async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let (config, layers) = args.settings.read(Serve::read)?;
    if args.check {
        io::stdout().write_all(shown::table(&layers).as_bytes())?;
        return Ok(());
    }
    told(&config, &layers);
    let mut asked = Stop::listen()?;
    let stop = CancellationToken::new();
    let listener = Listener::at(config.listen, "--port").await?;
    let outside = hosted::Outside {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::new()),
        client: outside::hosted_client(&config.tools),
        acting: acting(&config)?,
        stop: stop.clone(),
    };
    let hosted = hosted::assemble(&config, outside)?;
    let limits = Limits {
        connections: config.connections,
        drain: config.drain,
        ..Limits::default()
    };
    let address = listener.address();
    tracing::info!(%address, resource = config.resource.as_str(), "ready");
    if args.json {
        let ready = Ready {
            address: address.to_string(),
            resource: config.resource.as_str(),
        };
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, &ready)?;
        writeln!(out)?;
        out.flush()?;
    }
    let server = tokio::spawn(serve(listener, hosted.service, limits, stop.clone()));
    // What nobody waits for; a request that needs the document waits for the same fetch.
    drop(tokio::spawn(async move { drop(hosted.warm_up.await) }));
    asked.asked().await;
    tracing::info!("stopping");
    stop.cancel();
    server.await?;
    Ok(())
}

/// The one line of `--json`.
#[derive(Serialize)]
struct Ready<'a> {
    address: String,
    resource: &'a str,
}

/// What an operator should know of the configuration, once.
fn told(config: &Serve, layers: &Layers) {
    for warning in &layers.warnings {
        tracing::warn!("{warning}");
    }
    if config.tools.dangerous_allow_loopback {
        tracing::warn!("didit.dangerous_allow_loopback: addresses on this machine can be reached");
    }
    if layers.get("tools.pdf_download_key").is_some() {
        tracing::warn!(
            "tools.pdf_download_key has no effect: no links are made that carry a token"
        );
    }
    if !config.listen.ip().is_loopback() {
        tracing::warn!(
            address = %config.listen,
            "other machines reach this without TLS: let a proxy end it"
        );
    }
}

/// Whose credential goes to Didit.
fn acting(config: &Serve) -> Result<Acting, Box<dyn Error>> {
    match &config.credential {
        Chosen::CallersToken { .. } => Ok(Acting::CallersToken),
        Chosen::File(path) => Ok(file(path)?),
    }
}

fn file(path: &Path) -> Result<Acting, String> {
    let text = read_private(path, MAX_CREDENTIALS_BYTES)?;
    supplied(text.expose()).map_err(|why| format!("{} {why}", path.display()))
}
