//! Signing up and signing in without a browser: passwords, mailed codes, lockouts, and the second factor.

use std::collections::{BTreeMap, VecDeque};

use crate::generator::Generator;
use crate::refused::Refused;
use crate::signing::mac;
use crate::world::same;

/// Accounts, codes and waiting sign-ins that are held at most, each; the oldest goes first, but an account is refused.
const MOST: usize = 1_000;
/// Registrations and codes sent again for one address and hour.
const MOST_PER_HOUR: usize = 5;
const HOUR: u64 = 3_600;
/// How long the code of a registration is good for.
pub(crate) const MAILED_SECONDS: u64 = 600;
/// How long the wait for a second factor is.
const SECOND_FACTOR_SECONDS: u64 = 300;
/// Wrong codes before a code is worth nothing.
pub(crate) const MOST_TRIES: u8 = 3;
/// Failures, and how long the account is then locked.
const LOCKS: [(u32, u64); 3] = [(20, 86_400), (10, 3_600), (5, 900)];
/// Seconds for which a code of an authenticator is shown (RFC 6238 section 5.2).
const STEP: u64 = 30;

/// Somebody who registered.
pub(crate) struct Account {
    /// HMAC-SHA256 of the password with the salt as its key. A stand-in holds no password worth a slow hash.
    password: String,
    salt: String,
    /// The person, once the address is verified.
    pub(crate) person: Option<usize>,
    pub(crate) second_factor: Option<String>,
    failures: u32,
    locked_until: u64,
}

struct Code {
    text: String,
    until: u64,
    tries: u8,
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    Wrong,
    /// There is none, it is too old, or it was tried too often.
    Gone,
}

/// Everything about signing up and in, and every code that was sent.
#[derive(Default)]
pub(crate) struct Accounts {
    by_email: BTreeMap<String, Account>,
    /// By what the code is for, with the address in it.
    codes: BTreeMap<String, Code>,
    order: VecDeque<String>,
    /// The last code sent to an address.
    sent: BTreeMap<String, String>,
    /// When something of a kind was done.
    times: BTreeMap<String, VecDeque<u64>>,
    /// A token that waits for the second factor, whose it is, and until when.
    waiting: VecDeque<(String, String, u64)>,
}

impl Accounts {
    pub(crate) fn get(&self, email: &str) -> Option<&Account> {
        self.by_email.get(email)
    }

    pub(crate) fn get_mut(&mut self, email: &str) -> Option<&mut Account> {
        self.by_email.get_mut(email)
    }

    /// Takes a new account in, or another password for one whose address was never verified.
    pub(crate) fn add(
        &mut self,
        email: &str,
        password: &str,
        generator: &mut Generator,
    ) -> Result<(), Refused> {
        if self.by_email.len() >= MOST && !self.by_email.contains_key(email) {
            return Err(Refused::Full("accounts"));
        }
        let salt = generator.text(16);
        let account = Account {
            password: mac(&salt, password),
            salt,
            person: None,
            second_factor: None,
            failures: 0,
            locked_until: 0,
        };
        self.by_email.insert(email.to_owned(), account);
        Ok(())
    }

    /// Counts something against a limit for each hour.
    pub(crate) fn allow(&mut self, what: String, most: usize, now: u64) -> Result<(), Refused> {
        if self.times.len() >= MOST && !self.times.contains_key(&what) {
            self.times.pop_first();
        }
        let times = self.times.entry(what).or_default();
        times.retain(|time| now < time.saturating_add(HOUR));
        if let (true, Some(first)) = (times.len() >= most, times.front()) {
            return Err(Refused::Throttled(first.saturating_add(HOUR) - now));
        }
        times.push_back(now);
        Ok(())
    }

    /// One registration or one more code, counted against the address it comes from.
    pub(crate) fn allow_mail(&mut self, from: &str, now: u64) -> Result<(), Refused> {
        self.allow(format!("mail {from}"), MOST_PER_HOUR, now)
    }

    /// Sends a code: it replaces the one sent for the same before.
    pub(crate) fn send(&mut self, what: &str, address: &str, text: String, until: u64) {
        if self.codes.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.codes.remove(&oldest);
        }
        if self.sent.len() >= MOST {
            self.sent.pop_first();
        }
        let key = format!("{what} {address}");
        self.sent.insert(address.to_owned(), text.clone());
        self.order.retain(|other| *other != key);
        self.order.push_back(key.clone());
        self.codes.insert(
            key,
            Code {
                text,
                until,
                tries: 0,
            },
        );
    }

    /// The last code that was sent to an address or a number.
    pub(crate) fn sent(&self, address: &str) -> Option<&str> {
        self.sent.get(address).map(String::as_str)
    }

    /// Tries a code. The right one is used up.
    pub(crate) fn check(&mut self, what: &str, address: &str, text: &str, now: u64) -> Checked {
        let key = format!("{what} {address}");
        let Some(code) = self.codes.get_mut(&key) else {
            return Checked::Gone;
        };
        if now >= code.until || code.tries >= MOST_TRIES {
            return Checked::Gone;
        }
        if !same(&code.text, text) {
            code.tries += 1;
            return Checked::Wrong;
        }
        self.codes.remove(&key);
        Checked::Right
    }

    /// Starts the wait for a second factor.
    pub(crate) fn wait(&mut self, email: &str, generator: &mut Generator, now: u64) -> String {
        let token = generator.text(40);
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
        }
        let until = now + SECOND_FACTOR_SECONDS;
        self.waiting
            .push_back((token.clone(), email.to_owned(), until));
        token
    }

    /// Whose wait that is.
    pub(crate) fn waiting(&self, token: &str, now: u64) -> Option<String> {
        let found = self.waiting.iter().find(|(known, ..)| same(known, token))?;
        (now < found.2).then(|| found.1.clone())
    }

    pub(crate) fn no_longer_waiting(&mut self, email: &str) {
        self.waiting.retain(|(_, other, _)| other != email);
    }
}

impl Account {
    /// The seconds for which the account is still locked.
    pub(crate) fn locked(&self, now: u64) -> Option<u64> {
        self.locked_until.checked_sub(now).filter(|left| *left > 0)
    }

    pub(crate) fn has_password(&self, password: &str) -> bool {
        same(&mac(&self.salt, password), &self.password)
    }

    /// Counts a failure, and locks the account after the 5th, the 10th and each from the 20th.
    pub(crate) fn failed(&mut self, now: u64) {
        self.failures += 1;
        let lock = LOCKS.iter().find(|(failures, _)| {
            self.failures == *failures || (*failures == 20 && self.failures > 20)
        });
        if let Some((_, seconds)) = lock {
            self.locked_until = now + seconds;
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// What an authenticator shows now; nothing without a second factor.
    pub(crate) fn second_factor_code(&self, now: u64) -> Option<String> {
        let secret = self.second_factor.as_ref()?;
        let mut generator = Generator::of_text(&format!("{secret}/{}", now / STEP));
        Some(format!("{:06}", generator.below(1_000_000)))
    }
}

/// A code of digits, or of letters and digits.
pub(crate) fn code(generator: &mut Generator, length: usize, letters: bool) -> String {
    if letters {
        generator.text(length).to_uppercase()
    } else {
        (0..length)
            .map(|_| char::from(b'0' + u8::try_from(generator.below(10)).unwrap_or(0)))
            .collect()
    }
}
