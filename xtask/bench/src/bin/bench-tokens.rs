//! What it costs to verify a token, from its text to its claims, beside the signature check alone.
//!
//! `bench-tokens` measures three things in turns: the signature check alone (`bare`), from the text
//! of a token to its verified payload (`payload`), and on to its claims (`claims`). It prints a line
//! for each algorithm: its name; nanoseconds of `bare` and of `payload`; the ratio of the two in one
//! round, the middle, and the bounds of the middle half of the rounds; the middle ratio of `claims`.
//! `bench-tokens count ALGORITHM bare|payload|claims TIMES` does one of them so often and prints
//! nothing, for counting instructions.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for measuring stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the numbers are its only output")]

use std::hint::black_box;

use bench_server::signature::{self, ALGORITHMS, RawKey, Signed};
use bench_server::turns::spent;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, AlgSet, JwkSet, Jws, Verified};

/// How often the two are measured, in turns.
const ROUNDS: usize = 2001;

/// How often each is done in one round: less than a millisecond, so that few rounds are interrupted
/// and the middle one is not.
const TIMES: usize = 10;

/// The claims of an access token as our own server writes them.
const CLAIMS: &str = r#"{"iss":"https://as.example.com","sub":"3f2c9a54-7c1e-4f7a-9d0b-5f6f6f1f2a11","aud":"https://rs.example.com/mcp","exp":1800003600,"iat":1800000000,"jti":"kQ3Zk1u0t1mC7b5n0o2h7A","client_id":"https://app.example.com/client.json","scope":"tools:read tools:call","grant_id":"Yw3l1cQe0yK4f0yT5m2c9Q"}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => ALGORITHMS.into_iter().for_each(compare),
        ["count", alg, what, times] => {
            let subject = Subject::new(Alg::parse(alg).unwrap());
            let times = times.parse().unwrap();
            match *what {
                "bare" => repeat(times, || subject.bare()),
                "payload" => repeat(times, || subject.payload()),
                "claims" => repeat(times, || subject.claims()),
                _ => panic!("bare, payload or claims"),
            }
        }
        _ => panic!("bench-tokens [count ALGORITHM bare|payload|claims TIMES]"),
    }
}

fn compare(alg: Alg) {
    let subject = Subject::new(alg);
    let rounds: Vec<[f64; 3]> = (0..ROUNDS)
        .map(|_| {
            [
                spent(TIMES, |_| subject.bare()),
                spent(TIMES, |_| subject.payload()),
                spent(TIMES, |_| subject.claims()),
            ]
        })
        .collect();
    let at = |quarter: usize, of: &dyn Fn(&[f64; 3]) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        *values.get(values.len() * quarter / 4).unwrap()
    };
    let ratio = |[bare, payload, _]: &[f64; 3]| payload / bare;
    println!(
        "{alg} {:.0} {:.0} {:.4} {:.4} {:.4} {:.4}",
        at(2, &|[bare, ..]| *bare),
        at(2, &|[_, payload, _]| *payload),
        at(2, &ratio),
        at(1, &ratio),
        at(3, &ratio),
        at(2, &|[bare, _, claims]| claims / bare),
    );
}

fn repeat(times: usize, mut work: impl FnMut()) {
    for _ in 0..times {
        work();
    }
}

/// A token and its key, for us and for the library beneath.
struct Subject {
    token: String,
    keys: JwkSet,
    alg: Alg,
    signed: Signed,
    key: RawKey,
}

impl Subject {
    fn new(alg: Alg) -> Self {
        let key = signature::key(alg);
        let token = key.sign("at+jwt", CLAIMS.as_bytes()).unwrap();
        Self {
            keys: JwkSet::from_public([key.public_jwk()]),
            alg,
            signed: Signed::of(&token),
            key: RawKey::of(&key, alg),
            token,
        }
    }

    /// From the text to the payload, by the key of the header's id.
    fn payload(&self) {
        let jws = Jws::parse(black_box(&self.token)).unwrap();
        black_box(self.verify(&jws));
    }

    /// All that a resource does before it compares issuer, audience and times.
    fn claims(&self) {
        let jws = Jws::parse(black_box(&self.token)).unwrap();
        let verified = self.verify(&jws);
        black_box(AccessTokenClaims::parse(verified.payload()).unwrap());
    }

    fn verify<'a>(&self, jws: &'a Jws<'_>) -> Verified<'a> {
        let kid = jws.header().kid.as_deref();
        let key = self.keys.find(kid, self.alg).next().unwrap();
        jws.verify(key, AlgSet::DEFAULT).unwrap()
    }

    /// The signature alone, with everything decoded beforehand.
    fn bare(&self) {
        self.key.verify(&self.signed);
    }
}
