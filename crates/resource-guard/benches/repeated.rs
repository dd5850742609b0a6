//! What deciding about a token that comes again costs beside SHA-256 of the token and one look-up
//! in a hash map, in the same run; and what a million distinct invalid tokens leave behind.
//!
//! The two take turns for 21 rounds; the ratio is that of one round, and the middle one is printed
//! with the least and the most.

#![expect(
    clippy::unwrap_used,
    reason = "a program for measuring stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the numbers are its only output")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use allocation_counter::measure;
use http::Request;
use http::request::Parts;
use oauth_rs::hash::sha256;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use resource_guard::fetch::VerifiedTokens;
use resource_guard::{Decision, Evidence, Guard, GuardConfig, KeySnapshot, TrustedIssuer};

const ROUNDS: usize = 21;
const CHECKS: u32 = 20_000;
const NOW: UnixSeconds = UnixSeconds(1100);

fn main() {
    let issuer = Issuer::parse("https://as.example").unwrap();
    let resource = ResourceId::parse("https://rs.example/mcp").unwrap();
    let key = SigningKey::generate_es256().unwrap();
    let keys = KeySnapshot::new(issuer.clone(), JwkSet::from_public([key.public_jwk()]));
    let tokens = VerifiedTokens::new();
    let guard = Guard::new(GuardConfig::new(resource, TrustedIssuer::new(issuer))).unwrap();
    let guard = guard.remembering(Arc::new(tokens.clone()));
    let claims = r#"{"iss":"https://as.example","aud":"https://rs.example/mcp","sub":"user-1",
        "client_id":"https://app.example/client.json","jti":"f1c2a7d09e3b4d56","iat":1000,
        "exp":1300,"scope":"doc:read doc:write","grant_id":"0d1e2f3a4b5c6d7e"}"#;
    let token = key.sign("at+jwt", claims.as_bytes()).unwrap();
    let parts = request(&token);
    let check = |parts: &Parts| {
        let decision = guard.check(black_box(parts), &Evidence::of(&keys), NOW);
        matches!(decision, Decision::Granted(_))
    };
    assert!(check(&parts));

    // As many entries as the memory may have.
    let mut map: HashMap<[u8; 32], u64> = HashMap::new();
    map.extend((0..10_000_u64).map(|n| (sha256(&n.to_be_bytes()), n)));
    map.insert(sha256(token.as_bytes()), 7);
    let bare = || map.get(&sha256(black_box(token.as_bytes()))).copied() == Some(7);

    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
        .map(|_| (time(|| check(&parts)), time(bare)))
        .collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let ratio = |at: usize| rounds.get(at).map(|(ours, bare)| ours / bare).unwrap();
    let (ours, bare) = rounds.get(ROUNDS / 2).unwrap();
    println!(
        "a token of {} bytes that comes again: {ours:.0} ns, hash and look-up {bare:.0} ns, \
         ratio {:.2} ({:.2} to {:.2})",
        token.len(),
        ratio(ROUNDS / 2),
        ratio(0),
        ratio(ROUNDS - 1),
    );
    let again = measure(|| assert!(check(&parts)));
    println!("allocations: {}", again.count_total);

    let (body, _) = token.rsplit_once('.').unwrap();
    let left = measure(|| {
        for n in 0..1_000_000_u32 {
            // 86 characters with a number in the middle: each signature is another one.
            let forged = request(&format!("{body}.{:a>30}{n:0>10}{:A>46}", "", ""));
            assert!(!check(&forged));
        }
    });
    println!(
        "a million forged tokens: {} bytes left, {} tokens remembered",
        left.bytes_current,
        tokens.len()
    );
}

/// Nanoseconds for one, of many.
fn time(once: impl Fn() -> bool) -> f64 {
    let start = Instant::now();
    for _ in 0..CHECKS {
        assert!(once());
    }
    start.elapsed().as_nanos() as f64 / f64::from(CHECKS)
}

fn request(token: &str) -> Parts {
    let request = Request::get("https://rs.example/mcp");
    let request = request.header("authorization", format!("Bearer {token}"));
    request.body(()).unwrap().into_parts().0
}
