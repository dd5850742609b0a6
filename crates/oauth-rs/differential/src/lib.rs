//! Two readers of the same tokens: `oauth-rs` and `jsonwebtoken` with its checks switched on.
//!
//! Both accept the same well-formed tokens, whoever has signed them; and whatever `oauth-rs` accepts,
//! `jsonwebtoken` accepts too. The other way round does not hold, on purpose: the test
//! `we_are_stricter_where_we_say_so` has what `jsonwebtoken` lets pass, repeated members and claims of
//! another type that it is not asked for among them.
//!
//! Three things that `oauth-rs` accepts are left out, since `jsonwebtoken` cannot read them: the name
//! `Ed25519` for `EdDSA` (RFC 9864); header members that `oauth-rs` ignores, with values of other types
//! than `jsonwebtoken` knows for them; and, in members that nobody reads, escapes that are no character
//! and numbers beyond what a machine can hold.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{Alg, AlgSet, JwkSet, Jws, SigningKey};
use oauth_rs::time::UnixSeconds;
use serde_json::Value;

/// Who issues every token that is accepted.
pub const ISSUER: &str = "https://as.example";
/// For whom every token is that is accepted.
pub const AUDIENCE: &str = "https://rs.example/mcp";
/// A time that has passed, whatever clock one looks at: 2001.
pub const PAST: u64 = 1_000_000_000;
/// When `oauth-rs` reads the tokens; `jsonwebtoken` does so at the time of the machine.
const NOW: UnixSeconds = UnixSeconds(2_000_000_000);
/// A time that has not come: 2096.
pub const FUTURE: u64 = 4_000_000_000;

/// One pair of keys, for both.
pub struct Pair {
    /// The algorithm, as `oauth-rs` calls it.
    pub alg: Alg,
    algorithm: Algorithm,
    own: SigningKey,
    set: JwkSet,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Pair {
    /// A pair for each algorithm.
    pub fn all() -> Vec<Self> {
        Alg::ALL.into_iter().map(Self::new).collect()
    }

    /// The key of the test vectors for an algorithm.
    pub fn new(alg: Alg) -> Self {
        let text = match alg {
            Alg::Es256 => include_str!("../../tests/vectors/keys/p256.pem"),
            Alg::Es384 => include_str!("../../tests/vectors/keys/p384.pem"),
            Alg::EdDsa => include_str!("../../tests/vectors/keys/ed25519.pem"),
            _ => include_str!("../../tests/vectors/keys/rsa2048.pem"),
        };
        let pem = text.as_bytes();
        let own = SigningKey::from_pem(text, alg).expect("a key of ours");
        let encoding = match alg {
            Alg::Es256 | Alg::Es384 => EncodingKey::from_ec_pem(pem),
            Alg::EdDsa => EncodingKey::from_ed_pem(pem),
            _ => EncodingKey::from_rsa_pem(pem),
        };
        let jwk = serde_json::to_value(own.public_jwk()).expect("a public key");
        let member = |name: &str| jwk[name].as_str().expect("a member").to_owned();
        let decoding = match alg {
            Alg::Es256 | Alg::Es384 => DecodingKey::from_ec_components(&member("x"), &member("y")),
            Alg::EdDsa => DecodingKey::from_ed_components(&member("x")),
            _ => DecodingKey::from_rsa_components(&member("n"), &member("e")),
        };
        Self {
            alg,
            algorithm: alg.as_str().parse().expect("an algorithm of theirs"),
            set: JwkSet::from_public([own.public_jwk()]),
            own,
            encoding: encoding.expect("a key of theirs"),
            decoding: decoding.expect("a public key of theirs"),
        }
    }

    /// A token that `oauth-rs` has signed.
    pub fn signed_by_us(&self, claims: &str) -> String {
        self.own.sign("at+jwt", claims.as_bytes()).expect("a token")
    }

    /// A token with this header and these claims, whatever they are, that `jsonwebtoken` has signed.
    pub fn signed_by_them(&self, header: &str, claims: &str) -> String {
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(token.as_bytes(), &self.encoding, self.algorithm);
        token.push('.');
        token.push_str(&signature.expect("a signature"));
        token
    }

    /// Whether `oauth-rs` accepts it.
    pub fn we_accept(&self, token: &str) -> bool {
        let Ok(jws) = Jws::parse(token) else {
            return false;
        };
        let Some(key) = self.set.find(None, self.alg).next() else {
            return false;
        };
        let Ok(verified) = jws.verify(key, AlgSet::NONE.with(self.alg)) else {
            return false;
        };
        let Ok(claims) = AccessTokenClaims::parse(verified.payload()) else {
            return false;
        };
        claims.iss == ISSUER
            && claims.aud.iter().any(|one| one == AUDIENCE)
            && NOW < claims.exp
            && claims.nbf.is_none_or(|nbf| nbf <= NOW)
    }

    /// Whether `jsonwebtoken` accepts it, with all of its checks.
    pub fn they_accept(&self, token: &str) -> bool {
        let mut checks = Validation::new(self.algorithm);
        checks.leeway = 0;
        checks.validate_nbf = true;
        checks.set_audience(&[AUDIENCE]);
        checks.set_issuer(&[ISSUER]);
        checks.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        jsonwebtoken::decode::<Value>(token, &self.decoding, &checks).is_ok()
    }
}
