//! Tokens that are bound to a client certificate (RFC 8705).

use oauth_rs::certificate::Thumbprint;
use resource_guard::{Demand, Evidence, Guard, Principal, Reason, Refused, ReplayWindow, Scheme};
use serde_json::json;

use crate::support::{NOW, World, claims, config, request};

const CLIENT: &[u8] = b"0\x03\x02\x01\x00";

fn bound_token(world: &World) -> String {
    let mut claims = claims();
    claims["cnf"] = json!({"x5t#S256": Thumbprint::of_der(CLIENT).as_str()});
    world.sign(&claims)
}

fn decide(world: &World, token: &str, der: Option<&[u8]>) -> Result<Principal, Refused> {
    let certificate = der.map(Thumbprint::of_der);
    let evidence = Evidence {
        certificate: certificate.as_ref(),
        ..Evidence::of(&world.keys)
    };
    let decision = world.guard.check(&request(token), &evidence, NOW);
    decision.into_result()?.spend(&ReplayWindow::new(1), NOW)
}

#[test]
fn the_certificate_of_the_connection_is_the_one_that_the_token_names() {
    let world = World::new();
    let token = bound_token(&world);
    let principal = decide(&world, &token, Some(CLIENT)).unwrap();
    let own = Thumbprint::of_der(CLIENT);
    assert_eq!(principal.binding.certificate, Some(own));
    // The scheme of such a token is Bearer, RFC 8705 section 3.
    assert_eq!(principal.scheme(), Scheme::Bearer);
}

#[test]
fn no_certificate_and_another_one() {
    let world = World::new();
    let token = bound_token(&world);
    let none = decide(&world, &token, None).unwrap_err();
    assert_eq!(none.reason(), &Reason::NoCertificate);
    let other = decide(&world, &token, Some(b"other")).unwrap_err();
    let received = Thumbprint::of_der(b"other").as_str().to_owned();
    assert_eq!(other.reason(), &Reason::OtherCertificate { received });
}

#[test]
fn a_certificate_beside_a_token_that_is_not_bound_means_nothing_unless_binding_is_demanded() {
    let mut world = World::new();
    let token = world.token();
    let principal = decide(&world, &token, Some(CLIENT)).unwrap();
    assert_eq!(principal.binding.certificate, None);
    world.guard = Guard::new(config().demanding(Demand::Certificate)).unwrap();
    let refused = decide(&world, &token, Some(CLIENT)).unwrap_err();
    assert_eq!(refused.reason(), &Reason::BindingRequired);
    assert!(decide(&world, &bound_token(&world), Some(CLIENT)).is_ok());
}
