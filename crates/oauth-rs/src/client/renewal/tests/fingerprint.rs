//! When two states are the same as far as the future is concerned.

use std::fmt::Write as _;

use super::server::{number, tokens};
use super::world::{Flight, World};
use crate::client::flow::StoredGrant;
use crate::client::renewal::RenewalStep;
use crate::client::renewal::machine::State;
use crate::client::store::Version;

impl World {
    /// The same text for states that have the same future.
    pub(super) fn fingerprint(&self) -> String {
        let mut text = format!(
            "{} {:?} {:?} {:?} {:?}",
            self.now, self.server, self.strays, self.left, self.superseded
        );
        let told = |text: &mut String, grant: &StoredGrant| {
            write!(text, " {:?}", tokens(grant)).unwrap();
        };
        if let Some(kept) = &self.kept {
            write!(text, " {:?}", kept.standing).unwrap();
            told(&mut text, &kept.grant);
        }
        for actor in &self.actors {
            text.push('|');
            if actor.crashed {
                continue;
            }
            write!(text, "{}", number(&actor.machine.used)).unwrap();
            if let Some(end) = &actor.end {
                text.push_str(&format!("{end:?}").chars().take(12).collect::<String>());
                if let RenewalStep::Done { grant, unsaved } = end {
                    told(&mut text, grant);
                    unsaved.iter().for_each(|sent| told(&mut text, sent));
                }
                continue;
            }
            match &actor.flight {
                Some(Flight::Sent(token)) => write!(text, "sent {token}").unwrap(),
                Some(Flight::Answered(Ok(tokens))) => write!(
                    text,
                    "answer {} {:?}",
                    number(&tokens.access_token),
                    tokens.refresh_token.as_ref().map(number)
                )
                .unwrap(),
                Some(Flight::Answered(Err(_))) => text.push_str("refusal"),
                None => {}
            }
            let asleep = actor
                .asleep
                .map(|(version, at)| (version == self.version(), at));
            let machine = &actor.machine;
            // How often it has looked is left out: it only bounds what is endless here, and nothing is.
            let counted = (
                machine.deadline,
                machine.tries,
                machine.store_failures,
                machine.answered,
            );
            write!(text, " {asleep:?} {counted:?}").unwrap();
            let mut state = &actor.machine.state;
            if let State::Pause(_, then) = state {
                text.push_str(" pause");
                state = then;
            }
            // A version that is not the one in the store never will be again.
            let fresh = |read: &Version| *read == self.version();
            match state {
                State::Look => text.push_str(" look"),
                State::Take { read, grant, until } => {
                    write!(text, " take {} {until:?}", fresh(read)).unwrap();
                    told(&mut text, grant);
                }
                State::Send {
                    version,
                    grant,
                    until,
                } => {
                    write!(text, " send {} {until:?}", fresh(version)).unwrap();
                    told(&mut text, grant);
                }
                State::Find { sent, fresh } => {
                    text.push_str(" find");
                    told(&mut text, sent);
                    told(&mut text, fresh);
                }
                State::Keep {
                    read,
                    sent,
                    fresh: new,
                } => {
                    write!(text, " keep {}", fresh(read)).unwrap();
                    told(&mut text, sent);
                    told(&mut text, new);
                }
                State::End { read, grant, .. } => {
                    write!(text, " end {}", fresh(read)).unwrap();
                    told(&mut text, grant);
                }
                State::Release { read, grant, .. } => {
                    write!(text, " release {}", fresh(read)).unwrap();
                    told(&mut text, grant);
                }
                State::Pause(..) | State::Over(_) => text.push_str(" other"),
            }
        }
        text
    }
}
