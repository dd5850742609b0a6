//! The proofs of RFC 9449 hold for the requests that the document shows them with.

use std::time::Duration;

use http::Method;
use oauth_rs::jose::dpop::{ProofRefused, Rules, Sent, VerifiedProof, verify};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::TargetUri;

use crate::vectors::vectors;

// RFC 9449 section 6.1: the thumbprint that the token of section 7.1 is bound to.
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
// RFC 9449 section 7.1: the token that the third proof goes with.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

struct Request {
    source: &'static str,
    method: Method,
    uri: &'static str,
    token: Option<&'static str>,
    at: u64,
}

fn requests() -> [Request; 3] {
    let token_endpoint = |source, at| Request {
        source,
        method: Method::POST,
        uri: "https://server.example.com/token",
        token: None,
        at,
    };
    [
        token_endpoint("RFC 9449 proof 1", 1_562_262_616),
        token_endpoint("RFC 9449 proof 2", 1_562_265_296),
        Request {
            source: "RFC 9449 proof 3",
            method: Method::GET,
            uri: "https://resource.example.org/protectedresource",
            token: Some(TOKEN),
            at: 1_562_262_618,
        },
    ]
}

fn check(request: &Request) -> Result<VerifiedProof, ProofRefused> {
    let vectors = vectors();
    let mut all = vectors.signatures.iter();
    let proof = &all.find(|v| v.source == request.source).unwrap().token;
    let uri = TargetUri::parse(request.uri).unwrap();
    let sent = Sent {
        method: &request.method,
        uri: &uri,
        access_token: request.token,
        nonce: None,
    };
    verify(proof, &sent, &Rules::default(), UnixSeconds(request.at))
}

#[test]
fn the_three_proofs_hold() {
    for request in requests() {
        let verified = check(&request).unwrap();
        assert_eq!(verified.iat().0, request.at);
        assert_eq!(verified.check_key(JKT), Ok(()));
    }
}

#[test]
fn none_of_them_holds_for_another_request() {
    let changed = |change: fn(&mut Request)| {
        requests().map(|mut request| {
            change(&mut request);
            check(&request).unwrap_err()
        })
    };
    let all = |reason: ProofRefused| [reason.clone(), reason.clone(), reason];
    assert_eq!(
        changed(|r| r.method = Method::PUT),
        all(ProofRefused::Method)
    );
    assert_eq!(
        changed(|r| r.uri = "https://server.example.com/other"),
        all(ProofRefused::Uri)
    );
    assert_eq!(
        changed(|r| r.at += 61),
        all(ProofRefused::TooOld {
            age: Duration::from_secs(61)
        })
    );
    assert_eq!(
        changed(|r| r.token = Some("another")),
        [
            ProofRefused::TokenHashMissing,
            ProofRefused::TokenHashMissing,
            ProofRefused::TokenHash
        ]
    );
}
