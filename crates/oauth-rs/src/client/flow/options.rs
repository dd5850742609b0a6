//! What the program that runs a flow decides beforehand.

use std::sync::Arc;

use super::{Profile, StoredGrant};
use crate::client::auth::Client;
use crate::jose::SigningKey;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::uri::{Issuer, RedirectUri};

/// Who we are, and where the browser shall come back to.
#[derive(Debug, Clone)]
pub struct FlowOptions {
    /// The name to register under, if it comes to that.
    pub client_name: String,
    /// Where the browser comes back to: the address of a loopback listener.
    pub redirect_uri: RedirectUri,
    /// An identifier that was registered beforehand; it is used before anything else.
    pub client_id: Option<String>,
    /// Where that identifier is registered; it is sent to no other authorization server.
    ///
    /// Without it the identifier is used wherever the resource's metadata leads.
    pub client_id_issuer: Option<Issuer>,
    /// The secret of that identifier, if it has one.
    ///
    /// It needs `client_id_issuer`: a secret is never sent to whichever server a resource names.
    pub client_secret: Option<Secret>,
    /// The private key of that identifier, or of our document, if it has one; used before a secret.
    ///
    /// What it signs names the issuer that it is for, so that it is of no use at another.
    pub client_key: Option<Arc<SigningKey>>,
    /// The address of our client ID metadata document, used where the server knows such documents.
    pub client_id_document: Option<String>,
    /// What is registered already, at whichever authorization server; used only there.
    ///
    /// Besides these, the client of a stored grant is used at its own issuer.
    pub registrations: Vec<Registration>,
    /// The key that tokens are bound to, wherever both servers can (DPoP, RFC 9449).
    ///
    /// Stored tokens that are bound need the same key again, so it is to be kept as well as they are.
    pub dpop_key: Option<Arc<SigningKey>>,
    /// Which older servers are put up with.
    pub profile: Profile,
    /// The scope to ask for instead of what the server suggests.
    pub scope: Option<ScopeSet>,
}

impl FlowOptions {
    /// A client that registers by itself.
    pub fn new(client_name: impl Into<String>, redirect_uri: RedirectUri) -> Self {
        Self {
            client_name: client_name.into(),
            redirect_uri,
            client_id: None,
            client_id_issuer: None,
            client_secret: None,
            client_key: None,
            client_id_document: None,
            registrations: Vec::new(),
            dpop_key: None,
            profile: Profile::default(),
            scope: None,
        }
    }
}

/// A client that an authorization server has registered.
///
/// It is good at that issuer only, and with that redirect address.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Who registered it.
    pub issuer: Issuer,
    /// The identifier, and how it authenticates.
    pub client: Client,
    /// The redirect address; for a loopback address the port may differ.
    pub redirect_uri: RedirectUri,
}

impl From<&StoredGrant> for Registration {
    /// The client of a grant, which another resource of the same issuer can use as well.
    fn from(grant: &StoredGrant) -> Self {
        Self {
            issuer: grant.issuer.clone(),
            client: grant.client.clone(),
            redirect_uri: grant.redirect_uri.clone(),
        }
    }
}
