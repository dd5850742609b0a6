//! What must be there before a tool is called, and arguments whose values matter.

/// A value that is found or made first: name, request, body, and where it is in the answer.
pub(crate) const FOUND: &str = include_str!("found.txt");

/// Arguments of a tool instead of those that its schema gives: tool, arguments (null leaves one out), and for a tool that makes several calls, which of them in which order.
pub(crate) const CASES: &str = include_str!("cases.txt");

/// A graph that reads a document and then branches.
pub(crate) const GRAPH: &str = r#"{"start_node":"a","nodes":{"a":{"node_type":"feature","feature":"OCR","config":{},"next":"b"},"b":{"node_type":"branch","branches":[{"id":"else","logic":"and","rules":[],"goto":"c"}]},"c":{"node_type":"status","session_status":"Determine"}}}"#;

/// What the facts say that is known not to be so: tool, the request as Didit serves it, and why.
pub(crate) const SERVED_ELSEWHERE: [(&str, &str, &str); 1] = [(
    "didit_audit_log_list",
    "GET api/audit/{org}/audit-logs/",
    "the log is kept for an organisation; there is no route of an application",
)];

/// Calls that a tool makes beside those of the facts: tool, call, and why.
pub(crate) const MORE_CALLS: [(&str, &str, &str); 5] = [
    (
        "didit_workflow_set_graph",
        r#"{"request":"POST api/organization/{org}/application/{app}/workflow-graph/validate/","query":[],"body":{"type":"json","fields":{"graph":"*","workflow_uuid":"{version_uuid}"}}}"#,
        "a graph is checked before it is saved",
    ),
    (
        "didit_workflow_set_graph",
        r#"{"request":"GET api/organization/{org}/application/{app}/verification-settings/{target_uuid}/workflow-graph/","query":[]}"#,
        "what was saved is read back",
    ),
    (
        "didit_workflow_edit_graph",
        r#"{"request":"GET api/organization/{org}/application/{app}/verification-settings/{target_uuid}/workflow-graph/","query":[]}"#,
        "the draft is read before it is changed, and afterwards",
    ),
    (
        "didit_session_explain_decision",
        r#"{"request":"GET api/organization/{org}/application/{any}/verification-settings/","query":[]}"#,
        "the session does not say its application, so its workflow is looked for",
    ),
    (
        "didit_workflow_get_id_verification_methods_catalog",
        r#"{"request":"GET api/organization/{org}/application/{app}/verification-settings/{workflow_id}/","query":[]}"#,
        "the version of the workflow is found first",
    ),
];

/// Tools whose answer is more than what Didit answered, and what it is.
pub(crate) const OWN_ANSWERS: &[(&[&str], &str)] = &[
    (
        &["didit_account_verify_2fa"],
        "the tokens, with the secrets of the application hidden as at any sign-in",
    ),
    (
        &["didit_context_get"],
        "the organisations with their applications and roles",
    ),
    (
        &[
            "didit_case_search",
            "didit_session_search",
            "didit_transaction_search",
            "didit_vendor_business_search",
            "didit_vendor_user_search",
            "didit_workflow_search",
        ],
        "the rows, and how many applications were asked",
    ),
    (&["didit_analytics"], "the counts, summed"),
    (
        &["didit_network_get"],
        "the network with the sections that were asked for",
    ),
    (
        &["didit_org_top_up"],
        "the address to pay at, and that a person has to approve",
    ),
    (
        &["didit_session_generate_pdf"],
        "what the file is, beside the file or with the link to it",
    ),
    (
        &["didit_session_explain_decision", "didit_session_webhooks"],
        "a summary without personal data",
    ),
    (
        &["didit_questionnaire_append_choices"],
        "what was added, and where",
    ),
    (
        &[
            "didit_workflow_build_graph",
            "didit_workflow_create_draft",
            "didit_workflow_delete",
            "didit_workflow_edit_graph",
            "didit_workflow_get_branch_fields",
            "didit_workflow_get_field_definitions",
            "didit_workflow_get_graph",
            "didit_workflow_get_id_verification_methods_catalog",
            "didit_workflow_get_kyb_registry_catalog",
            "didit_workflow_publish",
            "didit_workflow_set_graph",
            "didit_workflow_validate_graph",
        ],
        "what was found or done, compactly and with the graph as a drawing",
    ),
    (
        &["didit_workflow_get_feature_config_schema"],
        "data of our own",
    ),
];

/// Tools that show a secret, and why.
pub(crate) const SHOWN: [(&str, &str); 2] = [
    (
        "didit_account_verify_email",
        "the key of the application that was just made is given out once",
    ),
    (
        "didit_org_reveal_application_api_key",
        "it is for that, with a confirmation and both ids",
    ),
];
