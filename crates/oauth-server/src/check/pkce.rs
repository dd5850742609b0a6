//! The code challenge of RFC 7636: S256, and nothing else.

use oauth_rs::params::Params;
use oauth_rs::pkce::{CodeChallenge, CodeVerifier};

use crate::refused::Refused;

/// The challenge of an authorization request.
pub(crate) fn challenge(params: &Params) -> Result<CodeChallenge, Refused> {
    // OAuth 2.1 section 4.1.1: a public client without a challenge MUST be refused.
    let challenge = params
        .get("code_challenge")
        .ok_or(Refused::ChallengeMissing)?;
    // RFC 7636 section 4.3: the default is plain, which is not offered; compared exactly.
    if params.get("code_challenge_method") != Some("S256") {
        return Err(Refused::ChallengeMethod);
    }
    let parsed = CodeChallenge::parse(challenge).map_err(|_| Refused::ChallengeMalformed)?;
    // RFC 7636 section 4.2: a SHA-256 hash in base64url has 43 characters.
    if parsed.as_str().len() != 43 {
        return Err(Refused::ChallengeMalformed);
    }
    Ok(parsed)
}

/// Whether the verifier of a token request meets the challenge of the code.
pub(crate) fn verifier(challenge: &CodeChallenge, sent: Option<&str>) -> Result<(), Refused> {
    // RFC 7636 section 4.6: transform the verifier and compare, in constant time.
    let verifier = CodeVerifier::parse(sent.ok_or(Refused::Verifier)?);
    match verifier {
        Ok(verifier) if challenge.verify(&verifier) => Ok(()),
        Ok(_) | Err(_) => Err(Refused::Verifier),
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::params::Params;
    use oauth_rs::pkce::CodeChallenge;

    use super::{challenge, verifier};
    use crate::refused::Refused;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn of(query: &str) -> Result<CodeChallenge, Refused> {
        challenge(&Params::parse_query(query, &[]).unwrap())
    }

    #[test]
    fn each_challenge_that_is_refused() {
        let valid = format!("code_challenge={CHALLENGE}&code_challenge_method=S256");
        assert_eq!(of(&valid).unwrap().as_str(), CHALLENGE);
        let long = "A".repeat(129);
        let malformed = Refused::ChallengeMalformed;
        for (query, reason) in [
            (
                "code_challenge_method=S256".to_owned(),
                Refused::ChallengeMissing,
            ),
            (
                format!("code_challenge={CHALLENGE}"),
                Refused::ChallengeMethod,
            ),
            (valid.replace("S256", "plain"), Refused::ChallengeMethod),
            (valid.replace("S256", "s256"), Refused::ChallengeMethod),
            (valid.replace("S256", "S512"), Refused::ChallengeMethod),
            (valid.replace("-cM", "-c"), malformed.clone()),
            (valid.replace("-cM", "-cMA"), malformed.clone()),
            (valid.replace("-cM", "-c%3D"), malformed.clone()),
            (valid.replace("-cM", "-c%2B"), malformed.clone()),
            (valid.replace(CHALLENGE, &long), malformed),
        ] {
            assert_eq!(of(&query), Err(reason), "{query}");
        }
    }

    #[test]
    fn each_verifier_that_is_refused() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert_eq!(verifier(&challenge, Some(VERIFIER)), Ok(()));
        let wrong = VERIFIER.replace("jXk", "jXl");
        for sent in [None, Some("short"), Some(CHALLENGE), Some(wrong.as_str())] {
            assert_eq!(
                verifier(&challenge, sent),
                Err(Refused::Verifier),
                "{sent:?}"
            );
        }
    }
}
