//! The async shell: a handler trait, a context for each request, and two ways to serve it.
//!
//! Write a [`Handler`], give it to an [`HttpService`] with [`Options`], and mount that on any HTTP
//! server that speaks `tower` and `http`; or give it to a [`Pipe`], for standard input and output.

mod batch;
mod body;
mod context;
mod dispatch;
mod error;
mod exchange;
mod handler;
mod listen;
mod options;
mod post;
mod request;
mod resume;
mod round;
#[cfg(feature = "seal")]
mod sealed_ids;
#[cfg(feature = "seal")]
mod sealing;
#[cfg(not(feature = "seal"))]
#[path = "unsealed.rs"]
mod sealing;
mod service;
mod session;
mod sessions;
mod since;
mod spoken;
mod stdio;
mod streams;
mod task;
mod tasks;

pub use body::Body;
pub use context::{Answers, Context};
pub use error::Error;
pub use handler::Handler;
pub use listen::{Change, Changes};
pub use options::{
    AuthorizationEnd, DeliveryCheck, Ending, Gate, Operation, Options, PrincipalKey,
};
#[cfg(feature = "seal")]
pub use sealing::Sealing;
pub use service::HttpService;
pub use sessions::SessionLimits;
pub use stdio::{Pipe, PipeError, PipeLimits};
pub use task::{TaskContext, TaskTerms};
pub use tasks::TaskLimits;
