//! What is signed verifies, and what is not a sound key of the algorithm is refused.

use super::*;
use crate::jose::{AlgSet, JwkSet, Jws, typ_is};

const P256: &str = include_str!("../../../tests/vectors/keys/p256.pem");
const P384: &str = include_str!("../../../tests/vectors/keys/p384.pem");
const ED25519: &str = include_str!("../../../tests/vectors/keys/ed25519.pem");
const RSA: &str = include_str!("../../../tests/vectors/keys/rsa2048.pem");
const SHORT_RSA: &str = include_str!("../../../tests/vectors/keys/rsa1024.pem");

fn pem_for(alg: Alg) -> &'static str {
    match alg {
        Alg::Es256 => P256,
        Alg::Es384 => P384,
        Alg::EdDsa => ED25519,
        _ => RSA,
    }
}

#[test]
fn every_algorithm_signs_what_its_published_key_verifies() {
    for alg in Alg::ALL {
        let key = SigningKey::from_pem(pem_for(alg), alg).unwrap();
        assert_eq!(key.alg(), alg);
        // What is published is read by the strict reader again.
        let published = serde_json::to_string(key.public_jwk()).unwrap();
        let jwk = PublicJwk::parse(published.as_bytes()).unwrap();
        assert_eq!(&jwk, key.public_jwk(), "{alg}");
        let set = JwkSet::from_public([&jwk]);
        let token = key.sign("at+jwt", b"payload").unwrap();
        let jws = Jws::parse(&token).unwrap();
        assert!(typ_is(jws.header().typ.as_deref().unwrap(), "at+jwt"));
        assert_eq!(jws.header().kid.as_deref(), Some(key.kid()));
        assert_eq!(
            jws.verify(&set.keys()[0], AlgSet::from_iter(Alg::ALL))
                .unwrap()
                .payload(),
            b"payload"
        );
    }
}

#[test]
fn a_kept_key_is_the_same_key() {
    for key in [
        SigningKey::generate_es256().unwrap(),
        SigningKey::generate_es384().unwrap(),
        SigningKey::generate_ed25519().unwrap(),
        SigningKey::from_pem(P256, Alg::Es256).unwrap(),
        SigningKey::from_pem(P384, Alg::Es384).unwrap(),
        SigningKey::from_pem(ED25519, Alg::EdDsa).unwrap(),
    ] {
        let again = SigningKey::from_pkcs8(key.to_pkcs8()).unwrap();
        assert_eq!(key.kid(), again.kid());
        assert_eq!(key.public_jwk(), again.public_jwk());
        assert_eq!(key.kid(), key.public_jwk().thumbprint());
        assert_eq!(key.public_jwk().kid(), Some(key.kid()));
    }
}

#[test]
fn the_key_may_travel_in_the_header() {
    for alg in Alg::ALL {
        let key = SigningKey::from_pem(pem_for(alg), alg).unwrap();
        let token = key.sign_with_jwk("dpop+jwt", b"{}").unwrap();
        let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["alg"], alg.as_str());
        assert_eq!(header["typ"], "dpop+jwt");
        assert_eq!(header.as_object().unwrap().len(), 3);
        // Only what the key needs: nothing private, and no `kid`, `use` or `alg`.
        let names: Vec<&str> = header["jwk"]
            .as_object()
            .unwrap()
            .keys()
            .map(|k| &**k)
            .collect();
        let expected: &[&str] = match alg {
            Alg::Es256 | Alg::Es384 => &["crv", "kty", "x", "y"],
            Alg::EdDsa => &["crv", "kty", "x"],
            _ => &["e", "kty", "n"],
        };
        assert_eq!(names, expected);
        let set = JwkSet::from_public([key.public_jwk()]);
        assert!(
            Jws::parse(&token)
                .unwrap()
                .verify(&set.keys()[0], AlgSet::from_iter(Alg::ALL))
                .is_ok()
        );
    }
}

#[test]
fn each_refusal_of_a_key() {
    let refused = |pem: &str, alg| SigningKey::from_pem(pem, alg).unwrap_err();
    for alg in Alg::ALL {
        for pem in [P256, P384, ED25519, RSA] {
            if pem != pem_for(alg) {
                assert_eq!(refused(pem, alg), KeyRejected::OtherKey(alg), "{alg}");
            }
        }
    }
    assert_eq!(refused(SHORT_RSA, Alg::Rs256), KeyRejected::RsaSize);
    assert_eq!(refused(SHORT_RSA, Alg::Ps256), KeyRejected::RsaSize);
    let from = |bytes: &[u8]| SigningKey::from_pkcs8(bytes).unwrap_err();
    let rsa = SigningKey::from_pem(RSA, Alg::Ps256).unwrap();
    assert_eq!(from(rsa.to_pkcs8()), KeyRejected::AlgorithmNeeded);
    assert_eq!(from(b""), KeyRejected::Malformed);
    assert_eq!(from(P256.as_bytes()), KeyRejected::Malformed);
    assert_eq!(refused("", Alg::Es256), KeyRejected::Pem);

    for pem in [P256, P384, ED25519] {
        let bytes = pem::private_key(pem).unwrap();
        assert_eq!(from(&bytes[..bytes.len() - 1]), KeyRejected::Malformed);
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(from(&longer), KeyRejected::Malformed);
    }
    // The public half is at the end of these documents, and has to belong to the private one.
    for key in [
        SigningKey::from_pem(P256, Alg::Es256).unwrap(),
        SigningKey::generate_ed25519().unwrap(),
    ] {
        let mut torn = key.to_pkcs8().to_vec();
        *torn.last_mut().unwrap() ^= 1;
        assert_eq!(from(&torn), KeyRejected::Malformed);
    }
}

#[test]
fn too_long_a_token_is_not_made() {
    let key = SigningKey::generate_es256().unwrap();
    let long = vec![0; MAX_JWS_BYTES];
    assert_eq!(key.sign("JWT", &long), Err(SigningFailed::TooLong));
    assert_eq!(key.sign_with_jwk("JWT", &long), Err(SigningFailed::TooLong));
}

#[test]
fn debug_shows_name_and_algorithm_only() {
    let key = SigningKey::generate_es256().unwrap();
    let expected = format!("SigningKey {{ kid: {:?}, alg: Es256, .. }}", key.kid());
    assert_eq!(format!("{key:?}"), expected);
}

#[test]
fn the_published_ed25519_signature_is_made() {
    // RFC 8037 appendix A.1 and A.4: the only algorithm here whose signatures do not differ each time.
    let seed = base64url::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    // RFC 8410 section 7: the PKCS #8 document around 32 bytes of an Ed25519 key.
    let pkcs8 = [
        b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20",
        seed.as_slice(),
    ]
    .concat();
    let key = SigningKey::from_pkcs8(&pkcs8).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let signature = key
        .pair
        .sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
        .unwrap();
    assert_eq!(
        base64url::encode(&signature),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}
