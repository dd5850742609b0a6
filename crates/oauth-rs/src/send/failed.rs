//! Why a call brought no answer.

use std::sync::Arc;

use thiserror::Error;

use super::browser::ProgramError;
use crate::client::flow::{AccessRefused, FlowFailed};
use crate::client::renewal::RenewalFailed;
use crate::client::store::StoreError;

/// Why a call through [`SignedIn`](super::SignedIn) failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallFailed {
    /// The service below failed; the request may have been sent.
    #[error(transparent)]
    Inner(ProgramError),
    /// There was no token to be had.
    #[error(transparent)]
    SignIn(#[from] SignInFailed),
}

/// Why there was no token to be had.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SignInFailed {
    /// The way to a token ended.
    #[error("signing in failed: {0}")]
    Flow(FlowFailed),
    /// The token could not be renewed; the grant may still be good.
    #[error("{0}")]
    Renewal(RenewalFailed),
    /// The program's part of the sign-in, the browser, failed.
    #[error("the browser did not come back: {0}")]
    Browser(Arc<dyn std::error::Error + Send + Sync>),
    /// The call cannot carry the token.
    #[error("the token cannot be sent: {0}")]
    Access(AccessRefused),
    /// The store of grants could not be read.
    #[error("the store of grants cannot be used: {0}")]
    Store(StoreError),
    /// A person is to sign in, and the program has no way to ask one.
    #[error("nobody is signed in, and nobody can be asked")]
    NobodyToAsk,
    /// It took longer than it may.
    #[error("{0} took too long")]
    TimedOut(&'static str),
    /// More steps than any sign-in has.
    #[error("the sign-in goes round in circles")]
    Circles,
    /// The work was dropped by whoever was to carry it on.
    #[error("the sign-in was broken off")]
    BrokenOff,
}
