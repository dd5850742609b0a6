//! The shell around the machines: answers that are kept, one question for all who wait.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::Response;
use oauth_rs::client::introspect::IntrospectionFailed;
use oauth_rs::client::{Caller, Client};
use oauth_rs::entropy::Entropy;
use oauth_rs::hash::sha256;
use oauth_rs::introspection::Introspection;
use oauth_rs::jose::AlgSet;
use oauth_rs::secret::Secret;
use oauth_rs::time::Clock;
use oauth_rs::uri::Issuer;
use tokio::sync::watch;
use tokio::time::timeout;

use super::address::{Address, IntrospectionSource};
use super::answers::{Answer, Answers, TokenHash};
use super::ask::{AskFailed, IntrospectionProfile, signed_answer};
use super::breaker::Breaker;
use super::freshness;
use super::limits::IntrospectionLimits;
use crate::answer::IssuerAnswer;
use crate::fetch::keys::KeyCache;
use crate::fetch::send::{HttpClient, SendFailed};
use crate::fetch::unavailable::Unavailable;

/// Whom to ask, where, and as whom.
#[derive(Debug, Clone)]
pub struct IntrospectionEndpoint {
    /// The issuer whose tokens it knows.
    pub issuer: Issuer,
    /// Where it is asked.
    pub source: IntrospectionSource,
    /// Who we are there, and how we prove it.
    pub client: Client,
    /// In which form it is asked.
    pub profile: IntrospectionProfile,
}

/// Asks one issuer about tokens.
///
/// 1. An answer is used for some seconds, an active one never beyond the token's `exp`, an inactive
///    one shorter, and none longer than its `max-age` says. Answers are kept by the hash of the
///    token, in bounded memory.
/// 2. One question is asked about a token, whoever waits for it; a caller that stops waiting ends
///    nothing.
/// 3. An issuer that fails again and again is not asked for a while, and then with one question.
/// 4. Whatever goes wrong on the way to an answer is [`Unavailable`], never an inactive token.
///
/// Does not check: whether the token is for this resource and whether its time has come;
/// [`Guard::check`](crate::Guard::check) does. Where the address leads; the client does.
///
/// Clones share everything. It has to be used inside a tokio runtime with its timer on.
///
/// Specification: RFC 7662 section 4 (on caching); RFC 9701.
#[derive(Clone)]
pub struct Introspector {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: IntrospectionEndpoint,
    address: Address,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: IntrospectionLimits,
    answers: Answers,
    flights: Mutex<Flights>,
    report: Box<dyn Fn(&AskReport<'_>) + Send + Sync>,
}

struct Flights {
    breaker: Breaker,
    under_way: HashMap<TokenHash, watch::Receiver<Option<Outcome>>>,
    asked: u64,
}

type Outcome = Result<Arc<IssuerAnswer>, Unavailable>;

/// A question that was not answered, for a log.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AskReport<'a> {
    /// Who was asked.
    pub issuer: &'a Issuer,
    /// Why there is no answer.
    pub failed: &'a AskFailed,
}

/// What `Retry-After` says when nothing better is known: most failures are over by then.
const RETRY: Duration = Duration::from_secs(1);

impl Introspector {
    /// Asks this endpoint through this client.
    pub fn new(
        endpoint: IntrospectionEndpoint,
        http: HttpClient,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        limits: IntrospectionLimits,
    ) -> Self {
        Self::reporting(endpoint, http, clock, entropy, limits, |_| {})
    }

    /// The same, and says of each question why it was not answered; the closure must not wait.
    pub fn reporting(
        endpoint: IntrospectionEndpoint,
        http: HttpClient,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        limits: IntrospectionLimits,
        report: impl Fn(&AskReport<'_>) + Send + Sync + 'static,
    ) -> Self {
        let limits = limits.bounded();
        Self {
            shared: Arc::new(Shared {
                address: Address::new(endpoint.source.clone()),
                endpoint,
                http,
                clock,
                entropy,
                answers: Answers::new(&limits),
                flights: Mutex::new(Flights {
                    breaker: Breaker::new(limits.breaker),
                    under_way: HashMap::new(),
                    asked: 0,
                }),
                limits,
                report: Box::new(report),
            }),
        }
    }

    /// What the issuer says of this token.
    ///
    /// # Errors
    /// The issuer could not be asked, or did not answer.
    pub async fn ask(&self, token: &Secret) -> Result<Arc<IssuerAnswer>, Unavailable> {
        let hash = sha256(token.expose().as_bytes());
        if let Some(said) = self.shared.answers.get(&hash, now()) {
            return Ok(said);
        }
        let mut flight = match self.join(hash, token)? {
            Flight::Landed(said) => return Ok(said),
            Flight::UnderWay(flight) => flight,
        };
        let outcome = match flight.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        outcome.unwrap_or(Err(Unavailable { retry_after: RETRY }))
    }

    /// Forgets what was said of a token, so that it is asked about at the next request.
    ///
    /// An answer that is under way is for those who wait for it, and is not kept.
    pub fn forget(&self, token: &Secret) {
        let hash = sha256(token.expose().as_bytes());
        // The lock is held for both, so that nothing lands in between.
        let mut flights = self.shared.lock();
        flights.under_way.remove(&hash);
        self.shared.answers.forget(&hash);
    }

    /// Forgets everything that was said, and what is under way.
    pub fn forget_all(&self) {
        let mut flights = self.shared.lock();
        flights.under_way.clear();
        self.shared.answers.clear();
    }

    /// Who is asked.
    pub fn issuer(&self) -> &Issuer {
        &self.shared.endpoint.issuer
    }

    /// How many questions were asked.
    pub fn asked(&self) -> u64 {
        self.shared.lock().asked
    }

    /// The bytes of the answers that are kept, with what each takes besides.
    pub fn kept_bytes(&self) -> u64 {
        self.shared.answers.bytes()
    }

    /// Joins the question that is under way about this token, or asks one.
    fn join(&self, hash: TokenHash, token: &Secret) -> Result<Flight, Unavailable> {
        let shared = &self.shared;
        let now = now();
        let mut flights = shared.lock();
        if let Some(flight) = flights.under_way.get(&hash) {
            return Ok(Flight::UnderWay(flight.clone()));
        }
        // It may have landed since the caller looked.
        if let Some(said) = shared.answers.get(&hash, now) {
            return Ok(Flight::Landed(said));
        }
        if flights.under_way.len() >= shared.limits.in_flight {
            return Err(Unavailable { retry_after: RETRY });
        }
        flights.breaker.enter(now)?;
        flights.asked = flights.asked.saturating_add(1);
        let (landing, flight) = watch::channel(None);
        flights.under_way.insert(hash, flight.clone());
        drop(flights);
        let question = Question {
            shared: Arc::clone(shared),
            hash,
            landing,
            ended: false,
        };
        tokio::spawn(question.ask(token.clone()));
        Ok(Flight::UnderWay(flight))
    }
}

enum Flight {
    UnderWay(watch::Receiver<Option<Outcome>>),
    Landed(Arc<IssuerAnswer>),
}

/// One question under way; dropped before its end it counts as failed, so that nobody waits forever.
struct Question {
    shared: Arc<Shared>,
    hash: TokenHash,
    landing: watch::Sender<Option<Outcome>>,
    ended: bool,
}

impl Question {
    async fn ask(mut self, token: Secret) {
        let limit = self.shared.limits.ask_time;
        let answer = match timeout(limit, self.shared.ask(&token)).await {
            Ok(answer) => answer,
            Err(_) => Err(SendFailed::TimedOut(limit).into()),
        };
        self.end(answer);
    }

    fn end(&mut self, answer: Result<Answer, AskFailed>) {
        self.ended = true;
        let shared = &self.shared;
        let now = now();
        let today = shared.clock.now();
        let mut flights = shared.lock();
        let is_awaited = flights.land(&self.hash, &self.landing);
        let outcome = match &answer {
            Ok(answer) => {
                if is_awaited {
                    shared.answers.keep(self.hash, answer.clone(), now, today);
                }
                flights.judged(Ok(()), now);
                Ok(Arc::clone(&answer.said))
            }
            Err(failed) => Err(flights.judged(Err(failed), now)),
        };
        drop(flights);
        self.landing.send_replace(Some(outcome.map_err(|wait| {
            let retry_after = wait.max(RETRY);
            Unavailable { retry_after }
        })));
        if let Err(failed) = &answer {
            let issuer = &shared.endpoint.issuer;
            (shared.report)(&AskReport { issuer, failed });
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Err(AskFailed::Abandoned));
        }
    }
}

impl Flights {
    /// Takes a question off the list; false if what it brings was forgotten meanwhile.
    fn land(&mut self, hash: &TokenHash, landing: &watch::Sender<Option<Outcome>>) -> bool {
        let flight = self.under_way.get(hash);
        let is_listed = flight.is_some_and(|one| one.same_channel(&landing.subscribe()));
        if is_listed {
            self.under_way.remove(hash);
        }
        is_listed
    }

    /// What its end says of the issuer; says when it is worth asking again.
    fn judged(&mut self, outcome: Result<(), &AskFailed>, now: Instant) -> Duration {
        match outcome {
            Err(failed) if failed.is_outage() => self.breaker.failed(now),
            _ => self.breaker.succeeded(),
        }
        self.breaker.retry_after(now)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Flights> {
        // Each step leaves it whole, also if somebody panicked between two.
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, token: &Secret) -> Result<Answer, AskFailed> {
        let endpoint = &self.endpoint;
        let address = self.address.get(&endpoint.issuer, &self.http, now);
        let url = address.await?;
        let caller = Caller {
            client: &endpoint.client,
            issuer: &endpoint.issuer,
            now: self.clock.now(),
            entropy: &*self.entropy,
        };
        let question = endpoint.profile.question(&url, &caller, token)?;
        let response = self.http.send(question).await?;
        let said = match &endpoint.profile {
            IntrospectionProfile::Signed { keys, algorithms } => {
                // Anew, since the answer may have taken its time.
                let caller = Caller {
                    now: self.clock.now(),
                    ..caller
                };
                read_signed(&response, &caller, keys, *algorithms).await
            }
            profile => profile.answer(&response),
        };
        let said = match said {
            Err(failed) if failed.rejects_the_token() => Introspection::Inactive,
            said => said?,
        };
        Ok(Answer {
            said: Arc::new(said.into()),
            bytes: response.body().len(),
            at_most: freshness::of(response.headers()),
        })
    }
}

/// Reads a signed answer, and once more with newer keys if its key is not known.
async fn read_signed(
    response: &Response<Vec<u8>>,
    caller: &Caller<'_>,
    keys: &KeyCache,
    algorithms: AlgSet,
) -> Result<Introspection, AskFailed> {
    let issuer = caller.issuer;
    let current = keys.current();
    let known = current.keys_of(issuer);
    let kid = match signed_answer(response, caller, known, algorithms) {
        Err(AskFailed::Answer(IntrospectionFailed::UnknownKey { kid })) => kid,
        read => return read,
    };
    let newer = keys.find(Some(issuer), kid.as_deref()).await;
    let newer = newer.map_err(AskFailed::Keys)?;
    signed_answer(response, caller, newer.keys_of(issuer), algorithms)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspector")
            .field("endpoint", &self.shared.endpoint)
            .finish_non_exhaustive()
    }
}
