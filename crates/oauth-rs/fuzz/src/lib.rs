//! What must hold for any bytes at all. The fuzz targets call these, and so does an ordinary test with the corpus.

mod documents;
mod names;
mod tokens;
mod values;

pub use documents::{
    client_document, client_registration, client_update, registration_answer, resource_metadata,
    server_metadata,
};
pub use tokens::{assertion, dpop_proof, introspection, jwk, jwk_set, jws, jwt_claims};
pub use values::{challenge, form, redirect, scope, uri};

/// The name of a target, and what must hold for any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 18] = [
    ("assertion", assertion),
    ("challenge", challenge),
    ("client_document", client_document),
    ("client_registration", client_registration),
    ("client_update", client_update),
    ("dpop_proof", dpop_proof),
    ("form", form),
    ("introspection", introspection),
    ("jwk", jwk),
    ("jwk_set", jwk_set),
    ("jws", jws),
    ("jwt_claims", jwt_claims),
    ("redirect", redirect),
    ("registration_answer", registration_answer),
    ("resource_metadata", resource_metadata),
    ("scope", scope),
    ("server_metadata", server_metadata),
    ("uri", uri),
];
