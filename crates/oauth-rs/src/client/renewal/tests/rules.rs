//! What must never be, and what must hold when nothing can happen any more.

use super::server::{Kind, number, refresh};
use super::world::{Actor, Flight, START, World};
use crate::client::flow::StoredGrant;
use crate::client::renewal::RenewalStep;
use crate::client::renewal::machine::State;
use crate::client::store::{Kept, Standing};

impl World {
    /// What is written never takes the place of a successor.
    pub(super) fn writes(&mut self, new: &StoredGrant) -> Result<(), String> {
        let Some(kept) = &self.kept else {
            return Err("a grant that was removed came back".to_owned());
        };
        let (old, new) = (refresh(&kept.grant), refresh(new));
        if new < old {
            return Err(format!("R{new} was written over R{old}"));
        }
        if new > old {
            self.superseded.insert(old);
        }
        Ok(())
    }

    /// A server refuses only where the successor of the token is with nobody who could still store it.
    pub(super) fn may_be_refused(&self, by: usize) -> Result<(), String> {
        let current = self.server.current;
        let held = |actor: &Actor| {
            let flying = matches!(&actor.flight, Some(Flight::Answered(Ok(tokens)))
                if tokens.refresh_token.as_ref().map(number) == Some(current));
            let kept = matches!(&actor.machine.state,
                State::Keep { fresh, .. } | State::Find { fresh, .. } if refresh(fresh) == current);
            !actor.crashed && actor.end.is_none() && (flying || kept)
        };
        let stored = self
            .kept
            .as_ref()
            .is_some_and(|kept| refresh(&kept.grant) == current);
        let held = self.actors.iter().any(held) || stored;
        // A store that fails for longer than a lease holds keeps a successor from the others, as a stopped process does.
        let may_be_late = self.budget.stops > 0 || self.budget.store_failures >= 4;
        if held && !may_be_late && !self.server.dead_by_stray {
            return Err(format!(
                "{by} was refused although R{current} is in good hands"
            ));
        }
        Ok(())
    }

    /// Nobody is signed out unless the server really ended the grant, and the store has no other.
    pub(super) fn may_end(&self) -> Result<(), String> {
        let good = |kept: &Kept| kept.standing != Standing::Ended;
        if self.kept.as_ref().is_some_and(good) && self.budget.store_failures == 0 {
            return Err("the person is asked although the store has a grant".to_owned());
        }
        if self.server.dead || (self.server.kind == Kind::Lenient && self.server.exchanges > 1) {
            return Ok(());
        }
        Err("the person is asked although the server never refused".to_owned())
    }

    /// What must hold when nothing can happen any more.
    pub(super) fn at_the_end(&self) -> Result<(), String> {
        let alive: Vec<&Actor> = self.actors.iter().filter(|a| !a.crashed).collect();
        for actor in &alive {
            let Some(end) = &actor.end else {
                return Err("somebody waits for ever".to_owned());
            };
            let gave_up = matches!(end, RenewalStep::Failed(_));
            let excused = self.budget.store_failures > 0 || self.now >= START + 32;
            if gave_up && !excused {
                return Err(format!("given up without need: {end:?}"));
            }
            if let RenewalStep::Done {
                grant,
                unsaved: None,
            } = end
            {
                // The one store that all share is what all others go on from.
                let kept = self.kept.as_ref().ok_or("done, and nothing is stored")?;
                if refresh(&kept.grant) < refresh(grant) {
                    return Err("done with tokens that the store lost".to_owned());
                }
            }
        }
        let repeated = self.server.kind == Kind::Overlap && !self.server.dead;
        if repeated && self.budget.store_failures == 0 {
            if self.server.rotations > 1 + u32::from(self.budget.again - self.left.again) {
                return Err("more than one rotation for one access token".to_owned());
            }
            let done = |a: &&Actor| matches!(a.end, Some(RenewalStep::Done { .. }));
            if self.now < START + 32 && !alive.iter().all(done) {
                return Err("somebody has no token although the grant is alive".to_owned());
            }
        }
        let nothing_happened = self.left == self.budget;
        if nothing_happened && (self.server.exchanges != 1 || self.server.dead) {
            return Err("not exactly one refresh where nothing went wrong".to_owned());
        }
        Ok(())
    }
}
