//! The whole way from a 401 to a token, as a machine without I/O that says what to do next.
//!
//! ```
//! use std::io;
//!
//! use oauth_rs::client::flow::{Access, Flow, FlowFailed, FlowOptions, Step, StoredGrant};
//! use oauth_rs::entropy::Entropy;
//! use oauth_rs::secret::Secret;
//! use oauth_rs::time::UnixSeconds;
//! use oauth_rs::uri::RedirectUri;
//!
//! fn token(
//!     flow: &mut Flow,
//!     now: impl Fn() -> UnixSeconds,
//!     entropy: &dyn Entropy,
//!     mut send: impl FnMut(http::Request<Vec<u8>>) -> io::Result<http::Response<Vec<u8>>>,
//!     mut browser: impl FnMut(&str, &Secret) -> String,
//!     mut save: impl FnMut(&StoredGrant),
//! ) -> Result<Access, FlowFailed> {
//!     loop {
//!         match flow.next_step(now(), entropy) {
//!             Step::Fetch(request) => match send(request) {
//!                 Ok(response) => flow.handle_response(&response, now()),
//!                 Err(error) => flow.handle_failure(&error.to_string()),
//!             },
//!             Step::OpenBrowser { url, state } => flow.handle_callback(&browser(&url, &state)),
//!             Step::Store(grant) => save(&grant),
//!             Step::Done(access) => return Ok(access),
//!             Step::Failed(reason) => return Err(reason),
//!         }
//!     }
//! }
//!
//! // A server that says nothing about itself: both places are asked, and nobody is sent to a browser.
//! let options = FlowOptions::new("CLI", RedirectUri::parse("http://127.0.0.1/callback")?);
//! let mut flow = Flow::new("https://rs.example/mcp", None, options)?;
//! let mut asked = Vec::new();
//! let nothing = |request: http::Request<Vec<u8>>| {
//!     asked.push(request.uri().to_string());
//!     Ok(http::Response::builder().status(404).body(Vec::new()).unwrap())
//! };
//! let zeros = |dest: &mut [u8]| dest.fill(0);
//! let failed = token(&mut flow, || UnixSeconds(0), &zeros, nothing, |_, _| String::new(), |_| ());
//! assert!(matches!(failed, Err(FlowFailed::Discovery { .. })));
//! assert_eq!(
//!     asked,
//!     [
//!         "https://rs.example/.well-known/oauth-protected-resource/mcp",
//!         "https://rs.example/.well-known/oauth-protected-resource",
//!     ]
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod authorization;
mod binding;
mod challenge;
mod discovery;
mod failed;
mod grant;
mod machine;
mod options;
mod profile;
mod registration;
mod state;
mod step;
mod tokens;

pub use access::{Access, AccessRefused, MAX_NONCE_BYTES, Nonces, asks_for_nonce, prove};
pub use discovery::MAX_SERVERS;
pub use failed::{AddressRefused, FlowFailed};
pub use grant::StoredGrant;
pub use machine::{Flow, MAX_ATTEMPTS};
pub use options::{FlowOptions, Registration};
pub use profile::{Event, Leniency, Profile};
pub use step::Step;

#[cfg(test)]
mod tests;
