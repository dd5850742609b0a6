//! Every endpoint as one tower service.

mod authorize;
mod body;
mod budget;
mod client;
mod cookie;
mod cors;
mod front;
mod person;
mod register;
mod respond;
mod revoke;
mod service;
mod token;
mod transact;
mod withdraw;

pub(crate) use self::budget::Budget;
pub(crate) use self::client::Waiting;
pub use self::service::{BoxError, ResponseBody, ResponseFuture, Service};
