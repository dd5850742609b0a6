//! One example of each operation.
//!
//! A line is method, path, parts of the path that are not what they are for others, body, and status.
//! A name in double braces is something that [`known`](crate::operations::known) finds or makes first; `form:` starts a form.

pub(crate) struct Example {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) parts: Vec<(&'static str, &'static str)>,
    pub(crate) body: &'static str,
    pub(crate) status: u16,
}

pub(crate) fn examples() -> impl Iterator<Item = Example> {
    LINES.trim().lines().map(|line| {
        let (operation, rest) = line.split_once(" | ").unwrap();
        let (parts, rest) = rest.split_once("| ").unwrap();
        let (body, status) = rest.rsplit_once("| ").unwrap();
        let (method, path) = operation.split_once(' ').unwrap();
        Example {
            method,
            path,
            parts: parts
                .split_whitespace()
                .map(|part| part.split_once('=').unwrap())
                .collect(),
            body: body.trim(),
            status: status.parse().unwrap(),
        }
    })
}

const LINES: &str = r#"
GET /auth/v2/organizations/me/ | | | 200
GET /auth/v2/organizations/me/{org}/applications/ | | | 200
GET /auth/v2/organizations/me/{org}/applications/{app}/ | | | 200
GET /auth/v2/organizations/{org}/members/ | | | 200
POST /auth/v2/organizations/{org}/members/invite/ | | {"emails":["anna@mail.example"],"role":"READER","app_ids":["{{app}}"]} | 201
PATCH /auth/v2/organizations/{org}/members/{member_id} | | {"role":"DEVELOPER","accessible_applications":["{{app}}"]} | 200
DELETE /auth/v2/organizations/{org}/members/{member_id} | | | 204
GET /auth/v2/organizations/{org}/roles/ | | | 200
GET /auth/v2/organizations/{org}/api-keys/ | | | 200
GET /auth/v2/organizations/{org}/applications/{app}/api-keys/ | | | 200
POST /auth/v2/programmatic/register/ | | {"email":"new@mail.example","password":"long enough"} | 201
POST /auth/v2/programmatic/verify-email/ | | {"email":"new@mail.example","code":"{{register_code}}"} | 200
POST /auth/v2/programmatic/resend-otp/ | | {"email":"new@mail.example"} | 200
POST /auth/v2/programmatic/login/ | | {"email":"{{registered}}","password":"long enough"} | 200
POST /auth/v2/2fa/verify/ | | {"temp_token":"{{second_factor}}","otp_token":"{{otp}}"} | 200
GET /v3/organization/{org}/top-up/ | | | 200
POST /v3/organization/{org}/top-up/ | | {"amount_in_dollars":50} | 201
GET /v3/organization/{org}/sessions/ | | | 200
GET /v3/organization/{org}/transactions/ | | | 200
GET /v3/organization/{org}/cases/ | | | 200
POST /v3/session/ | | {"workflow_id":"{{workflow_id}}","vendor_data":"someone-new"} | 201
GET /v3/session/{session_id}/decision/ | | | 200
PATCH /v3/session/{session_id}/update-status/ | | {"new_status":"Declined"} | 200
DELETE /v3/session/{session_id}/delete/ | | | 204
PATCH /v3/session/{session_id}/update-data/ | session_id={{document_session}} | {"first_name":"Anna"} | 200
PATCH /v3/session/{session_id}/update-poa-data/ | session_id={{address_session}} | {"issuer":"Water works"} | 200
GET /v3/session/{session_id}/generate-pdf/ | | | 200
GET /v3/session/{session_id}/generate-pdf | | | 200
POST /v3/session/{session_id}/share/ | | {} | 200
GET /v3/session/{session_id}/webhooks/ | | | 200
POST /v3/session/{session_id}/webhook/{webhook_id}/resend | session_id={{told}} | | 200
POST /v3/session/import-shared/ | | {"share_token":"{{share_token}}","trust_review":true,"workflow_id":"{{workflow_id}}"} | 201
POST /v3/session/imports/ | | {"source_file_url":"https://files.example/a.csv","import_type":"user_verification","source_format":"csv"} | 201
GET /v3/session/imports/template/ | | | 200
GET /v3/session/imports/{import_id}/ | import_id={{import}} | | 200
GET /v3/session/imports/{import_id}/errors/ | import_id={{import}} | | 200
GET /v3/organization/kyb-registry-pricing/ | | | 200
GET /v3/organization/{org}/application/{app}/sessions/ | | | 200
DELETE /v3/organization/{org}/application/{app}/sessions/delete/ | | {"session_numbers":[{{number}}]} | 204
GET /v3/organization/{org}/application/{app}/sessions/{session_id}/reviews/ | | | 200
POST /v3/organization/{org}/application/{app}/sessions/{session_id}/reviews/ | | {"new_status":"Declined","comment":"No."} | 201
GET /v3/organization/{org}/application/{app}/verification-settings/ | | | 200
POST /v3/organization/{org}/application/{app}/verification-settings/ | | {"workflow_label":"Mine","features":[{"feature":"OCR"}]} | 201
GET /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/ | | {"workflow_label":"Other"} | 200
DELETE /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/ | | | 204
GET /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/workflow-graph/ | | | 200
PUT /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/workflow-graph/ | workflow_id={{draft}} | {"graph":{"start_node":"a","nodes":{"a":{"node_type":"feature","feature":"OCR","config":{},"next":"b"},"b":{"node_type":"branch","branches":[{"id":"else","logic":"and","rules":[],"goto":"c"}]},"c":{"node_type":"status","session_status":"Determine"}}}} | 200
POST /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/create-draft/ | | | 201
POST /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/workflow-graph/branch-fields/ | | {"graph":{"start_node":"a","nodes":{"a":{"node_type":"feature","feature":"OCR","config":{},"next":"b"},"b":{"node_type":"branch","branches":[{"id":"else","logic":"and","rules":[],"goto":"c"}]},"c":{"node_type":"status","session_status":"Determine"}}},"branch_node_id":"b"} | 200
GET /v3/organization/{org}/application/{app}/verification-settings/{workflow_id}/workflow-graph/id-verification-methods-catalog/ | | | 200
GET /v3/organization/{org}/application/{app}/workflow-graph/field-definitions/ | | | 200
POST /v3/organization/{org}/application/{app}/workflow-graph/validate/ | | {"graph":{"start_node":"a","nodes":{"a":{"node_type":"feature","feature":"OCR","config":{},"next":"b"},"b":{"node_type":"branch","branches":[{"id":"else","logic":"and","rules":[],"goto":"c"}]},"c":{"node_type":"status","session_status":"Determine"}}},"workflow_uuid":"{{workflow_id}}"} | 200
POST /v3/organization/{org}/application/{app}/compliance/build-workflow/ | | {"subject":"kyc","features":["OCR","LIVENESS"],"branches":[{"countries":["ESP"],"features":["AML"]}]} | 200
GET /v3/organization/{org}/application/{app}/questionnaires/ | | | 200
POST /v3/organization/{org}/application/{app}/questionnaires/ | | {"title":"Job"} | 201
GET /v3/organization/{org}/application/{app}/questionnaires/{questionnaire_id}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/questionnaires/{questionnaire_id}/ | | {"title":"Work"} | 200
DELETE /v3/organization/{org}/application/{app}/questionnaires/{questionnaire_id}/ | | | 204
GET /v3/organization/{org}/application/{app}/vendor-users/ | | | 200
POST /v3/organization/{org}/application/{app}/vendor-users/ | | {"vendor_data":"new-1"} | 201
DELETE /v3/organization/{org}/application/{app}/vendor-users/delete/ | | {"vendor_data_list":["{{vendor_data}}"]} | 204
POST /v3/organization/{org}/application/{app}/vendor-users/bulk-status/ | | {"vendor_data_list":["{{vendor_data}}"],"status":"BLOCKED"} | 200
GET /v3/organization/{org}/application/{app}/vendor-users/{vendor_data}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/vendor-users/{vendor_data}/update/ | | {"display_name":"Anna"} | 200
GET /v3/organization/{org}/application/{app}/vendor-businesses/ | | | 200
POST /v3/organization/{org}/application/{app}/vendor-businesses/ | | {"vendor_data":"new-1","legal_name":"New"} | 201
DELETE /v3/organization/{org}/application/{app}/vendor-businesses/delete/ | | {"vendor_data_list":["{{business}}"]} | 204
POST /v3/organization/{org}/application/{app}/vendor-businesses/bulk-status/ | | {"vendor_data_list":["{{business}}"],"status":"BLOCKED"} | 200
GET /v3/organization/{org}/application/{app}/vendor-businesses/{vendor_data}/ | vendor_data={{business}} | | 200
PATCH /v3/organization/{org}/application/{app}/vendor-businesses/{vendor_data}/update/ | vendor_data={{business}} | {"display_name":"One"} | 200
GET /v3/organization/{org}/application/{app}/cases/ | | | 200
POST /v3/organization/{org}/application/{app}/cases/ | | {"title":"Odd"} | 201
GET /v3/organization/{org}/application/{app}/cases/statistics/ | | | 200
GET /v3/organization/{org}/application/{app}/cases/{case_id}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/cases/{case_id}/ | | {"priority":"HIGH"} | 200
POST /v3/organization/{org}/application/{app}/cases/{case_id}/comments/ | | {"comment":"Hm."} | 201
POST /v3/organization/{org}/application/{app}/cases/{case_id}/{action}/ | action=escalate | {} | 200
GET /v3/organization/{org}/application/{app}/transactions/ | | | 200
POST /v3/organization/{org}/application/{app}/transactions/ | | {"transaction_id":"t-1","transaction_category":"finance","transaction_details":{"direction":"INBOUND","amount":"9000.00","currency":"EUR"},"subject":{"vendor_data":"customer-0001"}} | 201
POST /v3/organization/{org}/application/{app}/transactions/screen-wallet/ | | {"wallet_address":"0xabc","blockchain":"ETH"} | 200
GET /v3/organization/{org}/application/{app}/transactions/rules/ | | | 200
POST /v3/organization/{org}/application/{app}/transactions/rules/ | | {"title":"Large","category":"amount","mode":"ACTIVE","conditions":[{"field":"transaction_details.amount","operator":"gte","value":1000}],"actions":[{"type":"add_score","value":50}]} | 201
GET /v3/organization/{org}/application/{app}/transactions/rules/library/ | | | 200
POST /v3/organization/{org}/application/{app}/transactions/rules/install/ | | {"bundle":"basics"} | 201
DELETE /v3/organization/{org}/application/{app}/transactions/rules/install/ | | {"library_keys":["large_amount"]} | 200
POST /v3/organization/{org}/application/{app}/transactions/rules/backtest/ | | {"conditions":[{"field":"transaction_details.amount","operator":"gte","value":1000}]} | 200
GET /v3/organization/{org}/application/{app}/transactions/rules/{rule_uuid}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/transactions/rules/{rule_uuid}/ | | {"mode":"DISABLED"} | 200
DELETE /v3/organization/{org}/application/{app}/transactions/rules/{rule_uuid}/ | | | 204
POST /v3/transactions/sdk-token/ | | {"vendor_data":"customer-0001","ttl_seconds":60} | 201
PATCH /v3/transactions/{transaction_id}/travel-rule/ | transaction_id={{transfer}} | {"action":"cancel"} | 200
POST /v3/transactions/{transaction_id}/travel-rule/ownership/ | transaction_id={{transfer}} | {"confirmed":true} | 200
GET /v3/travel-rule/settings/ | | | 200
PUT /v3/travel-rule/settings/ | | {"is_enabled":true,"disabled_networks":["GTR"]} | 200
GET /v3/travel-rule/vasps/ | | | 200
GET /v3/travel-rule/wallet-addresses/ | | | 200
POST /v3/travel-rule/wallet-addresses/ | | {"address":"0xabc"} | 201
PATCH /v3/travel-rule/wallet-addresses/{entry_uuid}/ | entry_uuid={{wallet}} | {"holder_name":"Anna"} | 200
DELETE /v3/travel-rule/wallet-addresses/{entry_uuid}/ | entry_uuid={{wallet}} | | 204
POST /v3/travel-rule/inbound/ | | {"txid":"tx-1","wallet_address":"0xabc","amount":"1500"} | 201
POST /v3/travel-rule/widget-session/ | | {"wallet_address":"0xabc"} | 201
GET /v3/organization/{org}/application/{app}/transactions/{transaction_id}/ | | | 200
GET /v3/organization/{org}/application/{app}/webhook/destinations/ | | | 200
POST /v3/organization/{org}/application/{app}/webhook/destinations/ | | {"label":"Mine","url":"https://a.example/h"} | 201
GET /v3/organization/{org}/application/{app}/webhook/destinations/{destination_uuid}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/webhook/destinations/{destination_uuid}/ | | {"enabled":false} | 200
DELETE /v3/organization/{org}/application/{app}/webhook/destinations/{destination_uuid}/ | | | 204
GET /v3/organization/{org}/application/{app}/lists/ | | | 200
POST /v3/organization/{org}/application/{app}/lists/ | | {"name":"Mine","list_type":"custom","entry_type":"email"} | 201
GET /v3/organization/{org}/application/{app}/lists/{list_uuid}/ | | | 200
PATCH /v3/organization/{org}/application/{app}/lists/{list_uuid}/ | | {"name":"Yours"} | 200
DELETE /v3/organization/{org}/application/{app}/lists/{list_uuid}/ | | | 204
GET /v3/organization/{org}/application/{app}/lists/{list_uuid}/entries/ | | | 200
POST /v3/organization/{org}/application/{app}/lists/{list_uuid}/entries/ | | {"value":"+34600000001"} | 201
POST /v3/organization/{org}/application/{app}/lists/{list_uuid}/entries/face-upload/ | list_uuid={{face_list}} | {"image":"{{image}}"} | 201
DELETE /v3/organization/{org}/application/{app}/lists/{list_uuid}/entries/{entry_uuid}/ | entry_uuid={{entry}} | | 204
GET /v3/organization/{org}/application/{app}/blocklist/ | | | 200
POST /v3/organization/{org}/application/{app}/blocklist/add/ | | {"session_id":"{{session_id}}","blocklist_face":true,"blocklist_document":true} | 200
POST /v3/organization/{org}/application/{app}/blocklist/remove/ | | {"session_id":"{{session_id}}","unblock_face":true,"unblock_document":true} | 200
POST /v3/organization/{org}/application/{app}/allowlist/add/ | | {"session_id":"{{session_id}}","allowlist_face":true,"allowlist_document":true} | 200
POST /v3/organization/{org}/application/{app}/apis/id-verification/ | | form:front_image,back_image,vendor_data=c-1 | 200
POST /v3/organization/{org}/application/{app}/apis/poa/ | | form:document | 200
POST /v3/organization/{org}/application/{app}/apis/passive-liveness/ | | form:user_image | 200
POST /v3/organization/{org}/application/{app}/apis/face-match/ | | form:user_image,ref_image | 200
POST /v3/organization/{org}/application/{app}/apis/face-search/ | | form:user_image | 200
POST /v3/organization/{org}/application/{app}/apis/age-estimation/ | | form:user_image | 200
POST /v3/organization/{org}/application/{app}/apis/database-validation/ | | {"issuing_state":"ESP","document_number":"X1234567"} | 200
POST /v3/organization/{org}/application/{app}/apis/aml/ | | {"full_name":"Anna Kovac"} | 200
POST /v3/organization/{org}/application/{app}/apis/kyb/search/ | | {"country_code":"ES","name":"Company"} | 200
POST /v3/organization/{org}/application/{app}/apis/kyb/select/ | | {"kyb_response_id":"{{kyb_response_id}}"} | 200
POST /v3/organization/{org}/application/{app}/apis/email/send/ | | {"email":"anna@mail.example"} | 200
POST /v3/organization/{org}/application/{app}/apis/email/check/ | | {"email":"anna@mail.example","code":"{{email_code}}"} | 200
POST /v3/organization/{org}/application/{app}/apis/phone/send/ | | {"phone_number":"+34600000000"} | 200
POST /v3/organization/{org}/application/{app}/apis/phone/check/ | | {"phone_number":"+34600000000","code":"{{phone_code}}"} | 200
GET /v3/organization/{org}/application/{app}/white-label-customization/ | | | 200
PATCH /v3/organization/{org}/application/{app}/white-label-customization/ | | form:image_square,sms_sender_name=Harbour | 200
GET /v3/organization/{org}/application/{app}/alerts/ | | | 200
PATCH /v3/organization/{org}/application/{app}/alerts/{alert_type}/ | alert_type=low_balance | {"enabled":true,"threshold":50} | 200
GET /v3/organization/{org}/application/{app}/reports/ | | | 200
GET /v3/organization/{org}/application/{app}/reports/{report_id}/ | | | 200
POST /v3/organization/{org}/application/{app}/reports/{report_id}/ | report_id=sessions | {"columns":["session_id"]} | 201
GET /v3/organization/{org}/application/{app}/reports/{report_id}/download-url/ | | | 200
GET /v3/audit/{org}/audit-logs/ | | | 200
GET /v3/organization/{org}/application/{app}/networks/ | | | 200
GET /v3/organization/{org}/application/{app}/networks/{network_id}/ | | | 200
GET /v3/organization/{org}/application/{app}/networks/{network_id}/{section}/ | section=members | | 200
GET /v3/organization/{org}/application/{app}/{subject_path}/{subject_id}/networks/ | subject_path=users subject_id={{vendor_data}} | | 200
GET /v3/organization/{org}/application/{app}/marketplace/catalog/ | | | 200
GET /v3/organization/{org}/application/{app}/marketplace/connections/ | | | 200
POST /v3/organization/{org}/application/{app}/marketplace/requests/ | | {"provider_name":"Ledger Lantern"} | 201
GET /v3/organization/{org}/application/{app}/compliance/requirements/ | | | 200
POST /v3/organization/{org}/application/{app}/compliance/workflow-check/ | | {"workflow_id":"{{workflow_id}}"} | 200
POST /v3/organization/{org}/application/{app}/compliance/interview/next/ | | {"answers":{"industry":"banking"}} | 200
GET /v3/organization/{org}/application/{app}/compliance/profile/ | | | 200
PUT /v3/organization/{org}/application/{app}/compliance/profile/ | | {"answers":{"industry":"banking"}} | 200
POST /v3/organization/{org}/application/{app}/compliance/generate-workflow/ | | {"subject":"kyb"} | 200
GET /v3/sessions/ | | | 200
POST /v3/sessions/delete/ | | {"session_numbers":[{{number}}]} | 204
GET /v3/sessions/{session_id}/reviews/ | | | 200
POST /v3/sessions/{session_id}/reviews/ | | {"new_status":"Declined","comment":"No."} | 201
GET /v3/workflows/ | | | 200
POST /v3/workflows/ | | {"workflow_label":"Mine","workflow_type":"kyc","is_liveness_enabled":true} | 201
GET /v3/workflows/{workflow_id}/ | | | 200
PATCH /v3/workflows/{workflow_id}/ | | {"workflow_label":"Other"} | 200
DELETE /v3/workflows/{workflow_id}/ | | | 204
GET /v3/questionnaires/ | | | 200
POST /v3/questionnaires/ | | {"title":"Job"} | 201
GET /v3/questionnaires/{questionnaire_id}/ | | | 200
PATCH /v3/questionnaires/{questionnaire_id}/ | | {"title":"Work"} | 200
DELETE /v3/questionnaires/{questionnaire_id}/ | | | 204
GET /v3/users/ | | | 200
POST /v3/users/delete/ | | {"vendor_data_list":["{{vendor_data}}"]} | 204
GET /v3/users/{vendor_data}/ | | | 200
PATCH /v3/users/{vendor_data}/ | | {"display_name":"Anna"} | 200
GET /v3/blocklist/ | | | 200
POST /v3/blocklist/add/ | | {"session_id":"{{session_id}}","blocklist_face":true,"blocklist_document":true} | 200
POST /v3/blocklist/remove/ | | {"session_id":"{{session_id}}","unblock_face":true,"unblock_document":true} | 200
GET /v3/billing/balance/ | | | 200
POST /v3/billing/top-up/ | | {"amount_in_dollars":50} | 201
GET /v3/webhook/ | | | 200
PATCH /v3/webhook/ | | {"webhook_version":"v2","rotate_secret_key":true} | 200
POST /v3/webhook/destinations/ | | {"label":"Mine","url":"https://a.example/h"} | 201
POST /v3/transactions/ | | {"transaction_id":"t-1","transaction_category":"finance","transaction_details":{"direction":"INBOUND","amount":"9000.00","currency":"EUR"},"subject":{"vendor_data":"customer-0001"}} | 201
GET /v3/transactions/{transaction_id}/ | | | 200
POST /v3/wallet-screening/ | | {"wallet_address":"0xabc","blockchain":"ETH"} | 200
POST /v3/id-verification/ | | form:front_image,back_image,vendor_data=c-1 | 200
POST /v3/poa/ | | form:document | 200
POST /v3/passive-liveness/ | | form:user_image | 200
POST /v3/face-match/ | | form:user_image,ref_image | 200
POST /v3/face-search/ | | form:user_image | 200
POST /v3/age-estimation/ | | form:user_image | 200
POST /v3/aml/ | | {"full_name":"Anna Kovac"} | 200
POST /v3/database-validation/ | | {"issuing_state":"ESP","document_number":"X1234567"} | 200
POST /v3/email/send/ | | {"email":"anna@mail.example"} | 200
POST /v3/email/check/ | | {"email":"anna@mail.example","code":"{{key_email_code}}"} | 200
POST /v3/phone/send/ | | {"phone_number":"+34600000000"} | 200
POST /v3/phone/check/ | | {"phone_number":"+34600000000","code":"{{key_phone_code}}"} | 200
GET /v3/organization/{org}/application/{app}/analytics/ | | | 200
"#;
