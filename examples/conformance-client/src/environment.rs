//! What the suite says to its client: the address, the scenario, the revision, and what the scenario needs to know.

use mcp_protocol::Revision;
use oauth_rs::client::flow::{FlowOptions, Profile};
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

fn unusable(name: &'static str, why: &dyn std::fmt::Display) -> Failed {
    Failed::Environment {
        name,
        why: why.to_string(),
    }
}

impl Context {
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
