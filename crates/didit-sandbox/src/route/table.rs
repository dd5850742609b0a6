//! The table of routes: method, path, permission, handler.

use http::Method;

use super::{
    Call, Outcome, account, analytics, case, decision, list, questionnaire, review, session,
    session_create, transaction, vendor_user, webhook, workflow,
};
use crate::world::World;

type Handler = fn(&mut World, &Call) -> Outcome;

/// One operation: where it is, what the role must carry, and what is done.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// `None` where being signed in is enough, or where the handler asks once it knows the organisation.
    pub(super) permission: Option<&'static str>,
    pub(super) handle: Handler,
}

const fn on(
    method: Method,
    path: &'static str,
    permission: &'static str,
    handle: Handler,
) -> Route {
    Route {
        method,
        path,
        permission: Some(permission),
        handle,
    }
}

const fn open(method: Method, path: &'static str, handle: Handler) -> Route {
    Route {
        method,
        path,
        permission: None,
        handle,
    }
}

/// Joins an application's path and the rest.
macro_rules! app {
    ($rest:literal) => {
        concat!("/v3/organization/{org}/application/{app}/", $rest)
    };
}

/// THE TABLE.
pub(super) const ROUTES: &[Route] = &[
    open(
        Method::GET,
        "/auth/v2/organizations/me/",
        account::organizations,
    ),
    open(
        Method::GET,
        "/auth/v2/organizations/me/{org}/applications/",
        account::applications,
    ),
    open(
        Method::GET,
        "/auth/v2/organizations/me/{org}/applications/{app}/",
        account::application,
    ),
    on(
        Method::GET,
        "/auth/v2/organizations/{org}/members/",
        "list:members",
        account::members,
    ),
    on(
        Method::GET,
        "/auth/v2/organizations/{org}/roles/",
        "list:roles",
        account::roles,
    ),
    on(
        Method::GET,
        "/v3/organization/{org}/top-up/",
        "read:subscription",
        account::balance,
    ),
    on(
        Method::GET,
        "/v3/organization/{org}/sessions/",
        "list:sessions",
        session::list,
    ),
    on(
        Method::GET,
        "/v3/organization/{org}/transactions/",
        "list:transactions",
        transaction::list,
    ),
    on(
        Method::GET,
        "/v3/organization/{org}/cases/",
        "list:cases",
        case::list,
    ),
    open(Method::POST, "/v3/session/", session_create::create),
    on(
        Method::GET,
        "/v3/session/{session_id}/decision/",
        "read:sessions",
        decision::show,
    ),
    on(
        Method::PATCH,
        "/v3/session/{session_id}/update-status/",
        "write:sessions",
        review::update_status,
    ),
    on(
        Method::DELETE,
        "/v3/session/{session_id}/delete/",
        "delete:sessions",
        session::delete,
    ),
    on(
        Method::GET,
        app!("sessions/"),
        "list:sessions",
        session::list,
    ),
    on(
        Method::DELETE,
        app!("sessions/delete/"),
        "delete:sessions",
        session::delete_many,
    ),
    on(
        Method::GET,
        app!("sessions/{session_id}/reviews/"),
        "read:sessions",
        review::list,
    ),
    on(
        Method::POST,
        app!("sessions/{session_id}/reviews/"),
        "write:sessions",
        review::add,
    ),
    on(
        Method::GET,
        app!("verification-settings/"),
        "read:workflows",
        workflow::list,
    ),
    on(
        Method::POST,
        app!("verification-settings/"),
        "write:workflows",
        workflow::create,
    ),
    on(
        Method::GET,
        app!("verification-settings/{workflow_id}/"),
        "read:workflows",
        workflow::show,
    ),
    on(
        Method::PATCH,
        app!("verification-settings/{workflow_id}/"),
        "write:workflows",
        workflow::update,
    ),
    on(
        Method::DELETE,
        app!("verification-settings/{workflow_id}/"),
        "write:workflows",
        workflow::delete,
    ),
    on(
        Method::GET,
        app!("vendor-users/"),
        "list:users",
        vendor_user::list,
    ),
    on(
        Method::POST,
        app!("vendor-users/"),
        "create:users",
        vendor_user::create,
    ),
    on(
        Method::DELETE,
        app!("vendor-users/delete/"),
        "delete:users",
        vendor_user::delete_many,
    ),
    on(
        Method::POST,
        app!("vendor-users/bulk-status/"),
        "write:users",
        vendor_user::set_status,
    ),
    on(
        Method::GET,
        app!("vendor-users/{vendor_data}/"),
        "read:users",
        vendor_user::show,
    ),
    on(
        Method::PATCH,
        app!("vendor-users/{vendor_data}/update/"),
        "write:users",
        vendor_user::update,
    ),
    on(Method::GET, app!("cases/"), "list:cases", case::list),
    on(Method::POST, app!("cases/"), "write:cases", case::create),
    on(
        Method::GET,
        app!("cases/statistics/"),
        "list:cases",
        case::statistics,
    ),
    on(
        Method::GET,
        app!("cases/{case_id}/"),
        "read:cases",
        case::show,
    ),
    on(
        Method::PATCH,
        app!("cases/{case_id}/"),
        "write:cases",
        case::update,
    ),
    on(
        Method::GET,
        app!("transactions/"),
        "list:transactions",
        transaction::list,
    ),
    on(
        Method::GET,
        app!("transactions/{transaction_id}/"),
        "list:transactions",
        transaction::show,
    ),
    on(
        Method::GET,
        app!("webhook/destinations/"),
        "read:webhooks",
        webhook::list,
    ),
    on(
        Method::POST,
        app!("webhook/destinations/"),
        "write:webhooks",
        webhook::create,
    ),
    on(
        Method::GET,
        app!("webhook/destinations/{destination_uuid}/"),
        "read:webhooks",
        webhook::show,
    ),
    on(
        Method::PATCH,
        app!("webhook/destinations/{destination_uuid}/"),
        "write:webhooks",
        webhook::update,
    ),
    on(
        Method::DELETE,
        app!("webhook/destinations/{destination_uuid}/"),
        "write:webhooks",
        webhook::delete,
    ),
    on(
        Method::GET,
        app!("questionnaires/"),
        "read:questionnaires",
        questionnaire::list,
    ),
    on(
        Method::POST,
        app!("questionnaires/"),
        "write:questionnaires",
        questionnaire::create,
    ),
    on(
        Method::GET,
        app!("questionnaires/{questionnaire_id}/"),
        "read:questionnaires",
        questionnaire::show,
    ),
    on(
        Method::PATCH,
        app!("questionnaires/{questionnaire_id}/"),
        "write:questionnaires",
        questionnaire::update,
    ),
    on(
        Method::DELETE,
        app!("questionnaires/{questionnaire_id}/"),
        "write:questionnaires",
        questionnaire::delete,
    ),
    on(Method::GET, app!("lists/"), "read:lists", list::list),
    on(Method::POST, app!("lists/"), "create:lists", list::create),
    on(
        Method::GET,
        app!("lists/{list_uuid}/"),
        "read:lists",
        list::show,
    ),
    on(
        Method::PATCH,
        app!("lists/{list_uuid}/"),
        "write:lists",
        list::update,
    ),
    on(
        Method::DELETE,
        app!("lists/{list_uuid}/"),
        "delete:lists",
        list::delete,
    ),
    on(
        Method::GET,
        app!("analytics/"),
        "read:analytics",
        analytics::show,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_ends_with_a_slash_and_no_operation_is_listed_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for route in ROUTES {
            assert!(route.path.ends_with('/'), "{}", route.path);
            assert!(
                seen.insert((route.path, route.method.as_str())),
                "{}",
                route.path
            );
        }
    }

    #[test]
    fn whatever_changes_something_needs_more_than_reading() {
        for route in ROUTES.iter().filter(|route| route.method != Method::GET) {
            let reads = |permission: &str| {
                permission.starts_with("read:") || permission.starts_with("list:")
            };
            assert!(
                !route.permission.is_some_and(reads),
                "{} {}",
                route.method,
                route.path
            );
        }
    }
}
