//! The person's part, without a listener: the browser ends on a page that does not load, and its address is pasted here.
//!
//! It works over a remote terminal too. A program with a listener on the loopback is `mcp-server login`.

use std::io::BufRead as _;

use oauth_rs::secret::Secret;
use oauth_rs::send::{Pending, ProgramError, Visit, VisitWith};
use oauth_rs::uri::RedirectUri;

/// Where the browser is sent back to; nobody listens there.
pub(crate) const CALLBACK: &str = "http://127.0.0.1/callback";

/// Makes ready for one visit.
pub(crate) fn ask() -> Pending<'static, Box<dyn Visit>> {
    Box::pin(async {
        let back: Box<dyn Visit> = Box::new(VisitWith::new(
            RedirectUri::parse(CALLBACK)?,
            |url, _| {
                println!(
                    "Open this address, agree, and paste the address of the page that does not load:\n{url}"
                );
                Box::pin(async { pasted().await })
            },
        ));
        Ok(back)
    })
}

async fn pasted() -> Result<Secret, ProgramError> {
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    query(line.await??.trim())
}

/// What the browser brings back.
pub(crate) fn query(address: &str) -> Result<Secret, ProgramError> {
    address
        .strip_prefix(CALLBACK)
        .and_then(|rest| rest.strip_prefix('?'))
        .map(Secret::new)
        .ok_or_else(|| format!("that address does not begin with {CALLBACK}?").into())
}
