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
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, AlgSet, JwkSet, Jws, SigningKey, Verified};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

/// How often the two are measured, in turns.
const ROUNDS: usize = 2001;

/// How often each is done in one round: less than a millisecond, so that few rounds are interrupted
/// and the middle one is not.
const TIMES: usize = 10;

const ALGORITHMS: [Alg; 3] = [Alg::Es256, Alg::EdDsa, Alg::Rs256];

/// The claims of an access token as our own server writes them.
const CLAIMS: &str = r#"{"iss":"https://as.example.com","sub":"3f2c9a54-7c1e-4f7a-9d0b-5f6f6f1f2a11","aud":"https://rs.example.com/mcp","exp":1800003600,"iat":1800000000,"jti":"kQ3Zk1u0t1mC7b5n0o2h7A","client_id":"https://app.example.com/client.json","scope":"tools:read tools:call","grant_id":"Yw3l1cQe0yK4f0yT5m2c9Q"}"#;

/// Keys that OpenSSL made for tests; they protect nothing.
const P256_KEY: &str = include_str!("../../../../crates/oauth-rs/tests/vectors/keys/p256.pem");
const ED25519_KEY: &str =
    include_str!("../../../../crates/oauth-rs/tests/vectors/keys/ed25519.pem");
const RSA_KEY: &str = include_str!("../../../../crates/oauth-rs/tests/vectors/keys/rsa2048.pem");

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
                spent(|| repeat(TIMES, || subject.bare())),
                spent(|| repeat(TIMES, || subject.payload())),
                spent(|| repeat(TIMES, || subject.claims())),
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

/// Nanoseconds for each time.
#[expect(clippy::cast_precision_loss, reason = "a few milliseconds")]
fn spent(work: impl FnOnce()) -> f64 {
    let before = Instant::now();
    work();
    before.elapsed().as_nanos() as f64 / TIMES as f64
}

/// A token and its key, for us and for the library beneath.
struct Subject {
    token: String,
    keys: JwkSet,
    alg: Alg,
    signed: Vec<u8>,
    signature: Vec<u8>,
    key: RawKey,
}

enum RawKey {
    Point(Vec<u8>),
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

#[derive(Deserialize)]
struct Published {
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Subject {
    fn new(alg: Alg) -> Self {
        // The same keys each time, since checks by the curves depend on the numbers.
        let key = match alg {
            Alg::Es256 => P256_KEY,
            Alg::EdDsa => ED25519_KEY,
            _ => RSA_KEY,
        };
        let key = SigningKey::from_pem(key, alg).unwrap();
        let token = key.sign("at+jwt", CLAIMS.as_bytes()).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let published = serde_json::to_string(key.public_jwk()).unwrap();
        let published: Published = serde_json::from_str(&published).unwrap();
        let bytes = |text: Option<String>| text.map(|text| decode(&text)).unwrap_or_default();
        let raw = match alg {
            Alg::Es256 => RawKey::Point([vec![4], bytes(published.x), bytes(published.y)].concat()),
            Alg::EdDsa => RawKey::Point(bytes(published.x)),
            _ => RawKey::Rsa {
                n: bytes(published.n),
                e: bytes(published.e),
            },
        };
        Self {
            keys: JwkSet::from_public([key.public_jwk()]),
            alg,
            signed: signed.as_bytes().to_vec(),
            signature: decode(signature),
            key: raw,
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
        let signed = black_box(self.signed.as_slice());
        match &self.key {
            RawKey::Point(point) if self.alg == Alg::Es256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed, &self.signature)
                    .unwrap();
            }
            RawKey::Point(point) => UnparsedPublicKey::new(&ED25519, point)
                .verify(signed, &self.signature)
                .unwrap(),
            RawKey::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed, &self.signature)
                .unwrap(),
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
