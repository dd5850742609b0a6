//! The configuration of `serve` and `stdio`: defaults, a file, the environment, the command line.
//!
//! Nothing here looks at the world: files, variables and flags are handed in.

pub(crate) mod error;
pub(crate) mod field;
pub(crate) mod shown;
pub(crate) mod source;
mod value;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use didit_client::Api;
pub(crate) use didit_tools::Permissions;
use oauth_rs::scope::ScopeSet;
use oauth_rs::secret::Secret;
use oauth_rs::uri::{Issuer, ResourceId};

use error::ConfigErrors;
use source::{Layers, Sources};
use value::{Reader, address, number, size, switch};

/// What `serve` and `stdio` have in common: the Didit API and how tools are called.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) api: Api,
    pub(crate) organization: Option<String>,
    pub(crate) application: Option<String>,
    pub(crate) permissions: Permissions,
    pub(crate) dangerous_allow_loopback: bool,
    /// How long between two looks for the delivery of a webhook.
    pub(crate) webhook_poll: Duration,
}

/// The configuration of `serve`.
#[derive(Clone, Debug)]
pub(crate) struct Serve {
    pub(crate) listen: SocketAddr,
    pub(crate) resource: ResourceId,
    pub(crate) scopes: ScopeSet,
    pub(crate) issuer: IssuerAt,
    pub(crate) verify: Verify,
    pub(crate) dangerous_accept_any_audience: bool,
    pub(crate) credential: Acting,
    pub(crate) public_discovery: bool,
    pub(crate) max_body_bytes: usize,
    pub(crate) connections: usize,
    pub(crate) drain: Duration,
    pub(crate) has_metrics: bool,
    pub(crate) tools: Tools,
}

/// The authorization server, and what is said of it where its own document cannot be had.
#[derive(Clone, Debug)]
pub(crate) struct IssuerAt {
    pub(crate) id: Issuer,
    pub(crate) metadata_url: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) registration_endpoint: String,
    pub(crate) jwks_url: String,
}

/// How tokens are validated.
#[derive(Clone, Debug)]
pub(crate) enum Verify {
    /// The issuer is asked about each.
    Introspection {
        url: String,
        client_id: String,
        client_secret: Secret,
    },
    /// They are JWTs, and the issuer's keys verify them.
    Jwks,
}

/// Whose credential goes to the Didit API.
#[derive(Clone, Debug)]
pub(crate) enum Acting {
    /// The caller's own token, if this is among its audiences.
    CallersToken { audience: String },
    /// One that a file has for the subject of the caller's token.
    File(PathBuf),
}

/// The configuration of `stdio`.
#[derive(Clone, Debug)]
pub(crate) struct Stdio {
    /// None until a tool signs in.
    pub(crate) access_token: Option<Secret>,
    pub(crate) tools: Tools,
}

impl Serve {
    /// Reads all sources.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn read(sources: &Sources<'_>) -> Result<(Self, Layers), ConfigErrors> {
        let layers = Layers::read(sources);
        let mut reader = Reader::new(&layers);
        let config = serve(&mut reader);
        finish(config, reader.errors).map(|config| (config, layers))
    }
}

impl Stdio {
    /// Reads all sources; what only `serve` needs is checked by `serve`.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn read(sources: &Sources<'_>) -> Result<(Self, Layers), ConfigErrors> {
        let layers = Layers::read(sources);
        let mut reader = Reader::new(&layers);
        let access_token = reader.secret("didit.access_token");
        let tools = tools(&mut reader);
        let config = tools.map(|tools| Self {
            access_token,
            tools,
        });
        finish(config, reader.errors).map(|config| (config, layers))
    }
}

/// A configuration is there when nothing was wrong.
fn finish<T>(config: Option<T>, errors: Vec<error::ConfigError>) -> Result<T, ConfigErrors> {
    match config {
        Some(config) if errors.is_empty() => Ok(config),
        _ => Err(ConfigErrors(errors)),
    }
}

/// None only if something was wrong, which the reader knows.
fn serve(reader: &mut Reader<'_>) -> Option<Serve> {
    let ip = reader.get("listen.address", |text| {
        text.parse::<IpAddr>()
            .map_err(|_| format!("{} is not an IP address", error::shown(text)))
    });
    let port = reader.get("listen.port", |text| number(text, 0, 65535));
    let resource = reader.get("resource.uri", resource);
    let scopes = reader.get("resource.scopes", |text| {
        ScopeSet::parse(text).map_err(|reason| format!("is no list of scopes: {reason}"))
    });
    let issuer = issuer(reader);
    let verify = verify(reader);
    let any_audience = reader.get("tokens.dangerous_accept_any_audience", switch);
    let credential = credential(reader);
    let public_discovery = reader.get("tools.public_discovery", switch);
    let max_body_bytes = reader.get("limits.body", size);
    let connections = reader.get("limits.connections", |text| number(text, 1, 65536));
    let drain = reader.get("limits.drain_seconds", |text| number(text, 0, 300));
    let has_metrics = reader.get("metrics.enabled", switch);
    reader.get("tools.pdf_download_key", pdf_download_key);
    let tools = tools(reader);
    Some(Serve {
        listen: SocketAddr::new(ip?, u16::try_from(port?).ok()?),
        resource: resource?,
        scopes: scopes?,
        issuer: issuer?,
        verify: verify?,
        dangerous_accept_any_audience: any_audience?,
        credential: credential?,
        public_discovery: public_discovery?,
        max_body_bytes: max_body_bytes?,
        connections: usize::try_from(connections?).ok()?,
        drain: Duration::from_secs(drain?),
        has_metrics: has_metrics?,
        tools: tools?,
    })
}

fn tools(reader: &mut Reader<'_>) -> Option<Tools> {
    let auth = reader.get("didit.auth_base_url", address);
    let base = reader.get("didit.api_base_url", |text| {
        // The rules for one base are those for the other.
        Api::at("https://apx.didit.me/auth/v2", text)
            .map_err(|reason| format!("{} cannot be used: {reason}", error::shown(text)))?;
        Ok(text.to_owned())
    });
    let organization = reader.get("defaults.organization", id);
    let application = reader.get("defaults.application", id);
    let permissions = reader.get("tools.permissions", |text| match text {
        "enforce" => Ok(Permissions::Enforce),
        "shadow" => Ok(Permissions::Shadow),
        "off" => Ok(Permissions::Off),
        _ => Err(format!("{} is none of them", error::shown(text))),
    });
    let poll = reader.get("tools.webhook_poll_ms", |text| number(text, 250, 60_000));
    let loopback = reader.get("didit.dangerous_allow_loopback", switch);
    let (auth, base) = (auth?, base?);
    let api = reader.get("didit.auth_base_url", |_| {
        Api::at(&auth, &base)
            .map_err(|reason| format!("{} cannot be used: {reason}", error::shown(&auth)))
    });
    Some(Tools {
        api: api?,
        organization,
        application,
        permissions: permissions?,
        dangerous_allow_loopback: loopback?,
        webhook_poll: Duration::from_millis(poll?),
    })
}

fn issuer(reader: &mut Reader<'_>) -> Option<IssuerAt> {
    let origin = reader.get("issuer.origin", address)?;
    let origin = origin.trim_end_matches('/');
    let id = reader
        .text("issuer.id")
        .unwrap_or_else(|| origin.to_owned());
    let key = match reader.text("issuer.id") {
        Some(_) => "issuer.id",
        None => "issuer.origin",
    };
    let id = reader.get(key, |_| {
        Issuer::parse(&id).map_err(|reason| format!("{} is no issuer: {reason}", error::shown(&id)))
    });
    let mut at = |key, path: &str| {
        let said = reader.text(key).is_some();
        match reader.get(key, address) {
            None if !said => Some(format!("{origin}{path}")),
            read => read,
        }
    };
    let metadata_url = at(
        "issuer.metadata_url",
        "/.well-known/oauth-authorization-server",
    );
    let authorization_endpoint = at("issuer.authorization_endpoint", "/authorize");
    let token_endpoint = at("issuer.token_endpoint", "/api/auth/oauth-token");
    let registration_endpoint = at("issuer.registration_endpoint", "/api/auth/oauth-register");
    let jwks_url = reader.get("issuer.jwks_url", address);
    Some(IssuerAt {
        id: id?,
        metadata_url: metadata_url?,
        authorization_endpoint: authorization_endpoint?,
        token_endpoint: token_endpoint?,
        registration_endpoint: registration_endpoint?,
        jwks_url: jwks_url?,
    })
}

fn verify(reader: &mut Reader<'_>) -> Option<Verify> {
    let introspects = reader.get("tokens.verify", |text| match text {
        "introspection" => Ok(true),
        "jwks" => Ok(false),
        _ => Err(format!("{} is neither", error::shown(text))),
    })?;
    let url = reader.get("tokens.introspection_url", address);
    if !introspects {
        return Some(Verify::Jwks);
    }
    let client_id = reader.text("tokens.client_id");
    let client_secret = reader.secret("tokens.client_secret");
    let why = "the issuer answers only those it knows about tokens";
    reader.missing("tokens.client_id", why);
    reader.missing("tokens.client_secret", why);
    Some(Verify::Introspection {
        url: url?,
        client_id: client_id?,
        client_secret: client_secret?,
    })
}

fn credential(reader: &mut Reader<'_>) -> Option<Acting> {
    let is_callers = reader.get("didit.credential", |text| match text {
        "callers-token" => Ok(true),
        "file" => Ok(false),
        _ => Err(format!("{} is neither", error::shown(text))),
    })?;
    let audience = reader.text("didit.audience");
    let file = reader.text("didit.credentials_file");
    if is_callers {
        let audience = audience.or_else(|| {
            let base = reader.text("didit.api_base_url")?;
            Some(origin(&base).to_owned())
        });
        return Some(Acting::CallersToken {
            audience: audience?,
        });
    }
    reader.missing("didit.credentials_file", "didit.credential is file");
    Some(Acting::File(PathBuf::from(file?)))
}

/// Scheme, host and port of an address that was checked.
fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(after_scheme..)
        .and_then(|rest| rest.find('/'))
        .map_or(url.len(), |at| after_scheme + at);
    url.get(..end).unwrap_or(url)
}

fn resource(text: &str) -> Result<ResourceId, String> {
    let resource = ResourceId::parse(text)
        .map_err(|reason| format!("{} cannot be used: {reason}", error::shown(text)))?;
    // Clients connect there, and one that does not find it at the path is lost.
    match text.strip_prefix(resource.origin()) {
        Some("/mcp" | "" | "/") => Ok(resource),
        _ => Err(format!(
            "{} has another path than the endpoint",
            error::shown(text)
        )),
    }
}

fn id(text: &str) -> Result<String, String> {
    let part = didit_client::PathPart::parse(text);
    part.map_err(|reason| format!("{} {reason}", error::shown(text)))?;
    Ok(text.to_owned())
}

/// The key is understood and checked, and nothing is made with it: see the page on the configuration.
fn pdf_download_key(text: &str) -> Result<(), String> {
    match text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err("is not 64 hexadecimal digits".to_owned()),
    }
}
