//! The metadata of an authorization server (RFC 8414, OpenID Connect Discovery, and the members of their extensions).

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::client::AuthMethod;
use super::document::{self, InvalidDocument};
use crate::json::Members;
use crate::uri::{InvalidUri, Issuer, ResourceId, check_endpoint_of};

/// The grant of RFC 7523, by which an ID-JAG is redeemed.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The profile that a server names which takes an ID-JAG.
const ID_JAG: &str = "urn:ietf:params:oauth:grant-profile:id-jag";

/// Why a document is not the metadata of the expected authorization server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidServerMetadata {
    /// It is not a metadata document at all.
    #[error(transparent)]
    Document(#[from] InvalidDocument),
    /// `issuer` is not byte for byte the identifier the address was built from.
    #[error("issuer {found:?} is not the expected one")]
    Issuer {
        /// What the document says, cut to 200 characters.
        found: String,
    },
    /// An endpoint that is no sound address, or neither https nor, for an issuer on loopback http, that as well.
    #[error("{member} cannot be used: {reason}")]
    Endpoint {
        /// The member.
        member: &'static str,
        /// The rule that its address breaks.
        reason: InvalidUri,
    },
}

document::document! {
    /// The metadata of an authorization server.
    ///
    /// Written, empty lists, false flags and absent members are left out; read, unknown members are
    /// ignored, and so are their variants in other languages (`name#lang`).
    /// Build one with struct update syntax over [`ServerMetadata::default`].
    ///
    /// `signed_metadata` is ignored on purpose, which RFC 8414 section 2.1 permits: who signed it
    /// would have to be known beforehand, and a client that has just heard of the issuer knows nobody.
    /// The members of request objects are left out but for the flag that demands one, since none are made here.
    ///
    /// Specification: RFC 8414 section 2 and the documents named at the members.
    pub struct ServerMetadata {
        identifiers {
            /// The issuer identifier; required.
            issuer,
        }
        endpoints {
            /// Where browsers are sent.
            authorization_endpoint,
            /// Where tokens are issued.
            token_endpoint,
            /// Where the public keys are.
            jwks_uri,
            /// Where clients register; present means that registration is offered.
            registration_endpoint,
            /// Where tokens are revoked.
            revocation_endpoint,
            /// Where tokens are looked up.
            introspection_endpoint,
            /// RFC 9126: where authorization requests are pushed.
            pushed_authorization_request_endpoint,
            /// RFC 8628: where a device begins.
            device_authorization_endpoint,
        }
        lists {
            /// The scopes it knows.
            scopes_supported,
            /// The response types it knows.
            response_types_supported,
            /// The response modes it knows; see [`ServerMetadata::supports_response_mode`].
            response_modes_supported,
            /// The grant types it knows; see [`ServerMetadata::supports_grant`].
            grant_types_supported,
            /// How clients may authenticate at the token endpoint; see [`ServerMetadata::supports_auth`].
            token_endpoint_auth_methods_supported,
            /// With which algorithms clients may sign their assertions.
            token_endpoint_auth_signing_alg_values_supported,
            /// How clients may authenticate at the revocation endpoint.
            revocation_endpoint_auth_methods_supported,
            /// With which algorithms clients may sign their assertions there.
            revocation_endpoint_auth_signing_alg_values_supported,
            /// How callers may authenticate at the introspection endpoint.
            introspection_endpoint_auth_methods_supported,
            /// With which algorithms callers may sign their assertions there.
            introspection_endpoint_auth_signing_alg_values_supported,
            /// RFC 9701: with which algorithms introspection answers are signed.
            introspection_signing_alg_values_supported,
            /// The PKCE methods it knows; none means that it has no PKCE.
            code_challenge_methods_supported,
            /// RFC 9449: the algorithms of DPoP proofs; none means that it has no DPoP.
            dpop_signing_alg_values_supported,
            /// RFC 9396: the types of authorization details.
            authorization_details_types_supported,
            /// ID-JAG: the profiles of grants; see [`ServerMetadata::supports_id_jag`].
            authorization_grant_profiles_supported,
            /// ID-JAG: the types of token that an identity provider makes for other servers.
            identity_chaining_requested_token_types_supported,
            /// RFC 9728: resources that it serves; see [`ServerMetadata::lists_resource`].
            protected_resources,
            /// The authentication contexts it knows (RFC 9470).
            acr_values_supported,
            /// The languages of its pages.
            ui_locales_supported,
            /// OpenID Connect Discovery: the kinds of subject identifier.
            subject_types_supported,
            /// OpenID Connect Discovery: how ID tokens are signed.
            id_token_signing_alg_values_supported,
        }
        lists_that_may_be_empty {}
        flags {
            /// RFC 9207: authorization responses carry `iss`.
            authorization_response_iss_parameter_supported,
            /// A client may be named by the address of its metadata document.
            client_id_metadata_document_supported,
            /// RFC 9126: requests that were not pushed are refused.
            require_pushed_authorization_requests,
            /// RFC 9101: requests that are not signed are refused.
            require_signed_request_object,
            /// RFC 8705: access tokens may be bound to the client's certificate.
            tls_client_certificate_bound_access_tokens,
        }
        names {}
        links {
            /// Where a developer reads about it.
            service_documentation,
            /// Where its policy is.
            op_policy_uri,
            /// Where its terms of service are.
            op_tos_uri,
        }
        documents {
            /// RFC 8705: the endpoints for clients that present a certificate; see
            /// [`ServerMetadata::for_mutual_tls`].
            mtls_endpoint_aliases: MtlsEndpointAliases,
        }
    }
}

document::document! {
    /// Where a client that presents a certificate finds the endpoints.
    ///
    /// Specification: RFC 8705 section 5.
    pub struct MtlsEndpointAliases {
        identifiers {}
        endpoints {
            /// Where tokens are issued.
            token_endpoint,
            /// Where tokens are revoked.
            revocation_endpoint,
            /// Where tokens are looked up.
            introspection_endpoint,
            /// RFC 9126: where authorization requests are pushed.
            pushed_authorization_request_endpoint,
            /// RFC 8628: where a device begins.
            device_authorization_endpoint,
        }
        lists {}
        lists_that_may_be_empty {}
        flags {}
        names {}
        links {}
        documents {}
    }
}

impl MtlsEndpointAliases {
    fn from_member(
        members: &Members<'_>,
        member: &'static str,
    ) -> Result<Option<Self>, InvalidDocument> {
        let wanted = "an object in which each member occurs once";
        members
            .raw(member)
            .map(|raw| {
                let inner = Members::read(raw.get().as_bytes())
                    .map_err(|_| InvalidDocument::Type { member, wanted })?;
                Self::from_members(&inner)
            })
            .transpose()
    }
}

impl ServerMetadata {
    /// Reads the document that was found at one of [`Issuer::metadata_urls`].
    ///
    /// It decides, in this order: length; an object in which each member occurs once; the types and
    /// bounds of the members known here; the issuer is byte for byte the expected one; endpoints,
    /// aliases included, are https or, if the issuer is too, loopback http.
    /// A link for people that is no address of the web counts as absent.
    ///
    /// Does not check: that an endpoint is there, or where its name leads; that the lists hold
    /// registered values; the members that RFC 8414 requires but a client can do without.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(bytes: &[u8], expected: &Issuer) -> Result<Self, InvalidServerMetadata> {
        let read = Self::from_members(&document::members(bytes)?)?;
        // RFC 8414 section 3.3: the issuer MUST be identical, else the data MUST NOT be used.
        if read.issuer != expected.as_str() {
            let found = read.issuer.chars().take(200).collect();
            return Err(InvalidServerMetadata::Issuer { found });
        }
        let aliases = read.mtls_endpoint_aliases.iter();
        let all = read
            .endpoints()
            .chain(aliases.flat_map(MtlsEndpointAliases::endpoints));
        // OAuth 2.1 section 1.5: endpoints are https; loopback is for development.
        for (name, url) in all {
            check_endpoint_of(url, expected.as_str()).map_err(|reason| {
                InvalidServerMetadata::Endpoint {
                    member: name,
                    reason,
                }
            })?;
        }
        Ok(read)
    }

    /// Whether PKCE with `S256` is announced.
    pub fn supports_s256(&self) -> bool {
        has(&self.code_challenge_methods_supported, "S256")
    }

    /// Whether it has a grant type; one that lists none has `authorization_code` and `implicit`.
    pub fn supports_grant(&self, grant_type: &str) -> bool {
        // RFC 8414 section 2: the default of grant_types_supported.
        match self.grant_types_supported.as_slice() {
            [] => matches!(grant_type, "authorization_code" | "implicit"),
            listed => has(listed, grant_type),
        }
    }

    /// Whether it has a response mode; one that lists none has `query` and `fragment`.
    pub fn supports_response_mode(&self, mode: &str) -> bool {
        // RFC 8414 section 2: the default of response_modes_supported.
        match self.response_modes_supported.as_slice() {
            [] => matches!(mode, "query" | "fragment"),
            listed => has(listed, mode),
        }
    }

    /// Whether clients may authenticate like this at the token endpoint, and so at the endpoints for
    /// pushed requests and devices; a server that lists no method has `client_secret_basic`.
    pub fn supports_auth(&self, method: AuthMethod) -> bool {
        // RFC 8414 section 2: the default of token_endpoint_auth_methods_supported.
        supports(&self.token_endpoint_auth_methods_supported, method)
    }

    /// The same for the revocation endpoint.
    pub fn supports_auth_at_revocation(&self, method: AuthMethod) -> bool {
        // RFC 8414 section 2: the default of revocation_endpoint_auth_methods_supported.
        supports(&self.revocation_endpoint_auth_methods_supported, method)
    }

    /// The same for the introspection endpoint, for which RFC 8414 has no default: that of the token
    /// endpoint is taken.
    pub fn supports_auth_at_introspection(&self, method: AuthMethod) -> bool {
        match self
            .introspection_endpoint_auth_methods_supported
            .as_slice()
        {
            [] => self.supports_auth(method),
            listed => has(listed, method.as_str()),
        }
    }

    /// Whether it turns an ID-JAG of somebody it trusts into an access token.
    pub fn supports_id_jag(&self) -> bool {
        // ID-JAG, section 7.2: a server with the profile MUST list the grant as well.
        has(&self.authorization_grant_profiles_supported, ID_JAG)
            && has(&self.grant_types_supported, JWT_BEARER)
    }

    /// Whether it says of a resource that it serves it; none if it lists no resources.
    ///
    /// A server may serve more resources than it lists, so that `Some(false)` is a reason to look
    /// twice at what the resource says, not proof that it lies.
    ///
    /// Specification: RFC 9728 section 4.
    pub fn lists_resource(&self, resource: &ResourceId) -> Option<bool> {
        let listed = self.protected_resources.as_slice();
        (!listed.is_empty()).then(|| has(listed, resource.as_str()))
    }

    /// The metadata as a client has to read it that presents a certificate: with the aliases in the
    /// place of the endpoints that have one.
    #[must_use]
    pub fn for_mutual_tls(&self) -> Self {
        let mut own = self.clone();
        let Some(aliases) = own.mtls_endpoint_aliases.clone() else {
            return own;
        };
        // RFC 8705 section 5: a client that does mutual TLS MUST use the alias where there is one.
        for (endpoint, alias) in [
            (&mut own.token_endpoint, aliases.token_endpoint),
            (&mut own.revocation_endpoint, aliases.revocation_endpoint),
            (
                &mut own.introspection_endpoint,
                aliases.introspection_endpoint,
            ),
            (
                &mut own.pushed_authorization_request_endpoint,
                aliases.pushed_authorization_request_endpoint,
            ),
            (
                &mut own.device_authorization_endpoint,
                aliases.device_authorization_endpoint,
            ),
        ] {
            if alias.is_some() {
                *endpoint = alias;
            }
        }
        own
    }
}

fn has(list: &[String], entry: &str) -> bool {
    list.iter().any(|own| own == entry)
}

fn supports(listed: &[String], method: AuthMethod) -> bool {
    match listed {
        [] => method == AuthMethod::ClientSecretBasic,
        listed => has(listed, method.as_str()),
    }
}
