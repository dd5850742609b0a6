//! Which organisation and application a call is for.

use didit_client::operation::{Base, Extra};
use didit_client::{Operation, PathPart};

use crate::acting::{Acting, Transport, path_part};
use crate::map::{Named, Organization, Reach};
use crate::outcome::Failure;
use crate::schema::Checked;

/// The most candidates that a message lists.
const MAX_CANDIDATES: usize = 20;

/// Where a call goes; what an operation does not need may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) organization: Option<PathPart>,
    pub(crate) application: Option<PathPart>,
}

impl Place {
    pub(crate) fn in_organization(id: &str) -> Option<Self> {
        Some(Self {
            organization: Some(PathPart::parse(id).ok()?),
            application: None,
        })
    }

    pub(crate) fn in_application(organization: &str, application: &str) -> Option<Self> {
        let application = Some(PathPart::parse(application).ok()?);
        Some(Self {
            application,
            ..Self::in_organization(organization)?
        })
    }
}

/// The place of calls that name none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) organization: Option<PathPart>,
    pub(crate) application: Option<PathPart>,
}

impl Home {
    /// The home of somebody whose token is for `organization`; the application counts in its own organisation only.
    pub(crate) fn of(&self, organization: Option<PathPart>) -> Self {
        match organization {
            Some(own)
                if self
                    .organization
                    .as_ref()
                    .is_some_and(|other| *other != own) =>
            {
                Self {
                    organization: Some(own),
                    application: None,
                }
            }
            own => Self {
                organization: own.or_else(|| self.organization.clone()),
                application: self.application.clone(),
            },
        }
    }

    /// What was given, and for what was not the home; an application that was given is looked for wherever it is.
    fn fill(&self, given: Place) -> Place {
        match (&given.organization, &given.application) {
            (None, None) => Place {
                organization: self.organization.clone(),
                application: self.application.clone(),
            },
            (Some(named), None) if self.organization.as_ref() == Some(named) => Place {
                application: self.application.clone(),
                ..given
            },
            _ => given,
        }
    }
}

/// Why a place was not found.
#[derive(Debug)]
pub(crate) enum Unplaced {
    /// Several are possible and none was named.
    Missing(Failure),
    /// What is possible could not be read, or what was named cannot be.
    Failed(Failure),
}

impl From<Unplaced> for Failure {
    fn from(unplaced: Unplaced) -> Self {
        match unplaced {
            Unplaced::Missing(failure) | Unplaced::Failed(failure) => failure,
        }
    }
}

impl<S: Transport> Acting<'_, S> {
    /// The place that an operation needs: the argument, else the organisation of the token, else the configured
    /// default, else the only one there is.
    pub(crate) async fn place(
        &self,
        operation: &Operation,
        checked: &Checked,
    ) -> Result<Place, Unplaced> {
        let given = Place {
            organization: path_part(checked, "organization_id").map_err(Unplaced::Failed)?,
            application: path_part(checked, "application_id").map_err(Unplaced::Failed)?,
        };
        let given = self.home.fill(given);
        let needs = |name| operation.parts().any(|part| part == name);
        if needs("app") || operation.headers.contains(&Extra::Application) {
            if given.organization.is_some() && given.application.is_some() {
                return Ok(given);
            }
            let reach = self.reach().await.map_err(Unplaced::Failed)?;
            return in_application(&reach, &given);
        }
        if needs("org") {
            if given.organization.is_some() {
                return Ok(given);
            }
            let reach = self.reach().await.map_err(Unplaced::Failed)?;
            return only_organization(&reach);
        }
        if operation.base == Base::Auth || given.organization.is_some() {
            return Ok(given);
        }
        // The path names no organisation: the header does if it is known, and the call goes without it if not.
        Ok(match self.reach().await {
            Ok(reach) => flat(&reach, given),
            Err(_) => given,
        })
    }
}

fn flat(reach: &Reach, given: Place) -> Place {
    let owner = match &given.application {
        Some(application) => owner_of(reach, application).map(|(organization, _)| organization),
        None => reach.only_organization(),
    };
    match owner.and_then(|organization| Place::in_organization(&organization.named.id)) {
        Some(place) => Place {
            application: given.application,
            ..place
        },
        None => given,
    }
}

fn owner_of<'a>(reach: &'a Reach, application: &PathPart) -> Option<(&'a Organization, &'a Named)> {
    reach
        .applications()
        .find(|(_, row)| row.named.id == application.as_str())
        .map(|(organization, row)| (organization, &row.named))
}

fn in_application(reach: &Reach, given: &Place) -> Result<Place, Unplaced> {
    let placed = |organization: &Named, application: &Named| {
        Place::in_application(&organization.id, &application.id).ok_or_else(|| {
            Unplaced::Failed(Failure::bad_request(
                "Didit returned an id that may not stand in a path",
            ))
        })
    };
    match (&given.organization, &given.application) {
        (Some(organization), _) => {
            let organization = reach
                .organization(organization.as_str())
                .ok_or_else(|| Unplaced::Failed(unknown_organization(reach)))?;
            let application = only_application(organization)?;
            placed(&organization.named, application)
        }
        (None, Some(application)) => match owner_of(reach, application) {
            Some((organization, application)) => placed(&organization.named, application),
            // Asked in one application, an answer from all of them would be taken for that one's.
            None if reach.organizations.len() > 1 => {
                Err(Unplaced::Failed(unknown_application(reach)))
            }
            None => {
                let organization = only_organization(reach)?.organization;
                Ok(Place {
                    organization,
                    application: Some(application.clone()),
                })
            }
        },
        (None, None) => {
            if let Some((organization, application)) = reach.only_application() {
                return placed(&organization.named, &application.named);
            }
            match reach.only_organization() {
                Some(organization) => placed(&organization.named, only_application(organization)?),
                None => Err(Unplaced::Missing(missing_organization(reach))),
            }
        }
    }
}

fn only_organization(reach: &Reach) -> Result<Place, Unplaced> {
    reach
        .only_organization()
        .and_then(|organization| Place::in_organization(&organization.named.id))
        .ok_or_else(|| Unplaced::Missing(missing_organization(reach)))
}

fn only_application(organization: &Organization) -> Result<&Named, Unplaced> {
    match organization.applications.as_deref() {
        Ok([one]) => Ok(&one.named),
        Ok(several) => {
            let candidates = several.iter().map(|row| &row.named);
            Err(Unplaced::Missing(missing_application(
                &organization.named,
                candidates,
            )))
        }
        Err(failure) => Err(Unplaced::Missing(failure.clone())),
    }
}

fn missing_organization(reach: &Reach) -> Failure {
    let candidates = reach.organizations.iter().map(|row| &row.named);
    let count = reach.organizations.len();
    let message = if count == 0 {
        "organization_id is missing and the person who is signed in belongs to no organisation"
            .to_owned()
    } else {
        format!(
            "organization_id is missing and the person who is signed in belongs to {count} organisations"
        )
    };
    chosen_from(
        Failure::bad_request(message).field("organization_id"),
        candidates,
    )
}

fn unknown_organization(reach: &Reach) -> Failure {
    let candidates = reach.organizations.iter().map(|row| &row.named);
    let message = "organization_id is not one that the person who is signed in belongs to";
    chosen_from(
        Failure::bad_request(message).field("organization_id"),
        candidates,
    )
}

fn unknown_application(reach: &Reach) -> Failure {
    let unlisted = reach
        .organizations
        .iter()
        .any(|organization| organization.applications.is_err());
    if unlisted {
        return missing_organization(reach);
    }
    chosen_from(
        Failure::bad_request("application_id is not one that can be reached")
            .field("application_id"),
        reach.applications().map(|(_, row)| &row.named),
    )
}

fn missing_application<'a>(
    organization: &Named,
    candidates: impl ExactSizeIterator<Item = &'a Named>,
) -> Failure {
    let message = format!(
        "application_id is missing and {} has {} applications",
        organization.name,
        candidates.len()
    );
    chosen_from(
        Failure::bad_request(message).field("application_id"),
        candidates,
    )
}

/// Adds the tool that finds the id, and the candidates.
fn chosen_from<'a>(failure: Failure, candidates: impl Iterator<Item = &'a Named>) -> Failure {
    let candidates: Vec<&Named> = candidates.take(MAX_CANDIDATES).collect();
    let listed: Vec<String> = candidates
        .iter()
        .map(|row| format!("{} ({})", row.id, row.name))
        .collect();
    let hint = if listed.is_empty() {
        "didit_context_get lists what can be reached.".to_owned()
    } else {
        format!(
            "didit_context_get lists what can be reached; the candidates are {}.",
            listed.join(", ")
        )
    };
    failure
        .hint(hint)
        .allowed(candidates.iter().map(|row| row.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Option<PathPart> {
        PathPart::parse(text).ok()
    }

    fn place(organization: &str, application: &str) -> Place {
        Place {
            organization: part(organization),
            application: part(application),
        }
    }

    #[test]
    fn a_home_fills_what_was_not_given_and_moves_nothing() {
        let home = Home {
            organization: part("o"),
            application: part("a"),
        };
        for (given, filled) in [
            (place("", ""), place("o", "a")),
            (place("o", ""), place("o", "a")),
            (place("x", ""), place("x", "")),
            (place("", "b"), place("", "b")),
            (place("x", "b"), place("x", "b")),
        ] {
            assert_eq!(home.fill(given.clone()), filled, "{given:?}");
        }
        assert_eq!(Home::default().fill(place("", "")), Place::default());
    }

    #[test]
    fn the_organization_of_the_token_goes_before_the_configured_one() {
        let home = |organization, application| Home {
            organization: part(organization),
            application: part(application),
        };
        assert_eq!(home("o", "a").of(None), home("o", "a"));
        assert_eq!(home("o", "a").of(part("o")), home("o", "a"));
        assert_eq!(home("o", "a").of(part("t")), home("t", ""));
        assert_eq!(home("", "a").of(part("t")), home("t", "a"));
        assert_eq!(Home::default().of(part("t")), home("t", ""));
    }
}
