//! The list and the call follow from one reason, whatever is asked for by whom.

use super::*;
use crate::catalog::Visibility;
use didit_client::operation::Kind;

const QUERIES: &[&str] = &[
    "",
    "toolsets=core",
    "toolsets=investigator",
    "read_only=true",
    "toolsets=sessions,lists&read_only=true",
    "toolsets=account,billing&names=classic",
];

const WORDS: &[Option<&str>] = &[
    None,
    Some(""),
    Some("didit:management"),
    Some("didit:verification"),
    Some("didit.session.delete didit:management"),
    Some("didit:management didit:verification read:workflows"),
    Some("didit:management didit:verification write:sessions list:cases approve:nothing"),
];

/// Every selection of the tables above.
fn selections() -> Vec<(Selection, &'static str, Option<&'static str>)> {
    let mut all = Vec::new();
    for surface in [Surface::Http, Surface::Stdio] {
        for query in QUERIES {
            for words in WORDS {
                for permissions in [Permissions::Enforce, Permissions::Shadow, Permissions::Off] {
                    let grants = words.map(|words| Grants::of(words.split(' ')));
                    let selection = Selection {
                        surface,
                        wish: Wish::parse(query).unwrap(),
                        grants: grants.unwrap_or(Grants::EVERYTHING),
                        permissions,
                    };
                    all.push((selection, *query, *words));
                }
            }
        }
    }
    all
}

/// The same answer, from the rows alone.
fn expected(
    selection: &Selection,
    query: &str,
    words: Option<&str>,
    tool: &Tool,
) -> Option<NotHere> {
    let carried: Option<Vec<&str>> = words.map(|words| words.split(' ').collect());
    let has = |word: &str| {
        carried
            .as_ref()
            .is_none_or(|carried| carried.contains(&word))
    };
    if selection.surface == Surface::Http && tool.visibility == Visibility::Stdio {
        return Some(NotHere::OnlyStdio);
    }
    if query.contains("read_only=true") && tool.kind != Kind::Read {
        return Some(NotHere::ReadOnly);
    }
    let covering = catalog::scopes().filter(|(_, fine)| *fine == tool.fine_scope);
    let mut scopes = covering.map(|(coarse, _)| coarse).chain([tool.fine_scope]);
    if !scopes.any(has) {
        return Some(NotHere::Scope);
    }
    let says_permissions =
        words.is_some_and(|words| words.contains("read:") || words.contains("write:"));
    if selection.permissions == Permissions::Enforce
        && says_permissions
        && tool.permission.is_some_and(|permission| !has(permission))
    {
        return Some(NotHere::Role);
    }
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("toolsets="));
    let in_set = |named: &str| {
        named
            .split(',')
            .any(|name| tool.toolsets.contains(&name) || tool.core && name == "core")
    };
    let left_out = named.is_some_and(|named| !in_set(named) && tool.name != "didit_context_get");
    left_out.then_some(NotHere::Toolset)
}

#[test]
fn each_reason_is_what_the_rows_say_and_the_list_and_the_call_follow_from_it() {
    let mut seen = std::collections::HashSet::new();
    for (selection, query, words) in selections() {
        for tool in catalog::all() {
            let what = format!("{} {query:?} {words:?} {selection:?}", tool.name);
            let why = selection.why_not(tool, Where::Home);
            assert_eq!(why, expected(&selection, query, words, tool), "{what}");
            assert_eq!(selection.key().tools.has(tool), why.is_none(), "{what}");
            let callable = matches!(why, None | Some(NotHere::Toolset));
            assert_eq!(
                selection.admits(tool, Where::Home).is_ok(),
                callable,
                "{what}"
            );
            // Only a permission depends on where a call is for.
            let elsewhere = selection.why_not(tool, Where::Elsewhere);
            assert!(elsewhere == why || why == Some(NotHere::Role), "{what}");
            assert_ne!(elsewhere, Some(NotHere::Role), "{what}");
            seen.insert(why);
        }
    }
    assert_eq!(seen.len(), 6);
}

#[test]
fn the_list_of_a_selection_has_its_tools_and_no_others() {
    let lists = [Lists::new(Surface::Http), Lists::new(Surface::Stdio)];
    for (selection, query, _) in selections() {
        let lists = match selection.surface {
            Surface::Http => &lists[0],
            Surface::Stdio => &lists[1],
        };
        let text = lists.of(&selection).rendered().unwrap().get().to_owned();
        let listed: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let mut listed: Vec<&str> = listed
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        let searches = query.contains("toolsets=");
        assert_eq!(listed.contains(&"didit_tool_search"), searches);
        listed.retain(|name| *name != "didit_tool_search");
        let wanted = catalog::all().filter(|tool| selection.why_not(tool, Where::Home).is_none());
        let wanted: Vec<&str> = wanted
            .map(|tool| match first(tool.name) {
                Some(first) if query.contains("classic") => first,
                _ => tool.name,
            })
            .collect();
        assert_eq!(listed, wanted, "{query}");
    }
}

#[test]
fn a_permission_is_compared_where_there_is_one_to_compare() {
    let carries = Grants::of(["didit:verification", "list:sessions"]);
    let find = |name| catalog::find(name).unwrap();
    let (list, delete, context) = (
        find("didit_session_list"),
        find("didit_session_delete"),
        find("didit_context_get"),
    );
    use PermissionCheck as Check;
    for (permissions, grants, tool, place, want) in [
        (
            Permissions::Enforce,
            carries,
            list,
            Where::Home,
            Check::Passed,
        ),
        (
            Permissions::Shadow,
            carries,
            list,
            Where::Home,
            Check::Passed,
        ),
        (Permissions::Off, carries, list, Where::Home, Check::None),
        (
            Permissions::Enforce,
            carries,
            delete,
            Where::Home,
            Check::Refused,
        ),
        (
            Permissions::Shadow,
            carries,
            delete,
            Where::Home,
            Check::Shadow,
        ),
        (Permissions::Off, carries, delete, Where::Home, Check::None),
        (
            Permissions::Enforce,
            carries,
            delete,
            Where::Elsewhere,
            Check::None,
        ),
        (
            Permissions::Enforce,
            carries,
            context,
            Where::Home,
            Check::None,
        ),
        (
            Permissions::Enforce,
            Grants::of(["didit:verification"]),
            delete,
            Where::Home,
            Check::None,
        ),
        (
            Permissions::Enforce,
            Grants::EVERYTHING,
            delete,
            Where::Home,
            Check::None,
        ),
    ] {
        let selection = Selection {
            surface: Surface::Http,
            wish: Wish::default(),
            grants,
            permissions,
        };
        assert_eq!(
            selection.permission_check(tool, place),
            want,
            "{permissions:?} {}",
            tool.name
        );
    }
}
