//! The names that tools had in Didit's first MCP server.

/// A first name, and the name of today.
///
/// They are called by either; the arguments and the answers are those of today.
pub(crate) const CLASSIC: &[(&str, &str)] = &[
    ("didit_register", "didit_account_register"),
    ("didit_verify_email", "didit_account_verify_email"),
    ("didit_resend_otp", "didit_account_resend_otp"),
    ("didit_login", "didit_account_login"),
    ("didit_list_workflows", "didit_workflow_list"),
    ("didit_create_workflow", "didit_workflow_create"),
    ("didit_get_workflow", "didit_workflow_get"),
    ("didit_update_workflow", "didit_workflow_update"),
    ("didit_delete_workflow", "didit_workflow_delete"),
    ("didit_list_sessions", "didit_session_list"),
    ("didit_create_session", "didit_session_create"),
    ("didit_get_session_decision", "didit_session_get_decision"),
    ("didit_update_session_status", "didit_session_update_status"),
    ("didit_delete_session", "didit_session_delete"),
    ("didit_get_balance", "didit_org_get_balance"),
    ("didit_top_up", "didit_org_top_up"),
];

/// The first names, each with the name of today, which is another name for the same tool: it needs the same scopes.
pub fn classic_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    CLASSIC.iter().copied()
}

/// The name of today for a first name; any other name as it is.
pub(crate) fn today(name: &str) -> &str {
    let known = CLASSIC.iter().find(|(first, _)| *first == name);
    known.map_or(name, |(_, today)| today)
}

/// The first name of a tool, if it had one.
pub(crate) fn first(today: &str) -> Option<&'static str> {
    let known = CLASSIC.iter().find(|(_, name)| *name == today);
    known.map(|(first, _)| *first)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::catalog;

    #[test]
    fn each_first_name_is_of_one_tool_and_none_itself() {
        let (mut firsts, mut todays) = (HashSet::new(), HashSet::new());
        for (name, tool) in classic_names() {
            assert!(catalog::find(tool).is_some(), "{tool}");
            assert!(catalog::find(name).is_none(), "{name}");
            assert!(firsts.insert(name) && todays.insert(tool), "{name}");
            assert_eq!((today(name), first(tool)), (tool, Some(name)));
        }
        assert_eq!(today("didit_session_list"), "didit_session_list");
        assert_eq!(today("didit_nothing"), "didit_nothing");
        assert_eq!(first("didit_context_get"), None);
    }
}
