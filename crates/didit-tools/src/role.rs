//! Which role may do what, to say so when Didit refuses.

const OWNER: &str = "OWNER";
const ADMIN: &str = "ADMIN";
const COMPLIANCE_OFFICER: &str = "COMPLIANCE_OFFICER";
const DEVELOPER: &str = "DEVELOPER";
const READER: &str = "READER";

/// What the compliance officer may change: reviews, cases and lists.
const REVIEWS: &[&str] = &["sessions", "cases", "lists"];

/// What the developer may change: workflows, webhooks, API keys and sessions.
const BUILDS: &[&str] = &[
    "workflows",
    "questionnaires",
    "webhooks",
    "applications",
    "sessions",
];

/// The roles that carry a permission such as `write:sessions`.
///
/// This is for the message only: Didit decides.
pub(crate) fn roles_with(permission: &str) -> Vec<&'static str> {
    let (verb, object) = permission.split_once(':').unwrap_or((permission, ""));
    let reads = matches!(verb, "read" | "list");
    let mut roles = vec![OWNER, ADMIN];
    // Starting and removing sessions is not a review.
    let reviews = REVIEWS.contains(&object) && !(object == "sessions" && verb != "write");
    if reads || reviews {
        roles.push(COMPLIANCE_OFFICER);
    }
    if reads || BUILDS.contains(&object) {
        roles.push(DEVELOPER);
    }
    if reads {
        roles.push(READER);
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table() {
        let all = [OWNER, ADMIN, COMPLIANCE_OFFICER, DEVELOPER, READER];
        for (permission, want) in [
            ("list:sessions", &all[..]),
            ("read:workflows", &all[..]),
            (
                "write:sessions",
                &[OWNER, ADMIN, COMPLIANCE_OFFICER, DEVELOPER],
            ),
            ("create:sessions", &[OWNER, ADMIN, DEVELOPER]),
            ("delete:sessions", &[OWNER, ADMIN, DEVELOPER]),
            ("write:cases", &[OWNER, ADMIN, COMPLIANCE_OFFICER]),
            ("write:lists", &[OWNER, ADMIN, COMPLIANCE_OFFICER]),
            ("write:workflows", &[OWNER, ADMIN, DEVELOPER]),
            ("write:members", &[OWNER, ADMIN]),
        ] {
            assert_eq!(roles_with(permission), want, "{permission}");
        }
    }
}
