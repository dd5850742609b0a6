//! The metadata of an authorization server (RFC 8414, with the flags of its extensions).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_METADATA_BYTES, list_is_bounded};
use crate::json;
use crate::uri::{Issuer, is_endpoint_of};

/// Why a document is not the metadata of the expected authorization server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidServerMetadata {
    /// More than [`MAX_METADATA_BYTES`].
    #[error("longer than {MAX_METADATA_BYTES} bytes")]
    TooLong,
    /// Not an object, or a member has the wrong type or occurs twice.
    #[error("not a well-formed metadata document")]
    Malformed,
    /// `issuer` is not byte for byte the identifier the address was built from.
    #[error("issuer {found:?} is not the expected one")]
    Issuer {
        /// What the document says, cut to 200 characters.
        found: String,
    },
    /// An endpoint that is neither https nor, for an issuer on loopback http, that as well.
    #[error("{0} is neither https nor, like its issuer, loopback http")]
    Endpoint(&'static str),
    /// A list that is too long.
    #[error("{0} is too long")]
    List(&'static str),
}

/// The metadata of an authorization server.
///
/// Written, empty lists, false flags and absent members are left out; read, unknown members are ignored.
/// Build one with struct update syntax over [`ServerMetadata::default`].
///
/// Specification: RFC 8414 section 2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerMetadata {
    /// The issuer identifier; required.
    pub issuer: String,
    /// Where browsers are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where tokens are issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where the public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Where clients register; present means that registration is offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Where tokens are revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// Where tokens are looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// The scopes it knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// The response types it knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_types_supported: Vec<String>,
    /// The response modes it knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<String>,
    /// The grant types it knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// How clients may authenticate at the token endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// With which algorithms clients may sign their assertions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// How clients may authenticate at the revocation endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// The PKCE methods it knows; none means that it has no PKCE.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<String>,
    /// Where a developer reads about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_documentation: Option<String>,
    /// RFC 9207: authorization responses carry `iss`.
    #[serde(skip_serializing_if = "is_false")]
    pub authorization_response_iss_parameter_supported: bool,
    /// A client may be named by the address of its metadata document.
    #[serde(skip_serializing_if = "is_false")]
    pub client_id_metadata_document_supported: bool,
    /// RFC 9728: resources that it serves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected_resources: Vec<String>,
    /// OpenID Connect Discovery: the kinds of subject identifier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_types_supported: Vec<String>,
    /// OpenID Connect Discovery: how ID tokens are signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_signing_alg_values_supported: Vec<String>,
}

impl ServerMetadata {
    /// Reads the document that was found at one of [`Issuer::metadata_urls`].
    ///
    /// It decides, in this order: length; a well-formed object; the issuer is byte for byte the
    /// expected one; lists are bounded; endpoints are https or, if the issuer is too, loopback http.
    ///
    /// Does not check: that an endpoint is there, or where its name leads.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(bytes: &[u8], expected: &Issuer) -> Result<Self, InvalidServerMetadata> {
        if bytes.len() > MAX_METADATA_BYTES {
            return Err(InvalidServerMetadata::TooLong);
        }
        let read: Self = json::object(bytes).map_err(|_| InvalidServerMetadata::Malformed)?;
        // RFC 8414 section 3.3: the issuer MUST be identical, else the data MUST NOT be used.
        if read.issuer != expected.as_str() {
            let found = read.issuer.chars().take(200).collect();
            return Err(InvalidServerMetadata::Issuer { found });
        }
        if let Some((name, _)) = read
            .lists()
            .into_iter()
            .find(|(_, list)| !list_is_bounded(list))
        {
            return Err(InvalidServerMetadata::List(name));
        }
        let insecure = read.endpoints().into_iter().find(|(_, url)| {
            url.as_ref()
                .is_some_and(|url| !is_endpoint_of(url, expected.as_str()))
        });
        match insecure {
            // OAuth 2.1 section 1.5: endpoints are https; loopback is for development.
            Some((name, _)) => Err(InvalidServerMetadata::Endpoint(name)),
            None => Ok(read),
        }
    }

    /// Whether PKCE with `S256` is announced.
    pub fn supports_s256(&self) -> bool {
        self.code_challenge_methods_supported
            .iter()
            .any(|method| method == "S256")
    }

    fn endpoints(&self) -> [(&'static str, &Option<String>); 6] {
        [
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("jwks_uri", &self.jwks_uri),
            ("registration_endpoint", &self.registration_endpoint),
            ("revocation_endpoint", &self.revocation_endpoint),
            ("introspection_endpoint", &self.introspection_endpoint),
        ]
    }

    fn lists(&self) -> [(&'static str, &[String]); 11] {
        [
            ("scopes_supported", &self.scopes_supported),
            ("response_types_supported", &self.response_types_supported),
            ("response_modes_supported", &self.response_modes_supported),
            (
                "token_endpoint_auth_signing_alg_values_supported",
                &self.token_endpoint_auth_signing_alg_values_supported,
            ),
            (
                "revocation_endpoint_auth_methods_supported",
                &self.revocation_endpoint_auth_methods_supported,
            ),
            ("subject_types_supported", &self.subject_types_supported),
            (
                "id_token_signing_alg_values_supported",
                &self.id_token_signing_alg_values_supported,
            ),
            ("grant_types_supported", &self.grant_types_supported),
            (
                "token_endpoint_auth_methods_supported",
                &self.token_endpoint_auth_methods_supported,
            ),
            (
                "code_challenge_methods_supported",
                &self.code_challenge_methods_supported,
            ),
            ("protected_resources", &self.protected_resources),
        ]
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        Issuer::parse("https://as.example").unwrap()
    }

    #[test]
    fn writes_only_what_is_there_and_reads_it_back() {
        let metadata = ServerMetadata {
            issuer: "https://as.example".into(),
            token_endpoint: Some("https://as.example/token".into()),
            code_challenge_methods_supported: vec!["S256".into()],
            client_id_metadata_document_supported: true,
            ..ServerMetadata::default()
        };
        let text = serde_json::to_string(&metadata).unwrap();
        assert_eq!(
            text,
            r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token","code_challenge_methods_supported":["S256"],"client_id_metadata_document_supported":true}"#
        );
        assert_eq!(
            ServerMetadata::parse(text.as_bytes(), &issuer()).unwrap(),
            metadata
        );
        assert!(metadata.supports_s256());
        let plain = ServerMetadata {
            code_challenge_methods_supported: vec!["plain".into()],
            ..ServerMetadata::default()
        };
        assert!(!plain.supports_s256());
    }

    #[test]
    fn a_server_on_this_machine_may_use_http() {
        let issuer = Issuer::parse("http://127.0.0.1:3001").unwrap();
        let text =
            r#"{"issuer":"http://127.0.0.1:3001","token_endpoint":"http://127.0.0.1:3001/token"}"#;
        assert!(ServerMetadata::parse(text.as_bytes(), &issuer).is_ok());
    }

    #[test]
    fn each_refusal() {
        let wrong = |found: &str| InvalidServerMetadata::Issuer {
            found: found.into(),
        };
        let many = format!(
            r#"{{"issuer":"https://as.example","scopes_supported":[{}]}}"#,
            vec!["\"s\""; 257].join(",")
        );
        for (text, reason) in [
            ("<html>", InvalidServerMetadata::Malformed),
            ("[]", InvalidServerMetadata::Malformed),
            (r#"{"issuer":7}"#, InvalidServerMetadata::Malformed),
            (
                r#"{"issuer":"https://as.example","issuer":"https://as.example"}"#,
                InvalidServerMetadata::Malformed,
            ),
            ("{}", wrong("")),
            (
                r#"{"issuer":"https://as.example/"}"#,
                wrong("https://as.example/"),
            ),
            (
                r#"{"issuer":"https://AS.example"}"#,
                wrong("https://AS.example"),
            ),
            (
                r#"{"issuer":"https://as.example","token_endpoint":"http://as.example/token"}"#,
                InvalidServerMetadata::Endpoint("token_endpoint"),
            ),
            (
                r#"{"issuer":"https://as.example","authorization_endpoint":"javascript:x"}"#,
                InvalidServerMetadata::Endpoint("authorization_endpoint"),
            ),
            // A server elsewhere has no business with what listens on this machine.
            (
                r#"{"issuer":"https://as.example","registration_endpoint":"http://127.0.0.1:9/x"}"#,
                InvalidServerMetadata::Endpoint("registration_endpoint"),
            ),
            (
                many.as_str(),
                InvalidServerMetadata::List("scopes_supported"),
            ),
        ] {
            assert_eq!(
                ServerMetadata::parse(text.as_bytes(), &issuer()),
                Err(reason),
                "{text}"
            );
        }
        let long = vec![b' '; MAX_METADATA_BYTES + 1];
        assert_eq!(
            ServerMetadata::parse(&long, &issuer()),
            Err(InvalidServerMetadata::TooLong)
        );
    }
}
