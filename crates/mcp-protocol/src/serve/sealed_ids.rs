//! Session ids that carry what a node needs to serve the session.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sealing::Sealing;
use super::sessions::SessionLimits;
use crate::revision::{Era, Revision};
use crate::seal::{Binding, Opened, Purpose, Refused, Spent};
use crate::types::{ClientCapabilities, Implementation, Initialize};
use crate::violation::Violation;

/// How much of each word that names the client goes into the id, in bytes. They are for people.
const MAX_WORD_BYTES: usize = 64;

/// Makes and opens ids, and remembers which sessions were ended here.
pub(super) struct SealedIds {
    sealing: Sealing,
    ended: Mutex<Spent>,
}

/// An id that opened.
pub(super) struct Found(Opened);

impl Found {
    /// What the id says of the session.
    pub(super) fn read(&self) -> Result<(Revision, Initialize), Violation> {
        let carried: Carried =
            serde_json::from_str(self.0.payload()).map_err(|_| Violation::SessionUnknown)?;
        let revision = Revision::parse(&carried.revision)
            .filter(|revision| revision.era() == Era::Legacy)
            .ok_or(Violation::SessionUnknown)?;
        let peer = Initialize {
            protocol_version: carried.revision,
            capabilities: carried.capabilities,
            client_info: carried.client_info,
        };
        Ok((revision, peer))
    }
}

/// What is in an id besides principal and expiry. Short names: it travels with each request.
#[derive(Serialize, Deserialize)]
struct Carried {
    #[serde(rename = "v")]
    revision: String,
    #[serde(rename = "c")]
    capabilities: ClientCapabilities,
    #[serde(rename = "i")]
    client_info: Implementation,
}

impl SealedIds {
    /// None if ids are not sealed.
    pub(super) fn of(limits: &SessionLimits) -> Option<Self> {
        Some(SealedIds {
            sealing: limits.sealing.clone()?,
            ended: Mutex::new(Spent::new(limits.max_sessions)),
        })
    }

    /// Makes an id; none if what the client has said of itself is too long to be carried.
    pub(super) fn make(
        &self,
        revision: Revision,
        peer: &Initialize,
        principal: Option<&str>,
    ) -> Option<String> {
        let carried = Carried {
            revision: revision.to_string(),
            capabilities: peer.capabilities.clone(),
            client_info: clipped(&peer.client_info),
        };
        let payload = serde_json::to_string(&carried).ok()?;
        let lifetime = self.sealing.session_lifetime;
        self.sealing
            .seal(
                Purpose::Session,
                &Binding::to_principal(principal),
                lifetime,
                &payload,
            )
            .ok()
    }

    /// Opens an id for the principal that it was given to, unless its session was ended here.
    ///
    /// MCP-LHTTP-13: anyone else is told that there is no such session.
    pub(super) fn open(&self, id: &str, principal: Option<&str>) -> Result<Found, Violation> {
        let binding = Binding::to_principal(principal);
        let opened = self
            .sealing
            .open(Purpose::Session, &binding, id)
            .map_err(|refused| violation(self.sealing.told(Purpose::Session, refused)))?;
        let found = Found(opened);
        self.goes_on(&found)?;
        Ok(found)
    }

    /// Whether the session was not ended here.
    pub(super) fn goes_on(&self, found: &Found) -> Result<(), Violation> {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.contains(&found.0) {
            return Err(Violation::SessionUnknown);
        }
        Ok(())
    }

    /// Remembers that the session was ended.
    pub(super) fn end(&self, found: &Found) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.remember(&found.0, self.sealing.now());
    }

    /// How long the id is good for from now on.
    pub(super) fn left(&self, found: &Found) -> Duration {
        let expires = found.0.expires();
        Duration::from_secs(expires.saturating_sub(self.sealing.now()))
    }

    /// Where numbers begin that must not be those of another node: random, and small enough that
    /// clients which read numbers as doubles can count on.
    pub(super) fn start(&self) -> u64 {
        self.sealing.random() >> 12
    }
}

/// What the peer hears of an id that does not open: there is no such session.
fn violation(refused: Refused) -> Violation {
    match refused {
        Refused::TooLong
        | Refused::Malformed
        | Refused::UnknownKey
        | Refused::Tampered
        | Refused::OtherPrincipal
        | Refused::OtherOperation
        | Refused::Expired
        | Refused::Replayed
        | Refused::TooManySpent => Violation::SessionUnknown,
    }
}

fn clipped(info: &Implementation) -> Implementation {
    let clip = |word: &str| {
        let fits = |(at, c): &(usize, char)| at + c.len_utf8() <= MAX_WORD_BYTES;
        word.char_indices()
            .take_while(fits)
            .map(|(_, c)| c)
            .collect::<String>()
    };
    Implementation {
        name: clip(&info.name),
        title: info.title.as_deref().map(clip),
        version: clip(&info.version),
        // An id is short: what is for people to look at stays where it was said.
        ..Implementation::default()
    }
}
