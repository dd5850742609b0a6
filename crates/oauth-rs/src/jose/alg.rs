//! The closed list of signature algorithms.

use std::fmt;

/// A signature algorithm.
///
/// ```
/// use oauth_rs::jose::Alg;
///
/// assert_eq!(Alg::parse("ES256"), Some(Alg::Es256));
/// assert_eq!(Alg::parse("none"), None);
/// assert_eq!(Alg::parse("HS256"), None);
/// ```
///
/// Specification: RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alg {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
}

impl Alg {
    /// Every algorithm that can be verified.
    pub const ALL: [Self; 9] = [
        Self::Es256,
        Self::EdDsa,
        Self::Rs256,
        Self::Ps256,
        Self::Es384,
        Self::Rs384,
        Self::Rs512,
        Self::Ps384,
        Self::Ps512,
    ];

    /// The name on the wire; `EdDSA` for Ed25519.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es384 => "ES384",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// Finds an algorithm by its name, compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        // RFC 9864 section 2.2: `Ed25519` names what `EdDSA` means with an Ed25519 key.
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL.into_iter().find(|alg| alg.as_str() == name)
    }

    /// Whether the key is an RSA key.
    pub(super) const fn is_rsa(self) -> bool {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Rs384 | Self::Rs512 | Self::Ps384 | Self::Ps512 => {
                true
            }
            Self::Es256 | Self::Es384 | Self::EdDsa => false,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for alg in Alg::ALL {
            assert_eq!(Alg::parse(alg.as_str()), Some(alg));
        }
        assert_eq!(Alg::parse("Ed25519"), Some(Alg::EdDsa));
        for name in [
            "", "none", "None", "es256", "HS256", "ES512", "ES256K", "Ed448", "RS1",
        ] {
            assert_eq!(Alg::parse(name), None, "{name}");
        }
    }
}
