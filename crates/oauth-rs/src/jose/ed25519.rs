//! Which Ed25519 public keys are taken: one spelling each, and none of a small subgroup.

/// The y coordinates of the points of order 1, 2, 4 and 8, little-endian, without the sign of x.
const SMALL_ORDER: [[u8; 32]; 5] = [
    with_ends(0x01, 0x00, 0x00),
    with_ends(0xec, 0xff, 0x7f),
    with_ends(0x00, 0x00, 0x00),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

const fn with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut y = [middle; 32];
    let [low, .., high] = &mut y;
    *low = first;
    *high = last;
    y
}

/// Whether a public key binds whoever holds it.
///
/// Under a key of small order a signature over one text is one over many others, or over all, and
/// the library beneath does not look.
///
/// Does not check: that the point lies on the curve; no signature verifies under one that does not.
pub(super) fn is_sound(key: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(key) else {
        return false;
    };
    if let Some(high) = y.last_mut() {
        // RFC 8032 section 5.1.2: the highest bit is the sign of x.
        *high &= 0x7f;
    }
    is_reduced(&y) && !SMALL_ORDER.contains(&y)
}

// RFC 8032 section 5.1.3: a y coordinate of p = 2^255 - 19 or more does not decode.
fn is_reduced(y: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = y;
    *low < 0xed || *high != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;
    use crate::jose::{Alg, AlgSet, Jws, PublicJwk, UnusableKey, VerifyingKey, crypto};

    #[test]
    fn a_key_of_small_order_would_let_anybody_sign_and_is_refused() {
        // The neutral element as the key and as R, zero as S: S B = R + k A holds for every text.
        let neutral = with_ends(1, 0, 0);
        let signature = [neutral, [0; 32]].concat();
        let material = crypto::Material::Point(neutral.to_vec());
        assert!(crypto::verify(
            Alg::EdDsa,
            &material,
            b"any text",
            &signature
        ));

        for y in SMALL_ORDER {
            for sign in [0, 0x80] {
                let mut key = y;
                key[31] |= sign;
                let text = format!(
                    r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#,
                    base64url::encode(&key)
                );
                let jwk = PublicJwk::parse(text.as_bytes()).unwrap();
                assert_eq!(VerifyingKey::new(&jwk).unwrap_err(), UnusableKey::Point);
            }
        }
    }

    #[test]
    fn only_reduced_coordinates() {
        for first in 0xed..=0xff {
            assert!(!is_sound(&with_ends(first, 0xff, 0x7f)), "{first}");
            assert!(!is_sound(&with_ends(first, 0xff, 0xff)), "{first}");
        }
        assert!(is_sound(&with_ends(0xeb, 0xff, 0x7f)));
        assert!(is_sound(&with_ends(2, 0, 0)));
        for length in [0, 31, 33] {
            assert!(!is_sound(&vec![2; length]), "{length}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling() {
        // RFC 8037 appendix A: its key, and its token with the order of the group added to S.
        let jwk = PublicJwk::parse(
            br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        )
        .unwrap();
        let key = VerifyingKey::new(&jwk).unwrap();
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let mut bytes = base64url::decode(signature).unwrap();
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut carry = 0;
        for (byte, add) in bytes[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        let verify = |token: String| {
            Jws::parse(&token)
                .unwrap()
                .verify(&key, AlgSet::from_iter(Alg::ALL))
                .is_ok()
        };
        assert!(verify(format!("{input}.{signature}")));
        assert!(!verify(format!("{input}.{}", base64url::encode(&bytes))));
    }
}
