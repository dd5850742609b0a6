//! What the suite says to its client: the address, the scenario, the revision, and what the scenario needs to know.

use std::sync::Arc;

use mcp_protocol::Revision;
use oauth_rs::client::Client;
use oauth_rs::client::flow::{FlowOptions, Profile};
use oauth_rs::client::machine::{Credential, Grant, IdentityProvider, MachineOptions};
use oauth_rs::client::token_exchange::TokenType;
use oauth_rs::jose::{Alg, SigningKey};
use oauth_rs::secret::Secret;
use oauth_rs::uri::Issuer;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failed::Failed;

const SCENARIO: &str = "MCP_CONFORMANCE_SCENARIO";
const REVISION: &str = "MCP_CONFORMANCE_PROTOCOL_VERSION";
const CONTEXT: &str = "MCP_CONFORMANCE_CONTEXT";

/// What the environment says.
pub(crate) struct Environment {
    pub(crate) scenario: String,
    pub(crate) revision: Revision,
    pub(crate) context: Context,
}

/// What some scenarios need to know beforehand. What others need is not read. There may be a secret in it.
#[derive(Default, Deserialize)]
pub(crate) struct Context {
    #[serde(default, rename = "toolCalls")]
    pub(crate) tool_calls: Vec<ListedCall>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
    #[serde(default)]
    private_key_pem: Option<String>,
    #[serde(default)]
    signing_algorithm: Option<String>,
    #[serde(default)]
    idp_client_id: Option<String>,
    #[serde(default)]
    idp_id_token: Option<String>,
    #[serde(default)]
    idp_issuer: Option<String>,
    #[serde(default)]
    idp_token_endpoint: Option<String>,
    #[serde(default)]
    valid_jwt: Option<String>,
}

/// A call that the scenario wants made.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedCall {
    pub(crate) name: String,
    pub(crate) arguments: Box<RawValue>,
}

/// The only argument of the command line.
pub(crate) fn address(arguments: impl Iterator<Item = String>) -> Result<String, Failed> {
    let mut arguments = arguments.skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(url), None) => Ok(url),
        _ => Err(Failed::Usage),
    }
}

impl Environment {
    /// Reads the variables through `variable`.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failed> {
        let scenario = variable(SCENARIO).ok_or(Failed::Unset(SCENARIO))?;
        let revision = match variable(REVISION) {
            None => Revision::NEWEST,
            // The extension is of 2026-07-28, whatever revision the suite names for it; its servers speak that.
            Some(_) if scenario.starts_with("sep-2640-") => Revision::NEWEST,
            Some(name) => Revision::over_http()
                .find(|revision| revision.as_str() == name)
                .ok_or_else(|| unusable(REVISION, &"no revision that is spoken over HTTP"))?,
        };
        let context = match variable(CONTEXT) {
            None => Context::default(),
            Some(text) => serde_json::from_str(&text).map_err(|error| unusable(CONTEXT, &error))?,
        };
        Ok(Self {
            scenario,
            revision,
            context,
        })
    }
}

impl Environment {
    /// How old a server of this scenario may be.
    pub(crate) fn profile(&self) -> Profile {
        // The name says it; run with all others, these are told a revision that came later.
        if self.scenario.starts_with("auth/2025-03-26-") {
            return Profile::V2025_03_26;
        }
        Profile::of_revision(self.revision.as_str()).unwrap_or_default()
    }
}

impl Environment {
    /// Who the machine is, in the scenarios that have one instead of a person.
    ///
    /// The suite does not say beforehand at which issuer it is registered; its servers may see what it shows them.
    pub(crate) fn machine(&self) -> Result<Option<MachineOptions>, Failed> {
        let context = &self.context;
        let (credential, grant) = match self.scenario.as_str() {
            "auth/client-credentials-jwt" => (context.key()?, Grant::ClientCredentials),
            "auth/client-credentials-basic" => (context.secret()?, Grant::ClientCredentials),
            "auth/enterprise-managed-authorization" => {
                let provider = Box::new(context.identity_provider()?);
                (context.secret()?, Grant::EnterpriseManaged(provider))
            }
            "auth/wif-jwt-bearer" => {
                let assertion = needed("valid_jwt", context.valid_jwt.as_deref())?;
                (Credential::None, Grant::Assertion(Secret::new(assertion)))
            }
            _ => return Ok(None),
        };
        let client_id = needed("client_id", context.client_id.as_deref())?;
        let options = MachineOptions::insecure_at_any_issuer(client_id, credential, grant);
        Ok(Some(options))
    }
}

fn needed<'a>(member: &str, value: Option<&'a str>) -> Result<&'a str, Failed> {
    value.ok_or_else(|| unusable(CONTEXT, &format_args!("{member} is missing")))
}

fn unusable(name: &'static str, why: &dyn std::fmt::Display) -> Failed {
    Failed::Environment {
        name,
        why: why.to_string(),
    }
}

impl Context {
    fn key(&self) -> Result<Credential, Failed> {
        let pem = needed("private_key_pem", self.private_key_pem.as_deref())?;
        let alg = needed("signing_algorithm", self.signing_algorithm.as_deref())?;
        let alg = Alg::parse(alg).ok_or_else(|| {
            unusable(CONTEXT, &format_args!("{alg:?} is no algorithm known here"))
        })?;
        let key = SigningKey::from_pem(pem, alg).map_err(|error| unusable(CONTEXT, &error))?;
        Ok(Credential::Key(Arc::new(key)))
    }

    fn secret(&self) -> Result<Credential, Failed> {
        let secret = needed("client_secret", self.client_secret.as_deref())?;
        Ok(Credential::Secret(Secret::new(secret)))
    }

    fn identity_provider(&self) -> Result<IdentityProvider, Failed> {
        let issuer = needed("idp_issuer", self.idp_issuer.as_deref())?;
        let issuer = Issuer::parse(issuer).map_err(|error| unusable(CONTEXT, &error))?;
        let endpoint = needed("idp_token_endpoint", self.idp_token_endpoint.as_deref())?;
        let client_id = needed("idp_client_id", self.idp_client_id.as_deref())?;
        let subject = needed("idp_id_token", self.idp_id_token.as_deref())?;
        Ok(IdentityProvider {
            issuer,
            token_endpoint: endpoint.to_owned(),
            client: Client::public(client_id),
            subject: Secret::new(subject),
            subject_type: TokenType::IdToken,
        })
    }

    /// Tells the sign-in of the client that was registered beforehand, if the scenario has one and says where.
    pub(crate) fn register(&self, options: &mut FlowOptions) -> Result<(), Failed> {
        if let (Some(client_id), Some(issuer)) = (&self.client_id, &self.issuer) {
            let issuer = Issuer::parse(issuer).map_err(|error| unusable(CONTEXT, &error))?;
            options.client_id = Some(client_id.clone());
            options.client_id_issuer = Some(issuer);
            options.client_secret = self.client_secret.clone().map(Secret::new);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::uri::RedirectUri;

    use super::*;

    fn options() -> FlowOptions {
        FlowOptions::new(
            "c",
            RedirectUri::parse("http://127.0.0.1/callback").unwrap(),
        )
    }

    fn read(
        scenario: &str,
        revision: Option<&str>,
        context: Option<&str>,
    ) -> Result<Environment, Failed> {
        Environment::read(|name| match name {
            SCENARIO => Some(scenario.to_owned()),
            REVISION => revision.map(str::to_owned),
            CONTEXT => context.map(str::to_owned),
            other => panic!("{other} is none of ours"),
        })
    }

    #[test]
    fn scenario_revision_and_context_are_read() {
        let context = r#"{"name":"x","toolCalls":[{"name":"t","arguments":{"a":1.50}}],"more":1}"#;
        let read = read("http-custom-headers", Some("2025-11-25"), Some(context)).unwrap();
        assert_eq!(read.scenario, "http-custom-headers");
        assert_eq!(read.revision, Revision::V2025_11_25);
        let call = &read.context.tool_calls[0];
        assert_eq!(
            (call.name.as_str(), call.arguments.get()),
            ("t", r#"{"a":1.50}"#)
        );
        let mut options = options();
        read.context.register(&mut options).unwrap();
        assert_eq!(options.client_id, None);
    }

    #[test]
    fn a_server_may_be_as_old_as_the_scenario_says() {
        let profile = |scenario, revision| read(scenario, revision, None).unwrap().profile();
        let old = "auth/2025-03-26-oauth-endpoint-fallback";
        assert_eq!(profile(old, Some("2025-11-25")), Profile::V2025_03_26);
        let newer = "auth/metadata-default";
        assert_eq!(profile(newer, Some("2025-11-25")), Profile::V2025_11_25);
        assert_eq!(profile(newer, Some("2025-03-26")), Profile::V2025_03_26);
        assert_eq!(profile(newer, None), Profile::STRICT);
    }

    #[test]
    fn a_client_with_a_secret_belongs_to_its_issuer() {
        let context = r#"{"client_id":"c","client_secret":"s","issuer":"http://localhost:5/as"}"#;
        let environment = read("auth/pre-registration", None, Some(context)).unwrap();
        assert_eq!(environment.revision, Revision::NEWEST);
        let mut told = options();
        environment.context.register(&mut told).unwrap();
        assert_eq!(told.client_id.as_deref(), Some("c"));
        assert_eq!(
            told.client_id_issuer.unwrap().as_str(),
            "http://localhost:5/as"
        );
        assert!(told.client_secret.unwrap().ct_eq("s"));
        let context = r#"{"client_id":"c","issuer":"http://elsewhere.example"}"#;
        let environment = read("auth/pre-registration", None, Some(context)).unwrap();
        assert!(environment.context.register(&mut options()).is_err());
    }

    #[test]
    fn a_machine_is_what_its_scenario_says() {
        let machine =
            |scenario: &str, context: &str| read(scenario, None, Some(context)).unwrap().machine();
        let context = r#"{"client_id":"c","client_secret":"s","idp_client_id":"i","idp_id_token":"t","idp_issuer":"http://localhost:5","idp_token_endpoint":"http://localhost:5/token","valid_jwt":"j"}"#;
        let of = |scenario: &str| machine(scenario, context).unwrap().unwrap();
        let basic = of("auth/client-credentials-basic");
        assert!(matches!(basic.credential, Credential::Secret(secret) if secret.ct_eq("s")));
        let workload = of("auth/wif-jwt-bearer");
        assert!(matches!(workload.grant, Grant::Assertion(jwt) if jwt.ct_eq("j")));
        let managed = of("auth/enterprise-managed-authorization");
        let Grant::EnterpriseManaged(provider) = managed.grant else {
            panic!("{managed:?}");
        };
        assert_eq!(provider.client.client_id, "i");
        assert!(machine("auth/metadata-default", context).unwrap().is_none());
        for (scenario, context) in [
            ("auth/client-credentials-jwt", context),
            ("auth/client-credentials-basic", r#"{"client_secret":"s"}"#),
            ("auth/wif-jwt-bearer", r#"{"client_id":"c"}"#),
            (
                "auth/enterprise-managed-authorization",
                r#"{"client_id":"c"}"#,
            ),
        ] {
            assert!(machine(scenario, context).is_err(), "{scenario}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        assert!(matches!(
            Environment::read(|_| None),
            Err(Failed::Unset(SCENARIO))
        ));
        for (revision, context) in [
            (Some("2024-11-05"), None),
            (Some("draft"), None),
            (None, Some("5")),
            (None, Some(r#"{"toolCalls":[{"name":"t"}]}"#)),
        ] {
            let read = read("initialize", revision, context);
            assert!(
                matches!(read, Err(Failed::Environment { .. })),
                "{revision:?} {context:?}"
            );
        }
    }

    #[test]
    fn there_is_one_argument() {
        let address = |words: &[&str]| address(words.iter().map(|&word| word.to_owned()));
        assert_eq!(
            address(&["program", "http://a/mcp"]).unwrap(),
            "http://a/mcp"
        );
        assert!(address(&["program"]).is_err());
        assert!(address(&["program", "a", "b"]).is_err());
    }
}
