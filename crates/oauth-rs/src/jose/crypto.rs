//! The seam to the crypto library: the only file beside `hash.rs` that names it.

use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey};
use ring::{agreement, pkcs8};
use zeroize::Zeroizing;

use super::alg::Alg;

/// A public key in the form the library takes, decoded already.
#[derive(Clone)]
pub(super) enum Material {
    /// An uncompressed curve point, or the 32 bytes of an Ed25519 key.
    Point(Vec<u8>),
    /// Modulus and exponent of an RSA key, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

/// Whether the signature is right.
pub(super) fn verify(alg: Alg, key: &Material, message: &[u8], signature: &[u8]) -> bool {
    match key {
        Material::Point(point) => {
            let algorithm: &'static dyn signature::VerificationAlgorithm = match alg {
                Alg::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
                Alg::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
                Alg::EdDsa => &signature::ED25519,
                Alg::Rs256 | Alg::Ps256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps384 | Alg::Ps512 => {
                    return false;
                }
            };
            UnparsedPublicKey::new(algorithm, point)
                .verify(message, signature)
                .is_ok()
        }
        Material::Rsa { n, e } => {
            let parameters = match alg {
                Alg::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                Alg::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                Alg::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                Alg::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                Alg::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                Alg::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                Alg::Es256 | Alg::Es384 | Alg::EdDsa => return false,
            };
            signature::RsaPublicKeyComponents { n, e }
                .verify(parameters, message, signature)
                .is_ok()
        }
    }
}

/// Whether an uncompressed point lies on its curve, asked of the key agreement, which checks it.
///
/// Also true for algorithms that are not on these curves.
pub(super) fn is_on_curve(alg: Alg, point: &[u8]) -> bool {
    let curve = match alg {
        Alg::Es256 => &agreement::ECDH_P256,
        Alg::Es384 => &agreement::ECDH_P384,
        Alg::EdDsa
        | Alg::Rs256
        | Alg::Ps256
        | Alg::Rs384
        | Alg::Rs512
        | Alg::Ps384
        | Alg::Ps512 => return true,
    };
    let Ok(own) = agreement::EphemeralPrivateKey::generate(curve, &SystemRandom::new()) else {
        return false;
    };
    let peer = agreement::UnparsedPublicKey::new(curve, point);
    agreement::agree_ephemeral(own, &peer, |_| ()).is_ok()
}

/// An ES256 key pair.
pub(super) struct Es256Pair(EcdsaKeyPair);

impl Es256Pair {
    /// Makes a new pair, as a PKCS #8 document.
    pub(super) fn generate_pkcs8() -> Option<Zeroizing<Vec<u8>>> {
        let document: pkcs8::Document = EcdsaKeyPair::generate_pkcs8(
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &SystemRandom::new(),
        )
        .ok()?;
        Some(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a pair from a PKCS #8 document.
    pub(super) fn from_pkcs8(bytes: &[u8]) -> Option<Self> {
        EcdsaKeyPair::from_pkcs8(
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            bytes,
            &SystemRandom::new(),
        )
        .ok()
        .map(Self)
    }

    /// The public point, uncompressed: one byte, then x and y of 32 bytes each.
    pub(super) fn public_point(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// R and S, 32 bytes each.
    pub(super) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        let signature = self.0.sign(&SystemRandom::new(), message).ok()?;
        signature.as_ref().try_into().ok()
    }
}
