//! Proof key for code exchange, method `S256` only (RFC 7636).

use std::fmt;

use subtle::ConstantTimeEq as _;
use thiserror::Error;

use crate::entropy::{Entropy, random_secret};
use crate::hash::sha256_base64url;
use crate::secret::Secret;

/// Why a text is neither a verifier nor a challenge; both have the same grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidVerifier {
    /// Fewer than 43 or more than 128 characters.
    #[error("has {0} characters instead of 43 to 128")]
    Length(usize),
    /// A character that is not a letter, a digit, or one of `-._~`.
    #[error("holds a character other than letters, digits and -._~")]
    Character,
}

/// The secret a client keeps until it redeems its code.
///
/// `Debug` shows nothing of it.
#[derive(Clone)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Draws a fresh one of 256 bits.
    pub fn generate(e: &dyn Entropy) -> Self {
        Self(random_secret(e))
    }

    /// Reads one that a client sent.
    ///
    /// # Errors
    /// Wrong length or character.
    pub fn parse(text: &str) -> Result<Self, InvalidVerifier> {
        check(text)?;
        Ok(Self(Secret::new(text)))
    }

    /// The text, to be sent to the token endpoint and nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The challenge for the authorization request.
    pub fn challenge(&self) -> CodeChallenge {
        // RFC 7636 section 4.2: code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier))).
        CodeChallenge(sha256_base64url(self.0.expose().as_bytes()))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(..)")
    }
}

/// What the authorization request carries of a verifier.
///
/// ```
/// use oauth_rs::pkce::{CodeChallenge, CodeVerifier};
///
/// let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")?;
/// let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")?;
/// assert!(challenge.verify(&verifier));
/// assert!(CodeVerifier::parse("too-short").is_err());
/// # Ok::<(), oauth_rs::pkce::InvalidVerifier>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads one that a client sent.
    ///
    /// Does not check: the method; the caller accepts `S256` and nothing else.
    ///
    /// # Errors
    /// Wrong length or character.
    pub fn parse(text: &str) -> Result<Self, InvalidVerifier> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The text for the request.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the verifier belongs to this challenge by `S256`, compared in constant time.
    pub fn verify(&self, verifier: &CodeVerifier) -> bool {
        // RFC 7636 section 4.6: the transformed verifier must equal the challenge.
        self.0
            .as_bytes()
            .ct_eq(verifier.challenge().0.as_bytes())
            .into()
    }
}

// RFC 7636 section 4.1: 43*128 of ALPHA / DIGIT / "-" / "." / "_" / "~".
fn check(text: &str) -> Result<(), InvalidVerifier> {
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    {
        return Err(InvalidVerifier::Character);
    }
    match text.len() {
        43..=128 => Ok(()),
        length => Err(InvalidVerifier::Length(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors() {
        // RFC 7636 appendix B, and the second pair printed in OAuth 2.1.
        for (verifier, challenge) in [
            (
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ),
            (
                "3641a2d12d66101249cdf7a79c000c1f8c05d2aafcf14bf146497bed",
                "6fdkQaPm51l13DSukcAH3Mdx7_ntecHYd1vi3n0hMZY",
            ),
        ] {
            let verifier = CodeVerifier::parse(verifier).unwrap();
            assert_eq!(verifier.challenge().as_str(), challenge);
            assert!(CodeChallenge::parse(challenge).unwrap().verify(&verifier));
        }
    }

    #[test]
    fn generating_encodes_the_octets_of_the_example() {
        // RFC 7636 appendix B gives the octets that the first verifier encodes.
        let octets = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212,
            37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = CodeVerifier::generate(&|dest: &mut [u8]| dest.copy_from_slice(&octets));
        assert_eq!(
            verifier.expose(),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        assert_eq!(format!("{verifier:?}"), "CodeVerifier(..)");
    }

    #[test]
    fn lengths_and_characters() {
        assert!(CodeVerifier::parse(&"a".repeat(43)).is_ok());
        assert!(CodeVerifier::parse(&"a".repeat(128)).is_ok());
        assert_eq!(
            CodeChallenge::parse(&"a".repeat(42)),
            Err(InvalidVerifier::Length(42))
        );
        assert_eq!(
            CodeChallenge::parse(&"a".repeat(129)),
            Err(InvalidVerifier::Length(129))
        );
        for bad in ["=", " ", "+", "/", "\u{e9}"] {
            let text = format!("{}{bad}", "a".repeat(43));
            assert_eq!(
                CodeChallenge::parse(&text),
                Err(InvalidVerifier::Character),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn another_verifier_is_refused() {
        let challenge = CodeVerifier::parse(&"a".repeat(43)).unwrap().challenge();
        assert!(!challenge.verify(&CodeVerifier::parse(&"b".repeat(43)).unwrap()));
        // A challenge equal to the verifier is the method `plain`, which is never accepted.
        let plain = CodeChallenge::parse(&"a".repeat(43)).unwrap();
        assert!(!plain.verify(&CodeVerifier::parse(&"a".repeat(43)).unwrap()));
    }
}
