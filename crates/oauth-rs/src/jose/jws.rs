//! The compact form of a signed token, with strict header rules (RFC 7515, RFC 8725).

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use thiserror::Error;

use super::alg::Alg;
use super::alg_set::AlgSet;
use super::claim::{self, InvalidClaims};
use super::jwk::VerifyingKey;
use super::jwt::AccessTokenClaims;
use crate::{base64url, json};

/// The longest token that is read.
pub const MAX_JWS_BYTES: usize = 16 * 1024;

/// Why a text is not a token that could be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidJws {
    /// More than [`MAX_JWS_BYTES`].
    #[error("longer than {MAX_JWS_BYTES} bytes")]
    TooLong,
    /// Not three parts with dots between them.
    #[error("not three parts separated by dots")]
    Parts,
    /// A part is not strict base64url.
    #[error("a part is not strict base64url")]
    Encoding,
    /// The header is not an object, lacks `alg`, or has a member twice or of the wrong type.
    #[error("the header is malformed")]
    Header,
    /// `alg` is `none`, or the signature is empty.
    #[error("the token is not signed")]
    Unsigned,
    /// `crit` or `b64` is in the header.
    #[error("the header demands an extension")]
    Critical,
}

/// Why a signature was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// The header's `alg` is not one that is accepted from whoever is meant to have signed.
    #[error("the algorithm of the token is not accepted here")]
    NotAccepted,
    /// The header's `alg` is not the algorithm of the key.
    #[error("the algorithm of the token is not that of the key")]
    Algorithm,
    /// The signature has another length than all signatures by this key.
    #[error("the signature has the wrong length")]
    Length,
    /// The signature is not one of this key over this text.
    #[error("the signature does not verify")]
    Mismatch,
}

/// The header of a token: claims of a stranger until the signature has been verified.
///
/// `jku`, `x5u` and `x5c` are ignored, and so is `jwk` but in a DPoP proof.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Header {
    alg: NamedAlg,
    /// What kind of token this is; compare with [`typ_is`].
    #[serde(default, deserialize_with = "json::not_null")]
    pub typ: Option<String>,
    /// Which key signed it; a hint.
    #[serde(default, deserialize_with = "json::not_null")]
    pub kid: Option<String>,
    #[serde(default, deserialize_with = "json::present")]
    crit: bool,
    #[serde(default, deserialize_with = "json::present")]
    b64: bool,
    #[serde(default, deserialize_with = "json::not_null")]
    pub(super) jwk: Option<Box<RawValue>>,
}

impl Header {
    /// The algorithm that the token says it was signed with, if it is one that exists here.
    pub fn alg(&self) -> Option<Alg> {
        match self.alg {
            NamedAlg::Known(alg) => Some(alg),
            NamedAlg::Other(_) => None,
        }
    }

    /// The name of that algorithm, whether it exists here or not; `EdDSA` also where it says `Ed25519`.
    pub fn alg_name(&self) -> &str {
        match &self.alg {
            NamedAlg::Known(alg) => alg.as_str(),
            NamedAlg::Other(name) => name,
        }
    }
}

/// What `alg` says.
#[derive(Debug, Clone)]
enum NamedAlg {
    Known(Alg),
    Other(String),
}

impl<'de> Deserialize<'de> for NamedAlg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = claim::read_text(deserializer)?;
        Ok(match Alg::parse(&name) {
            Some(alg) => Self::Known(alg),
            None => Self::Other(name.into_owned()),
        })
    }
}

/// A well-formed token whose signature has not been verified.
///
/// `Debug` shows the header only: whoever reads the whole of it in a log could use it.
///
/// ```
/// use oauth_rs::jose::{Alg, AlgSet, BadSignature, Jws, JwkSet, SigningKey};
///
/// let key = SigningKey::generate_es256()?;
/// let token = key.sign("JWT", b"{}").unwrap();
/// let set = JwkSet::from_public([key.public_jwk()]);
/// let own = set.find(Some(key.kid()), Alg::Es256).next().unwrap();
/// let jws = Jws::parse(&token).unwrap();
/// assert_eq!(jws.verify(own, AlgSet::DEFAULT).unwrap().payload(), b"{}");
///
/// let other = JwkSet::from_public([SigningKey::generate_es256()?.public_jwk()]);
/// let refused = jws.verify(&other.keys()[0], AlgSet::DEFAULT);
/// assert_eq!(refused.unwrap_err(), BadSignature::Mismatch);
/// # Ok::<(), oauth_rs::jose::KeyRejected>(())
/// ```
pub struct Jws<'a> {
    header: Header,
    signing_input: &'a str,
    /// The bytes of the three parts, one after the other.
    decoded: Vec<u8>,
    payload_from: usize,
    signature_from: usize,
}

/// What a token says, its signature verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'a> {
    payload: &'a [u8],
}

impl<'a> Verified<'a> {
    /// The bytes that were signed.
    pub fn payload(self) -> &'a [u8] {
        self.payload
    }
}

impl<'a> Jws<'a> {
    /// Reads a token without verifying it.
    ///
    /// It decides, in this order: length; three parts; strict base64url; the header is an object
    /// without repeated members; `alg` is not `none` and the signature not empty; neither `crit` nor
    /// `b64`.
    ///
    /// Does not check: `typ`, or anything in the payload.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(token: &'a str) -> Result<Self, InvalidJws> {
        if token.len() > MAX_JWS_BYTES {
            return Err(InvalidJws::TooLong);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(InvalidJws::Parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(InvalidJws::Parts)?;
        // A dot is no character of base64url, so that it is looked for in what does not decode.
        let malformed = || {
            if payload.contains('.') {
                InvalidJws::Parts
            } else {
                InvalidJws::Encoding
            }
        };
        // Three more, since each part is rounded up by itself.
        let mut decoded = Vec::with_capacity(base64url::decoded_len(token.len()) + 3);
        let mut append = |part| base64url::decode_onto(part, &mut decoded);
        append(header).ok_or_else(malformed)?;
        let payload_from = append(payload).ok_or_else(malformed)?;
        let signature_from = append(signature).ok_or(InvalidJws::Encoding)?;
        let header = decoded.get(..payload_from).unwrap_or_default();
        // RFC 7515 section 4: the members of the header MUST be unique.
        let header: Header = json::object(header).map_err(|_| InvalidJws::Header)?;
        // RFC 8725 section 3.2: `none` is not accepted.
        if header.alg_name().eq_ignore_ascii_case("none") || decoded.len() == signature_from {
            return Err(InvalidJws::Unsigned);
        }
        // RFC 7515 section 4.1.11, RFC 7797 section 7: extensions not understood MUST be refused.
        if header.crit || header.b64 {
            return Err(InvalidJws::Critical);
        }
        Ok(Self {
            header,
            signing_input,
            decoded,
            payload_from,
            signature_from,
        })
    }

    /// The header, not to be trusted yet.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Verifies the signature with this key and the one algorithm of this key, if it is accepted
    /// from the party that the key belongs to.
    ///
    /// # Errors
    /// The token names another algorithm, or the signature is not one of this key.
    pub fn verify(
        &self,
        key: &VerifyingKey,
        accepted: AlgSet,
    ) -> Result<Verified<'_>, BadSignature> {
        let named = self.header.alg();
        // RFC 8725 section 3.1: only algorithms that the configuration names are used.
        if !named.is_some_and(|alg| accepted.contains(alg)) {
            return Err(BadSignature::NotAccepted);
        }
        // RFC 8725 section 3.1: the key decides the algorithm, the token only has to agree.
        if named != Some(key.alg()) {
            return Err(BadSignature::Algorithm);
        }
        let signature = self.decoded.get(self.signature_from..).unwrap_or_default();
        // RFC 7518 section 3.4: R and S have the full length of the curve's order.
        if signature.len() != key.signature_len() {
            return Err(BadSignature::Length);
        }
        if !key.verify(self.signing_input.as_bytes(), signature) {
            return Err(BadSignature::Mismatch);
        }
        Ok(Verified {
            payload: self.unverified_payload(),
        })
    }

    /// The `iss` of the payload before anybody has looked at the signature.
    ///
    /// # Security
    /// Anybody can write it. It is good for choosing whose keys have to verify the token, and for
    /// nothing else.
    ///
    /// # Errors
    /// The payload is not an object, or its `iss` is not there once as a string.
    pub fn unverified_issuer(&self) -> Result<String, InvalidClaims> {
        #[derive(Deserialize)]
        struct Payload {
            iss: String,
        }
        claim::read(self.unverified_payload()).map(|Payload { iss }| iss)
    }

    /// The claims of an access token before anybody has looked at the signature, so that the issuer
    /// and the claims are read in one go.
    ///
    /// # Errors
    /// A claim is missing, occurs twice or has the wrong type.
    pub fn unverified_claims(&self) -> Result<UnverifiedClaims<'_>, InvalidClaims> {
        let payload = self.unverified_payload();
        let claims = AccessTokenClaims::parse(payload)?;
        Ok(UnverifiedClaims { claims, payload })
    }

    /// What the token says before anybody has looked at its signature: good for finding the key.
    pub(super) fn unverified_payload(&self) -> &[u8] {
        self.decoded
            .get(self.payload_from..self.signature_from)
            .unwrap_or_default()
    }
}

/// Claims of a stranger, until the signature over them has been verified.
#[derive(Debug)]
pub struct UnverifiedClaims<'a> {
    claims: AccessTokenClaims<'a>,
    payload: &'a [u8],
}

impl<'a> UnverifiedClaims<'a> {
    /// The `iss`, for choosing whose keys have to verify the token.
    ///
    /// # Security
    /// Anybody can write it, as [`Jws::unverified_issuer`] says.
    pub fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// The claims, if it is their payload that was verified.
    ///
    /// ```
    /// use oauth_rs::jose::{AlgSet, Jws, JwkSet, SigningKey};
    ///
    /// let key = SigningKey::generate_es256()?;
    /// let claims = br#"{"iss":"i","sub":"s","aud":"a","exp":20,"iat":10,"jti":"j","client_id":"c"}"#;
    /// let (one, two) = (key.sign("at+jwt", claims)?, key.sign("at+jwt", claims)?);
    /// let (one, two) = (Jws::parse(&one).unwrap(), Jws::parse(&two).unwrap());
    /// let set = JwkSet::from_public([key.public_jwk()]);
    /// let read = || one.unverified_claims().unwrap();
    /// let verified = |jws| Jws::verify(jws, &set.keys()[0], AlgSet::DEFAULT).unwrap();
    /// assert_eq!(read().verified_by(verified(&one)).unwrap().sub, "s");
    /// assert!(read().verified_by(verified(&two)).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verified_by(self, verified: Verified<'_>) -> Option<AccessTokenClaims<'a>> {
        // The very same bytes, and not others that say the same.
        std::ptr::eq(self.payload, verified.payload).then_some(self.claims)
    }
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// Whether a header's `typ` is the expected one: without regard to case, with or without
/// `application/` in front.
///
/// Specification: RFC 7515 section 4.1.9, RFC 8725 section 3.11.
///
/// ```
/// use oauth_rs::jose::typ_is;
///
/// assert!(typ_is("application/AT+jwt", "at+jwt"));
/// assert!(!typ_is("JWT", "at+jwt"));
/// ```
pub fn typ_is(header_typ: &str, expected: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match header_typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => header_typ,
    };
    short.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jose::{JwkSet, SigningKey};

    fn with_header(header: &str) -> String {
        format!(
            "{}.{}.{}",
            base64url::encode(header.as_bytes()),
            base64url::encode(b"{}"),
            "AAAA"
        )
    }

    #[test]
    fn each_refusal_of_the_form() {
        let es256 = |more: &str| with_header(&format!(r#"{{"alg":"ES256"{more}}}"#));
        let good = es256("");
        assert!(Jws::parse(&good).is_ok());
        let unsigned = good.strip_suffix("AAAA").unwrap().to_owned();
        let cases = [
            (String::new(), InvalidJws::Parts),
            ("a.b".into(), InvalidJws::Parts),
            (format!("{good}.AAAA"), InvalidJws::Parts),
            (format!("{good}="), InvalidJws::Encoding),
            (format!("{good} "), InvalidJws::Encoding),
            (format!(" {good}"), InvalidJws::Encoding),
            ("AB.e30.AAAA".into(), InvalidJws::Encoding),
            ("AA.e3+.AAAA".into(), InvalidJws::Encoding),
            (with_header("[\"ES256\"]"), InvalidJws::Header),
            (with_header("{}"), InvalidJws::Header),
            (with_header(r#"{"alg":7}"#), InvalidJws::Header),
            (with_header(r#"{"alg":"ES256"} x"#), InvalidJws::Header),
            (es256(r#","alg":"ES256""#), InvalidJws::Header),
            (es256(r#","kid":"a","kid":"b""#), InvalidJws::Header),
            (es256(r#","jku":"a","jku":"b""#), InvalidJws::Header),
            (es256(r#","kid":null"#), InvalidJws::Header),
            (es256(r#","typ":["JWT"]"#), InvalidJws::Header),
            (with_header(r#"{"alg":"none"}"#), InvalidJws::Unsigned),
            (with_header(r#"{"alg":"nOnE"}"#), InvalidJws::Unsigned),
            (unsigned, InvalidJws::Unsigned),
            (es256(r#","crit":["exp"]"#), InvalidJws::Critical),
            (es256(r#","crit":null"#), InvalidJws::Critical),
            (es256(r#","b64":false"#), InvalidJws::Critical),
            (es256(r#","b64":true"#), InvalidJws::Critical),
            ("a".repeat(MAX_JWS_BYTES + 1), InvalidJws::TooLong),
        ];
        for (token, reason) in cases {
            assert_eq!(Jws::parse(&token).unwrap_err(), reason, "{token}");
        }
    }

    #[test]
    fn each_refusal_of_the_signature() {
        let key = SigningKey::generate_es256().unwrap();
        let set = JwkSet::from_public([key.public_jwk()]);
        let verifying = &set.keys()[0];
        let token = key.sign("JWT", b"{}").unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let verify = |token: &str| {
            Jws::parse(token)
                .unwrap()
                .verify(verifying, AlgSet::DEFAULT)
                .map(|verified| verified.payload().to_vec())
        };
        assert_eq!(verify(&token).unwrap(), b"{}");
        let shown = format!("{:?}", Jws::parse(&token).unwrap());
        assert!(
            shown.contains("Es256") && !shown.contains(signature),
            "{shown}"
        );

        let bytes = base64url::decode(signature).unwrap();
        let with = |bytes: &[u8]| format!("{input}.{}", base64url::encode(bytes));
        for length in [1, 63, 65, 72] {
            let mut other = bytes.clone();
            other.resize(length, 1);
            assert_eq!(verify(&with(&other)), Err(BadSignature::Length), "{length}");
        }
        // Zero for both halves, and for each of them: CVE-2022-21449 was to accept these.
        assert_eq!(verify(&with(&[0; 64])), Err(BadSignature::Mismatch));
        let zero_r = [&[0; 32], &bytes[32..]].concat();
        let zero_s = [&bytes[..32], &[0; 32]].concat();
        assert_eq!(verify(&with(&zero_r)), Err(BadSignature::Mismatch));
        assert_eq!(verify(&with(&zero_s)), Err(BadSignature::Mismatch));
        for index in 0..bytes.len() {
            let mut other = bytes.clone();
            other[index] ^= 1;
            assert_eq!(
                verify(&with(&other)),
                Err(BadSignature::Mismatch),
                "byte {index}"
            );
        }

        let (header, _) = input.split_once('.').unwrap();
        let other_payload = format!("{header}.{}.{signature}", base64url::encode(b"{ }"));
        assert_eq!(verify(&other_payload), Err(BadSignature::Mismatch));
        for (alg, reason) in [
            ("RS256", BadSignature::Algorithm),
            ("EdDSA", BadSignature::Algorithm),
            ("ES384", BadSignature::NotAccepted),
            ("HS256", BadSignature::NotAccepted),
            ("es256", BadSignature::NotAccepted),
        ] {
            let header = base64url::encode(format!(r#"{{"alg":"{alg}"}}"#).as_bytes());
            let confused = format!("{header}.e30.{signature}");
            assert_eq!(verify(&confused), Err(reason), "{alg}");
        }
        let jws = Jws::parse(&token).unwrap();
        let none = jws.verify(verifying, AlgSet::NONE);
        assert_eq!(none, Err(BadSignature::NotAccepted));
    }

    #[test]
    fn the_issuer_can_be_read_before_the_signature() {
        let token = |payload: &str| {
            let header = base64url::encode(br#"{"alg":"ES256"}"#);
            format!("{header}.{}.AAAA", base64url::encode(payload.as_bytes()))
        };
        let issuer = |payload: &str| Jws::parse(&token(payload)).unwrap().unverified_issuer();
        assert_eq!(issuer(r#"{"iss":"a","sub":7}"#).unwrap(), "a");
        for payload in [
            "{}",
            "[]",
            "",
            r#"{"iss":7}"#,
            r#"{"iss":null}"#,
            r#"{"iss":"a","iss":"a"}"#,
            r#"["a"]"#,
        ] {
            assert!(issuer(payload).is_err(), "{payload}");
        }
    }

    #[test]
    fn types_are_compared_as_media_types() {
        for typ in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            assert!(typ_is(typ, "at+jwt"), "{typ}");
        }
        for typ in [
            "",
            "JWT",
            "application/",
            "text/at+jwt",
            "at+jwt ",
            "application/application/at+jwt",
        ] {
            assert!(!typ_is(typ, "at+jwt"), "{typ}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(token in "\\PC{0,80}") {
            let parsed = Jws::parse(&token);
            prop_assert!(parsed.is_err() || token.matches('.').count() == 2);
        }

        #[test]
        fn never_panics_on_any_header(header in "\\PC{0,80}") {
            let token = with_header(&header);
            if let Ok(jws) = Jws::parse(&token) {
                prop_assert!(!jws.header().alg_name().eq_ignore_ascii_case("none"));
            }
        }
    }
}
