//! The states of the machine.

use super::discovery::{Search, ServerSearch};
use super::{FlowFailed, StoredGrant};
use crate::client::auth::Client;
use crate::client::authorize::Pending;
use crate::metadata::server::ServerMetadata;
use crate::secret::Secret;
use crate::uri::{Issuer, ResourceId};

/// What a token is wanted for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) resource: ResourceId,
    pub(super) scopes_supported: Vec<String>,
}

/// What discovery found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) target: Target,
    pub(super) issuer: Issuer,
    pub(super) server: ServerMetadata,
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
    /// The browser is away.
    Away {
        found: Box<Found>,
        client: Client,
        pending: Pending,
        /// Holds the state and the challenge.
        url: Secret,
    },
    /// Redeeming the code.
    Redeem {
        found: Box<Found>,
        client: Client,
        pending: Pending,
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
