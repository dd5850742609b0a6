//! What the program that runs a flow decides beforehand.

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
    /// The address of our client ID metadata document, used where the server knows such documents.
    pub client_id_document: Option<String>,
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
            client_id_document: None,
            scope: None,
        }
    }
}
