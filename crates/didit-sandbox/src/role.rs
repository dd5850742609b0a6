//! The roles of a member and the one table of what each may do.

/// What a person is in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// May do everything.
    Owner,
    /// May do everything.
    Admin,
    /// Reads everything; changes reviews, cases and lists.
    ComplianceOfficer,
    /// Reads everything; changes workflows, questionnaires, webhooks, keys and sessions.
    Developer,
    /// Reads everything.
    Reader,
}

/// What a compliance officer may change: reviews, cases and lists.
const COMPLIANCE_OFFICER: &[&str] = &[
    "write:sessions",
    "write:cases",
    "create:lists",
    "write:lists",
    "delete:lists",
    "write:blocklist",
];

/// What a developer may change: workflows with their questionnaires, webhooks, keys and sessions.
const DEVELOPER: &[&str] = &[
    "write:workflows",
    "write:questionnaires",
    "write:webhooks",
    "write:applications",
    "create:sessions",
    "write:sessions",
    "delete:sessions",
];

impl Role {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::ComplianceOfficer => "COMPLIANCE_OFFICER",
            Self::Developer => "DEVELOPER",
            Self::Reader => "READER",
        }
    }

    /// Whether the role carries a permission such as `write:sessions`. Every role may read.
    pub(crate) fn may(self, permission: &str) -> bool {
        let reads = permission.starts_with("read:") || permission.starts_with("list:");
        match self {
            Self::Owner | Self::Admin => true,
            Self::ComplianceOfficer => reads || COMPLIANCE_OFFICER.contains(&permission),
            Self::Developer => reads || DEVELOPER.contains(&permission),
            Self::Reader => reads,
        }
    }
}
