//! `stdio`: Didit's tools for one program on this machine, over standard input and output.

use std::error::Error;
use std::sync::Arc;

use mcp_protocol::serve::Pipe;
use oauth_rs::entropy::Entropy;
use oauth_rs::time::Clock as _;

use crate::config::Stdio;
use crate::settings::SettingsArgs;
use crate::stop::Stop;
use crate::system::{SystemClock, SystemEntropy};
use crate::wiring::{local, outside};

/// Serve Didit's tools over standard input and output, with the token in `DIDIT_ACCESS_TOKEN` or without one.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs until the client closes its side or the process is asked to stop.
pub(crate) async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let (config, layers) = args.settings.read(Stdio::read)?;
    for warning in &layers.warnings {
        tracing::warn!("{warning}");
    }
    let mut asked = Stop::listen()?;
    let client = outside::hosted_client(&config.tools);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let tools = local::tools(config, client, Arc::new(|| SystemClock.now().0), &entropy)?;
    let pipe = Pipe::new(tools, local::options());
    tokio::select! {
        served = pipe.serve(tokio::io::stdin(), tokio::io::stdout()) => served?,
        () = asked.asked() => {}
    }
    Ok(())
}
