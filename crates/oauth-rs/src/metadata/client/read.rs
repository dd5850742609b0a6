//! Reading the metadata of a client, from whichever of its three places.

use super::{
    AuthMethod, CertificateSubject, ClientMetadata, InvalidClientMetadata, MAX_ENTRIES,
    MAX_NAME_CHARS, MAX_REDIRECT_URIS, PublishedKeys, bad, bad_redirect,
};
use crate::json::{Members, WrongType};
use crate::metadata::plain_text::{is_blank, is_odd, is_short};
use crate::metadata::{MAX_METADATA_BYTES, MAX_TEXT_BYTES};
use crate::scope::ScopeSet;
use crate::uri::{RedirectUri, is_endpoint, is_endpoint_of};

/// What only a server gives, so that a client can neither choose nor publish it.
const OF_THE_SERVER: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

impl From<WrongType> for InvalidClientMetadata {
    fn from(wrong: WrongType) -> Self {
        bad(wrong.member, &format!("is not {}", wrong.wanted))
    }
}

pub(super) fn registration(bytes: &[u8]) -> Result<ClientMetadata, InvalidClientMetadata> {
    // RFC 7591 section 2: if omitted, the default is "client_secret_basic".
    Reader::new(bytes, None)?.read(AuthMethod::ClientSecretBasic)
}

pub(super) fn document(bytes: &[u8], url: &str) -> Result<ClientMetadata, InvalidClientMetadata> {
    let reader = Reader::new(bytes, Some(url))?;
    let members = &reader.members;
    // Client ID metadata document, section 4: client_id MUST be the address by string comparison.
    if members.text("client_id")?.as_deref() != Some(url) {
        return Err(bad("client_id", "is not the address of the document"));
    }
    // MCP 2026-07-28: the document MUST have a name and redirect addresses.
    if members
        .text("client_name")?
        .is_none_or(|name| is_blank(&name))
    {
        return Err(bad("client_name", "is required in a document"));
    }
    if members
        .texts("redirect_uris")?
        .is_none_or(|uris| uris.is_empty())
    {
        return Err(bad_redirect("is required in a document".into()));
    }
    // Client ID metadata document, section 4: no secret, and nothing else that a server gives.
    for member in ["client_secret"].into_iter().chain(OF_THE_SERVER) {
        if members.has(member) {
            return Err(bad(member, "must not be in a document"));
        }
    }
    // Client ID metadata document, section 4: no method by a shared secret.
    if members
        .text("token_endpoint_auth_method")?
        .is_some_and(|method| method.starts_with("client_secret"))
    {
        return Err(bad(
            "token_endpoint_auth_method",
            "must not rest on a shared secret",
        ));
    }
    let client_id = Some(url.to_owned());
    let read = reader.read(AuthMethod::None)?;
    Ok(ClientMetadata { client_id, ..read })
}

pub(super) fn update(
    bytes: &[u8],
    client_id: &str,
    is_secret: impl FnOnce(&str) -> bool,
) -> Result<ClientMetadata, InvalidClientMetadata> {
    let reader = Reader::new(bytes, None)?;
    let members = &reader.members;
    // RFC 7592 section 2.2: client_id MUST be there and be that of the client.
    if members.text("client_id")?.as_deref() != Some(client_id) {
        return Err(bad("client_id", "is not that of this registration"));
    }
    // RFC 7592 section 2.2: these four MUST NOT be there.
    for member in OF_THE_SERVER {
        if members.has(member) {
            return Err(bad(member, "must not be in an update"));
        }
    }
    // RFC 7592 section 2.2: a secret MUST be the present one; a client cannot choose it.
    if let Some(secret) = members.text("client_secret")?
        && !is_secret(&secret)
    {
        return Err(bad("client_secret", "is not the present one"));
    }
    let client_id = Some(client_id.to_owned());
    let read = reader.read(AuthMethod::ClientSecretBasic)?;
    Ok(ClientMetadata { client_id, ..read })
}

/// The members of what was sent, and the address that it came from if it has one.
struct Reader<'a> {
    members: Members<'a>,
    url: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], url: Option<&'a str>) -> Result<Self, InvalidClientMetadata> {
        if bytes.len() > MAX_METADATA_BYTES {
            return Err(bad("document", "is longer than 65536 bytes"));
        }
        let members = Members::read(bytes).map_err(|_| {
            bad(
                "document",
                "is not a JSON object in which each member occurs once",
            )
        })?;
        Ok(Self { members, url })
    }

    fn read(&self, default: AuthMethod) -> Result<ClientMetadata, InvalidClientMetadata> {
        let members = &self.members;
        let redirect_uris = redirects(&members.texts("redirect_uris")?.unwrap_or_default())?;
        let jwks_uri = self.page("jwks_uri")?;
        let jwks = match members.raw("jwks") {
            // RFC 7591 section 2: jwks_uri and jwks MUST NOT both be present.
            Some(_) if jwks_uri.is_some() => {
                return Err(bad("jwks", "cannot be given together with jwks_uri"));
            }
            Some(keys) => Some(PublishedKeys::parse(keys.get())?),
            None => None,
        };
        let certificate_subject = self.certificate_subject()?;
        let (method, others) = self.auth_methods(default)?;
        // OpenID Connect Core section 9, RFC 8705 section 2: what the method rests on is registered.
        if method.needs_published_key() && jwks.is_none() && jwks_uri.is_none() {
            return Err(bad("token_endpoint_auth_method", "needs jwks or jwks_uri"));
        }
        if method == AuthMethod::TlsClientAuth && certificate_subject.is_none() {
            return Err(bad(
                "token_endpoint_auth_method",
                "needs one of the members tls_client_auth_subject_dn and tls_client_auth_san_*",
            ));
        }
        let (grant_types, response_types) = types(
            members.texts("grant_types")?,
            members.texts("response_types")?,
        )?;
        // RFC 7591 section 2: redirect based flows MUST register redirect addresses.
        if redirect_uris.is_empty()
            && grant_types
                .iter()
                .any(|g| REDIRECTING.contains(&g.as_str()))
        {
            return Err(bad_redirect("at least one is required".into()));
        }
        let scope = match members.text("scope")?.as_deref() {
            None | Some("") => None,
            Some(text) => Some(ScopeSet::parse(text).map_err(|e| bad("scope", &e.to_string()))?),
        };
        let signing_alg = self.text("token_endpoint_auth_signing_alg")?;
        // OpenID Connect Dynamic Client Registration section 2: the value none MUST NOT be used.
        if signing_alg
            .as_deref()
            .is_some_and(|alg| alg.eq_ignore_ascii_case("none"))
        {
            return Err(bad(
                "token_endpoint_auth_signing_alg",
                "is none, which signs nothing",
            ));
        }
        let application_type = members.text("application_type")?;
        if let Some(kind) = &application_type
            && !matches!(kind.as_str(), "native" | "web")
        {
            return Err(bad("application_type", "is neither native nor web"));
        }
        Ok(ClientMetadata {
            client_id: None,
            client_name: self.text("client_name")?,
            redirect_uris,
            token_endpoint_auth_method: method,
            token_endpoint_auth_methods_supported: others,
            token_endpoint_auth_signing_alg: signing_alg,
            grant_types,
            response_types,
            scope,
            application_type,
            client_uri: self.page("client_uri")?,
            logo_uri: self.page("logo_uri")?,
            tos_uri: self.page("tos_uri")?,
            policy_uri: self.page("policy_uri")?,
            jwks_uri,
            jwks,
            contacts: self.contacts()?,
            software_id: self.text("software_id")?,
            software_version: self.text("software_version")?,
            certificate_subject,
            tls_client_certificate_bound_access_tokens: members
                .flag("tls_client_certificate_bound_access_tokens")?,
            require_pushed_authorization_requests: members
                .flag("require_pushed_authorization_requests")?,
            dpop_bound_access_tokens: members.flag("dpop_bound_access_tokens")?,
        })
    }

    /// The method, and the others in order; a method that nobody here knows counts if it is the only one.
    fn auth_methods(
        &self,
        default: AuthMethod,
    ) -> Result<(AuthMethod, Vec<AuthMethod>), InvalidClientMetadata> {
        const LIST: &str = "token_endpoint_auth_methods_supported";
        let listed = self.members.texts(LIST)?.unwrap_or_default();
        if listed.len() > MAX_ENTRIES {
            return Err(bad(LIST, "has too many entries"));
        }
        let mut others = Vec::new();
        for method in listed.iter().filter_map(|name| AuthMethod::parse(name)) {
            // Client ID metadata document, section 4: a document has no secret to share, so that what
            // rests on one is no choice of its client.
            let can_be = self.url.is_none() || !method.shares_a_secret();
            if can_be && !others.contains(&method) {
                others.push(method);
            }
        }
        let sent = self.members.text("token_endpoint_auth_method")?;
        let method = match sent.as_deref() {
            Some(name) => AuthMethod::parse(name).or(others.first().copied()),
            None if others.is_empty() || others.contains(&default) => Some(default),
            None => others.first().copied(),
        };
        let method = method
            .ok_or_else(|| bad("token_endpoint_auth_method", "is not a method known here"))?;
        Ok((method, others))
    }

    /// RFC 8705 section 2.1.2: exactly one of the five.
    fn certificate_subject(&self) -> Result<Option<CertificateSubject>, InvalidClientMetadata> {
        let mut found = None;
        let kinds = [
            "tls_client_auth_subject_dn",
            "tls_client_auth_san_dns",
            "tls_client_auth_san_uri",
            "tls_client_auth_san_ip",
            "tls_client_auth_san_email",
        ];
        for member in kinds {
            let Some(value) = self.text(member)? else {
                continue;
            };
            if value.is_empty() || found.is_some() {
                return Err(bad(member, "is empty, or not the only one of its kind"));
            }
            found = Some(match member {
                "tls_client_auth_subject_dn" => CertificateSubject::DistinguishedName(value),
                "tls_client_auth_san_dns" => CertificateSubject::Dns(value),
                "tls_client_auth_san_uri" => CertificateSubject::Uri(value),
                "tls_client_auth_san_ip" => CertificateSubject::Ip(value),
                _ => CertificateSubject::Email(value),
            });
        }
        Ok(found)
    }

    fn contacts(&self) -> Result<Vec<String>, InvalidClientMetadata> {
        let contacts = self.members.texts("contacts")?.unwrap_or_default();
        if contacts.len() > MAX_ENTRIES {
            return Err(bad("contacts", "has too many entries"));
        }
        contacts
            .into_iter()
            .map(|entry| plain("contacts", entry))
            .collect()
    }

    fn text(&self, member: &'static str) -> Result<Option<String>, InvalidClientMetadata> {
        let text = self.members.text(member)?;
        text.map(|text| plain(member, text)).transpose()
    }

    fn page(&self, member: &'static str) -> Result<Option<String>, InvalidClientMetadata> {
        let url = self.members.text(member)?;
        let fits = |url: &String| match self.url {
            // A document elsewhere has no business with what listens on this machine.
            Some(own) => is_endpoint_of(url, own),
            None => is_endpoint(url),
        };
        if url
            .as_ref()
            .is_none_or(|url| url.len() <= MAX_TEXT_BYTES && fits(url))
        {
            Ok(url)
        } else {
            Err(bad(
                member,
                "is neither an https nor a loopback http address",
            ))
        }
    }
}

/// Text that is shown to people.
fn plain(field: &'static str, text: String) -> Result<String, InvalidClientMetadata> {
    if !is_short(&text) {
        return Err(bad(field, "is too long"));
    }
    if text.chars().any(is_odd) {
        return Err(bad(
            field,
            "holds a control character, a direction override or an invisible character",
        ));
    }
    Ok(text)
}

fn redirects(texts: &[String]) -> Result<Vec<RedirectUri>, InvalidClientMetadata> {
    if texts.len() > MAX_REDIRECT_URIS {
        return Err(bad_redirect(format!(
            "more than {MAX_REDIRECT_URIS} addresses"
        )));
    }
    texts
        .iter()
        .map(|text| RedirectUri::parse(text).map_err(|e| bad_redirect(e.to_string())))
        .collect()
}

/// Grant types, and response types.
type Types = (Vec<String>, Vec<String>);

/// Grant types and response types that agree; if one is absent, it follows from the other.
fn types(
    grants: Option<Vec<String>>,
    responses: Option<Vec<String>>,
) -> Result<Types, InvalidClientMetadata> {
    let (grants, responses) = match (grants, responses) {
        // RFC 7591 section 2: the defaults of the two.
        (None, None) => (vec!["authorization_code".into()], vec!["code".into()]),
        (Some(grants), None) => {
            let responses = following(&grants, &["code", "token"], has_grant_of);
            (grants, responses)
        }
        (None, Some(responses)) => (following(&responses, &REDIRECTING, needs), responses),
        (Some(grants), Some(responses)) => (grants, responses),
    };
    for (field, list) in [("grant_types", &grants), ("response_types", &responses)] {
        if list.len() > MAX_ENTRIES || list.iter().any(|entry| entry.len() > MAX_NAME_CHARS) {
            return Err(bad(field, "is too long"));
        }
    }
    // RFC 7591 section 2.1: authorization_code goes with code, and implicit with token.
    for grant in REDIRECTING {
        if grants.iter().any(|own| own == grant) != needs(&responses, grant) {
            return Err(bad(
                "grant_types",
                "authorization_code and the response type code go together, and so do implicit and token",
            ));
        }
    }
    Ok((grants, responses))
}

/// The grants that send a browser back to the client.
pub(super) const REDIRECTING: [&str; 2] = ["authorization_code", "implicit"];

fn following(
    list: &[String],
    entries: &[&str],
    wanted: fn(&[String], &str) -> bool,
) -> Vec<String> {
    let entries = entries.iter().filter(|entry| wanted(list, entry));
    entries.map(|entry| (*entry).to_owned()).collect()
}

/// Whether the grant by which this response type comes is among them.
fn has_grant_of(grants: &[String], response: &str) -> bool {
    let grant = if response == "code" {
        "authorization_code"
    } else {
        "implicit"
    };
    grants.iter().any(|own| own == grant)
}

/// Whether any response type has a word that comes by this grant.
pub(super) fn needs(responses: &[String], grant: &str) -> bool {
    let mut words = responses.iter().flat_map(|kind| kind.split(' '));
    match grant {
        "authorization_code" => words.any(|word| word == "code"),
        _ => words.any(|word| matches!(word, "token" | "id_token")),
    }
}
