//! A token, its key, and the signature check alone, by `ring` with everything decoded beforehand.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_rs::jose::{Alg, SigningKey};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;

/// The algorithms that are measured.
pub const ALGORITHMS: [Alg; 3] = [Alg::Es256, Alg::EdDsa, Alg::Rs256];

/// Keys that OpenSSL made for tests; they protect nothing.
const P256_KEY: &str = include_str!("../../../crates/oauth-rs/tests/vectors/keys/p256.pem");
const ED25519_KEY: &str = include_str!("../../../crates/oauth-rs/tests/vectors/keys/ed25519.pem");
const RSA_KEY: &str = include_str!("../../../crates/oauth-rs/tests/vectors/keys/rsa2048.pem");

/// The same key each time, since checks by the curves depend on the numbers.
pub fn key(alg: Alg) -> SigningKey {
    let key = match alg {
        Alg::Es256 => P256_KEY,
        Alg::EdDsa => ED25519_KEY,
        _ => RSA_KEY,
    };
    SigningKey::from_pem(key, alg).unwrap()
}

/// A public key as `ring` takes it.
#[derive(Debug)]
pub struct RawKey {
    alg: Alg,
    parts: Parts,
}

#[derive(Debug)]
enum Parts {
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

impl RawKey {
    /// The public half of a key.
    pub fn of(key: &SigningKey, alg: Alg) -> Self {
        let published = serde_json::to_string(key.public_jwk()).unwrap();
        let published: Published = serde_json::from_str(&published).unwrap();
        let bytes = |text: Option<String>| text.map(|text| decode(&text)).unwrap_or_default();
        let parts = match alg {
            Alg::Es256 => Parts::Point([vec![4], bytes(published.x), bytes(published.y)].concat()),
            Alg::EdDsa => Parts::Point(bytes(published.x)),
            _ => Parts::Rsa {
                n: bytes(published.n),
                e: bytes(published.e),
            },
        };
        Self { alg, parts }
    }

    /// The signature check and nothing else.
    pub fn verify(&self, signed: &Signed) {
        let (text, signature) = (black_box(signed.text.as_slice()), &signed.signature);
        match &self.parts {
            Parts::Point(point) if self.alg == Alg::Es256 => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                key.verify(text, signature).unwrap();
            }
            Parts::Point(point) => {
                let key = UnparsedPublicKey::new(&ED25519, point);
                key.verify(text, signature).unwrap();
            }
            Parts::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                let scheme = &RSA_PKCS1_2048_8192_SHA256;
                key.verify(scheme, text, signature).unwrap();
            }
        }
    }
}

/// The signed text of a token and its signature, decoded.
#[derive(Debug)]
pub struct Signed {
    text: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    /// Takes a token in compact form apart.
    pub fn of(token: &str) -> Self {
        let (text, signature) = token.rsplit_once('.').unwrap();
        Self {
            text: text.as_bytes().to_vec(),
            signature: decode(signature),
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
