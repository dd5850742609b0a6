//! The checks of a delivery, in their order.

use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::canonical::{NotCanonical, canonical};
use super::event::{Event, FourValues};
use super::refused::Refused;
use crate::crypto::hmac_sha256_is;
use crate::secret::Secret;

/// The largest body that is looked at, in bytes; decisions with every check are far below it.
pub const MAX_BODY: usize = 1024 * 1024;

/// How far the signed time may be from now, in seconds, either way: what Didit documents.
pub const WINDOW: u64 = 300;

/// The most secrets that are tried: the old one, the new one, and as many again.
pub const MAX_SECRETS: usize = 4;

/// The secrets of a destination; during a change the old and the new one.
#[derive(Clone, Debug)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// One secret or, while it is being changed, several.
    ///
    /// # Errors
    /// [`InvalidSecrets`] for none, more than [`MAX_SECRETS`], or an empty one.
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Result<Self, InvalidSecrets> {
        let secrets: Vec<Secret> = secrets.into_iter().take(MAX_SECRETS + 1).collect();
        let count = (1..=MAX_SECRETS).contains(&secrets.len());
        if !count || secrets.iter().any(|secret| secret.expose().is_empty()) {
            return Err(InvalidSecrets);
        }
        Ok(Self(secrets))
    }

    /// Whether one of them made this signature; all are tried, so that time does not tell which.
    fn signed(&self, text: &[u8], signature: &[u8; 32]) -> bool {
        self.0.iter().fold(false, |fits, secret| {
            hmac_sha256_is(secret.expose().as_bytes(), text, signature) | fits
        })
    }
}

/// No secret, too many, or an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a destination has one to four secrets, and none of them is empty")]
pub struct InvalidSecrets;

/// Which signature is checked; there is no falling back to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// `X-Signature`, over the bytes as they came: the one to choose where nothing rewrites the body.
    Body,
    /// `X-Signature-V2`, over the canonical form: for behind something that parses the body and writes it again.
    Canonical,
}

impl Recipe {
    fn header(self) -> &'static str {
        match self {
            Self::Body => "x-signature",
            Self::Canonical => "x-signature-v2",
        }
    }
}

/// Checks deliveries of one destination.
#[derive(Clone, Debug)]
pub struct Receiver {
    recipe: Recipe,
    secrets: Secrets,
}

/// An event whose every value was signed, within the window.
///
/// It may have been delivered before: [`Repeats::first`](super::Repeats::first) tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified(Event);

impl Verified {
    /// What it says.
    pub fn event(&self) -> &Event {
        &self.0
    }

    /// What it says, to keep; for those who drop repeats where they store events.
    pub fn into_event_that_may_be_a_repeat(self) -> Event {
        self.0
    }
}

impl Receiver {
    /// A receiver that accepts this signature and no other.
    pub fn new(recipe: Recipe, secrets: Secrets) -> Self {
        Self { recipe, secrets }
    }

    /// Checks a delivery; `now` is in seconds since 1970.
    ///
    /// Checked, in this order: size, signature, form, freshness by the signed `timestamp`.
    /// Not checked: `X-Timestamp`, which is not signed; the sender's address; whether it was delivered before.
    ///
    /// # Errors
    /// [`Refused`] with the first rule that is broken.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: u64) -> Result<Verified, Refused> {
        let signature = signature(headers, self.recipe.header(), body)?;
        let signed = match self.recipe {
            Recipe::Body => self.secrets.signed(body, &signature),
            Recipe::Canonical => {
                let text = std::str::from_utf8(body).map_err(|_| NotCanonical::Json)?;
                self.secrets.signed(canonical(text)?.as_bytes(), &signature)
            }
        };
        if !signed {
            return Err(Refused::SignatureWrong);
        }
        let event = Event::read_signed(parsed(body)?)?;
        fresh(event.timestamp, now)?;
        Ok(Verified(event))
    }
}

/// Checks deliveries by `X-Signature-Simple`, which covers four values and nothing else of the body.
///
/// Whoever sees one such delivery can change its decision, its vendor data and its event id, and the signature still fits.
/// So only the four values are given out; read everything else from the API.
#[derive(Clone, Debug)]
pub struct DangerousSimpleReceiver(Secrets);

impl DangerousSimpleReceiver {
    /// A receiver that accepts this signature and no other.
    pub fn dangerous_new(secrets: Secrets) -> Self {
        Self(secrets)
    }

    /// Checks a delivery; `now` is in seconds since 1970.
    ///
    /// Not checked: any other value of the body, and whether it was delivered before; the event id is not signed.
    ///
    /// # Errors
    /// [`Refused`] with the first rule that is broken; a delivery without a session is refused as no event.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: u64,
    ) -> Result<FourValues, Refused> {
        let signature = signature(headers, "x-signature-simple", body)?;
        let mut values = FourValues::read_to_check(parsed(body)?)?;
        // What is not signed does not get out.
        values.rest.clear();
        if !self.0.signed(values.signed().as_bytes(), &signature) {
            return Err(Refused::SignatureWrong);
        }
        fresh(values.timestamp, now)?;
        Ok(values)
    }
}

fn parsed(body: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(body).map_err(|_| NotCanonical::Json.into())
}

/// The signature of a body that is not too large.
fn signature(headers: &HeaderMap, header: &'static str, body: &[u8]) -> Result<[u8; 32], Refused> {
    if body.len() > MAX_BODY {
        return Err(Refused::BodyTooLarge);
    }
    let mut found = headers.get_all(HeaderName::from_static(header)).iter();
    let value = found.next().ok_or(Refused::SignatureMissing { header })?;
    // With two of them, somebody in between could check the other one.
    if found.next().is_some() {
        return Err(Refused::SignatureTwice { header });
    }
    let mut out = [0; 32];
    let (pairs, rest) = value.as_bytes().as_chunks::<2>();
    if pairs.len() != out.len() || !rest.is_empty() {
        return Err(Refused::SignatureForm);
    }
    for (to, [high, low]) in out.iter_mut().zip(pairs) {
        *to = (digit(*high)? << 4) | digit(*low)?;
    }
    Ok(out)
}

fn digit(byte: u8) -> Result<u8, Refused> {
    match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(Refused::SignatureForm),
    }
}

fn fresh(timestamp: u64, now: u64) -> Result<(), Refused> {
    match now.checked_sub(timestamp.saturating_add(WINDOW)) {
        None | Some(0) => {}
        Some(by) => return Err(Refused::TooOld { by }),
    }
    match timestamp.checked_sub(now.saturating_add(WINDOW)) {
        None | Some(0) => Ok(()),
        Some(by) => Err(Refused::TooEarly { by }),
    }
}
