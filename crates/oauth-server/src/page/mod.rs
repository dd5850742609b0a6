//! The pages that a person sees: sign-in, consent, and what went wrong.

mod policy;

use askama::Template;
use oauth_rs::secret::Secret;
use oauth_rs::uri::{ClientIdUrl, RedirectUri};

use crate::config::{Resource, Scope};
use crate::endpoint::authorize::Told;
use crate::identity::Person;
use crate::record::Request;
use crate::refused::Refused;

pub(crate) use self::policy::Policy;

/// The style of every page; the content security policy allows it by its hash.
const STYLE: &str = include_str!("../../templates/style.css");

/// A page as text, and where its form may lead.
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) policy: Policy,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    css: &'a str,
    client: &'a str,
    people: &'a [Person],
    action: &'a str,
    request: &'a str,
    csrf: &'a str,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent<'a> {
    css: &'a str,
    client: &'a str,
    origin: String,
    redirect_host: String,
    redirect_uri: &'a str,
    loopback: bool,
    person: &'a Person,
    resource: &'a str,
    scopes: Vec<&'a Scope>,
    action: &'a str,
    sign_in: String,
    request: &'a str,
    csrf: &'a str,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Wrong<'a> {
    css: &'a str,
    title: &'a str,
    text: &'a str,
    advice: &'a str,
}

#[derive(Template)]
#[template(path = "told.html")]
struct ToldPage<'a> {
    css: &'a str,
    title: &'a str,
    text: &'a str,
    client: &'a str,
    redirect_host: String,
    redirect_uri: &'a str,
    link: &'a str,
}

/// The page on which a person picks who they are.
pub(crate) fn sign_in(
    action: &str,
    id: &str,
    request: &Request,
    people: &[Person],
    csrf: &Secret,
) -> Result<Page, Refused> {
    let page = SignIn {
        css: STYLE,
        client: name(request.client_name.as_deref()),
        people,
        action,
        request: id,
        csrf: csrf.expose(),
    };
    rendered(&page, Policy::own_forms())
}

/// Where the forms of the consent page lead.
pub(crate) struct Actions<'a> {
    pub(crate) consent: &'a str,
    pub(crate) sign_in: &'a str,
}

/// The page on which a person decides.
pub(crate) fn consent(
    actions: &Actions<'_>,
    id: &str,
    request: &Request,
    resource: &Resource,
    person: &Person,
    csrf: &Secret,
) -> Result<Page, Refused> {
    let page = Consent {
        css: STYLE,
        client: name(request.client_name.as_deref()),
        origin: origin(request),
        redirect_host: destination(&request.redirect_uri),
        redirect_uri: request.redirect_uri.as_str(),
        // Whatever else the client registered: an address on this computer is anybody's here.
        loopback: request.redirect_uri.is_loopback(),
        person,
        resource: &resource.name,
        scopes: resource
            .scopes
            .iter()
            .filter(|s| request.scope.contains(&s.name))
            .collect(),
        action: actions.consent,
        sign_in: format!(
            "{}?{}",
            actions.sign_in,
            oauth_rs::params::encode(&[("request", id)])
        ),
        request: id,
        csrf: csrf.expose(),
    };
    rendered(&page, Policy::forms_that_lead_to(&request.redirect_uri))
}

/// The page for a refusal that cannot be sent to the client.
pub(crate) fn wrong(reason: &Refused) -> Result<Page, Refused> {
    let text = format!("{}.", reason.on_page());
    let page = Wrong {
        css: STYLE,
        title: title(reason),
        text: &text,
        advice: "Nothing was sent to the application. Close this page, go back to the application and start again.",
    };
    rendered(&page, Policy::no_forms())
}

/// The page for a refusal that a person may take to the client.
pub(crate) fn told(told: &Told) -> Result<Page, Refused> {
    let text = format!("{}.", told.reason.on_page());
    let page = ToldPage {
        css: STYLE,
        title: title(&told.reason),
        text: &text,
        client: name(told.client_name.as_deref()),
        redirect_host: destination(&told.address),
        redirect_uri: told.address.as_str(),
        link: told.link.as_str(),
    };
    rendered(&page, Policy::no_forms())
}

fn title(reason: &Refused) -> &'static str {
    match reason {
        Refused::Forged => "This answer was not accepted",
        Refused::RequestOver => "This request is over",
        Refused::Store | Refused::Contended | Refused::Signing | Refused::Damaged => {
            "Something went wrong here"
        }
        _ => "The application sent a request that cannot be answered",
    }
}

fn rendered(page: &impl Template, policy: Policy) -> Result<Page, Refused> {
    // Rendering into memory fails for want of memory only; no template has a filter that fails.
    let html = page.render().map_err(|_| Refused::Damaged)?;
    Ok(Page { html, policy })
}

fn name(chosen: Option<&str>) -> &str {
    chosen
        .filter(|name| !name.trim().is_empty())
        .unwrap_or("An application without a name")
}

/// Where the client comes from, as far as that is known.
fn origin(request: &Request) -> String {
    if ClientIdUrl::is_meant(&request.client_id) {
        // The document was fetched from this host, which is the one thing about such a client that is established.
        let rest = request
            .client_id
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        return format!("Described by {host}");
    }
    if request.only_loopback {
        return "An application on this computer".to_owned();
    }
    match request.redirect_uri.scheme() {
        "https" => format!("An application at {}", destination(&request.redirect_uri)),
        _ => "An application on this computer".to_owned(),
    }
}

/// The place that a redirect address leads to, in words.
fn destination(uri: &RedirectUri) -> String {
    if uri.is_loopback() {
        return format!("{} (this computer)", uri.host().unwrap_or_default());
    }
    if let Some(application) = uri.application() {
        return format!("{application}, on this computer");
    }
    match uri.host() {
        Some(host) if uri.scheme() == "https" => host.to_owned(),
        _ => format!(
            "the application on this computer that opens {}: links",
            uri.scheme()
        ),
    }
}

#[cfg(test)]
mod tests;
