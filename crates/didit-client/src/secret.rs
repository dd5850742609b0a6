//! A credential that cannot be shown by accident.

use std::fmt;

use zeroize::Zeroizing;

/// A credential for the Didit API.
///
/// There is no `Display`, no `PartialEq` and no serialization; `Debug` says `Secret(..)`.
/// The text is wiped from memory when the value is dropped.
/// Copies that the HTTP client makes of a header are not wiped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a credential; nothing about its form is checked until it goes into a header.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The credential itself; every use of this is a place to review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_does_not_show_the_text() {
        let secret = Secret::new("user-token-of-ada");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.expose(), "user-token-of-ada");
    }
}
