//! One public key (RFC 7517, RFC 7518 section 6, RFC 8037), checked and decoded when it is loaded.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::alg::Alg;
use super::crypto::{self, Material};
use super::{ed25519, thumbprint};
use crate::{base64url, json};

/// The longest `kid` that is kept.
const MAX_KID_BYTES: usize = 256;

/// Why a key cannot be used to verify a signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnusableKey {
    /// Not an object, or a member has the wrong type or occurs twice.
    #[error("the key is not a well-formed object")]
    Malformed,
    /// A member of a private or symmetric key is there.
    #[error("the key holds private or symmetric key material")]
    Private,
    /// A key type other than `EC`, `RSA` and `OKP`.
    #[error("key type {0:?} is not supported")]
    KeyType(String),
    /// A curve other than P-256, P-384 and Ed25519.
    #[error("curve {0:?} is not supported")]
    Curve(String),
    /// `use` is not `sig`.
    #[error("the key is not for signatures")]
    Use,
    /// `key_ops` is there without `verify`.
    #[error("the key is not for verifying")]
    KeyOps,
    /// `alg` is unknown or does not go with the key.
    #[error("algorithm {0:?} does not go with this key")]
    Algorithm(String),
    /// A member that the key type needs is absent.
    #[error("member {0} is missing")]
    Missing(&'static str),
    /// A member is not base64url, or has the wrong length or leading zeros.
    #[error("member {0} is malformed")]
    Member(&'static str),
    /// The coordinates are not those of a point on the curve, or are those of one of small order.
    #[error("the point is not on the curve, or of small order")]
    Point,
    /// An RSA modulus outside of 2048 to 8192 bits.
    #[error("an RSA key of {0} bits is not accepted (2048 to 8192)")]
    RsaSize(usize),
    /// A `kid` that is too long.
    #[error("the key id is too long")]
    KeyId,
}

/// A public key as it is published.
///
/// It decides, in this order: an object without repeated members; no private or symmetric material;
/// `use` is `sig` and `key_ops` holds `verify`, if they are there; a supported type and curve; an
/// `alg` that goes with them, if it is there; members in strict base64url and of the right length;
/// an RSA modulus of 2048 to 8192 bits and an odd exponent from 3.
///
/// A key without `alg` gets one: RS256 for RSA, and the only one there is for each curve.
///
/// Does not check: that a point lies on its curve, which [`VerifyingKey::new`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    #[serde(flatten)]
    pub(super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: &'static str,
    #[serde(serialize_with = "as_name")]
    alg: Alg,
}

/// The members that make the key, as text that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub(super) enum Kind {
    #[serde(rename = "EC")]
    Ec {
        crv: &'static str,
        x: String,
        y: String,
    },
    #[serde(rename = "OKP")]
    Okp { crv: &'static str, x: String },
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
}

#[derive(Deserialize)]
struct Raw {
    kty: String,
    #[serde(default, deserialize_with = "json::not_null")]
    crv: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    x: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    y: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    n: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    e: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    kid: Option<String>,
    #[serde(default, rename = "use", deserialize_with = "json::not_null")]
    usage: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    key_ops: Option<Vec<String>>,
    #[serde(default, deserialize_with = "json::present")]
    d: bool,
    #[serde(default, deserialize_with = "json::present")]
    p: bool,
    #[serde(default, deserialize_with = "json::present")]
    q: bool,
    #[serde(default, deserialize_with = "json::present")]
    dp: bool,
    #[serde(default, deserialize_with = "json::present")]
    dq: bool,
    #[serde(default, deserialize_with = "json::present")]
    qi: bool,
    #[serde(default, deserialize_with = "json::present")]
    oth: bool,
    #[serde(default, deserialize_with = "json::present")]
    k: bool,
}

impl PublicJwk {
    /// Reads one key.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(bytes: &[u8]) -> Result<Self, UnusableKey> {
        Self::read(bytes, None)
    }

    /// Reads one key that comes with a signature by this algorithm; an `alg` of its own has to be
    /// the same.
    pub(super) fn parse_for(alg: Alg, bytes: &[u8]) -> Result<Self, UnusableKey> {
        Self::read(bytes, Some(alg))
    }

    fn read(bytes: &[u8], wanted: Option<Alg>) -> Result<Self, UnusableKey> {
        let raw: Raw = json::object(bytes).map_err(|_| UnusableKey::Malformed)?;
        // RFC 7517 section 9.2: private and symmetric members have no place in a public key.
        if raw.d || raw.p || raw.q || raw.dp || raw.dq || raw.qi || raw.oth || raw.k {
            return Err(UnusableKey::Private);
        }
        // RFC 7517 section 4.2: `sig` is the use for digital signatures.
        if raw.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(UnusableKey::Use);
        }
        // RFC 7517 section 4.3: `verify` is the operation for digital signatures.
        if raw
            .key_ops
            .as_ref()
            .is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return Err(UnusableKey::KeyOps);
        }
        if raw
            .kid
            .as_ref()
            .is_some_and(|kid| kid.len() > MAX_KID_BYTES)
        {
            return Err(UnusableKey::KeyId);
        }
        let kind = match raw.kty.as_str() {
            "EC" => ec(raw.crv, raw.x, raw.y)?,
            "OKP" => okp(raw.crv, raw.x)?,
            "RSA" => rsa(raw.n, raw.e)?,
            other => return Err(UnusableKey::KeyType(shortened(other))),
        };
        let named = match &raw.alg {
            None => wanted.unwrap_or(kind.default_alg()),
            Some(name) => {
                Alg::parse(name).ok_or_else(|| UnusableKey::Algorithm(shortened(name)))?
            }
        };
        let alg = Some(named)
            .filter(|alg| kind.fits(*alg) && wanted.is_none_or(|wanted| wanted == *alg))
            .ok_or_else(|| UnusableKey::Algorithm(named.as_str().to_owned()))?;
        Ok(Self {
            kind,
            kid: raw.kid,
            usage: "sig",
            alg,
        })
    }

    /// The public half of a pair, named by its thumbprint.
    pub(super) fn of_pair(alg: Alg, material: &Material) -> Option<Self> {
        let kind = match material {
            Material::Rsa { n, e } => Kind::Rsa {
                n: base64url::encode(n),
                e: base64url::encode(e),
            },
            Material::Point(point) if alg == Alg::EdDsa => Kind::Okp {
                crv: "Ed25519",
                x: base64url::encode(point),
            },
            // SEC 1 section 2.3.3: an uncompressed point is 0x04, then both coordinates.
            Material::Point(point) => {
                let coordinates = point.strip_prefix(&[4])?;
                let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
                Kind::Ec {
                    crv: if alg == Alg::Es384 { "P-384" } else { "P-256" },
                    x: base64url::encode(x),
                    y: base64url::encode(y),
                }
            }
        };
        let kid = Some(thumbprint::of(&kind));
        Some(Self {
            kind,
            kid,
            usage: "sig",
            alg,
        })
    }

    /// The key id, if the key has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm of this key.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The thumbprint by SHA-256, which depends on the key alone and not on its `kid` or `alg`.
    ///
    /// Specification: RFC 7638 section 3.
    pub fn thumbprint(&self) -> String {
        thumbprint::of(&self.kind)
    }
}

impl Kind {
    fn default_alg(&self) -> Alg {
        match self {
            Self::Ec { crv: "P-384", .. } => Alg::Es384,
            Self::Ec { .. } => Alg::Es256,
            Self::Okp { .. } => Alg::EdDsa,
            Self::Rsa { .. } => Alg::Rs256,
        }
    }

    // RFC 8725 section 3.1: a key is used with exactly one algorithm, the one it is meant for.
    fn fits(&self, alg: Alg) -> bool {
        match self {
            Self::Rsa { .. } => alg.is_rsa(),
            Self::Ec { .. } | Self::Okp { .. } => alg == self.default_alg(),
        }
    }
}

/// A public key ready to verify, with the one algorithm it may be used for.
#[derive(Clone)]
pub struct VerifyingKey {
    kid: Option<String>,
    alg: Alg,
    material: Material,
}

impl VerifyingKey {
    /// Decodes a key, once for all the signatures it will verify.
    ///
    /// # Errors
    /// The point is not on its curve, or of small order.
    pub fn new(jwk: &PublicJwk) -> Result<Self, UnusableKey> {
        let material = match &jwk.kind {
            // SEC 1 section 2.3.3: an uncompressed point is 0x04, then both coordinates.
            Kind::Ec { x, y, .. } => {
                let mut point = vec![4];
                point.extend(decoded(x, "x")?);
                point.extend(decoded(y, "y")?);
                if !crypto::is_on_curve(jwk.alg, &point) {
                    return Err(UnusableKey::Point);
                }
                Material::Point(point)
            }
            Kind::Okp { x, .. } => {
                let point = decoded(x, "x")?;
                if !ed25519::is_sound(&point) {
                    return Err(UnusableKey::Point);
                }
                Material::Point(point)
            }
            Kind::Rsa { n, e } => Material::Rsa {
                n: decoded(n, "n")?,
                e: decoded(e, "e")?,
            },
        };
        Ok(Self {
            kid: jwk.kid.clone(),
            alg: jwk.alg,
            material,
        })
    }

    /// The key id, if the key has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm of this key.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        crypto::verify(self.alg, &self.material, message, signature)
    }

    /// The only length a signature by this key can have.
    pub(super) fn signature_len(&self) -> usize {
        match (&self.material, self.alg) {
            (Material::Rsa { n, .. }, _) => n.len(),
            (Material::Point(_), Alg::Es384) => 96,
            (Material::Point(_), _) => 64,
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .finish_non_exhaustive()
    }
}

// RFC 7518 section 6.2.1: coordinates have the full length of the curve's field.
fn ec(crv: Option<String>, x: Option<String>, y: Option<String>) -> Result<Kind, UnusableKey> {
    let crv = crv.ok_or(UnusableKey::Missing("crv"))?;
    let (crv, length) = match crv.as_str() {
        "P-256" => ("P-256", 32),
        "P-384" => ("P-384", 48),
        other => return Err(UnusableKey::Curve(shortened(other))),
    };
    Ok(Kind::Ec {
        crv,
        x: fixed(x, "x", length)?,
        y: fixed(y, "y", length)?,
    })
}

// RFC 8037 section 2: the public key is in `x`, and there is no `y`.
fn okp(crv: Option<String>, x: Option<String>) -> Result<Kind, UnusableKey> {
    let crv = crv.ok_or(UnusableKey::Missing("crv"))?;
    match crv.as_str() {
        "Ed25519" => Ok(Kind::Okp {
            crv: "Ed25519",
            x: fixed(x, "x", 32)?,
        }),
        other => Err(UnusableKey::Curve(shortened(other))),
    }
}

fn rsa(n: Option<String>, e: Option<String>) -> Result<Kind, UnusableKey> {
    let n = n.ok_or(UnusableKey::Missing("n"))?;
    let e = e.ok_or(UnusableKey::Missing("e"))?;
    let modulus = integer(&n, "n")?;
    let bits = bit_length(&modulus);
    // RFC 7518 section 3.3: a key of 2048 bits or larger MUST be used.
    if !(2048..=8192).contains(&bits) {
        return Err(UnusableKey::RsaSize(bits));
    }
    let exponent = integer(&e, "e")?;
    let odd = exponent.last().is_some_and(|low| low & 1 == 1);
    if !odd || exponent == [1] || bit_length(&exponent) > 33 {
        return Err(UnusableKey::Member("e"));
    }
    Ok(Kind::Rsa { n, e })
}

fn bit_length(bytes: &[u8]) -> usize {
    let high = bytes
        .first()
        .map_or(0, |high| usize::try_from(high.leading_zeros()).unwrap_or(0));
    (bytes.len() * 8).saturating_sub(high)
}

// RFC 7518 section 2: Base64urlUInt has the fewest octets that represent the value.
fn integer(text: &str, name: &'static str) -> Result<Vec<u8>, UnusableKey> {
    let bytes = decoded(text, name)?;
    if bytes.first().is_none_or(|high| *high == 0) {
        return Err(UnusableKey::Member(name));
    }
    Ok(bytes)
}

fn fixed(text: Option<String>, name: &'static str, length: usize) -> Result<String, UnusableKey> {
    let text = text.ok_or(UnusableKey::Missing(name))?;
    if decoded(&text, name)?.len() != length {
        return Err(UnusableKey::Member(name));
    }
    Ok(text)
}

fn decoded(text: &str, name: &'static str) -> Result<Vec<u8>, UnusableKey> {
    base64url::decode(text).ok_or(UnusableKey::Member(name))
}

fn shortened(text: &str) -> String {
    text.chars().take(32).collect()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn as_name<S: serde::Serializer>(alg: &Alg, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(alg.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn parse(text: &str) -> Result<PublicJwk, UnusableKey> {
        PublicJwk::parse(text.as_bytes())
    }

    fn p256(more: &str) -> String {
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#)
    }

    #[test]
    fn a_key_without_alg_gets_the_one_that_fits() {
        let jwk = parse(&p256(r#","kid":"a","unknown":[1,2]"#)).unwrap();
        assert_eq!((jwk.alg(), jwk.kid()), (Alg::Es256, Some("a")));
        assert!(VerifyingKey::new(&jwk).is_ok());
        let written = serde_json::to_string(&jwk).unwrap();
        assert_eq!(
            written,
            format!(
                r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}","kid":"a","use":"sig","alg":"ES256"}}"#
            )
        );
        assert_eq!(parse(&written).unwrap(), jwk);
    }

    #[test]
    fn each_refusal() {
        let cases = [
            ("[]".to_owned(), UnusableKey::Malformed),
            (r#"["EC","P-256"]"#.to_owned(), UnusableKey::Malformed),
            (p256(r#","x":"AA""#), UnusableKey::Malformed),
            (p256(r#","kid":7"#), UnusableKey::Malformed),
            (p256(r#","kid":null"#), UnusableKey::Malformed),
            (p256(r#","d":"AA""#), UnusableKey::Private),
            (p256(r#","d":null"#), UnusableKey::Private),
            (p256(r#","k":"AA""#), UnusableKey::Private),
            (p256(r#","use":"enc""#), UnusableKey::Use),
            (p256(r#","key_ops":["sign"]"#), UnusableKey::KeyOps),
            (
                p256(r#","alg":"none""#),
                UnusableKey::Algorithm("none".into()),
            ),
            (
                p256(r#","alg":"HS256""#),
                UnusableKey::Algorithm("HS256".into()),
            ),
            (
                p256(r#","alg":"ES384""#),
                UnusableKey::Algorithm("ES384".into()),
            ),
            (
                p256(&format!(r#","kid":"{}""#, "k".repeat(257))),
                UnusableKey::KeyId,
            ),
            (r#"{"kty":"oct","k":"AA"}"#.into(), UnusableKey::Private),
            (
                r#"{"kty":"AKP"}"#.into(),
                UnusableKey::KeyType("AKP".into()),
            ),
            (
                r#"{"kty":"EC","crv":"P-521"}"#.into(),
                UnusableKey::Curve("P-521".into()),
            ),
            (
                r#"{"kty":"OKP","crv":"Ed448"}"#.into(),
                UnusableKey::Curve("Ed448".into()),
            ),
            (r#"{"kty":"EC"}"#.into(), UnusableKey::Missing("crv")),
            (
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}"}}"#),
                UnusableKey::Missing("y"),
            ),
            (
                r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.into(),
                UnusableKey::Member("x"),
            ),
            (
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}=","y":"{Y}"}}"#),
                UnusableKey::Member("x"),
            ),
            (
                r#"{"kty":"RSA","n":"AQAB"}"#.into(),
                UnusableKey::Missing("e"),
            ),
            (
                r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.into(),
                UnusableKey::RsaSize(17),
            ),
            (
                r#"{"kty":"RSA","n":"AAEAAQ","e":"AQAB"}"#.into(),
                UnusableKey::Member("n"),
            ),
        ];
        for (text, reason) in cases {
            assert_eq!(parse(&text), Err(reason), "{text}");
        }
    }

    #[test]
    fn every_private_member_is_noticed() {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in ["\"AA\"", "null", "[]"] {
                let text = p256(&format!(r#","{name}":{value}"#));
                assert_eq!(parse(&text), Err(UnusableKey::Private), "{text}");
            }
        }
    }

    #[test]
    fn rsa_sizes_and_exponents() {
        let key = |bytes: usize, high: u8, e: &str| {
            let mut n = vec![0xff; bytes];
            n[0] = high;
            parse(&format!(
                r#"{{"kty":"RSA","n":"{}","e":"{e}"}}"#,
                base64url::encode(&n)
            ))
        };
        assert_eq!(key(256, 0x80, "AQAB").unwrap().alg(), Alg::Rs256);
        assert_eq!(key(256, 0x7f, "AQAB"), Err(UnusableKey::RsaSize(2047)));
        assert_eq!(key(1025, 1, "AQAB"), Err(UnusableKey::RsaSize(8193)));
        // 1, 2, and a number of 34 bits.
        for e in ["AQ", "Ag", "AgAAAAE"] {
            assert_eq!(key(256, 0x80, e), Err(UnusableKey::Member("e")), "{e}");
        }
    }

    #[test]
    fn a_point_off_the_curve_is_refused_when_loaded() {
        // Another y; zeros, which some take for infinity; and numbers beyond the field.
        let (zero, high) = ([0; 32], [0xff; 32]);
        for (x, y) in [
            (X.to_owned(), X.to_owned()),
            (base64url::encode(&zero), base64url::encode(&zero)),
            (base64url::encode(&high), base64url::encode(&high)),
        ] {
            let off = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
            assert_eq!(
                VerifyingKey::new(&parse(&off).unwrap()).unwrap_err(),
                UnusableKey::Point
            );
        }
    }
}
