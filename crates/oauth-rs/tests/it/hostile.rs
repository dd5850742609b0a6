//! Tokens by which somebody else has got in elsewhere: confused algorithms, nesting, repetition, numbers.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_rs::jose::jwt::AccessTokenClaims;
use oauth_rs::jose::{
    Alg, AlgSet, BadSignature, InvalidJws, JwkSet, Jws, MAX_JWS_BYTES, SigningKey, UnusableKey,
};
use ring::hmac;

const P256: &str = include_str!("../vectors/keys/p256.pem");
const P384: &str = include_str!("../vectors/keys/p384.pem");
const ED25519: &str = include_str!("../vectors/keys/ed25519.pem");
const RSA: &str = include_str!("../vectors/keys/rsa2048.pem");

fn key(alg: Alg) -> SigningKey {
    let pem = match alg {
        Alg::Es256 => P256,
        Alg::Es384 => P384,
        Alg::EdDsa => ED25519,
        _ => RSA,
    };
    SigningKey::from_pem(pem, alg).unwrap()
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn all() -> AlgSet {
    AlgSet::from_iter(Alg::ALL)
}

fn refusal(token: &str, by: &SigningKey, accepted: AlgSet) -> BadSignature {
    let set = JwkSet::from_public([by.public_jwk()]);
    let jws = Jws::parse(token).unwrap();
    jws.verify(&set.keys()[0], accepted).unwrap_err()
}

#[test]
fn a_public_key_is_never_the_key_of_a_mac() {
    for alg in Alg::ALL {
        let key = key(alg);
        let jwk = serde_json::to_value(key.public_jwk()).unwrap();
        let member = |name: &str| {
            let text = jwk[name].as_str().unwrap_or_default();
            URL_SAFE_NO_PAD.decode(text).unwrap()
        };
        // Whatever a careless library might take for the secret: the text, the number, the point.
        for secret in [
            jwk.to_string().into_bytes(),
            member("n"),
            member("x"),
            [vec![4], member("x"), member("y")].concat(),
            Vec::new(),
        ] {
            for (name, mac) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS384", hmac::HMAC_SHA384),
                ("HS512", hmac::HMAC_SHA512),
            ] {
                let input = format!("{}.e30", encode(&format!(r#"{{"alg":"{name}"}}"#)));
                let tag = hmac::sign(&hmac::Key::new(mac, &secret), input.as_bytes());
                let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
                assert_eq!(refusal(&token, &key, all()), BadSignature::NotAccepted);
                // The same tag under the name of the key's own algorithm.
                let input = format!("{}.e30", encode(&format!(r#"{{"alg":"{alg}"}}"#)));
                let tag = hmac::sign(&hmac::Key::new(mac, &secret), input.as_bytes());
                let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
                let reason = refusal(&token, &key, all());
                assert!(
                    matches!(reason, BadSignature::Length | BadSignature::Mismatch),
                    "{alg} {name}"
                );
            }
        }
    }
}

#[test]
fn a_token_without_a_signature_is_refused_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = encode(&format!(r#"{{"alg":"{alg}"}}"#));
        for signature in ["", "AAAA"] {
            let token = format!("{header}.e30.{signature}");
            assert_eq!(Jws::parse(&token).unwrap_err(), InvalidJws::Unsigned);
        }
    }
    let header = encode(r#"{"alg":"none ","kid":""}"#);
    let token = format!("{header}.e30.AAAA");
    assert_eq!(
        refusal(&token, &key(Alg::Es256), all()),
        BadSignature::NotAccepted
    );
}

#[test]
fn a_token_of_one_algorithm_is_none_of_another() {
    for signer in Alg::ALL {
        let token = key(signer).sign("JWT", b"{}").unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        for reader in Alg::ALL.into_iter().filter(|reader| *reader != signer) {
            let by = key(reader);
            assert_eq!(refusal(&token, &by, all()), BadSignature::Algorithm);
            assert_eq!(
                refusal(&token, &by, AlgSet::NONE.with(reader)),
                BadSignature::NotAccepted
            );
            // With the header of the reader's algorithm, which the signature does not cover.
            let header = encode(&format!(r#"{{"alg":"{reader}"}}"#));
            let reason = refusal(&format!("{header}.{rest}"), &by, all());
            assert!(
                matches!(reason, BadSignature::Length | BadSignature::Mismatch),
                "{signer} {reader}"
            );
        }
        // Good by its key, and not what the configuration names.
        let others = AlgSet::from_iter(Alg::ALL.into_iter().filter(|alg| *alg != signer));
        assert_eq!(
            refusal(&token, &key(signer), others),
            BadSignature::NotAccepted
        );
    }
}

#[test]
fn a_key_type_does_not_go_with_the_algorithm_of_another() {
    for alg in Alg::ALL {
        let jwk = serde_json::to_value(key(alg).public_jwk()).unwrap();
        for other in Alg::ALL
            .into_iter()
            .map(Alg::as_str)
            .chain(["HS256", "none", "dir"])
        {
            let mut changed = jwk.clone();
            changed["alg"] = other.into();
            let set = JwkSet::parse(format!(r#"{{"keys":[{changed}]}}"#).as_bytes()).unwrap();
            let rsa = |name: &str| name.starts_with("RS") || name.starts_with("PS");
            if other == alg.as_str() || (rsa(other) && rsa(alg.as_str())) {
                assert_eq!(set.keys()[0].alg().as_str(), other);
            } else {
                let reason = UnusableKey::Algorithm(other.to_owned());
                assert_eq!(set.skipped()[0].reason, reason);
            }
        }
    }
}

#[test]
fn a_key_that_a_token_brings_along_is_not_looked_at() {
    let (ours, theirs) = (key(Alg::Es256), SigningKey::generate_es256().unwrap());
    let token = theirs.sign_with_jwk("at+jwt", b"{}").unwrap();
    assert_eq!(refusal(&token, &ours, all()), BadSignature::Mismatch);
    for member in ["jku", "x5u", "x5c", "x5t"] {
        let header = format!(r#"{{"alg":"ES256","{member}":"https://evil.example/keys"}}"#);
        let (_, rest) = token.split_once('.').unwrap();
        let token = format!("{}.{rest}", encode(&header));
        assert_eq!(refusal(&token, &ours, all()), BadSignature::Mismatch);
    }
}

#[test]
fn nesting_and_length_end_somewhere() {
    // Deeper than the reader goes, in a member that nobody reads, and as short as that can be.
    let deep =
        |open: &str, close: &str, depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    for depth in [1_000, 5_000] {
        let arrays = deep("[", "]", depth);
        let objects = deep("{\"a\":", "}", depth / 5);
        for value in [&arrays, &objects] {
            let token = format!(
                "{}.e30.AAAA",
                encode(&format!(r#"{{"alg":"ES256","x":{value}}}"#))
            );
            // It is read or refused; what counts is that it ends, and soon.
            if let Ok(jws) = Jws::parse(&token) {
                assert_eq!(jws.header().alg(), Some(Alg::Es256));
            }
            let claims = format!(r#"{{"iss":{value}}}"#);
            assert!(AccessTokenClaims::parse(claims.as_bytes()).is_err());
            let set = format!(r#"{{"keys":[{{"kty":{value}}}]}}"#);
            if let Ok(set) = JwkSet::parse(set.as_bytes()) {
                assert!(set.keys().is_empty());
            }
        }
    }
    let long = format!("{}.e30.AAAA", "A".repeat(MAX_JWS_BYTES));
    assert_eq!(Jws::parse(&long).unwrap_err(), InvalidJws::TooLong);
    // As many members as there is room for, each of another name, and the last one repeated.
    let members: Vec<String> = (0..1_000).map(|n| format!("\"{n}\":0")).collect();
    let header = |more: &str| {
        let text = format!(r#"{{"alg":"ES256",{}{more}}}"#, members.join(","));
        format!("{}.e30.AAAA", encode(&text))
    };
    assert!(Jws::parse(&header("")).is_ok());
    assert_eq!(
        Jws::parse(&header(",\"\\u0039\\u0039\\u0039\":0")).unwrap_err(),
        InvalidJws::Header
    );
}

#[test]
fn numbers_beyond_all_bounds_are_refused_where_they_are_read() {
    let claims = |exp: &str| {
        let text = format!(
            r#"{{"iss":"i","sub":"s","aud":"a","exp":{exp},"iat":1,"jti":"j","client_id":"c"}}"#
        );
        AccessTokenClaims::parse(text.as_bytes()).map(|claims| claims.exp.0)
    };
    assert_eq!(claims("1800000000.999").unwrap(), 1_800_000_000);
    assert_eq!(claims("18e8").unwrap(), 1_800_000_000);
    let digits = "9".repeat(5_000);
    for exp in [
        "\"1800000000\"",
        "NaN",
        "Infinity",
        "-Infinity",
        "-1",
        "-1e300",
        "1e13",
        "1e308",
        "1e309",
        "1e99999999999",
        "18446744073709551616",
        "253402300800",
        "0x7fffffff",
        "1_800",
        &digits,
        "1800000000 1",
        "[1800000000]",
        "{\"$numberLong\":\"1800000000\"}",
        "true",
        "null",
    ] {
        assert!(claims(exp).is_err(), "{exp}");
    }
}
