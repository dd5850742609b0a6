//! The machine: what each state asks for, and what an answer leads to.

use std::time::Duration;

use super::{
    LOOK_AGAIN, MAX_LOOKS, MAX_STORE_FAILURES, MAX_TRIES, MIN_LEASE, RESERVE, RenewalFailed,
    RenewalStep,
};
use crate::client::exchange::ExchangeFailed;
use crate::client::flow::StoredGrant;
use crate::client::refresh::{self, Gone};
use crate::client::store::{Kept, Lease, MAX_LEASE, Standing, StoreError, Version};
use crate::client::token::TokenResponse;
use crate::entropy::{Entropy, random_id};
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// The way from an access token that is of no more use to the next one.
///
/// What it decides, and in this order:
/// 1. Somebody else has renewed already: their tokens are used, and nothing is sent.
/// 2. Somebody else is renewing: it waits, for at most the time that their lease holds.
/// 3. Otherwise it takes the lease in the store, and only then sends the refresh token that it read there.
/// 4. Without an answer the same token is sent again, at most [`MAX_TRIES`] times, each within a lease.
/// 5. New tokens are written over the tokens that were spent for them, and over nothing else: tokens that somebody else
///    stored meanwhile win, and somebody else who has taken the lease meanwhile is waited for.
/// 6. A refusal ends the grant only if nothing was written since the lease was taken.
///
/// So no token is sent by two at once as long as each keeps to [`RenewalStep::Exchange`]'s time, and no token is sent after
/// its successor was stored.
///
/// Does not check: that the clocks of processes which share a store agree, within the reserve of a lease of two seconds.
///
/// What cannot be saved: an answer that is lost by a server that does not repeat it. Such a server has ended the grant.
///
/// Specification: MCP 2026-07-28, authorization, refresh tokens; RFC 9700 section 4.14.2.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The access token that is of no more use.
    pub(super) used: Secret,
    pub(super) holder: String,
    lease: Duration,
    /// When waiting for others is over; known once the first step was asked for.
    pub(super) deadline: Option<UnixSeconds>,
    pub(super) tries: u8,
    pub(super) store_failures: u8,
    looks: u16,
    /// Whether a server has given tokens; they are then what there is, even if the access token is the one from before.
    pub(super) answered: bool,
    pub(super) state: State,
}

#[derive(Debug, Clone)]
pub(super) enum State {
    /// Look at what is there and decide.
    Look,
    /// Take the right to send; until when is decided when the step is asked for.
    Take {
        read: Version,
        grant: StoredGrant,
        until: Option<UnixSeconds>,
    },
    /// Send; the lease was written as `version`.
    Send {
        version: Version,
        grant: StoredGrant,
        until: UnixSeconds,
    },
    /// New tokens are at hand; see what they are to replace.
    Find {
        sent: StoredGrant,
        fresh: StoredGrant,
    },
    /// Write the new tokens down.
    Keep {
        read: Version,
        sent: StoredGrant,
        fresh: StoredGrant,
    },
    /// The server refused the token of this version.
    End {
        read: Version,
        grant: StoredGrant,
        /// It does not know us, either.
        client_gone: bool,
    },
    /// Give the right to send back, so that nobody waits for its end.
    Release {
        read: Version,
        grant: StoredGrant,
        reason: RenewalFailed,
    },
    /// Wait, then go on.
    Pause(Duration, Box<State>),
    /// The end, good or bad.
    Over(RenewalStep),
}

impl Renewal {
    /// Begins with a grant whose access token has ended or was refused.
    ///
    /// `lease` is how long the token is ours to send, between [`MIN_LEASE`] and [`MAX_LEASE`]; see [`DEFAULT_LEASE`](super::DEFAULT_LEASE).
    /// An answer is waited for two seconds less than that.
    pub fn new(used: &StoredGrant, lease: Duration, e: &dyn Entropy) -> Self {
        Self {
            used: used.access_token.clone(),
            holder: random_id(e),
            lease: lease.clamp(MIN_LEASE, MAX_LEASE),
            deadline: None,
            tries: 0,
            store_failures: 0,
            looks: 0,
            answered: false,
            state: State::Look,
        }
    }

    /// The same, where an earlier renewal got tokens that the store did not take.
    ///
    /// `sent` is the grant whose refresh token was spent for `fresh`; `fresh` is written down first, and is used unless it
    /// is the one whose access token is `used`.
    pub fn resuming(
        used: &StoredGrant,
        sent: StoredGrant,
        fresh: StoredGrant,
        lease: Duration,
        e: &dyn Entropy,
    ) -> Self {
        Self {
            state: State::Find { sent, fresh },
            ..Self::new(used, lease, e)
        }
    }

    /// Says what to do next; asking again without an answer in between repeats the step.
    pub fn next_step(&mut self, now: UnixSeconds) -> RenewalStep {
        let patience = self.lease.saturating_mul(4);
        self.deadline.get_or_insert(now.after(patience));
        if let State::Send {
            version,
            grant,
            until,
        } = &self.state
            && time_to_send(*until, now).is_none()
        {
            // The answer might come when the token is somebody else's to send.
            let (read, grant) = (*version, grant.clone());
            self.state = if self.is_late(now) {
                // A store so slow that no lease is left once it was written.
                let reason = RenewalFailed::Busy;
                State::Release {
                    read,
                    grant,
                    reason,
                }
            } else {
                let until = None;
                State::Take { read, grant, until }
            };
        }
        if let State::Take { until, .. } = &mut self.state {
            until.get_or_insert(now.after(self.lease));
        }
        match &self.state {
            State::Look | State::Find { .. } => RenewalStep::Load,
            State::Take { read, grant, until } => RenewalStep::Write {
                read: *read,
                grant: grant.clone(),
                standing: Standing::Renewing(Lease {
                    holder: self.holder.clone(),
                    until: until.unwrap_or(now),
                }),
            },
            State::Send { grant, until, .. } => RenewalStep::Exchange {
                grant: grant.clone(),
                at_most: time_to_send(*until, now).unwrap_or_default(),
            },
            State::Keep { read, fresh, .. } => RenewalStep::Write {
                read: *read,
                grant: fresh.clone(),
                standing: Standing::Good,
            },
            State::End {
                read,
                client_gone: true,
                ..
            } => RenewalStep::Remove { read: *read },
            State::End { read, grant, .. } => RenewalStep::Write {
                read: *read,
                grant: grant.clone(),
                standing: Standing::Ended,
            },
            State::Release { read, grant, .. } => RenewalStep::Write {
                read: *read,
                grant: grant.clone(),
                standing: Standing::Good,
            },
            State::Pause(time, _) => RenewalStep::Wait(*time),
            State::Over(end) => end.clone(),
        }
    }

    /// Takes in what the store has.
    pub fn handle_loaded(&mut self, loaded: Result<Option<Kept>, StoreError>, now: UnixSeconds) {
        self.state = match (self.leave(), loaded) {
            (state @ (State::Look | State::Find { .. }), Err(reason)) => {
                self.store_failed(state, reason)
            }
            // Somebody has removed it: that is not ours to undo.
            (State::Look | State::Find { .. }, Ok(None)) => State::Over(RenewalStep::Ended),
            (State::Look, Ok(Some(kept))) => self.decide(kept, now),
            (State::Find { sent, fresh }, Ok(Some(kept))) => {
                if same_tokens(&kept.grant, &fresh) {
                    self.written_down(fresh)
                } else if same_tokens(&kept.grant, &sent) {
                    self.replace(kept, sent, fresh, now)
                } else {
                    self.decide(kept, now)
                }
            }
            (state, _) => unexpected(state),
        };
    }

    /// What is to be done about what the store has.
    fn decide(&mut self, kept: Kept, now: UnixSeconds) -> State {
        self.looks = self.looks.saturating_add(1);
        let late = self.deadline.is_some_and(|deadline| now >= deadline) || self.looks >= MAX_LOOKS;
        let Kept {
            version,
            grant,
            standing,
        } = kept;
        if standing == Standing::Ended {
            return State::Over(RenewalStep::Ended);
        }
        let other = !grant.access_token.ct_eq(self.used.expose());
        if other && !grant.is_expired(now) {
            return done(grant);
        }
        if grant.refresh_token.is_none() {
            return State::Over(RenewalStep::Ended);
        }
        match standing {
            // A write of ours was taken although the store said that it failed.
            Standing::Renewing(lease) if lease.holder == self.holder => State::Send {
                version,
                grant,
                until: lease.until,
            },
            _ if late => State::Over(RenewalStep::Failed(RenewalFailed::Busy)),
            Standing::Renewing(lease) if lease.holds(now) => {
                State::Pause(LOOK_AGAIN, Box::new(State::Look))
            }
            _ => State::Take {
                read: version,
                grant,
                until: None,
            },
        }
    }

    /// What is to be done where the store still has the tokens that we have spent.
    fn replace(
        &mut self,
        kept: Kept,
        sent: StoredGrant,
        fresh: StoredGrant,
        now: UnixSeconds,
    ) -> State {
        match kept.standing {
            // We came too late: somebody may be sending the spent token right now, and what they get is as new as ours.
            Standing::Renewing(lease) if lease.holder != self.holder && lease.holds(now) => {
                if self.is_late(now) {
                    return self.unsaved(sent, fresh, RenewalFailed::Busy);
                }
                State::Pause(LOOK_AGAIN, Box::new(State::Find { sent, fresh }))
            }
            // Our success wins over the failure of others.
            Standing::Good | Standing::Renewing(_) | Standing::Ended => State::Keep {
                read: kept.version,
                sent,
                fresh,
            },
        }
    }

    /// Counts a look, and says whether it was the last.
    fn is_late(&mut self, now: UnixSeconds) -> bool {
        self.looks = self.looks.saturating_add(1);
        self.deadline.is_some_and(|deadline| now >= deadline) || self.looks >= MAX_LOOKS
    }

    /// The end where the store cannot take new tokens.
    fn unsaved(&self, sent: StoredGrant, fresh: StoredGrant, reason: RenewalFailed) -> State {
        if self.is_of_no_more_use(&fresh) {
            return State::Over(RenewalStep::Failed(reason));
        }
        // The server gave them to nobody else; they are not thrown away for want of a disk.
        State::Over(RenewalStep::Done {
            grant: fresh,
            unsaved: Some(Box::new(sent)),
        })
    }

    /// Takes in whether the store has written: the new version, or `None` when somebody else was first.
    pub fn handle_written(&mut self, written: Result<Option<Version>, StoreError>) {
        self.state = match (self.leave(), written) {
            (State::Take { grant, until, .. }, Ok(Some(version))) => State::Send {
                version,
                grant,
                until: until.unwrap_or(UnixSeconds(0)),
            },
            (State::Take { .. }, Ok(None)) => State::Look,
            // Whether it was written is seen when it is read.
            (State::Take { .. }, Err(reason)) => self.store_failed(State::Look, reason),
            (State::Keep { fresh, .. }, Ok(Some(_))) => self.written_down(fresh),
            (State::Keep { sent, fresh, .. }, Ok(None)) => State::Find { sent, fresh },
            (State::Keep { sent, fresh, .. }, Err(reason)) => {
                self.store_failed(State::Find { sent, fresh }, reason)
            }
            (State::End { .. }, Ok(Some(_))) => State::Over(RenewalStep::Ended),
            // A newer grant wins over our failure.
            (State::End { .. }, Ok(None)) => State::Look,
            (state @ State::End { .. }, Err(reason)) => self.store_failed(state, reason),
            // Nothing depends on it: the lease ends by itself.
            (State::Release { reason, .. }, _) => State::Over(RenewalStep::Failed(reason)),
            (state, _) => unexpected(state),
        };
    }

    /// Takes in whether the store has forgotten the grant.
    pub fn handle_removed(&mut self, removed: Result<bool, StoreError>) {
        self.state = match (self.leave(), removed) {
            (State::End { .. }, Ok(true)) => State::Over(RenewalStep::Ended),
            (State::End { .. }, Ok(false)) => State::Look,
            (state @ State::End { .. }, Err(reason)) => self.store_failed(state, reason),
            (state, _) => unexpected(state),
        };
    }

    /// Takes in what the token endpoint said.
    pub fn handle_answer(
        &mut self,
        answer: Result<TokenResponse, ExchangeFailed>,
        now: UnixSeconds,
    ) {
        let State::Send { version, grant, .. } = &self.state else {
            self.state = unexpected(self.leave());
            return;
        };
        let (version, grant) = (*version, grant.clone());
        self.state = match answer {
            Ok(tokens) => {
                let mut fresh = grant.clone();
                fresh.renew(tokens, now);
                self.answered = true;
                State::Keep {
                    read: version,
                    sent: grant,
                    fresh,
                }
            }
            Err(reason) => match refresh::gone(&reason) {
                Some(gone) => State::End {
                    read: version,
                    grant,
                    client_gone: gone == Gone::Client,
                },
                None => self.no_answer(RenewalFailed::Exchange(reason), now),
            },
        };
    }

    /// Takes in that there was no answer in the time that there is.
    pub fn handle_lost(&mut self, why: &str, now: UnixSeconds) {
        let why = why.chars().take(300).collect();
        self.state = self.no_answer(RenewalFailed::Unreachable(why), now);
    }

    /// The server may have spent the token or not: only asking again with the same one finds out.
    fn no_answer(&mut self, reason: RenewalFailed, now: UnixSeconds) -> State {
        match self.leave() {
            State::Send {
                version,
                grant,
                until,
            } => {
                self.tries = self.tries.saturating_add(1);
                if self.tries >= MAX_TRIES || self.deadline.is_some_and(|end| now >= end) {
                    return State::Release {
                        read: version,
                        grant,
                        reason,
                    };
                }
                // The first time at once, since a server repeats its answer for a short time only.
                let pause = Duration::from_millis(500).saturating_mul(u32::from(self.tries) - 1);
                let again = State::Send {
                    version,
                    grant,
                    until,
                };
                State::Pause(pause, Box::new(again))
            }
            state => unexpected(state),
        }
    }

    /// Takes in that the time of a [`RenewalStep::Wait`] has passed.
    pub fn handle_waited(&mut self) {
        self.state = match self.leave() {
            State::Pause(_, then) => *then,
            state => unexpected(state),
        };
    }

    /// Whether these are the tokens that a renewal began with; not where a server has given the same access token anew.
    fn is_of_no_more_use(&self, fresh: &StoredGrant) -> bool {
        !self.answered && fresh.access_token.ct_eq(self.used.expose())
    }

    /// The new tokens are in the store; if they are those that are of no more use, it only begins.
    fn written_down(&self, fresh: StoredGrant) -> State {
        if self.is_of_no_more_use(&fresh) {
            return State::Look;
        }
        done(fresh)
    }

    /// Tries again for a while, and then does without the store as far as that is right.
    fn store_failed(&mut self, state: State, reason: StoreError) -> State {
        self.store_failures = self.store_failures.saturating_add(1);
        if self.store_failures < MAX_STORE_FAILURES {
            let pause = Duration::from_millis(100).saturating_mul(self.store_failures.into());
            return State::Pause(pause, Box::new(state));
        }
        match state {
            State::Find { sent, fresh } => self.unsaved(sent, fresh, RenewalFailed::Store(reason)),
            // The server's word holds whether or not it could be written down.
            State::End { .. } => State::Over(RenewalStep::Ended),
            _ => State::Over(RenewalStep::Failed(RenewalFailed::Store(reason))),
        }
    }

    fn leave(&mut self) -> State {
        let nothing = State::Over(RenewalStep::Failed(RenewalFailed::Unexpected));
        std::mem::replace(&mut self.state, nothing)
    }
}

/// How long an answer may be waited for in a lease with this end; none where too little of it is left.
fn time_to_send(until: UnixSeconds, now: UnixSeconds) -> Option<Duration> {
    let left = until.since(now);
    // A lease that is void for others since the clock was set back is void for us as well.
    (left > RESERVE && left <= MAX_LEASE).then(|| left.saturating_sub(RESERVE))
}

fn done(grant: StoredGrant) -> State {
    State::Over(RenewalStep::Done {
        grant,
        unsaved: None,
    })
}

/// An end stays the end; anything else was handed in at the wrong time.
fn unexpected(state: State) -> State {
    match state {
        State::Over(end) => State::Over(end),
        _ => State::Over(RenewalStep::Failed(RenewalFailed::Unexpected)),
    }
}

/// Whether a grant has these very tokens; a server need not change both.
fn same_tokens(one: &StoredGrant, other: &StoredGrant) -> bool {
    let refresh = match (&one.refresh_token, &other.refresh_token) {
        (Some(one), Some(other)) => one.ct_eq(other.expose()),
        (None, None) => true,
        _ => false,
    };
    refresh && one.access_token.ct_eq(other.access_token.expose())
}
