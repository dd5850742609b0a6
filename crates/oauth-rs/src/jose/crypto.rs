//! The seam to the crypto library: the only file beside `hash.rs` that names it.

use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
    RsaKeyPair, UnparsedPublicKey,
};
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

/// A key pair, for the one algorithm it was read for.
pub(super) enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
}

/// Why a PKCS #8 document is not a pair for an algorithm.
pub(super) enum Unreadable {
    /// It holds a key of another type or curve.
    OtherKey,
    /// An RSA key that is too short or too long.
    Size,
    /// It is no such document, or its halves do not belong together.
    Malformed,
}

impl Pair {
    /// Makes a new pair, as a PKCS #8 document; none for RSA, which the library does not make.
    pub(super) fn generate_pkcs8(alg: Alg) -> Option<Zeroizing<Vec<u8>>> {
        let random = SystemRandom::new();
        let document: pkcs8::Document = match ecdsa(alg) {
            Some(algorithm) => EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?,
            None if alg == Alg::EdDsa => Ed25519KeyPair::generate_pkcs8(&random).ok()?,
            None => return None,
        };
        Some(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Reads a pair from a PKCS #8 document.
    pub(super) fn from_pkcs8(alg: Alg, bytes: &[u8]) -> Result<Self, Unreadable> {
        if let Some(algorithm) = ecdsa(alg) {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, bytes, &SystemRandom::new());
            return pair.map(Self::Ecdsa).map_err(unreadable);
        }
        match rsa_encoding(alg) {
            Some(encoding) => RsaKeyPair::from_pkcs8(bytes)
                .map(|pair| Self::Rsa(Box::new(pair), encoding))
                .map_err(unreadable),
            // RFC 8410 section 7: the public half is optional; where it is there, it is compared.
            None => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes)
                .map(Self::Ed25519)
                .map_err(unreadable),
        }
    }

    /// The public half.
    pub(super) fn public(&self) -> Material {
        match self {
            Self::Ecdsa(pair) => Material::Point(pair.public_key().as_ref().to_vec()),
            Self::Ed25519(pair) => Material::Point(pair.public_key().as_ref().to_vec()),
            Self::Rsa(pair, _) => {
                let public: signature::RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                Material::Rsa {
                    n: public.n,
                    e: public.e,
                }
            }
        }
    }

    /// The signature in the form that JOSE has it: R and S for a curve, as long as the modulus for RSA.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair) => Some(pair.sign(&random, message).ok()?.as_ref().to_vec()),
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

fn ecdsa(alg: Alg) -> Option<&'static EcdsaSigningAlgorithm> {
    match alg {
        Alg::Es256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Alg::Es384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Alg::EdDsa
        | Alg::Rs256
        | Alg::Ps256
        | Alg::Rs384
        | Alg::Rs512
        | Alg::Ps384
        | Alg::Ps512 => None,
    }
}

fn rsa_encoding(alg: Alg) -> Option<&'static dyn RsaEncoding> {
    match alg {
        Alg::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
        Alg::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
        Alg::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
        Alg::Ps256 => Some(&signature::RSA_PSS_SHA256),
        Alg::Ps384 => Some(&signature::RSA_PSS_SHA384),
        Alg::Ps512 => Some(&signature::RSA_PSS_SHA512),
        Alg::Es256 | Alg::Es384 | Alg::EdDsa => None,
    }
}

fn unreadable(reason: KeyRejected) -> Unreadable {
    // The library tells its reasons apart by their text alone; the tests here hold it to it.
    match reason.to_string().as_str() {
        "WrongAlgorithm" => Unreadable::OtherKey,
        "TooSmall" | "TooLarge" => Unreadable::Size,
        _ => Unreadable::Malformed,
    }
}
