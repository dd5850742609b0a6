//! A store, a server and several renewals as one value, in which one thing happens at a time.

use std::collections::BTreeSet;

use super::server::{Kind, OVERLAP, Server, refresh, tokens};
use crate::client::exchange::ExchangeFailed;
use crate::client::renewal::machine::State;
use crate::client::renewal::{DEFAULT_LEASE, Renewal, RenewalFailed, RenewalStep};
use crate::client::store::tests::{AS, RS, grant};
use crate::client::store::{Kept, Standing, StoreError, Version};
use crate::client::token::TokenResponse;
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// When it begins; the access token has ended by then.
pub(super) const START: u64 = 1_000;

/// How much may go wrong in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// Requests and answers that are lost, and requests that arrive when nobody waits for them any more.
    pub(super) losses: u8,
    /// Processes that die.
    pub(super) crashes: u8,
    /// Store operations that fail, before or after they were done.
    pub(super) store_failures: u8,
    /// Jumps of the clock while somebody is in the middle of something: a process that was stopped.
    pub(super) stops: u8,
    /// Tokens that are refused later on, so that somebody who was done begins anew.
    pub(super) again: u8,
}

#[derive(Clone, Debug)]
pub(super) enum Flight {
    /// On the way to the server, with this token.
    Sent(u32),
    /// On the way back.
    Answered(Result<TokenResponse, ExchangeFailed>),
}

#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) machine: Renewal,
    pub(super) flight: Option<Flight>,
    /// What the store and the clock were when it went to wait.
    pub(super) asleep: Option<(Version, u64)>,
    pub(super) crashed: bool,
    /// The step in which it ended.
    pub(super) end: Option<RenewalStep>,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Store(usize),
    StoreFailsBefore(usize),
    StoreFailsAfter(usize),
    Send(usize),
    Arrive(usize),
    LoseRequest(usize),
    GiveUp(usize),
    Deliver(usize),
    LoseAnswer(usize),
    Wake(usize),
    Crash(usize),
    Again(usize),
    StrayArrives,
    LeaseEnds,
    OverlapEnds,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: u64,
    pub(super) kept: Option<Kept>,
    last: u64,
    pub(super) server: Server,
    pub(super) actors: Vec<Actor>,
    /// Requests whose senders wait no more.
    pub(super) strays: Vec<u32>,
    pub(super) left: Budget,
    pub(super) budget: Budget,
    /// Refresh tokens whose successors were stored.
    pub(super) superseded: BTreeSet<u32>,
    /// A store without compare-and-set, to see that the exploration notices.
    pub(super) broken_store: bool,
}

impl World {
    pub(super) fn new(kind: Kind, actors: u8, budget: Budget) -> Self {
        let mut used = grant(RS, AS, "T0");
        used.refresh_token = Some(Secret::new("R0"));
        used.expires_at = Some(UnixSeconds(START - 1));
        let actor = |number: u8| Actor {
            machine: Renewal::new(&used, DEFAULT_LEASE, &move |dest: &mut [u8]| {
                dest.fill(number);
            }),
            flight: None,
            asleep: None,
            crashed: false,
            end: None,
        };
        Self {
            now: START,
            last: 1,
            server: Server::new(kind),
            actors: (0..actors).map(actor).collect(),
            kept: Some(Kept {
                version: Version(1),
                grant: used,
                standing: Standing::Good,
            }),
            strays: Vec::new(),
            left: budget,
            budget,
            superseded: BTreeSet::new(),
            broken_store: false,
        }
    }

    pub(super) fn version(&self) -> Version {
        self.kept.as_ref().map_or(Version(0), |kept| kept.version)
    }

    /// Everything that can happen now.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut busy = false;
        for (i, actor) in self.actors.iter().enumerate() {
            let done = matches!(actor.end, Some(RenewalStep::Done { .. }));
            if done && self.left.again > 0 {
                events.push(Event::Again(i));
            }
            if actor.crashed || actor.end.is_some() {
                continue;
            }
            let before = events.len();
            match (&actor.flight, actor.machine.clone().next_step(self.time())) {
                (Some(Flight::Sent(_)), _) => {
                    events.push(Event::Arrive(i));
                    if self.left.losses > 0 {
                        events.extend([Event::LoseRequest(i), Event::GiveUp(i)]);
                    }
                }
                (Some(Flight::Answered(_)), _) => {
                    events.push(Event::Deliver(i));
                    if self.left.losses > 0 {
                        events.push(Event::LoseAnswer(i));
                    }
                }
                (None, RenewalStep::Exchange { .. }) => events.push(Event::Send(i)),
                (None, RenewalStep::Wait(_)) => {
                    // Looking again at what has not changed leads nowhere new.
                    let looks = matches!(&actor.machine.state,
                        State::Pause(_, then) if matches!(**then, State::Look | State::Find { .. }));
                    if !looks || actor.asleep != Some((self.version(), self.now)) {
                        events.push(Event::Wake(i));
                    }
                }
                (None, _) => {
                    events.push(Event::Store(i));
                    if self.left.store_failures > 0 {
                        events.extend([Event::StoreFailsBefore(i), Event::StoreFailsAfter(i)]);
                    }
                }
            }
            busy |= events.len() > before;
            if self.left.crashes > 0 {
                events.push(Event::Crash(i));
            }
        }
        if !self.strays.is_empty() {
            events.push(Event::StrayArrives);
        }
        // Time passes when everybody waits; otherwise somebody was stopped in the middle.
        if !busy || self.left.stops > 0 {
            let waiting = self.actors.iter().any(|a| !a.crashed && a.end.is_none());
            if waiting && self.lease_end().is_some() {
                events.push(Event::LeaseEnds);
            }
            if waiting && self.now < self.overlap_end() && self.server.kind == Kind::Overlap {
                events.push(Event::OverlapEnds);
            }
        }
        events
    }

    fn time(&self) -> UnixSeconds {
        UnixSeconds(self.now)
    }

    fn lease_end(&self) -> Option<u64> {
        match &self.kept.as_ref()?.standing {
            Standing::Renewing(lease) if lease.holds(self.time()) => Some(lease.until.0),
            _ => None,
        }
    }

    fn overlap_end(&self) -> u64 {
        if self.server.rotations == 0 {
            return 0;
        }
        self.server.spent_at + OVERLAP
    }

    /// Lets one thing happen; what must not be is an error.
    pub(super) fn happen(&mut self, event: Event) -> Result<(), String> {
        let now = self.time();
        match event {
            Event::Store(i) => self.store(i, true, true)?,
            Event::StoreFailsBefore(i) => {
                self.left.store_failures -= 1;
                self.store(i, false, false)?;
            }
            Event::StoreFailsAfter(i) => {
                self.left.store_failures -= 1;
                self.store(i, true, false)?;
            }
            Event::Send(i) => self.send(i)?,
            Event::Arrive(i) => {
                let Some(Flight::Sent(token)) = self.actors[i].flight else {
                    return Err("nothing was sent".to_owned());
                };
                let answer = self.server.exchange(token, self.now);
                if answer.is_err() {
                    self.may_be_refused(i)?;
                }
                self.actors[i].flight = Some(Flight::Answered(answer));
            }
            Event::LoseRequest(i) | Event::LoseAnswer(i) | Event::GiveUp(i) => {
                self.left.losses -= 1;
                let flight = self.actors[i].flight.take();
                if let (Event::GiveUp(_), Some(Flight::Sent(token))) = (event, flight) {
                    self.strays.push(token);
                }
                self.actors[i].machine.handle_lost("lost", now);
            }
            Event::Deliver(i) => {
                if let Some(Flight::Answered(answer)) = self.actors[i].flight.take() {
                    self.actors[i].machine.handle_answer(answer, now);
                }
            }
            Event::Wake(i) => {
                let asleep = (self.version(), self.now);
                let actor = &mut self.actors[i];
                actor.machine.handle_waited();
                // What is not looking at the store again does not lead to the same place.
                let looks = matches!(actor.machine.state, State::Look | State::Find { .. });
                actor.asleep = looks.then_some(asleep);
            }
            Event::Crash(i) => {
                self.left.crashes -= 1;
                self.actors[i].crashed = true;
                if let Some(Flight::Sent(token)) = self.actors[i].flight.take() {
                    self.strays.push(token);
                }
            }
            Event::Again(i) => {
                self.left.again -= 1;
                let actor = &mut self.actors[i];
                let Some(RenewalStep::Done { grant, unsaved }) = actor.end.take() else {
                    return Err("only who is done begins anew".to_owned());
                };
                let name = |dest: &mut [u8]| dest.fill(100 + u8::try_from(i).unwrap());
                actor.machine = match unsaved {
                    None => Renewal::new(&grant, DEFAULT_LEASE, &name),
                    Some(sent) => {
                        Renewal::resuming(&grant, *sent, grant.clone(), DEFAULT_LEASE, &name)
                    }
                };
            }
            Event::StrayArrives => {
                let token = self.strays.remove(0);
                let was_dead = self.server.dead;
                // Its answer goes to nobody.
                let _answer = self.server.exchange(token, self.now);
                self.server.dead_by_stray |= self.server.dead && !was_dead;
            }
            Event::LeaseEnds | Event::OverlapEnds => {
                let everybody_waits = !self.clone_without_stops().is_busy();
                if !everybody_waits {
                    self.left.stops -= 1;
                }
                self.now = match event {
                    Event::LeaseEnds => self.lease_end().unwrap_or(self.now),
                    _ => self.overlap_end(),
                };
            }
        }
        self.look_for_ends()
    }

    fn clone_without_stops(&self) -> Self {
        let mut clone = self.clone();
        clone.left.stops = 0;
        clone
    }

    fn is_busy(&self) -> bool {
        let of_nobody = |event: &Event| {
            matches!(
                event,
                Event::Crash(_)
                    | Event::Again(_)
                    | Event::StrayArrives
                    | Event::LeaseEnds
                    | Event::OverlapEnds
            )
        };
        !self.events().iter().all(of_nobody)
    }

    fn store(&mut self, i: usize, done: bool, told: bool) -> Result<(), String> {
        let now = self.time();
        if !told {
            self.actors[i].asleep = None;
        }
        let failed = || StoreError::new("the disk is full");
        let step = self.actors[i].machine.next_step(now);
        let read = match &step {
            RenewalStep::Load => {
                let kept = self.kept.clone();
                let loaded = if told { Ok(kept) } else { Err(failed()) };
                self.actors[i].machine.handle_loaded(loaded, now);
                return Ok(());
            }
            RenewalStep::Write { read, .. } | RenewalStep::Remove { read } => *read,
            other => return Err(format!("{other:?} is not for the store")),
        };
        let fits = self.version() == read || self.broken_store;
        if fits && done {
            self.last += 1;
            self.kept = match step.clone() {
                RenewalStep::Write {
                    grant, standing, ..
                } => {
                    self.writes(&grant)?;
                    Some(Kept {
                        version: Version(self.last),
                        grant,
                        standing,
                    })
                }
                _ => None,
            };
        }
        let machine = &mut self.actors[i].machine;
        match step {
            RenewalStep::Remove { .. } if told => machine.handle_removed(Ok(fits)),
            RenewalStep::Remove { .. } => machine.handle_removed(Err(failed())),
            _ if told => machine.handle_written(Ok(fits.then_some(Version(self.last)))),
            _ => machine.handle_written(Err(failed())),
        }
        Ok(())
    }

    fn send(&mut self, i: usize) -> Result<(), String> {
        let now = self.time();
        let step = self.actors[i].machine.next_step(now);
        let RenewalStep::Exchange { grant, at_most } = step else {
            return Err("nothing is to be sent".to_owned());
        };
        let token = refresh(&grant);
        if self.superseded.contains(&token) {
            return Err(format!("R{token} is sent after its successor was stored"));
        }
        let kept = self.kept.as_ref().ok_or("sent without a grant")?;
        let Standing::Renewing(lease) = &kept.standing else {
            return Err("sent without a lease in the store".to_owned());
        };
        // Whole seconds: it may already be almost a second later than `now` says.
        if !lease.holds(now) || now.after(at_most) >= lease.until {
            return Err("sent in a lease that may end before the answer".to_owned());
        }
        if tokens(&kept.grant) != tokens(&grant) {
            return Err("sent what is not in the store".to_owned());
        }
        if lease.holder != self.actors[i].machine.holder {
            return Err("sent in the lease of another".to_owned());
        }
        if self.budget.stops == 0 && self.actors.iter().any(|a| !a.crashed && a.flight.is_some()) {
            return Err("two refreshes are in flight".to_owned());
        }
        self.actors[i].flight = Some(Flight::Sent(token));
        Ok(())
    }

    fn look_for_ends(&mut self) -> Result<(), String> {
        let now = self.time();
        for i in 0..self.actors.len() {
            let actor = &self.actors[i];
            if actor.crashed || actor.end.is_some() || actor.flight.is_some() {
                continue;
            }
            let step = actor.machine.clone().next_step(now);
            match &step {
                RenewalStep::Done { grant, .. } => {
                    if grant.access_token.ct_eq(actor.machine.used.expose()) {
                        return Err("done with the token that is of no use".to_owned());
                    }
                }
                RenewalStep::Ended => self.may_end()?,
                RenewalStep::Failed(RenewalFailed::Unexpected) => {
                    return Err("a step out of turn".to_owned());
                }
                RenewalStep::Failed(_) => {}
                _ => continue,
            }
            self.actors[i].end = Some(step);
        }
        Ok(())
    }
}
