//! The sign-in form: which browser, which request, which person.

use oauth_rs::entropy::random_secret;
use oauth_rs::hash::HashKey;
use oauth_rs::secret::Secret;

use crate::decision::{Decision, Found, Present};
use crate::event::Event;
use crate::identity::Person;
use crate::record;
use crate::refused::Refused;
use crate::store::{Kind, Write};
use crate::token;

/// The cookie that tells one browser from another, before and after sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Browser(Secret);

impl Browser {
    pub(crate) const fn of(cookie: Secret) -> Self {
        Self(cookie)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the store knows of it.
    pub(crate) fn hashed(&self, hash: &HashKey) -> String {
        token::keyed(hash, "browser", &[self.expose()])
    }
}

/// Somebody who is signed in, in this browser.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) cookie: Secret,
    pub(crate) person: String,
}

impl SignedIn {
    /// The session of a cookie, unless it has expired.
    pub(crate) fn check(
        present: &Present<'_>,
        cookie: &Secret,
        found: Option<&Found<record::Session>>,
    ) -> Option<Self> {
        let session = found.map(|found| &found.record)?;
        (present.now < session.expires_at).then(|| Self {
            cookie: cookie.clone(),
            person: session.person.clone(),
        })
    }
}

/// The token that the sign-in form of this request carries in this browser.
pub(crate) fn csrf(hash: &HashKey, browser: &Browser, request_id: &str) -> Secret {
    Secret::new(token::keyed(
        hash,
        "csrf sign-in",
        &[browser.expose(), request_id],
    ))
}

/// A request that still waits, in the browser that made it.
pub(crate) fn waiting<'a>(
    present: &Present<'_>,
    request: Option<&'a Found<record::Request>>,
    browser: Option<&'a Browser>,
) -> Result<(&'a Found<record::Request>, &'a Browser), Refused> {
    let request = request
        .filter(|request| present.now < request.record.expires_at)
        .ok_or(Refused::RequestOver)?;
    // RFC 9700 section 4.7: a request that another browser made is not this person's.
    match browser {
        Some(browser) if browser.hashed(&present.config.keys.hash) == request.record.browser => {
            Ok((request, browser))
        }
        Some(_) | None => Err(Refused::Forged),
    }
}

/// Decides on a sign-in form: the cookie of the new session.
pub(crate) fn decide(
    present: &Present<'_>,
    request: Option<&Found<record::Request>>,
    browser: Option<&Browser>,
    sent: Option<&str>,
    person: Option<&Person>,
    before: Option<&Found<record::Session>>,
) -> Decision<Secret> {
    let checked = waiting(present, request, browser).and_then(|(request, browser)| {
        let expected = csrf(&present.config.keys.hash, browser, request.key.id());
        if !sent.is_some_and(|sent| expected.ct_eq(sent)) {
            return Err(Refused::Forged);
        }
        person.ok_or(Refused::PersonUnknown)
    });
    let person = match checked {
        Ok(person) => person,
        Err(reason) => return Decision::refused(reason),
    };
    // A new secret at every sign-in: a cookie that somebody planted or saw before is worth nothing.
    let cookie = random_secret(present.entropy);
    let key = token::filed(&present.config.keys.hash, Kind::Session, cookie.expose());
    let record = record::Session {
        person: person.id.clone(),
        signed_in_at: present.now,
        expires_at: present.now.after(present.config.lifetimes.session),
    };
    let decision = Decision::of(cookie)
        .with(Write::Insert {
            key,
            record: record.into(),
        })
        .telling(Event::SignedIn {
            person: person.id.clone(),
        });
    match before {
        Some(before) => decision.with(before.deleted()),
        None => decision,
    }
}
