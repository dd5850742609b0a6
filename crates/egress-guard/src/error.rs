//! Why an exchange was refused or failed.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::address::Range;

/// Why there is no response.
///
/// Up to [`TooManyWaiting`](Self::TooManyWaiting) nothing was sent, but for a GET or HEAD that was sent and is sent again; from
/// [`HeadersTimeout`](Self::HeadersTimeout) on the other side may have seen the request.
///
/// # Security
///
/// The words are for a log. Shown to whoever chose the URL they tell which names and addresses there are inside.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The URL has no scheme, or one that the policy does not allow for this address.
    #[error("the scheme {scheme:?} is not allowed")]
    Scheme {
        /// The scheme as it was sent, empty if there was none.
        scheme: String,
    },
    /// The URL has no host, or one that is neither an address nor a name fit to be looked up.
    #[error("{host:?} is not a host")]
    Host {
        /// The host as it was sent, cut to 80 characters.
        host: String,
    },
    /// The URL has user information before the host.
    #[error("the address carries credentials")]
    Credentials,
    /// The port is not one that the policy allows for this address.
    #[error("port {port} is not allowed")]
    Port {
        /// The port of the URL.
        port: u16,
    },
    /// Every address of the host is forbidden; this is the first of them.
    #[error("{host:?} is at {address}, which is {range}")]
    ForbiddenAddress {
        /// The host of the URL.
        host: String,
        /// The first forbidden address.
        address: IpAddr,
        /// Why it is forbidden.
        range: Range,
    },
    /// The name has no address, or looking it up failed.
    #[error("{host:?} has no address")]
    NotFound {
        /// The host of the URL.
        host: String,
    },
    /// As many lookups as allowed are under way, and none of them ended in time.
    #[error("{limit} lookups are under way already")]
    TooManyLookups {
        /// The limit.
        limit: usize,
    },
    /// The name was not found in time.
    #[error("looking up {host:?} took longer than {limit:?}")]
    ResolveTimeout {
        /// The host of the URL.
        host: String,
        /// The limit.
        limit: Duration,
    },
    /// No allowed address accepted a connection.
    #[error("connecting to {host:?} failed: {kind}")]
    Connect {
        /// The host of the URL.
        host: String,
        /// What the last attempt met.
        kind: io::ErrorKind,
    },
    /// Looking up, connecting and the TLS handshake took too long together.
    #[error("connecting took longer than {limit:?}")]
    ConnectTimeout {
        /// The limit.
        limit: Duration,
    },
    /// As many connections as allowed are open, and none of them was closed in time.
    #[error("{limit} connections are open already")]
    TooManyConnections {
        /// The limit.
        limit: usize,
    },
    /// The TLS handshake failed: the certificate is not for this name, or nobody trusts it.
    #[error("the TLS handshake failed")]
    Tls {
        /// What the TLS library said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
    /// This machine has no trust roots, so no `https` address can be reached.
    #[error("this machine has no certificate store with a usable certificate")]
    NoTrustRoots,
    /// As many exchanges as allowed are under way.
    #[error("{limit} exchanges are under way already")]
    TooManyInFlight {
        /// The limit.
        limit: usize,
    },
    /// As many exchanges with this host as allowed are under way.
    #[error("{limit} exchanges with {host:?} are under way already")]
    TooManyForHost {
        /// The host of the URL.
        host: String,
        /// The limit.
        limit: usize,
    },
    /// As many callers as allowed wait for this document.
    #[error("{limit} callers wait for this document already")]
    TooManyWaiting {
        /// The limit.
        limit: usize,
    },
    /// The response's header fields were not there in time.
    #[error("the response's header fields took longer than {limit:?}")]
    HeadersTimeout {
        /// The limit.
        limit: Duration,
    },
    /// The response's header fields are too many or too long.
    #[error("the response has too many header fields, or too long ones")]
    HeadersTooLarge,
    /// The response's body is too long.
    #[error("the response is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The exchange took too long as a whole.
    #[error("the exchange took longer than {limit:?}")]
    Deadline {
        /// The limit.
        limit: Duration,
    },
    /// A `304 Not Modified` to a request that had no condition.
    #[error("the answer is 304 Not Modified, and nothing was there to be modified")]
    NotModified,
    /// The fetch of a document, for which others waited, ended without an outcome: the runtime shuts down, or the
    /// service panicked.
    #[error("the fetch ended without an outcome")]
    Abandoned,
    /// The connection broke, or what came back is not HTTP.
    #[error("the exchange broke off")]
    Broken {
        /// What the HTTP library said.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}

impl EgressError {
    /// Whether a rule of the policy refused the address, so that trying again cannot help.
    ///
    /// False for everything that depends on the network, on limits or on this machine.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Scheme { .. }
            | Self::Host { .. }
            | Self::Credentials
            | Self::Port { .. }
            | Self::ForbiddenAddress { .. } => true,
            Self::NotFound { .. }
            | Self::TooManyLookups { .. }
            | Self::ResolveTimeout { .. }
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::TooManyConnections { .. }
            | Self::Tls { .. }
            | Self::NoTrustRoots
            | Self::TooManyInFlight { .. }
            | Self::TooManyForHost { .. }
            | Self::TooManyWaiting { .. }
            | Self::HeadersTimeout { .. }
            | Self::HeadersTooLarge
            | Self::BodyTooLarge { .. }
            | Self::Deadline { .. }
            | Self::NotModified
            | Self::Abandoned
            | Self::Broken { .. } => false,
        }
    }
}
