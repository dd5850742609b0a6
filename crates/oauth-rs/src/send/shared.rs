//! What all calls of one layer share: the tokens at hand, and the one piece of work that gets others.

use std::fmt;
use std::mem::Discriminant;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use tokio::time::timeout;

use super::failed::SignInFailed;
use super::flight::{Flight, WAITING};
use super::options::{Notice, Seams, Waits};
use super::{renew, sign_in};
use crate::client::Client;
use crate::client::ClientAuth;
use crate::client::flow::{Access, AccessRefused, Flow, FlowOptions, Nonces, StoredGrant};
use crate::client::store::{Kept, Standing, StoreError, Storing};
use crate::jose::SigningKey;
use crate::time::UnixSeconds;
use crate::uri::ResourceId;

/// What all calls share.
pub(super) struct Shared {
    pub(super) server: ResourceId,
    pub(super) options: FlowOptions,
    pub(super) seams: Seams,
    pub(super) waits: Waits,
    pub(super) notices: Option<Box<dyn Fn(Notice) + Send + Sync>>,
    tokens: Mutex<Tokens>,
}

/// Tokens that a call can use.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) grant: Arc<StoredGrant>,
    /// How often the tokens had changed when these came.
    pub(super) generation: u64,
}

#[derive(Debug, Default)]
struct Tokens {
    held: Option<Arc<StoredGrant>>,
    generation: u64,
    /// The generation that came from a server, or from another process that asked one.
    issued: u64,
    /// Whether the store was looked at, or is not to be.
    loaded: bool,
    /// Whether the person is to sign in whatever the store has.
    anew: bool,
    /// Who we were at the server that ended the grant.
    ended: Option<StoredGrant>,
    /// The grant whose refresh token was spent for `held`, where the store could not take that.
    spent: Option<StoredGrant>,
    /// Whether the store could not take the tokens that a person has agreed to.
    unsaved: bool,
    /// It counts the sign-ins, so there is one.
    flow: Option<Flow>,
    /// The work under way, and its kind.
    flight: Option<(Flight, Discriminant<Wanted>)>,
    nonces: Nonces,
}

/// What a call needs.
#[derive(Debug)]
pub(super) enum Need {
    /// Whatever there is.
    Any,
    /// Others than these, which were refused.
    Renewed(u64),
    /// Others than these, if any, from a person.
    SignedIn(u64, Box<Refusal>),
}

/// What a resource said.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

impl Shared {
    pub(super) fn new(server: ResourceId, options: FlowOptions, seams: Seams) -> Self {
        Self {
            server,
            options,
            seams,
            waits: Waits::default(),
            notices: None,
            tokens: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> UnixSeconds {
        self.seams.clock.now()
    }

    pub(super) fn tell(&self, notice: Notice) {
        if let Some(notices) = &self.notices {
            notices(notice);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tokens> {
        // Nothing panics while it is held, and what it guards is whole at every moment.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the person sign in whatever the store has.
    pub(super) fn forget(&self) {
        let mut tokens = self.lock();
        tokens.change(None);
        tokens.anew = true;
    }

    pub(super) fn is_anew(&self) -> bool {
        self.lock().anew
    }

    /// The tokens at hand.
    pub(super) fn held(&self) -> Option<Held> {
        self.lock().held()
    }

    /// The refresh token that was spent for the tokens at hand without the store's knowledge.
    pub(super) fn spent(&self) -> Option<StoredGrant> {
        self.lock().spent.clone()
    }

    /// New tokens, which are used even if their life is shorter than the margin.
    pub(super) fn hold(&self, grant: StoredGrant, spent: Option<StoredGrant>) {
        let mut tokens = self.lock();
        tokens.change(Some(grant));
        tokens.spent = spent;
        tokens.anew = false;
        tokens.issued = tokens.generation;
    }

    /// Whether the tokens at hand are those of a sign-in that the store could not take.
    pub(super) fn is_unsaved(&self) -> bool {
        self.lock().unsaved
    }

    pub(super) fn note_unsaved(&self, unsaved: bool) {
        self.lock().unsaved = unsaved;
    }

    /// Tokens as the store has them.
    pub(super) fn hold_stored(&self, grant: StoredGrant) {
        self.lock().change(Some(grant));
    }

    /// No tokens any more, but perhaps a client that the server knows.
    pub(super) fn end(&self, ended: Option<StoredGrant>) {
        let mut tokens = self.lock();
        tokens.change(None);
        tokens.ended = ended;
    }

    pub(super) fn ended(&self) -> Option<StoredGrant> {
        self.lock().ended.clone()
    }

    /// The machine of all sign-ins, while nobody else has it.
    pub(super) fn take_flow(&self) -> Option<Flow> {
        self.lock().flow.take()
    }

    pub(super) fn put_flow(&self, flow: Flow) {
        let mut tokens = self.lock();
        // It has seen the token endpoint, and the refusal that it began with.
        tokens.nonces = flow.nonces().clone();
        tokens.flow = Some(flow);
    }

    /// The resource has accepted a token.
    pub(super) fn accepted(&self) {
        if let Some(flow) = &mut self.lock().flow {
            flow.accepted();
        }
    }

    /// The key that the tokens of a grant are bound to, if the program has given it.
    pub(super) fn key(&self, grant: &StoredGrant) -> Option<&Arc<SigningKey>> {
        let key = self.options.dpop_key.as_ref()?;
        (grant.dpop_jkt.as_deref() == Some(key.kid())).then_some(key)
    }

    /// Whether the tokens of a grant can be used; not where they are bound to a key that was not given.
    pub(super) fn is_usable(&self, grant: &StoredGrant) -> bool {
        grant.dpop_jkt.is_none() || self.key(grant).is_some()
    }

    /// The headers of a call with these tokens.
    pub(super) fn headers(
        &self,
        held: &Held,
        request: &http::Request<bytes::Bytes>,
    ) -> Result<HeaderMap, AccessRefused> {
        let access = Access::new(&held.grant, self.options.dpop_key.as_ref())?;
        let (nonces, url) = (self.nonces(), request.uri().to_string());
        let entropy = self.seams.entropy.as_ref();
        access.headers(request.method(), &url, &nonces, self.now(), entropy)
    }

    /// What servers want to see in the next proof.
    pub(super) fn nonces(&self) -> Nonces {
        self.lock().nonces.clone()
    }

    /// Keeps the nonce of an answer; says whether it is a new one.
    pub(super) fn note_nonce(&self, url: &str, headers: &HeaderMap) -> bool {
        self.lock().nonces.note(url, headers)
    }

    /// The work under way is over.
    pub(super) fn clear(&self) {
        self.lock().flight = None;
    }

    /// The tokens that a call needs, or none where only the resource can say what it wants.
    ///
    /// Dropping this future breaks nothing off.
    pub(super) async fn obtain(
        self: &Arc<Self>,
        need: &Need,
    ) -> Result<Option<Held>, SignInFailed> {
        let begun = self.lock().generation;
        loop {
            let (flight, of_this_kind) = {
                let mut tokens = self.lock();
                // Others would be as short-lived as these.
                if tokens.issued > begun && tokens.held.is_some() {
                    return Ok(tokens.held());
                }
                let wanted = match tokens.wanted(need, self.now()) {
                    Ok(held) => return Ok(held),
                    Err(wanted) => wanted,
                };
                let kind = std::mem::discriminant(&wanted);
                match &tokens.flight {
                    Some((flight, of)) => (flight.clone(), *of == kind),
                    None => {
                        let (flight, landing) = Flight::new(Arc::clone(self));
                        tokens.flight = Some((flight.clone(), kind));
                        drop(tokens);
                        (self.seams.spawn)(Box::pin(async move {
                            let shared = Arc::clone(landing.shared());
                            let end = match wanted {
                                Wanted::Store => shared.look().await,
                                Wanted::Renewal(grant) => renew::renew(&shared, &grant).await,
                                Wanted::SignIn(held, refusal) => {
                                    sign_in::sign_in(&shared, held.as_deref(), &refusal).await
                                }
                            };
                            landing.land(end);
                        }));
                        (flight, true)
                    }
                }
            };
            // That others could not get what they wanted says nothing of what is wanted here.
            match flight.end(self.waits.call).await {
                Err(failed)
                    if of_this_kind || matches!(failed, SignInFailed::TimedOut(WAITING)) =>
                {
                    return Err(failed);
                }
                _ => {}
            }
        }
    }

    /// Reads what the store has for this server.
    async fn look(&self) -> Result<(), SignInFailed> {
        let find = self.seams.store.find(self.server.as_str());
        match self.stored(find).await.map_err(SignInFailed::Store)? {
            Some(Kept {
                grant,
                standing: Standing::Good | Standing::Renewing(_),
                ..
            }) if self.is_usable(&grant) => self.hold_stored(grant),
            ended => self.end(ended.map(|kept| kept.grant)),
        }
        Ok(())
    }

    /// Who we are at the issuer of a grant, with the key that no store has.
    pub(super) fn client(&self, grant: &StoredGrant) -> Client {
        let mut client = grant.client.clone();
        if let (ClientAuth::KeyAbsent, Some(key)) = (&client.auth, &self.options.client_key) {
            client.auth = ClientAuth::PrivateKeyJwt(Arc::clone(key));
        }
        client
    }

    /// What a store says, in the time that it has.
    pub(super) async fn stored<T>(&self, storing: Storing<'_, T>) -> Result<T, StoreError> {
        match timeout(self.waits.store, storing).await {
            Ok(stored) => stored,
            Err(_) => Err(StoreError::new("it does not answer")),
        }
    }

    /// The answer to a request of OAuth, in the time that it has.
    pub(super) async fn fetched(
        &self,
        request: http::Request<Vec<u8>>,
        at_most: Duration,
    ) -> Result<http::Response<Vec<u8>>, String> {
        match timeout(at_most, self.seams.egress.send(request)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(format!("no answer in {} seconds", at_most.as_secs())),
        }
    }
}

/// What has to be done for a call.
enum Wanted {
    /// Read the store.
    Store,
    /// Renew these tokens.
    Renewal(Arc<StoredGrant>),
    /// Have a person sign in, after this refusal of these tokens.
    SignIn(Option<Arc<StoredGrant>>, Refusal),
}

impl Tokens {
    fn change(&mut self, grant: Option<StoredGrant>) {
        self.held = grant.map(Arc::new);
        self.spent = None;
        self.unsaved = false;
        self.ended = None;
        self.generation += 1;
        self.loaded = true;
    }

    fn held(&self) -> Option<Held> {
        self.held.clone().map(|grant| Held {
            grant,
            generation: self.generation,
        })
    }

    /// The tokens that serve the need, or what has to be done for it.
    fn wanted(&self, need: &Need, now: UnixSeconds) -> Result<Option<Held>, Wanted> {
        if !self.loaded {
            return Err(Wanted::Store);
        }
        match (need, &self.held) {
            (Need::Any, None) => Ok(None),
            (Need::Any, Some(grant)) => {
                if grant.is_expired(now) && grant.refresh_token.is_some() {
                    return Err(Wanted::Renewal(Arc::clone(grant)));
                }
                // One that has ended and cannot be renewed is sent: the refusal says what is wanted.
                Ok(self.held())
            }
            // Somebody else was faster; or there are none any more.
            (Need::Renewed(seen), _) if self.generation != *seen => Ok(self.held()),
            (Need::Renewed(_), None) => Ok(None),
            (Need::Renewed(_), Some(grant)) => Err(Wanted::Renewal(Arc::clone(grant))),
            (Need::SignedIn(seen, _), Some(_)) if self.generation != *seen => Ok(self.held()),
            (Need::SignedIn(_, refusal), held) => {
                Err(Wanted::SignIn(held.clone(), (**refusal).clone()))
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("server", &self.server)
            .field("waits", &self.waits)
            .finish_non_exhaustive()
    }
}
