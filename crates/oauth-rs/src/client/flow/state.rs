//! The states of the machine.

use std::sync::Arc;

use super::discovery::{Search, ServerSearch};
use super::{FlowFailed, StoredGrant};
use crate::client::auth::Client;
use crate::client::authorize::Pending;
use crate::jose::SigningKey;
use crate::metadata::server::ServerMetadata;
use crate::secret::Secret;
use crate::uri::{Issuer, ResourceId};

/// What a token is wanted for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) resource: ResourceId,
    pub(super) scopes_supported: Vec<String>,
    /// Whether it takes no other tokens than those bound to a key.
    pub(super) bound_only: bool,
    /// With which algorithms proofs for it may be signed; any if it lists none.
    pub(super) proof_algs: Vec<String>,
}

/// What discovery found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) target: Target,
    pub(super) issuer: Issuer,
    pub(super) server: ServerMetadata,
}

/// One sign-in on its way.
#[derive(Debug)]
pub(super) struct SignIn {
    pub(super) found: Found,
    pub(super) client: Client,
    pub(super) pending: Pending,
    /// What its tokens are to be bound to.
    pub(super) key: Option<Arc<SigningKey>>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Look at what is there and decide.
    Start,
    /// Looking for the resource's metadata.
    Resource(Search),
    /// Looking for the server's metadata.
    Server(Box<ServerSearch>),
    /// Registering.
    Register(Box<Found>),
    /// The client is known; the authorization request is to be made.
    Prepare(Box<Found>, Client),
    /// The authorization request is handed in before the browser is sent.
    Push(Box<SignIn>),
    /// The browser is away.
    Away {
        sign_in: Box<SignIn>,
        /// Holds the state and the challenge.
        url: Secret,
    },
    /// Redeeming the code.
    Redeem {
        sign_in: Box<SignIn>,
        code: Secret,
    },
    /// Refreshing.
    Refresh(Box<StoredGrant>),
    /// New tokens are to be kept.
    Keep,
    /// There is a token to use.
    Ready,
    Failed(FlowFailed),
}

impl State {
    /// Where tokens are being asked for, if they are.
    pub(super) fn token_endpoint(&self) -> Option<&str> {
        match self {
            Self::Redeem { sign_in, .. } => sign_in.found.server.token_endpoint.as_deref(),
            Self::Refresh(grant) => Some(&grant.token_endpoint),
            _ => None,
        }
    }
}
