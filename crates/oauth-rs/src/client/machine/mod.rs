//! The way to a token without a person at a browser, as a machine without I/O.
//!
//! Three grants: client credentials, an assertion of the platform (workload identity), and
//! enterprise-managed authorization (ID-JAG).
//! No token is kept between runs, since the machine can ask again at any time.
//!
//! ```
//! use oauth_rs::client::flow::{Access, FlowFailed};
//! use oauth_rs::client::machine::{Credential, Grant, Machine, MachineOptions, Step};
//! use oauth_rs::entropy::Entropy;
//! use oauth_rs::secret::Secret;
//! use oauth_rs::time::UnixSeconds;
//! use oauth_rs::uri::Issuer;
//!
//! fn token(
//!     machine: &mut Machine,
//!     now: impl Fn() -> UnixSeconds,
//!     entropy: &dyn Entropy,
//!     mut send: impl FnMut(http::Request<Vec<u8>>) -> http::Response<Vec<u8>>,
//! ) -> Result<Access, FlowFailed> {
//!     loop {
//!         match machine.next_step(now(), entropy) {
//!             Step::Fetch(request) => machine.handle_response(&send(request), now()),
//!             Step::Done(access) => return Ok(access),
//!             Step::Failed(reason) => return Err(reason),
//!         }
//!     }
//! }
//!
//! let secret = Credential::Secret(Secret::new("hush"));
//! let issuer = Issuer::parse("https://as.example")?;
//! let options = MachineOptions::new(issuer, "robot", secret, Grant::ClientCredentials);
//! let mut machine = Machine::new("https://rs.example/mcp", options)?;
//! // A resource that names another authorization server does not get the secret sent there.
//! let send = |_| {
//!     let body = r#"{"resource":"https://rs.example/mcp","authorization_servers":["https://evil.example"]}"#;
//!     http::Response::new(body.as_bytes().to_vec())
//! };
//! let zeros = |dest: &mut [u8]| dest.fill(0);
//! let failed = token(&mut machine, || UnixSeconds(0), &zeros, send).unwrap_err();
//! assert!(matches!(failed, FlowFailed::OtherIssuer { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod discovery;
mod flow;
mod options;
mod step;

pub use flow::{MAX_STEP_UPS, Machine};
pub use options::{Credential, Grant, IdentityProvider, MachineOptions};
pub use step::Step;

#[cfg(test)]
mod tests;
