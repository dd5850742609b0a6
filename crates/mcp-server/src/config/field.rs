//! The table of settings: how each is called, what it is when nothing is said, and what it takes.

/// One setting.
#[derive(Debug)]
pub(crate) struct Field {
    /// In the file and on the command line: section and name.
    pub(crate) key: &'static str,
    /// The environment variable.
    pub(crate) variable: &'static str,
    /// What counts when nothing is said, as text; none where that follows from other settings.
    pub(crate) default: Option<&'static str>,
    /// Whether its value is never shown, and in the file only the path of a file that holds it.
    pub(crate) is_secret: bool,
    /// What it takes, as the remedy of an error says it.
    pub(crate) takes: &'static str,
}

const fn field(
    key: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
    takes: &'static str,
) -> Field {
    Field {
        key,
        variable,
        default,
        is_secret: false,
        takes,
    }
}

const fn secret(key: &'static str, variable: &'static str, takes: &'static str) -> Field {
    Field {
        is_secret: true,
        ..field(key, variable, None, takes)
    }
}

const ADDRESS: &str = "an https address, or an http one on loopback";
const SWITCH: &str = "true or false";
const ID: &str = "an id as Didit gave it, or nothing";

/// Every setting; `docs/crates/mcp-server.md` has the same table, which a test compares.
pub(crate) const FIELDS: &[Field] = &[
    field(
        "listen.address",
        "MCP_LISTEN_ADDRESS",
        Some("127.0.0.1"),
        "an IP address; 0.0.0.0 for every IPv4 one of the machine",
    ),
    field(
        "listen.port",
        "MCP_PORT",
        Some("3000"),
        "a port, 0 for any free one",
    ),
    field(
        "resource.uri",
        "MCP_RESOURCE_URI",
        Some("https://mcp.didit.me/mcp"),
        "the https address that clients use, with the path /mcp, or an http one on loopback",
    ),
    field(
        "resource.scopes",
        "MCP_SCOPES_SUPPORTED",
        Some("didit:management didit:verification"),
        "scopes with spaces between them",
    ),
    field(
        "issuer.origin",
        "MCP_AUTHORIZATION_SERVER_ORIGIN",
        Some("https://business.didit.me"),
        ADDRESS,
    ),
    field("issuer.id", "DIDIT_AUTH_ISSUER", None, ADDRESS),
    field(
        "issuer.metadata_url",
        "DIDIT_OIDC_DISCOVERY_URL",
        None,
        ADDRESS,
    ),
    field(
        "issuer.authorization_endpoint",
        "DIDIT_OIDC_AUTHORIZE_URL",
        None,
        ADDRESS,
    ),
    field(
        "issuer.token_endpoint",
        "DIDIT_OIDC_TOKEN_URL",
        None,
        ADDRESS,
    ),
    field(
        "issuer.registration_endpoint",
        "DIDIT_OIDC_REGISTRATION_URL",
        None,
        ADDRESS,
    ),
    field(
        "issuer.jwks_url",
        "DIDIT_JWKS_URL",
        Some("https://apx.didit.me/auth/config/jwks/"),
        ADDRESS,
    ),
    field(
        "tokens.verify",
        "MCP_TOKEN_VERIFY_MODE",
        Some("introspection"),
        "introspection or jwks",
    ),
    field(
        "tokens.introspection_url",
        "MCP_OAUTH_INTROSPECT_URL",
        Some("https://apx.didit.me/auth/v2/introspect/"),
        ADDRESS,
    ),
    field(
        "tokens.client_id",
        "MCP_OAUTH_CLIENT_ID",
        None,
        "the client id that this server has at the issuer",
    ),
    secret(
        "tokens.client_secret",
        "MCP_OAUTH_CLIENT_SECRET",
        "the client secret that this server has at the issuer",
    ),
    field(
        "tokens.dangerous_accept_any_audience",
        "MCP_DANGEROUS_ACCEPT_ANY_AUDIENCE",
        Some("false"),
        SWITCH,
    ),
    field(
        "didit.auth_base_url",
        "DIDIT_AUTH_BASE_URL",
        Some("https://apx.didit.me/auth/v2"),
        ADDRESS,
    ),
    field(
        "didit.api_base_url",
        "DIDIT_API_BASE_URL",
        Some("https://verification.didit.me/v3"),
        ADDRESS,
    ),
    field(
        "didit.credential",
        "MCP_UPSTREAM_CREDENTIAL",
        Some("callers-token"),
        "callers-token or file",
    ),
    field(
        "didit.audience",
        "MCP_UPSTREAM_AUDIENCE",
        None,
        "the audience that tokens for the Didit API have",
    ),
    field(
        "didit.credentials_file",
        "MCP_UPSTREAM_CREDENTIALS_FILE",
        None,
        "the path of a JSON file with one Didit token for each subject",
    ),
    secret(
        "didit.access_token",
        "DIDIT_ACCESS_TOKEN",
        "a token of a Didit account, for `mcp-server stdio`",
    ),
    field(
        "didit.dangerous_allow_loopback",
        "MCP_DANGEROUS_ALLOW_LOOPBACK",
        Some("false"),
        SWITCH,
    ),
    field("defaults.organization", "MCP_DEFAULT_ORG", None, ID),
    field("defaults.application", "MCP_DEFAULT_APP", None, ID),
    field(
        "tools.permissions",
        "MCP_PERMISSION_MODE",
        Some("enforce"),
        "enforce, shadow or off",
    ),
    field(
        "tools.public_discovery",
        "MCP_PUBLIC_DISCOVERY",
        Some("false"),
        SWITCH,
    ),
    field(
        "tools.webhook_poll_ms",
        "MCP_WEBHOOK_POLL_MS",
        Some("3000"),
        "milliseconds, 250 to 60000",
    ),
    secret(
        "tools.pdf_download_key",
        "MCP_PDF_DOWNLOAD_KEY",
        "64 hexadecimal digits",
    ),
    field(
        "limits.body",
        "MCP_JSON_BODY_LIMIT",
        Some("25mb"),
        "a size such as 512kb or 25mb, 1kb to 64mb",
    ),
    field(
        "limits.connections",
        "MCP_MAX_CONNECTIONS",
        Some("1024"),
        "a whole number, 1 to 65536",
    ),
    field(
        "limits.drain_seconds",
        "MCP_DRAIN_SECONDS",
        Some("10"),
        "seconds, 0 to 300",
    ),
    field("metrics.enabled", "MCP_METRICS", Some("true"), SWITCH),
];

/// The setting with this key.
pub(crate) fn find(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_variables_are_there_once() {
        for (at, field) in FIELDS.iter().enumerate() {
            assert_eq!(field.key.split('.').count(), 2, "{field:?}");
            for other in &FIELDS[at + 1..] {
                assert_ne!(field.key, other.key);
                assert_ne!(field.variable, other.variable);
            }
            // The path of a secret is a key of its own.
            assert!(!field.is_secret || find(&format!("{}_file", field.key)).is_none());
        }
    }

    #[test]
    fn the_variables_of_the_original_are_all_understood() {
        for variable in [
            "DIDIT_AUTH_BASE_URL",
            "DIDIT_API_BASE_URL",
            "DIDIT_ACCESS_TOKEN",
            "MCP_PORT",
            "MCP_RESOURCE_URI",
            "MCP_OAUTH_CLIENT_ID",
            "MCP_OAUTH_CLIENT_SECRET",
            "MCP_TOKEN_VERIFY_MODE",
            "MCP_OAUTH_INTROSPECT_URL",
            "MCP_DEFAULT_ORG",
            "MCP_DEFAULT_APP",
            "MCP_AUTHORIZATION_SERVER_ORIGIN",
            "DIDIT_AUTH_ISSUER",
            "DIDIT_OIDC_DISCOVERY_URL",
            "DIDIT_OIDC_AUTHORIZE_URL",
            "DIDIT_OIDC_TOKEN_URL",
            "DIDIT_OIDC_REGISTRATION_URL",
            "DIDIT_JWKS_URL",
            "MCP_SCOPES_SUPPORTED",
            "MCP_PERMISSION_MODE",
            "MCP_PUBLIC_DISCOVERY",
            "MCP_JSON_BODY_LIMIT",
            "MCP_PDF_DOWNLOAD_KEY",
            "MCP_WEBHOOK_POLL_MS",
        ] {
            assert!(
                FIELDS.iter().any(|field| field.variable == variable),
                "{variable}"
            );
        }
    }

    #[test]
    fn the_page_has_the_same_table() {
        let page = include_str!("../../../../docs/crates/mcp-server.md");
        for field in FIELDS {
            let key = match field.is_secret {
                true => format!("{}_file", field.key),
                false => field.key.to_owned(),
            };
            let default = field.default.map(|default| format!("`{default}`"));
            let row = format!(
                "| `{key}` | `{}` | {}",
                field.variable,
                default.unwrap_or_default()
            );
            assert!(page.contains(&row), "no row begins with {row}");
        }
    }
}
