//! What a decision about a request costs beside the least that it can cost.
//!
//! `bench-guard` prints a line for each comparison: its name; nanoseconds of ours and of the other;
//! the ratio of the two in one round, the middle, and the bounds of the middle half of the rounds.
//!
//! - `repeated`: a token that comes again, beside SHA-256 of it and one look-up in a hash map;
//! - `ES256`, `EdDSA`, `RS256`: a new token, beside the signature check with everything decoded
//!   beforehand.
//!
//! `bench-guard count WHAT ours|bare TIMES` does one of them so often and prints nothing, for
//! counting instructions. `bench-guard token` prints a token that `bench-server guarded` takes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for measuring stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the numbers are its only output")]

use std::collections::HashMap;
use std::hint::black_box;

use bench_server::guarded::{Guarded, request, token};
use bench_server::signature::{self, ALGORITHMS, RawKey, Signed};
use bench_server::turns::{Turns, spent};
use http::request::Parts;
use oauth_rs::jose::Alg;
use ring::digest::{SHA256, digest};

/// How often each pair is measured, in turns.
const ROUNDS: usize = 2001;

/// How often a token that comes again is checked in one round: as with new ones less than a
/// millisecond, so that few rounds are interrupted and the middle one is not.
const REPEATED: usize = 500;

/// New tokens in one round.
const NEW: usize = 10;

/// Different tokens in all; what the guard remembers is forgotten between the rounds.
const POOL: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => {
            repeated();
            ALGORITHMS.into_iter().for_each(new);
        }
        ["token"] => println!("{}", token(Alg::Es256, 0)),
        ["count", "repeated", side, times] => {
            let subject = Repeated::new();
            let work = match *side {
                "ours" => Repeated::ours,
                "bare" => Repeated::bare,
                _ => panic!("ours or bare"),
            };
            (0..times.parse().unwrap()).for_each(|_: usize| work(&subject));
        }
        ["count", alg, side, times] => {
            let subject = Fresh::new(Alg::parse(alg).unwrap());
            let work = match *side {
                "ours" => Fresh::ours,
                "bare" => Fresh::bare,
                _ => panic!("ours or bare"),
            };
            for time in 0..times.parse().unwrap() {
                if time % POOL == 0 {
                    subject.guarded.tokens.clear();
                }
                work(&subject, time);
            }
        }
        _ => panic!("bench-guard [token | count WHAT ours|bare TIMES]"),
    }
}

fn repeated() {
    let subject = Repeated::new();
    let mut turns = Turns::default();
    for _ in 0..ROUNDS {
        let ours = spent(REPEATED, |_| subject.ours());
        turns.note(ours, spent(REPEATED, |_| subject.bare()));
    }
    println!("repeated {}", turns.line());
}

fn new(alg: Alg) {
    let subject = Fresh::new(alg);
    let mut turns = Turns::default();
    for round in 0..ROUNDS {
        subject.guarded.tokens.clear();
        let from = round * NEW;
        let ours = spent(NEW, |time| subject.ours(from + time));
        turns.note(ours, spent(NEW, |time| subject.bare(from + time)));
    }
    println!("{alg} {}", turns.line());
}

/// One token that was granted before, and a map with as many others as a guard remembers.
struct Repeated {
    guarded: Guarded,
    token: String,
    parts: Parts,
    map: HashMap<[u8; 32], u64>,
}

impl Repeated {
    fn new() -> Self {
        let token = token(Alg::Es256, 0);
        let mut map = HashMap::new();
        map.extend((0..10_000_u64).map(|n| (sha256(&n.to_be_bytes()), n)));
        map.insert(sha256(token.as_bytes()), 7);
        let subject = Self {
            guarded: Guarded::new(Alg::Es256),
            parts: request(&token),
            token,
            map,
        };
        subject.ours();
        subject
    }

    fn ours(&self) {
        assert!(self.guarded.grants(black_box(&self.parts)));
    }

    fn bare(&self) {
        let found = self.map.get(&sha256(black_box(self.token.as_bytes())));
        assert_eq!(found.copied(), Some(7));
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

/// Tokens that the guard has not seen, taken one after the other.
struct Fresh {
    guarded: Guarded,
    requests: Vec<Parts>,
    signed: Vec<Signed>,
    key: RawKey,
}

impl Fresh {
    fn new(alg: Alg) -> Self {
        let tokens: Vec<String> = (0..POOL).map(|number| token(alg, number)).collect();
        Self {
            guarded: Guarded::new(alg),
            requests: tokens.iter().map(|token| request(token)).collect(),
            signed: tokens.iter().map(|token| Signed::of(token)).collect(),
            key: RawKey::of(&signature::key(alg), alg),
        }
    }

    fn ours(&self, time: usize) {
        let parts = self.requests.get(time % POOL).unwrap();
        assert!(self.guarded.grants(black_box(parts)));
    }

    fn bare(&self, time: usize) {
        self.key.verify(self.signed.get(time % POOL).unwrap());
    }
}
