//! Which tools a caller has: one answer for the list and for the call.

mod classic;
mod grants;
mod lists;
pub(crate) mod search;
mod set;
#[cfg(test)]
mod tests;
mod wish;

use didit_client::ErrorCode;

use crate::attend::PermissionCheck;
use crate::catalog::{self, Tool};
use crate::outcome::Failure;
use crate::tools::Surface;
pub use classic::classic_names;
pub(crate) use classic::{first, today};
pub use grants::Grants;
pub(crate) use lists::Lists;
use set::{SETS, ToolSet};
pub use wish::{InvalidWish, TOOLSETS, Wish};

/// What is done with the permissions that a token carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Permissions {
    /// A tool that they do not allow is not listed, and a call of it is refused.
    Enforce,
    /// It is, and whoever attends hears that it would have been refused.
    Shadow,
    /// They are not looked at: Didit checks the person's role.
    #[default]
    Off,
}

/// Why a tool is not in the list of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotHere {
    /// It is about credentials or money, and for callers on the same machine alone.
    OnlyStdio,
    /// The address says `read_only=true`, and it changes something.
    ReadOnly,
    /// The token has none of its scopes.
    Scope,
    /// The token carries permissions, and not the one that it needs.
    ///
    /// This holds in the organisation of the token. What the person may do in another one, Didit knows.
    Role,
    /// The address names toolsets, and it is in none of them. It can be called all the same.
    Toolset,
}

/// Which organisation a call is for, as far as the permissions of a token care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// The one of the token, or none in particular.
    Home,
    Elsewhere,
}

/// Which tools a caller has.
///
/// One function gives the reason why a tool is not there, and both the list and the call follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    pub(crate) surface: Surface,
    pub(crate) wish: Wish,
    pub(crate) grants: Grants,
    pub(crate) permissions: Permissions,
}

impl Selection {
    /// What is left of all tools for each reason.
    ///
    /// What cannot be called comes before what is only left out.
    fn rules(&self, place: Where) -> [(NotHere, ToolSet); 5] {
        let unless = |is_free: bool, set: ToolSet| if is_free { SETS.all } else { set };
        let enforced = self.permissions == Permissions::Enforce && place == Where::Home;
        let role = self.grants.permissions().filter(|_| enforced);
        [
            (
                NotHere::OnlyStdio,
                unless(self.surface == Surface::Stdio, SETS.everywhere),
            ),
            (NotHere::ReadOnly, unless(!self.wish.read_only, SETS.reads)),
            (NotHere::Scope, self.grants.scopes().unwrap_or(SETS.all)),
            (NotHere::Role, role.unwrap_or(SETS.all)),
            (NotHere::Toolset, SETS.of_toolsets(self.wish)),
        ]
    }

    /// Why a tool is not listed; `None` if it is.
    pub(crate) fn why_not(&self, tool: &Tool, place: Where) -> Option<NotHere> {
        let rules = self.rules(place).into_iter();
        let mut broken = rules.filter(|(_, left)| !left.has(tool));
        broken.next().map(|(why, _)| why)
    }

    /// What decides what the list says.
    fn key(&self) -> lists::Key {
        let rules = self.rules(Where::Home).into_iter();
        lists::Key {
            tools: rules.fold(SETS.all, |left, (_, rule)| left.and(rule)),
            classic: self.wish.classic,
            // Whatever else is missing cannot be called, so there is nothing to find.
            searches: self.wish.names_toolsets(),
        }
    }

    /// What the permissions of the token say of a call; without any, and for a tool that needs none, nothing.
    pub(crate) fn permission_check(&self, tool: &Tool, place: Where) -> PermissionCheck {
        let carried = self.grants.permissions();
        let (Some(carried), Some(_), Where::Home) = (carried, tool.permission, place) else {
            return PermissionCheck::None;
        };
        match self.permissions {
            Permissions::Off => PermissionCheck::None,
            _ if carried.has(tool) => PermissionCheck::Passed,
            Permissions::Shadow => PermissionCheck::Shadow,
            Permissions::Enforce => PermissionCheck::Refused,
        }
    }

    /// Whether a tool may be called: all that is listed, and what no toolset of the address has.
    ///
    /// # Errors
    /// What the caller is told.
    pub(crate) fn admits(&self, tool: &Tool, place: Where) -> Result<(), Failure> {
        match self.why_not(tool, place) {
            None | Some(NotHere::Toolset) => Ok(()),
            Some(why) => Err(why.told(tool)),
        }
    }

    /// Why a tool is not in the list, by its name; `None` if it is there, and also if there is no such tool.
    pub fn why_not_listed(&self, tool: &str) -> Option<NotHere> {
        self.why_not(catalog::find(today(tool))?, Where::Home)
    }
}

impl NotHere {
    /// The refusal of a call.
    fn told(self, tool: &Tool) -> Failure {
        let name = tool.name;
        match self {
            Self::OnlyStdio => Failure::new(
                ErrorCode::Forbidden,
                format!("{name} is about credentials or money, and is not offered over HTTP"),
            )
            .hint("Do it in Didit's console, or with this server over standard input and output."),
            Self::ReadOnly => Failure::new(
                ErrorCode::Forbidden,
                format!("{name} changes something, and the address of this server says read_only=true"),
            )
            .hint("Nothing can be changed over this connection. Somebody who is to change something connects without read_only=true."),
            Self::Scope => {
                let needed = tool.scopes.join(" or ");
                Failure::new(
                    ErrorCode::MissingScope,
                    format!("the access token has no scope for {name}, which needs {needed}"),
                )
                .hint("Sign in again and agree to that scope.")
            }
            Self::Role => Failure::missing_permission(tool.permission.unwrap_or_default()),
            Self::Toolset => Failure::new(
                ErrorCode::NotFound,
                format!("{name} is in none of the toolsets that the address names"),
            ),
        }
    }
}
