//! The table of routes: method, who may call, path, permission, what is done.

use http::Method;

use super::record::{self, Resource};
use super::{
    Call, Outcome, account, analytics, case, check, code, compliance, decision, entry, import,
    list, member, network, questionnaire, report, review, session, session_create, session_data,
    setting, sign_in, transaction, transaction_rule, travel_rule, vendor, webhook, workflow,
    workflow_graph,
};
use crate::world::World;

/// Which credential a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// A bearer credential: somebody in the console.
    Person,
    /// The key of an application, in `x-api-key`.
    Key,
    /// Either of them.
    Both,
    /// None.
    Anybody,
}

type Handler = fn(&mut World, &Call) -> Outcome;

/// What a route does: something of its own, or what every kind of record can do.
#[derive(Clone, Copy)]
pub(super) enum Do {
    /// Something of its own, with a JSON body.
    Run(Handler),
    /// Something of its own, with a JSON body that carries a file.
    File(Handler),
    /// Something of its own, with a form.
    Form(Handler),
    List(&'static Resource),
    Show(&'static Resource),
    Create(&'static Resource),
    Update(&'static Resource),
    Delete(&'static Resource),
}

impl Do {
    pub(super) fn run(self, world: &mut World, call: &Call) -> Outcome {
        match self {
            Self::Run(handler) | Self::File(handler) | Self::Form(handler) => handler(world, call),
            Self::List(resource) => record::list(world, call, resource),
            Self::Show(resource) => record::show(world, call, resource),
            Self::Create(resource) => record::create(world, call, resource),
            Self::Update(resource) => record::update(world, call, resource),
            Self::Delete(resource) => record::delete(world, call, resource),
        }
    }
}

/// One operation: where it is, who may call it, what the role must carry, and what is done.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) access: Access,
    pub(super) path: &'static str,
    /// Empty where the credential is enough, or where the handler asks once it knows the organisation.
    pub(super) permission: &'static str,
    pub(super) what: Do,
}

/// The whole path of a row.
macro_rules! path {
    (auth $rest:literal) => {
        concat!("/auth/v2/", $rest)
    };
    (flat $rest:literal) => {
        concat!("/v3/", $rest)
    };
    (org $rest:literal) => {
        concat!("/v3/organization/{org}/", $rest)
    };
    (app $rest:literal) => {
        concat!("/v3/organization/{org}/application/{app}/", $rest)
    };
}

/// One row per line.
macro_rules! routes {
    ($($method:ident $access:ident $base:ident $path:literal $permission:literal $what:ident($how:expr);)*) => {
        &[$(Route {
            method: Method::$method,
            access: Access::$access,
            path: path!($base $path),
            permission: $permission,
            what: Do::$what($how),
        }),*]
    };
}

/// THE TABLE.
pub(super) const ROUTES: &[Route] = routes! {
    GET Person auth "organizations/me/" "" Run(account::organizations);
    GET Person auth "organizations/me/{org}/applications/" "" Run(account::applications);
    GET Person auth "organizations/me/{org}/applications/{app}/" "" Run(account::application);
    GET Person auth "organizations/{org}/members/" "list:members" Run(member::list);
    POST Person auth "organizations/{org}/members/invite/" "write:members" Run(member::invite);
    PATCH Person auth "organizations/{org}/members/{member_id}" "write:members" Run(member::update);
    DELETE Person auth "organizations/{org}/members/{member_id}" "delete:members" Run(member::remove);
    GET Person auth "organizations/{org}/roles/" "list:roles" Run(member::roles);
    GET Person auth "organizations/{org}/api-keys/" "read:applications" List(&member::API_KEYS);
    GET Person auth "organizations/{org}/applications/{app}/api-keys/" "read:applications" List(&member::API_KEYS);
    POST Anybody auth "programmatic/register/" "" Run(sign_in::register);
    POST Anybody auth "programmatic/verify-email/" "" Run(sign_in::verify_email);
    POST Anybody auth "programmatic/resend-otp/" "" Run(sign_in::resend);
    POST Anybody auth "programmatic/login/" "" Run(sign_in::login);
    POST Anybody auth "2fa/verify/" "" Run(sign_in::second_factor);

    GET Person org "top-up/" "read:subscription" Run(member::balance);
    POST Person org "top-up/" "write:subscription" Run(member::top_up);
    GET Person org "sessions/" "list:sessions" Run(session::list);
    GET Person org "transactions/" "list:transactions" List(&transaction::TRANSACTIONS);
    GET Person org "cases/" "list:cases" Run(case::list);

    POST Both flat "session/" "" Run(session_create::create);
    GET Both flat "session/{session_id}/decision/" "read:sessions" Run(decision::show);
    PATCH Both flat "session/{session_id}/update-status/" "write:sessions" Run(review::update_status);
    DELETE Both flat "session/{session_id}/delete/" "delete:sessions" Run(session::delete);
    PATCH Person flat "session/{session_id}/update-data/" "write:sessions" Run(session_data::update_document);
    PATCH Person flat "session/{session_id}/update-poa-data/" "write:sessions" Run(session_data::update_address);
    GET Person flat "session/{session_id}/generate-pdf/" "read:sessions" Run(session_data::pdf);
    GET Both flat "session/{session_id}/generate-pdf" "read:sessions" Run(session_data::pdf);
    POST Both flat "session/{session_id}/share/" "write:sessions" Run(session_data::share);
    GET Person flat "session/{session_id}/webhooks/" "read:sessions" Run(session_data::webhooks);
    POST Person flat "session/{session_id}/webhook/{webhook_id}/resend" "write:sessions" Run(session_data::resend);
    POST Both flat "session/import-shared/" "create:sessions" Run(session_data::import_shared);
    POST Person flat "session/imports/" "create:sessions" Run(import::create);
    GET Person flat "session/imports/template/" "read:sessions" Run(import::template);
    GET Person flat "session/imports/{import_id}/" "read:sessions" Run(import::show);
    GET Person flat "session/imports/{import_id}/errors/" "read:sessions" Run(import::errors);
    GET Person flat "organization/kyb-registry-pricing/" "" Run(workflow_graph::registry_prices);

    GET Person app "sessions/" "list:sessions" Run(session::list);
    DELETE Person app "sessions/delete/" "delete:sessions" Run(session::delete_many);
    GET Person app "sessions/{session_id}/reviews/" "read:sessions" Run(review::list);
    POST Person app "sessions/{session_id}/reviews/" "write:sessions" Run(review::add);

    GET Person app "verification-settings/" "read:workflows" Run(workflow::list);
    POST Person app "verification-settings/" "write:workflows" Run(workflow::create);
    GET Person app "verification-settings/{workflow_id}/" "read:workflows" Run(workflow::show);
    PATCH Person app "verification-settings/{workflow_id}/" "write:workflows" Run(workflow::update);
    DELETE Person app "verification-settings/{workflow_id}/" "write:workflows" Run(workflow::delete);

    GET Person app "verification-settings/{workflow_id}/workflow-graph/" "read:workflows" Run(workflow_graph::show);
    PUT Person app "verification-settings/{workflow_id}/workflow-graph/" "write:workflows" Run(workflow_graph::set);
    POST Person app "verification-settings/{workflow_id}/create-draft/" "write:workflows" Run(workflow_graph::create_draft);
    POST Person app "verification-settings/{workflow_id}/workflow-graph/branch-fields/" "read:workflows" Run(workflow_graph::branch_fields);
    GET Person app "verification-settings/{workflow_id}/workflow-graph/id-verification-methods-catalog/" "read:workflows" Run(workflow_graph::methods_catalog);
    GET Person app "workflow-graph/field-definitions/" "read:workflows" Run(workflow_graph::field_definitions);
    POST Person app "workflow-graph/validate/" "read:workflows" Run(workflow_graph::validate);
    POST Person app "compliance/build-workflow/" "read:workflows" Run(workflow_graph::build);

    GET Person app "questionnaires/" "read:questionnaires" List(&questionnaire::QUESTIONNAIRES);
    POST Person app "questionnaires/" "write:questionnaires" Create(&questionnaire::QUESTIONNAIRES);
    GET Person app "questionnaires/{questionnaire_id}/" "read:questionnaires" Show(&questionnaire::QUESTIONNAIRES);
    PATCH Person app "questionnaires/{questionnaire_id}/" "write:questionnaires" Update(&questionnaire::QUESTIONNAIRES);
    DELETE Person app "questionnaires/{questionnaire_id}/" "write:questionnaires" Delete(&questionnaire::QUESTIONNAIRES);

    GET Person app "vendor-users/" "list:users" Run(|w, c| vendor::list(w, c, &vendor::USERS));
    POST Person app "vendor-users/" "create:users" Run(|w, c| vendor::create(w, c, &vendor::USERS));
    DELETE Person app "vendor-users/delete/" "delete:users" Run(|w, c| vendor::delete_many(w, c, &vendor::USERS));
    POST Person app "vendor-users/bulk-status/" "write:users" Run(|w, c| vendor::set_status(w, c, &vendor::USERS));
    GET Person app "vendor-users/{vendor_data}/" "read:users" Run(|w, c| vendor::show(w, c, &vendor::USERS));
    PATCH Person app "vendor-users/{vendor_data}/update/" "write:users" Run(|w, c| vendor::update(w, c, &vendor::USERS));

    GET Person app "vendor-businesses/" "list:businesses" Run(|w, c| vendor::list(w, c, &vendor::BUSINESSES));
    POST Person app "vendor-businesses/" "create:businesses" Run(|w, c| vendor::create(w, c, &vendor::BUSINESSES));
    DELETE Person app "vendor-businesses/delete/" "delete:businesses" Run(|w, c| vendor::delete_many(w, c, &vendor::BUSINESSES));
    POST Person app "vendor-businesses/bulk-status/" "write:businesses" Run(|w, c| vendor::set_status(w, c, &vendor::BUSINESSES));
    GET Person app "vendor-businesses/{vendor_data}/" "read:businesses" Run(|w, c| vendor::show(w, c, &vendor::BUSINESSES));
    PATCH Person app "vendor-businesses/{vendor_data}/update/" "write:businesses" Run(|w, c| vendor::update(w, c, &vendor::BUSINESSES));

    GET Person app "cases/" "list:cases" Run(case::list);
    POST Person app "cases/" "write:cases" Run(case::create);
    GET Person app "cases/statistics/" "list:cases" Run(case::statistics);
    GET Person app "cases/{case_id}/" "read:cases" Show(&case::CASES);
    PATCH Person app "cases/{case_id}/" "write:cases" Update(&case::CASES);
    POST Person app "cases/{case_id}/comments/" "write:cases" Run(case::comment);
    POST Person app "cases/{case_id}/{action}/" "write:cases" Run(case::act);

    GET Person app "transactions/" "list:transactions" List(&transaction::TRANSACTIONS);
    POST Person app "transactions/" "create:transactions" Run(transaction::create);
    POST Person app "transactions/screen-wallet/" "create:transactions" Run(transaction::screen_wallet);
    GET Person app "transactions/rules/" "list:transactions" List(&transaction_rule::RULES);
    POST Person app "transactions/rules/" "write:transactions" Create(&transaction_rule::RULES);
    GET Person app "transactions/rules/library/" "list:transactions" Run(transaction_rule::library);
    POST Person app "transactions/rules/install/" "write:transactions" Run(transaction_rule::install);
    DELETE Person app "transactions/rules/install/" "write:transactions" Run(transaction_rule::uninstall);
    POST Person app "transactions/rules/backtest/" "list:transactions" Run(transaction_rule::backtest);
    GET Person app "transactions/rules/{rule_uuid}/" "list:transactions" Show(&transaction_rule::RULES);
    PATCH Person app "transactions/rules/{rule_uuid}/" "write:transactions" Update(&transaction_rule::RULES);
    DELETE Person app "transactions/rules/{rule_uuid}/" "write:transactions" Delete(&transaction_rule::RULES);
    POST Person flat "transactions/sdk-token/" "create:transactions" Run(transaction::sdk_token);
    PATCH Person flat "transactions/{transaction_id}/travel-rule/" "write:transactions" Run(travel_rule::act);
    POST Person flat "transactions/{transaction_id}/travel-rule/ownership/" "write:transactions" Run(travel_rule::confirm_ownership);
    GET Person flat "travel-rule/settings/" "list:transactions" Run(travel_rule::show_settings);
    PUT Person flat "travel-rule/settings/" "write:transactions" Run(travel_rule::update_settings);
    GET Person flat "travel-rule/vasps/" "list:transactions" Run(travel_rule::vasps);
    GET Person flat "travel-rule/wallet-addresses/" "list:transactions" List(&travel_rule::WALLETS);
    POST Person flat "travel-rule/wallet-addresses/" "write:transactions" Run(travel_rule::add_wallet);
    PATCH Person flat "travel-rule/wallet-addresses/{entry_uuid}/" "write:transactions" Update(&travel_rule::WALLETS);
    DELETE Person flat "travel-rule/wallet-addresses/{entry_uuid}/" "write:transactions" Delete(&travel_rule::WALLETS);
    POST Person flat "travel-rule/inbound/" "write:transactions" Run(travel_rule::register_inbound);
    POST Person flat "travel-rule/widget-session/" "write:transactions" Run(travel_rule::widget_session);
    GET Person app "transactions/{transaction_id}/" "list:transactions" Show(&transaction::TRANSACTIONS);

    GET Person app "webhook/destinations/" "read:webhooks" List(&webhook::DESTINATIONS);
    POST Person app "webhook/destinations/" "write:webhooks" Run(webhook::create);
    GET Person app "webhook/destinations/{destination_uuid}/" "read:webhooks" Show(&webhook::DESTINATIONS);
    PATCH Person app "webhook/destinations/{destination_uuid}/" "write:webhooks" Run(webhook::update);
    DELETE Person app "webhook/destinations/{destination_uuid}/" "write:webhooks" Delete(&webhook::DESTINATIONS);

    GET Person app "lists/" "read:lists" List(&list::LISTS);
    POST Person app "lists/" "create:lists" Create(&list::LISTS);
    GET Person app "lists/{list_uuid}/" "read:lists" Show(&list::LISTS);
    PATCH Person app "lists/{list_uuid}/" "write:lists" Update(&list::LISTS);
    DELETE Person app "lists/{list_uuid}/" "delete:lists" Run(list::delete);

    GET Person app "lists/{list_uuid}/entries/" "read:lists" Run(entry::list);
    POST Person app "lists/{list_uuid}/entries/" "create:lists" Run(entry::create);
    POST Person app "lists/{list_uuid}/entries/face-upload/" "create:lists" File(entry::upload_face);
    DELETE Person app "lists/{list_uuid}/entries/{entry_uuid}/" "delete:lists" Run(entry::delete);
    GET Person app "blocklist/" "read:blocklist" Run(entry::blocked);
    POST Person app "blocklist/add/" "write:blocklist" Run(|w, c| entry::of_session(w, c, "blocklist", "blocklist", true));
    POST Person app "blocklist/remove/" "write:blocklist" Run(|w, c| entry::of_session(w, c, "blocklist", "unblock", false));
    POST Person app "allowlist/add/" "write:blocklist" Run(|w, c| entry::of_session(w, c, "allowlist", "allowlist", true));

    POST Person app "apis/id-verification/" "create:sessions" Form(check::id);
    POST Person app "apis/poa/" "create:sessions" Form(check::address);
    POST Person app "apis/passive-liveness/" "create:sessions" Form(check::liveness);
    POST Person app "apis/face-match/" "create:sessions" Form(check::face_match);
    POST Person app "apis/face-search/" "create:sessions" Form(check::face_search);
    POST Person app "apis/age-estimation/" "create:sessions" Form(check::age);
    POST Person app "apis/database-validation/" "create:sessions" Run(check::database);
    POST Person app "apis/aml/" "create:sessions" Run(check::aml);
    POST Person app "apis/kyb/search/" "create:sessions" Run(check::company_search);
    POST Person app "apis/kyb/select/" "create:sessions" Run(check::company_select);
    POST Person app "apis/email/send/" "create:sessions" Run(|w, c| code::send(w, c, &code::EMAIL));
    POST Person app "apis/email/check/" "create:sessions" Run(|w, c| code::check(w, c, &code::EMAIL));
    POST Person app "apis/phone/send/" "create:sessions" Run(|w, c| code::send(w, c, &code::PHONE));
    POST Person app "apis/phone/check/" "create:sessions" Run(|w, c| code::check(w, c, &code::PHONE));

    GET Person app "white-label-customization/" "read:customization" Run(setting::show_branding);
    PATCH Person app "white-label-customization/" "write:customization" Form(setting::update_branding);
    GET Person app "alerts/" "read:applications" Run(setting::alerts);
    PATCH Person app "alerts/{alert_type}/" "write:applications" Run(setting::configure_alert);
    GET Person app "reports/" "list:reports" Run(report::list);
    GET Person app "reports/{report_id}/" "read:reports" Run(report::show);
    POST Person app "reports/{report_id}/" "write:reports" Run(report::export);
    GET Person app "reports/{report_id}/download-url/" "read:reports" Run(report::download);
    GET Person flat "audit/{org}/audit-logs/" "read:audit-logs" Run(report::audit_log);

    GET Person app "networks/" "list:networks" Run(network::list);
    GET Person app "networks/{network_id}/" "read:networks" Run(network::show);
    GET Person app "networks/{network_id}/{section}/" "read:networks" Run(network::section);
    GET Person app "{subject_path}/{subject_id}/networks/" "read:networks" Run(network::of_subject);
    GET Person app "marketplace/catalog/" "read:integrations" Run(compliance::catalog);
    GET Person app "marketplace/connections/" "read:integrations" Run(compliance::connections);
    POST Person app "marketplace/requests/" "write:integrations" Create(&compliance::INTEGRATIONS);
    GET Person app "compliance/requirements/" "read:workflows" Run(compliance::requirements);
    POST Person app "compliance/workflow-check/" "read:workflows" Run(compliance::check_workflow);
    POST Person app "compliance/interview/next/" "read:workflows" Run(compliance::next_question);
    GET Person app "compliance/profile/" "read:workflows" Run(compliance::show_profile);
    PUT Person app "compliance/profile/" "write:workflows" Run(compliance::set_profile);
    POST Person app "compliance/generate-workflow/" "read:workflows" Run(compliance::generate);

    GET Key flat "sessions/" "" Run(session::list);
    POST Key flat "sessions/delete/" "" Run(session::delete_many);
    GET Key flat "sessions/{session_id}/reviews/" "" Run(review::list);
    POST Key flat "sessions/{session_id}/reviews/" "" Run(review::add);
    GET Key flat "workflows/" "" Run(workflow::list);
    POST Key flat "workflows/" "" Run(workflow::create);
    GET Key flat "workflows/{workflow_id}/" "" Run(workflow::show);
    PATCH Key flat "workflows/{workflow_id}/" "" Run(workflow::update);
    DELETE Key flat "workflows/{workflow_id}/" "" Run(workflow::delete);
    GET Key flat "questionnaires/" "" List(&questionnaire::QUESTIONNAIRES);
    POST Key flat "questionnaires/" "" Create(&questionnaire::QUESTIONNAIRES);
    GET Key flat "questionnaires/{questionnaire_id}/" "" Show(&questionnaire::QUESTIONNAIRES);
    PATCH Key flat "questionnaires/{questionnaire_id}/" "" Update(&questionnaire::QUESTIONNAIRES);
    DELETE Key flat "questionnaires/{questionnaire_id}/" "" Delete(&questionnaire::QUESTIONNAIRES);
    GET Key flat "users/" "" Run(|w, c| vendor::list(w, c, &vendor::USERS));
    POST Key flat "users/delete/" "" Run(|w, c| vendor::delete_many(w, c, &vendor::USERS));
    GET Key flat "users/{vendor_data}/" "" Run(|w, c| vendor::show(w, c, &vendor::USERS));
    PATCH Key flat "users/{vendor_data}/" "" Run(|w, c| vendor::update(w, c, &vendor::USERS));
    GET Key flat "blocklist/" "" Run(entry::blocked);
    POST Key flat "blocklist/add/" "" Run(|w, c| entry::of_session(w, c, "blocklist", "blocklist", true));
    POST Key flat "blocklist/remove/" "" Run(|w, c| entry::of_session(w, c, "blocklist", "unblock", false));
    GET Key flat "billing/balance/" "" Run(member::balance);
    POST Key flat "billing/top-up/" "" Run(member::top_up);
    GET Key flat "webhook/" "" Run(setting::show_webhook);
    PATCH Key flat "webhook/" "" Run(setting::update_webhook);
    POST Key flat "webhook/destinations/" "" Run(webhook::create);
    POST Key flat "transactions/" "" Run(transaction::create);
    GET Key flat "transactions/{transaction_id}/" "" Show(&transaction::TRANSACTIONS);
    POST Key flat "wallet-screening/" "" Run(transaction::screen_wallet);
    POST Key flat "id-verification/" "" Form(check::id);
    POST Key flat "poa/" "" Form(check::address);
    POST Key flat "passive-liveness/" "" Form(check::liveness);
    POST Key flat "face-match/" "" Form(check::face_match);
    POST Key flat "face-search/" "" Form(check::face_search);
    POST Key flat "age-estimation/" "" Form(check::age);
    POST Key flat "aml/" "" Run(check::aml);
    POST Key flat "database-validation/" "" Run(check::database);
    POST Key flat "email/send/" "" Run(|w, c| code::send(w, c, &code::EMAIL));
    POST Key flat "email/check/" "" Run(|w, c| code::check(w, c, &code::EMAIL));
    POST Key flat "phone/send/" "" Run(|w, c| code::send(w, c, &code::PHONE));
    POST Key flat "phone/check/" "" Run(|w, c| code::check(w, c, &code::PHONE));

    GET Person app "analytics/" "read:analytics" Run(analytics::show);
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths that Didit serves without a last slash.
    const BARE: &[&str] = &[
        "/auth/v2/organizations/{org}/members/{member_id}",
        "/v3/session/{session_id}/generate-pdf",
        "/v3/session/{session_id}/webhook/{webhook_id}/resend",
    ];

    /// What is asked with a body, and changes nothing.
    const QUESTIONS: &[&str] = &[
        "/branch-fields/",
        "/validate/",
        "/build-workflow/",
        "/backtest/",
        "/workflow-check/",
        "/interview/next/",
        "/generate-workflow/",
    ];

    #[test]
    fn every_path_ends_with_a_slash_and_no_operation_is_listed_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for route in ROUTES {
            let bare = BARE.contains(&route.path);
            assert_eq!(route.path.ends_with('/'), !bare, "{}", route.path);
            let new = seen.insert((route.path, route.method.as_str()));
            assert!(new, "{}", route.path);
        }
    }

    #[test]
    fn whatever_changes_something_needs_more_than_reading() {
        for route in ROUTES {
            let reads = ["read:", "list:"]
                .iter()
                .any(|word| route.permission.starts_with(word));
            let asks = QUESTIONS.iter().any(|end| route.path.ends_with(end));
            if reads {
                assert!(
                    route.method == Method::GET || asks,
                    "{} {}",
                    route.method,
                    route.path
                );
            }
        }
    }
}
