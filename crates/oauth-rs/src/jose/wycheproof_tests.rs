//! Signatures that others got wrong: the cases of Project Wycheproof for the algorithms there are.
//!
//! They sign arbitrary bytes, so they are held against the check below the token.

use serde_json::json;
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::base64url;
use crate::jose::{Alg, PublicJwk, VerifyingKey};

/// How many cases there were.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    accepted: usize,
    refused: usize,
}

impl Count {
    /// Holds one case against the expectation; what is acceptable to some has to be refused.
    fn add(
        &mut self,
        key: &VerifyingKey,
        message: &[u8],
        signature: &[u8],
        expected: bool,
        name: &str,
    ) {
        // `Jws::verify` looks at the length first.
        let good = signature.len() == key.signature_len() && key.verify(message, signature);
        assert_eq!(good, expected, "{name}");
        if good {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
    }
}

fn key(jwk: &serde_json::Value) -> VerifyingKey {
    let jwk = PublicJwk::parse(jwk.to_string().as_bytes()).unwrap();
    VerifyingKey::new(&jwk).unwrap()
}

/// A number without the zeros that may stand before it.
fn number(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    base64url::encode(&bytes[zeros..])
}

fn rsa_key(alg: Alg, n: &[u8], e: &[u8]) -> VerifyingKey {
    key(&json!({"kty": "RSA", "alg": alg.as_str(), "n": number(n), "e": number(e)}))
}

fn ecdsa_cases(set: ecdsa::TestName, crv: &str) -> Count {
    let mut count = Count::default();
    for group in ecdsa::TestSet::load(set).unwrap().test_groups {
        let (x, y) = group.key.key[1..].split_at((group.key.key.len() - 1) / 2);
        let key = key(&json!({
            "kty": "EC", "crv": crv, "x": base64url::encode(x), "y": base64url::encode(y),
        }));
        for test in group.tests {
            let expected = test.result == TestResult::Valid;
            let name = format!("{set:?} {} {}", test.tc_id, test.comment);
            count.add(&key, &test.msg, &test.sig, expected, &name);
        }
    }
    count
}

#[test]
fn ecdsa_with_halves_of_fixed_length() {
    let p256 = ecdsa_cases(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, "P-256");
    let p384 = ecdsa_cases(ecdsa::TestName::EcdsaSecp384r1Sha384P1363, "P-384");
    assert_eq!(
        p256,
        Count {
            accepted: 173,
            refused: 89
        }
    );
    assert_eq!(
        p384,
        Count {
            accepted: 193,
            refused: 87
        }
    );
}

#[test]
fn ed25519() {
    let mut count = Count::default();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = key(&json!({
            "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&group.key.pk),
        }));
        for test in group.tests {
            let expected = test.result == TestResult::Valid;
            let name = format!("{} {}", test.tc_id, test.comment);
            count.add(&key, &test.msg, &test.sig, expected, &name);
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 88,
            refused: 63
        }
    );
}

#[test]
fn rsa_with_pkcs1_padding() {
    use rsa_pkcs1_verify::TestName as Name;
    let mut count = Count::default();
    for (set, alg) in [
        (Name::Rsa2048Sha256, Alg::Rs256),
        (Name::Rsa3072Sha256, Alg::Rs256),
        (Name::Rsa4096Sha256, Alg::Rs256),
        (Name::Rsa8192Sha256, Alg::Rs256),
        (Name::Rsa2048Sha384, Alg::Rs384),
        (Name::Rsa3072Sha384, Alg::Rs384),
        (Name::Rsa4096Sha384, Alg::Rs384),
        (Name::Rsa8192Sha384, Alg::Rs384),
        (Name::Rsa2048Sha512, Alg::Rs512),
        (Name::Rsa3072Sha512, Alg::Rs512),
        (Name::Rsa4096Sha512, Alg::Rs512),
        (Name::Rsa8192Sha512, Alg::Rs512),
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let key = rsa_key(alg, group.key.n.as_ref(), group.key.e.as_ref());
            for test in group.tests {
                let expected = test.result == TestResult::Valid;
                let name = format!("{set:?} {} {}", test.tc_id, test.comment);
                count.add(&key, &test.msg, &test.sig, expected, &name);
            }
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 89,
            refused: 3017
        }
    );
}

#[test]
fn rsa_with_pss_padding() {
    use rsa_pss_verify::TestName as Name;
    let mut count = Count::default();
    for (set, alg, fits) in [
        (Name::RsaPss2048Sha256Mgf1SaltLen32, Alg::Ps256, true),
        (Name::RsaPss3072Sha256Mgf1SaltLen32, Alg::Ps256, true),
        (Name::RsaPss4096Sha256Mgf1SaltLen32, Alg::Ps256, true),
        (Name::RsaPss2048Sha384Mgf1SaltLen48, Alg::Ps384, true),
        (Name::RsaPss4096Sha384Mgf1SaltLen48, Alg::Ps384, true),
        (Name::RsaPss4096Sha512Mgf1SaltLen64, Alg::Ps512, true),
        // RFC 7518 section 3.5: the salt is as long as the hash, and the mask is made by the same one.
        (Name::RsaPss2048Sha256Mgf1SaltLen0, Alg::Ps256, false),
        (Name::RsaPss2048Sha256Mgf1Sha1_20, Alg::Ps256, false),
        (Name::RsaPss2048Sha1Mgf1SaltLen20, Alg::Ps256, false),
        (Name::RsaPss2048Sha512_256Mgf1SaltLen32, Alg::Ps256, false),
        (Name::RsaPss4096Sha512Mgf1SaltLen32, Alg::Ps512, false),
    ] {
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = rsa_key(alg, group.key.n.as_ref(), group.key.e.as_ref());
            for test in group.tests {
                let valid = test.result == TestResult::Valid;
                // What is wrong for other parameters may be right for these.
                if !valid && !fits {
                    continue;
                }
                let expected = valid && fits;
                let name = format!("{set:?} {} {}", test.tc_id, test.comment);
                count.add(&key, &test.msg, &test.sig, expected, &name);
            }
        }
    }
    assert_eq!(
        count,
        Count {
            accepted: 511,
            refused: 641
        }
    );
}
