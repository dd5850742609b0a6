//! How often verifying a token makes the allocator work.

use allocation_counter::measure;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, AlgSet, JwkSet, Jws, SigningKey};

const RSA_KEY: &str = include_str!("vectors/keys/rsa2048.pem");
const CLAIMS: &str = r#"{"iss":"https://as.example","sub":"u1","aud":["https://rs.example/mcp"],
    "exp":1800003600.5,"iat":1800000000,"nbf":1800000000,"jti":"kQ3Zk1u0t1mC7b5n0o2h7A",
    "client_id":"https://app.example/client.json","scope":"a b","grant_id":"g","more":{"x":[1]}}"#;

/// The bytes of the token, its type, its key id, its audiences, and skipping what is nested in a claim
/// that is not known, are five; one is to spare for a claim with escapes.
const MOST: u64 = 6;

#[test]
fn from_the_text_to_the_claims_it_takes_few_allocations() {
    for (key, beneath) in [
        (SigningKey::generate_es256().unwrap(), 0),
        (SigningKey::generate_ed25519().unwrap(), 0),
        // Numbers of RSA's size are on the heap, in the library beneath.
        (SigningKey::from_pem(RSA_KEY, Alg::Rs256).unwrap(), 5),
    ] {
        let set = JwkSet::from_public([key.public_jwk()]);
        let token = key.sign("at+jwt", CLAIMS.as_bytes()).unwrap();
        let check = |jws: &Jws<'_>| {
            let kid = jws.header().kid.as_deref();
            let found = set.find(kid, key.alg()).next().unwrap();
            let verified = jws.verify(found, AlgSet::DEFAULT).unwrap();
            verified.payload().len()
        };
        let whole = || {
            let jws = Jws::parse(&token).unwrap();
            let found = set.find(jws.header().kid.as_deref(), key.alg());
            let verified = jws.verify(found.last().unwrap(), AlgSet::DEFAULT).unwrap();
            let claims = AccessTokenClaims::parse(verified.payload()).unwrap();
            assert_eq!(claims.sub, "u1");
        };
        // The library beneath finds out once what the processor can do.
        whole();
        let jws = Jws::parse(&token).unwrap();
        let signature = measure(|| assert_eq!(check(&jws), CLAIMS.len()));
        assert_eq!(signature.count_total, beneath, "{}", key.alg());
        let all = measure(whole);
        let ours = all.count_total - beneath;
        assert!(ours <= MOST, "{}: {ours} allocations", key.alg());
        assert_eq!(all.bytes_current, 0, "{}", key.alg());
    }
}
