//! The flow and the renewal of tokens as a tower layer: calls go in without a token and come out signed in.
//!
//! The layer goes around any service of `http::Request<Bytes>`, whatever the body of its answers.
//! It needs a tokio runtime with time.
//!
//! ```
//! use std::sync::Arc;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use oauth_rs::client::flow::FlowOptions;
//! use oauth_rs::client::store::TokenStore;
//! use oauth_rs::entropy::Entropy;
//! use oauth_rs::send::{Browser, CallFailed, Egress, ProgramError, Seams, SignInLayer};
//! use oauth_rs::time::Clock;
//! use oauth_rs::uri::RedirectUri;
//! use tower_layer::Layer as _;
//! use tower_service::Service;
//!
//! fn signed_in<S, E>(
//!     server: S,
//!     oauth: E,
//!     store: Arc<dyn TokenStore>,
//!     browser: Arc<dyn Browser>,
//!     clock: Arc<dyn Clock>,
//!     entropy: Arc<dyn Entropy>,
//! ) -> Result<impl Service<Request<Bytes>, Response = S::Response, Error = CallFailed> + Clone, Box<dyn std::error::Error>>
//! where
//!     S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + 'static,
//!     S::Error: Into<ProgramError>,
//!     S::Future: Send,
//!     E: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + 'static,
//!     E::Error: Into<ProgramError>,
//!     E::Future: Send,
//! {
//!     let options = FlowOptions::new("My client", RedirectUri::parse("http://127.0.0.1/callback")?);
//!     let seams = Seams {
//!         store,
//!         egress: Egress::new(oauth),
//!         browser: Some(browser),
//!         clock,
//!         entropy,
//!         spawn: Arc::new(|work| drop(tokio::spawn(work))),
//!     };
//!     Ok(SignInLayer::new("https://rs.example/mcp", options, seams)?.layer(server))
//! }
//! ```

mod browser;
mod egress;
mod failed;
mod flight;
mod options;
mod renew;
mod service;
mod shared;
mod sign_in;
#[cfg(test)]
mod tests;

pub use browser::{Browser, Pending, ProgramError, Visit, VisitWith};
pub use egress::Egress;
pub use failed::{CallFailed, SignInFailed};
pub use options::{Notice, Seams, Waits, Work};
pub use service::{SignInLayer, SignedIn};
