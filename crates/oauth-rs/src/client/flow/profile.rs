//! Which older servers a flow puts up with: one table, and an event for each leniency that was used.

use std::fmt;

use crate::uri::Issuer;

/// Something that the strict rules refuse, or read otherwise, and that a profile may allow.
///
/// Each one that a flow makes use of is an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leniency {
    /// The resource names itself by a path above the address that is called, or adds a final slash.
    ///
    /// RFC 9728 section 3.3 wants the identifier that the metadata's address was built from; MCP
    /// takes the same origin with an equal or parent path.
    /// Its token is good for all that the identifier covers.
    ParentResource,
    /// The authorization server's metadata has no `code_challenge_methods_supported`.
    ///
    /// `S256` is used all the same, and nobody knows whether the server checks it.
    /// A list without `S256` is refused by every profile.
    PkceUnannounced,
    /// The resource has no metadata, so the server's own origin is taken for its authorization server.
    ///
    /// Only where every place that there is for it says that there is nothing (a 4xx, or a page that
    /// is no JSON), and the challenge names none; never after a failure that may pass (408, 425 and
    /// 429 among them).
    NoResourceMetadata,
    /// That origin has no metadata either, so `/authorize`, `/token` and `/register` are taken.
    ///
    /// Nothing is known of such a server: neither whether it checks PKCE nor whether it answers with
    /// `iss`.
    DefaultEndpoints,
}

impl Leniency {
    /// Every leniency, in the order of the table.
    pub const ALL: [Self; 4] = [
        Self::ParentResource,
        Self::PkceUnannounced,
        Self::NoResourceMetadata,
        Self::DefaultEndpoints,
    ];

    /// What was put up with, in a few words for a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ParentResource => "the resource names itself by a path above the server",
            Self::PkceUnannounced => "the authorization server does not announce PKCE",
            Self::NoResourceMetadata => "the resource has no metadata",
            Self::DefaultEndpoints => "the authorization server has no metadata",
        }
    }
}

impl fmt::Display for Leniency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which leniencies a flow may use, under the name of the revision whose servers need them.
///
/// | | `STRICT` 2026-07-28 | 2025-11-25 | 2025-06-18 | 2025-03-26 |
/// | --- | --- | --- | --- | --- |
/// | [`Leniency::ParentResource`] | yes | yes | yes | yes |
/// | [`Leniency::PkceUnannounced`] | no | no | yes | yes |
/// | [`Leniency::NoResourceMetadata`] | no | no | no | yes |
/// | [`Leniency::DefaultEndpoints`] | no | no | no | yes |
///
/// The default is [`Profile::STRICT`].
/// A profile says how old a server may be, not how old it is: every one goes the newest way first,
/// so a server of today is treated by [`Profile::V2025_03_26`] as it is by the others, with the same
/// requests.
/// All that is not in the table is the same for all: `resource` is sent to everyone, `S256` is the
/// only challenge, `iss` is compared wherever it comes, and the issuer in a document is the one that
/// was asked for.
///
/// ```
/// use oauth_rs::client::flow::{Leniency, Profile};
///
/// assert!(!Profile::default().allows(Leniency::NoResourceMetadata));
/// assert!(Profile::V2025_03_26.allows(Leniency::NoResourceMetadata));
/// let exact = Profile::STRICT.without(Leniency::ParentResource);
/// assert!(!exact.allows(Leniency::ParentResource));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    /// One answer for each of [`Leniency::ALL`].
    allowed: [bool; 4],
    pushes: bool,
}

impl Profile {
    /// The rules of MCP 2026-07-28.
    pub const STRICT: Self = Self::named("2026-07-28", [true, false, false, false]);
    /// Servers of 2025-11-25.
    ///
    /// It allows what [`Profile::STRICT`] allows: what that revision does without (`iss` in the
    /// answer, an `application_type` in a registration), no client has to insist on.
    pub const V2025_11_25: Self = Self::named("2025-11-25", [true, false, false, false]);
    /// Servers of 2025-06-18, which demands PKCE and does not say that it has to be announced.
    pub const V2025_06_18: Self = Self::named("2025-06-18", [true, true, false, false]);
    /// Servers of 2025-03-26, which are their own authorization servers and may say nothing at all.
    pub const V2025_03_26: Self = Self::named("2025-03-26", [true, true, true, true]);
    /// All of them, the newest first.
    pub const ALL: [Self; 4] = [
        Self::STRICT,
        Self::V2025_11_25,
        Self::V2025_06_18,
        Self::V2025_03_26,
    ];

    const fn named(name: &'static str, allowed: [bool; 4]) -> Self {
        Self {
            name,
            allowed,
            pushes: false,
        }
    }

    /// The revision of MCP that it is named after.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The profile of this revision, such as `2025-06-18`.
    pub fn of_revision(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// Whether it allows this.
    pub fn allows(&self, leniency: Leniency) -> bool {
        Leniency::ALL
            .into_iter()
            .zip(self.allowed)
            .any(|(own, allowed)| own == leniency && allowed)
    }

    /// The same without this leniency.
    #[must_use]
    pub fn without(mut self, leniency: Leniency) -> Self {
        for (own, allowed) in Leniency::ALL.into_iter().zip(&mut self.allowed) {
            if own == leniency {
                *allowed = false;
            }
        }
        self
    }

    /// The same, and the authorization request is pushed wherever the server takes that.
    ///
    /// Without it a request is pushed only where the server demands it, since it costs a request.
    #[must_use]
    pub const fn pushing(mut self) -> Self {
        self.pushes = true;
        self
    }

    /// Whether the authorization request is pushed wherever the server takes that.
    pub const fn pushes(&self) -> bool {
        self.pushes
    }
}

impl Default for Profile {
    /// [`Profile::STRICT`]: to put up with less is a decision of the program.
    fn default() -> Self {
        Self::STRICT
    }
}

/// Something that happened in a flow, and that whoever runs it may want to tell or to log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A leniency of the profile was used.
    Lenient(Leniency),
    /// A bound token was asked for, and the authorization server issued one that anybody can use.
    NotBound,
    /// Stored tokens are bound to a key that was not given; they are not used any more.
    KeyMissing,
    /// The resource no longer names the authorization server that the stored tokens are from.
    ///
    /// They and the registration there are not used any more, and never sent to the new one.
    ServerChanged {
        /// Who issued what is stored.
        before: Issuer,
        /// Whom the flow turns to instead.
        now: Issuer,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let allowed = |profile: Profile| {
            Leniency::ALL
                .into_iter()
                .filter(|leniency| profile.allows(*leniency))
                .collect::<Vec<_>>()
        };
        use Leniency::{DefaultEndpoints, NoResourceMetadata, ParentResource, PkceUnannounced};
        assert_eq!(allowed(Profile::STRICT), [ParentResource]);
        assert_eq!(allowed(Profile::V2025_11_25), [ParentResource]);
        assert_eq!(
            allowed(Profile::V2025_06_18),
            [ParentResource, PkceUnannounced]
        );
        assert_eq!(
            allowed(Profile::V2025_03_26),
            [
                ParentResource,
                PkceUnannounced,
                NoResourceMetadata,
                DefaultEndpoints
            ]
        );
        assert_eq!(Profile::default(), Profile::STRICT);
    }

    #[test]
    fn a_profile_allows_all_that_newer_ones_allow_and_can_be_narrowed() {
        for pair in Profile::ALL.windows(2) {
            for leniency in Leniency::ALL {
                assert!(!pair[0].allows(leniency) || pair[1].allows(leniency));
                let narrowed = pair[1].without(leniency);
                for other in Leniency::ALL {
                    let expected = other != leniency && pair[1].allows(other);
                    assert_eq!(narrowed.allows(other), expected);
                }
            }
        }
    }

    #[test]
    fn profiles_are_found_by_the_name_of_their_revision() {
        for profile in Profile::ALL {
            assert_eq!(Profile::of_revision(profile.name()), Some(profile));
            assert!(!profile.pushes() && profile.pushing().pushes());
        }
        assert_eq!(Profile::of_revision("2024-11-05"), None);
    }
}
