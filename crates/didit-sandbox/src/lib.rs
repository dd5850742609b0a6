#![doc = include_str!("../README.md")]

mod account;
mod body;
mod control;
mod date;
mod event;
mod fault;
mod field;
mod form;
mod generator;
mod graph;
mod image;
mod query;
mod rate;
mod received;
mod record;
mod refused;
mod role;
mod route;
mod rule;
mod seed;
mod service;
mod signing;
mod world;

use std::fmt;
use std::sync::Arc;

pub use body::{CutOff, SandboxBody};
pub use event::Webhook;
pub use fault::{Fault, Matching, Wait};
pub use form::Part;
pub use received::Received;
pub use role::Role;
pub use route::Operation;
pub use service::{RequestError, SandboxService};

use service::Shared;

/// A pretended Didit: organisations, people and what they work on, in memory.
///
/// Clones share one state.
/// Two sandboxes made with clocks that show the same time hold the same rows with the same ids.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    service: SandboxService,
}

/// Somebody who can be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// A short and stable id, such as `olivia`.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// An address under a domain reserved for examples.
    pub email: String,
    /// The role in the first organisation, or, for somebody outside it, in the first of their own.
    pub role: String,
}

impl Sandbox {
    /// Makes a sandbox whose rows are dated relative to what `clock` shows now, in Unix seconds.
    ///
    /// The clock is asked again for every request.
    #[must_use]
    pub fn new(clock: Arc<dyn Fn() -> u64 + Send + Sync>) -> Self {
        let shared = Arc::new(Shared::new(seed::world(clock()), clock));
        let service = SandboxService::new(&shared);
        Self { shared, service }
    }

    /// Everybody who has a membership, those of the first organisation first.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.shared.world().people()
    }

    /// The bearer credential that acts for one person, or nothing when nobody has that id.
    ///
    /// The text is opaque, stays the same for the life of the sandbox, and is worth nothing elsewhere.
    #[must_use]
    pub fn credential(&self, person_id: &str) -> Option<String> {
        self.shared.world().credential(person_id)
    }

    /// The last requests that came in, at most 256, the oldest first.
    ///
    /// One that was sent to a foreign host is not among them.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.record().all()
    }

    /// Forgets the requests that came in so far.
    pub fn forget_requests(&self) {
        self.shared.record().clear();
    }

    /// Lets calls go wrong: each call meets the first fault asked for that matches it.
    ///
    /// At most 64 faults wait; the oldest goes when there are more.
    pub fn fault(&self, matching: Matching, fault: Fault) {
        self.shared.faults().add(matching, fault);
    }

    /// Takes back every fault.
    pub fn heal(&self) {
        self.shared.faults().clear();
    }

    /// The next webhook that is due, signed, to be sent by whoever asks.
    ///
    /// The sandbox sends nothing itself. What is not told to have been [answered](Self::webhook_answered) with success is due again after one minute, and after four more; then it is given up.
    #[must_use]
    pub fn next_webhook(&self) -> Option<Webhook> {
        let now = (self.shared.clock)();
        self.shared.world().deliveries.next(now)
    }

    /// Notes the status that the receiver of a webhook answered with. False where there is no such webhook.
    pub fn webhook_answered(&self, id: &str, status: u16) -> bool {
        self.shared.world().deliveries.answered(id, status)
    }

    /// Counts calls against Didit's limits over a sliding minute, or stops doing so. At first nothing is counted.
    ///
    /// Reads, session creations and transactions: 600 each; other writes: 300; decisions and reports as PDF: 100 each; for each credential, or address where there is none.
    pub fn limit_rates(&self, on: bool) {
        self.shared.rates().on = on;
    }

    /// The last code that was sent to this address or number, used up or not.
    #[must_use]
    pub fn code_sent_to(&self, address: &str) -> Option<String> {
        self.shared
            .world()
            .accounts
            .sent(address)
            .map(str::to_owned)
    }

    /// Lets somebody who registered need a second factor from now on. False where there is no such account.
    pub fn require_second_factor(&self, email: &str) -> bool {
        let mut world = self.shared.world();
        let secret = world.generator.text(32);
        let account = world.accounts.get_mut(email);
        account.is_some_and(|account| account.second_factor.replace(secret).is_none())
    }

    /// What the authenticator of somebody with a second factor shows now.
    #[must_use]
    pub fn second_factor_code(&self, email: &str) -> Option<String> {
        let now = (self.shared.clock)();
        self.shared
            .world()
            .accounts
            .get(email)?
            .second_factor_code(now)
    }

    /// Gives a person another role in an organisation, from the next call on. False where they are no member of it.
    pub fn set_role(&self, person_id: &str, organization_uuid: &str, role: Role) -> bool {
        self.shared
            .world()
            .set_role(person_id, organization_uuid, role)
    }

    /// Sets the balance of an organisation, in cents. False where there is no such organisation.
    pub fn set_balance(&self, organization_uuid: &str, cents: u64) -> bool {
        self.shared.world().set_balance(organization_uuid, cents)
    }

    /// Pays a checkout once: its amount comes onto the balance. False where it is not known or paid already.
    pub fn pay_checkout(&self, checkout_session_id: &str) -> bool {
        self.shared.world().pay_checkout(checkout_session_id)
    }

    /// Every operation that is served: what another crate compares its own with.
    pub fn operations() -> impl Iterator<Item = Operation> {
        route::operations()
    }

    /// The HTTP service, for any server loop or for calls in memory.
    ///
    /// It serves `/auth/v2` and `/v3`, and answers only requests whose host is a loopback one.
    /// It sets no deadline on a slow body: the server loop around it must.
    #[must_use]
    pub fn service(&self) -> SandboxService {
        self.service.clone()
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}
