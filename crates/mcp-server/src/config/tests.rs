//! Each source, what it may say, and what is said of what it may not.

use std::collections::BTreeMap;
use std::path::Path;

use oauth_rs::secret::Secret;

use super::*;

/// The sources of a case; the rest is as it has to be.
#[derive(Default)]
struct Case {
    file: Option<&'static str>,
    environment: Vec<(&'static str, &'static str)>,
    flags: Vec<&'static str>,
}

fn secret_file(path: &Path) -> Result<Secret, String> {
    match path.to_str() {
        Some("/run/secrets/client") => Ok(Secret::new("from-a-file\n")),
        Some("/run/secrets/empty") => Ok(Secret::new(" \n")),
        _ => Err("can be read by others (mode 644): run `chmod 600` on it".to_owned()),
    }
}

impl Case {
    fn read<T>(&self, read: impl FnOnce(&Sources<'_>) -> T) -> T {
        let pairs = self.environment.iter();
        let environment: BTreeMap<String, String> = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let flags: Vec<String> = self.flags.iter().map(|flag| (*flag).to_owned()).collect();
        read(&Sources {
            file: self.file.map(|text| ("serve.toml", text)),
            environment: &environment,
            flags: &flags,
            read_secret: &secret_file,
        })
    }

    fn serve(&self) -> Result<Serve, ConfigErrors> {
        self.read(Serve::read).map(|(config, _)| config)
    }

    /// The lines of a refusal.
    fn refused(&self) -> Vec<String> {
        let errors = self.serve().unwrap_err().0;
        errors.iter().map(ToString::to_string).collect()
    }
}

/// What has no default.
const CLIENT: [(&str, &str); 2] = [
    ("MCP_OAUTH_CLIENT_ID", "rs-1"),
    ("MCP_OAUTH_CLIENT_SECRET", "whsec_top_secret"),
];

fn with(environment: &[(&'static str, &'static str)]) -> Case {
    Case {
        environment: [&CLIENT[..], environment].concat(),
        ..Case::default()
    }
}

#[test]
fn the_defaults_are_those_of_the_hosted_server() {
    let config = with(&[]).serve().unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.resource.as_str(), "https://mcp.didit.me/mcp");
    assert_eq!(
        config.scopes.to_string(),
        "didit:management didit:verification"
    );
    let issuer = &config.issuer;
    assert_eq!(issuer.id.as_str(), "https://business.didit.me");
    for (url, expected) in [
        (
            &issuer.metadata_url,
            "https://business.didit.me/.well-known/oauth-authorization-server",
        ),
        (
            &issuer.authorization_endpoint,
            "https://business.didit.me/authorize",
        ),
        (
            &issuer.token_endpoint,
            "https://business.didit.me/api/auth/oauth-token",
        ),
        (
            &issuer.registration_endpoint,
            "https://business.didit.me/api/auth/oauth-register",
        ),
        (&issuer.jwks_url, "https://apx.didit.me/auth/config/jwks/"),
    ] {
        assert_eq!(url, expected);
    }
    let Verify::Introspection {
        url,
        client_id,
        client_secret,
    } = &config.verify
    else {
        panic!("{:?}", config.verify);
    };
    assert_eq!(url, "https://apx.didit.me/auth/v2/introspect/");
    assert_eq!(client_id, "rs-1");
    assert!(client_secret.ct_eq("whsec_top_secret"));
    let Acting::CallersToken { audience } = &config.credential else {
        panic!("{:?}", config.credential);
    };
    assert_eq!(audience, "https://verification.didit.me");
    assert_eq!(config.max_body_bytes, 25 * 1024 * 1024);
    assert_eq!(config.tools.permissions, Permissions::Enforce);
    assert!(
        config.has_metrics && !config.public_discovery && !config.dangerous_accept_any_audience
    );
    assert!(!config.tools.dangerous_allow_loopback);
}

#[test]
fn the_later_source_wins() {
    let file = "[listen]\nport = 4000\naddress = \"0.0.0.0\"\n[limits]\nbody = \"1mb\"\n";
    let case = Case {
        file: Some(file),
        flags: vec!["limits.body=3mb"],
        ..with(&[("MCP_PORT", "5000"), ("MCP_JSON_BODY_LIMIT", "2mb")])
    };
    let config = case.serve().unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:5000");
    assert_eq!(config.max_body_bytes, 3 * 1024 * 1024);
}

#[test]
fn an_empty_variable_is_not_set() {
    let config = with(&[("MCP_PORT", ""), ("MCP_DEFAULT_ORG", " ")])
        .serve()
        .unwrap();
    assert_eq!(config.listen.port(), 3000);
    assert_eq!(config.tools.organization, None);
}

#[test]
fn the_issuer_follows_its_origin_and_every_part_can_be_said() {
    let config = with(&[("MCP_AUTHORIZATION_SERVER_ORIGIN", "https://as.example/")]);
    let issuer = config.serve().unwrap().issuer;
    assert_eq!(issuer.id.as_str(), "https://as.example");
    assert_eq!(
        issuer.token_endpoint,
        "https://as.example/api/auth/oauth-token"
    );
    let config = with(&[
        ("MCP_AUTHORIZATION_SERVER_ORIGIN", "https://as.example"),
        ("DIDIT_AUTH_ISSUER", "https://issuer.example/x"),
        ("DIDIT_OIDC_TOKEN_URL", "https://issuer.example/token"),
    ]);
    let issuer = config.serve().unwrap().issuer;
    assert_eq!(issuer.id.as_str(), "https://issuer.example/x");
    assert_eq!(issuer.token_endpoint, "https://issuer.example/token");
    assert_eq!(
        issuer.authorization_endpoint,
        "https://as.example/authorize"
    );
}

#[test]
fn with_keys_no_client_is_needed() {
    let case = Case {
        environment: vec![("MCP_TOKEN_VERIFY_MODE", "jwks")],
        ..Case::default()
    };
    assert!(matches!(case.serve().unwrap().verify, Verify::Jwks));
}

#[test]
fn a_secret_comes_from_the_environment_or_a_file_of_its_own() {
    let from_file = Case {
        file: Some("[tokens]\nclient_secret_file = \"/run/secrets/client\"\n"),
        environment: vec![CLIENT[0]],
        ..Case::default()
    };
    let by_variable = Case {
        environment: vec![
            CLIENT[0],
            ("MCP_OAUTH_CLIENT_SECRET_FILE", "/run/secrets/client"),
        ],
        ..Case::default()
    };
    for case in [from_file, by_variable] {
        let Verify::Introspection { client_secret, .. } = case.serve().unwrap().verify else {
            panic!();
        };
        assert!(client_secret.ct_eq("from-a-file"));
    }
}

#[test]
fn each_refusal_names_the_setting_the_source_and_the_remedy() {
    let variable = |name, value| (with(&[(name, value)]), None);
    let file = |text| {
        let case = Case {
            file: Some(text),
            ..with(&[])
        };
        (case, None)
    };
    let flag = |text| {
        let case = Case {
            flags: vec![text],
            ..with(&[])
        };
        (case, None::<()>)
    };
    for ((case, _), expected) in [
        (
            variable("MCP_PORT", "tcp://10.0.0.7:3000"),
            "listen.port \"tcp://10.0.0.7:3000\" is not a whole number (from the environment variable MCP_PORT): write a port, 0 for any free one",
        ),
        (
            variable("MCP_PORT", "65536"),
            "listen.port 65536 is not between 0 and 65535 (from the environment variable MCP_PORT): write a port, 0 for any free one",
        ),
        (
            variable("MCP_TOKEN_VERIFY_MODE", "jwk"),
            "tokens.verify \"jwk\" is neither (from the environment variable MCP_TOKEN_VERIFY_MODE): write introspection or jwks",
        ),
        (
            variable("MCP_RESOURCE_URI", "http://mcp.example/mcp"),
            "resource.uri \"http://mcp.example/mcp\" cannot be used: http is for loopback hosts only (localhost, 127.0.0.1, [::1]); use https (from the environment variable MCP_RESOURCE_URI): write the https address that clients use, with the path /mcp, or an http one on loopback",
        ),
        (
            variable("MCP_RESOURCE_URI", "https://mcp.example/other"),
            "resource.uri \"https://mcp.example/other\" has another path than the endpoint (from the environment variable MCP_RESOURCE_URI): write the https address that clients use, with the path /mcp, or an http one on loopback",
        ),
        (
            variable("MCP_PERMISSION_MODE", "on"),
            "tools.permissions \"on\" is none of them (from the environment variable MCP_PERMISSION_MODE): write enforce, shadow or off",
        ),
        (
            variable("MCP_PUBLIC_DISCOVERY", "yes"),
            "tools.public_discovery \"yes\" is neither true nor false (from the environment variable MCP_PUBLIC_DISCOVERY): write true or false",
        ),
        (
            variable("MCP_JSON_BODY_LIMIT", "25 megabytes"),
            "limits.body \"25 megabytes\" is not a size (from the environment variable MCP_JSON_BODY_LIMIT): write a size such as 512kb or 25mb, 1kb to 64mb",
        ),
        (
            variable("MCP_WEBHOOK_POLL_MS", "249"),
            "tools.webhook_poll_ms 249 is not between 250 and 60000 (from the environment variable MCP_WEBHOOK_POLL_MS): write milliseconds, 250 to 60000",
        ),
        (
            variable("MCP_PDF_DOWNLOAD_KEY", "whsec_0123456789"),
            "tools.pdf_download_key is not 64 hexadecimal digits (from the environment variable MCP_PDF_DOWNLOAD_KEY): write 64 hexadecimal digits",
        ),
        (
            variable("MCP_DEFAULT_ORG", "../x"),
            "defaults.organization \"../x\" must not contain `/`, `?` or `#` (from the environment variable MCP_DEFAULT_ORG): write an id as Didit gave it, or nothing",
        ),
        (
            variable("DIDIT_API_BASE_URL", "https://didit.example/v3?x"),
            "didit.api_base_url \"https://didit.example/v3?x\" cannot be used: a base address has no user information, query or fragment (from the environment variable DIDIT_API_BASE_URL): write an https address, or an http one on loopback",
        ),
        (
            file("[listen]\nprot = 1\n"),
            "\"listen.prot\" is no setting; perhaps listen.port is meant (from the file serve.toml): remove it; `mcp-server serve --check` lists them all",
        ),
        (
            file("port = 1\n"),
            "\"port\" is no setting (from the file serve.toml): remove it; `mcp-server serve --check` lists them all",
        ),
        (
            file("[listen]\nport = 1.5\n"),
            "listen.port is neither text nor a number nor a list of texts (from the file serve.toml): write a port, 0 for any free one",
        ),
        (
            file("[tokens]\nclient_secret = \"whsec_top_secret\"\n"),
            "tokens.client_secret is a secret and may not stand there (from the file serve.toml): write tokens.client_secret_file and the path of a file that only this user can read",
        ),
        (
            file("[tokens]\nclient_secret_file = \"/run/secrets/empty\"\n"),
            "tokens.client_secret the file \"/run/secrets/empty\" is empty (from the file serve.toml): write the client secret that this server has at the issuer",
        ),
        (
            file("[tokens]\nclient_secret_file = \"/etc/x\"\n"),
            "tokens.client_secret can be read by others (mode 644): run `chmod 600` on it (from the file serve.toml): write the client secret that this server has at the issuer",
        ),
        (
            flag("tokens.client_secret=whsec_top_secret"),
            "tokens.client_secret is a secret and may not stand there (from --set): write tokens.client_secret_file and the path of a file that only this user can read",
        ),
        (
            flag("whsec_top_secret"),
            "--set has no `=` (from --set): write --set KEY=VALUE",
        ),
        (
            variable("MCP_UPSTREAM_CREDENTIAL", "file"),
            "didit.credentials_file is missing: didit.credential is file (from the default): write the path of a JSON file with one Didit token for each subject",
        ),
        (
            variable("MCP_OAUTH_CLIENT_SECRET_FILE", "/run/secrets/client"),
            "tokens.client_secret is given twice (from the environment variable MCP_OAUTH_CLIENT_SECRET_FILE): set one of MCP_OAUTH_CLIENT_SECRET and MCP_OAUTH_CLIENT_SECRET_FILE",
        ),
    ] {
        assert_eq!(case.refused(), [expected]);
    }
}

#[test]
fn what_is_not_toml_is_told_by_its_line_and_not_shown() {
    let case = Case {
        file: Some("[tokens]\nclient_secret = whsec_top_secret\n"),
        ..with(&[])
    };
    let told = case.refused().join("\n");
    assert!(
        told.starts_with("the configuration file is not TOML: line 2: "),
        "{told}"
    );
    assert!(!told.contains("whsec"), "{told}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let case = Case {
        file: Some("[listen]\nport = -1\n[other]\nx = 1\n"),
        ..Case::default()
    };
    let told = case.refused();
    let fields: Vec<&str> = told
        .iter()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let expected = [
        "\"other.x\"",
        "listen.port",
        "tokens.client_id",
        "tokens.client_secret",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_variable_that_looks_like_ours_is_told_and_ignored() {
    let case = with(&[
        ("MCP_PROT", "1"),
        ("DIDIT_MCP_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/bin"),
    ]);
    let (_, layers) = case.read(Serve::read).unwrap();
    assert_eq!(
        layers.warnings,
        [
            "the environment variable \"DIDIT_MCP_SERVICE_HOST\" is not a setting of this server",
            "the environment variable \"MCP_PROT\" is not a setting of this server; perhaps MCP_PORT is meant",
        ]
    );
}

#[test]
fn the_check_shows_every_setting_with_its_source_and_no_secret() {
    let case = Case {
        file: Some("[listen]\nport = 4000\n"),
        flags: vec!["limits.body=1mb"],
        ..with(&[("DIDIT_ACCESS_TOKEN", "user-token-of-ada")])
    };
    let (_, layers) = case.read(Serve::read).unwrap();
    let table = shown::table(&layers);
    for line in [
        "listen.address = \"127.0.0.1\"  # the default",
        "listen.port = \"4000\"  # the file serve.toml",
        "limits.body = \"1mb\"  # --set",
        "tokens.client_id = \"rs-1\"  # the environment variable MCP_OAUTH_CLIENT_ID",
        "tokens.client_secret_file = (not shown)  # the environment variable MCP_OAUTH_CLIENT_SECRET",
        "defaults.organization is not set",
    ] {
        assert!(
            table.lines().any(|shown| shown == line),
            "{line} is not in:\n{table}"
        );
    }
    assert_eq!(table.lines().count(), field::FIELDS.len());
    for secret in ["whsec_top_secret", "user-token-of-ada"] {
        assert!(!table.contains(secret) && !format!("{layers:?}").contains(secret));
    }
}

#[test]
fn stdio_needs_none_of_what_serve_needs() {
    let (config, _) = Case::default().read(Stdio::read).unwrap();
    assert!(config.access_token.is_none());
    let case = Case {
        environment: vec![("DIDIT_ACCESS_TOKEN", "t"), ("MCP_DEFAULT_ORG", "o-1")],
        ..Case::default()
    };
    let (config, _) = case.read(Stdio::read).unwrap();
    assert!(config.access_token.unwrap().ct_eq("t"));
    assert_eq!(config.tools.organization.as_deref(), Some("o-1"));
}

#[test]
fn the_example_file_is_a_configuration() {
    let text = include_str!("../../serve.example.toml");
    let environment = BTreeMap::new();
    let sources = Sources {
        file: Some(("serve.example.toml", text)),
        environment: &environment,
        flags: &[],
        read_secret: &|_| Ok(Secret::new("s")),
    };
    let (_, layers) = Serve::read(&sources).unwrap();
    assert!(layers.warnings.is_empty());
}

#[test]
fn a_file_without_end_is_not_read() {
    let long = "#".repeat(source::MAX_FILE_BYTES + 1);
    let environment = BTreeMap::new();
    let sources = Sources {
        file: Some(("x", &long)),
        environment: &environment,
        flags: &[],
        read_secret: &secret_file,
    };
    let errors = Serve::read(&sources).unwrap_err().to_string();
    assert!(errors.contains("has more than 262144 bytes"), "{errors}");
}
