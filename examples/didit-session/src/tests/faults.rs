//! The same client over a service, with a server that does everything wrong that a server can.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use didit_client::Retries;
use didit_client::call::MAX_RESPONSE_BODY;
use didit_client::request::rest;
use didit_client::send::Sender;
use didit_sandbox::{Fault, Matching};
use http::StatusCode;
use http_body_util::Limited;
use tower_service::Service;

use super::*;

/// The stand-in as an HTTP client that caps what it reads.
#[derive(Clone)]
struct Wire(SandboxService);

impl Service<Request<Bytes>> for Wire {
    type Response = Response<Bytes>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let answer = self.0.call(request.map(Full::new));
        Box::pin(async move {
            let answer: Result<_, Infallible> = answer.await;
            let (parts, body) = answer?.into_parts();
            let body = Limited::new(body, MAX_RESPONSE_BODY).collect().await?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
    }
}

/// A stand-in, its owner's credential, and a sender with retries.
struct World {
    sandbox: Sandbox,
    olivia: Credential,
    sender: Sender<Wire>,
    organization: PathPart,
    application: PathPart,
    workflow: String,
}

impl World {
    async fn new() -> Self {
        let sandbox = sandbox();
        let olivia = Credential::bearer(sandbox.credential("olivia").unwrap());
        let api = Api::at("http://localhost/auth/v2", "http://localhost/v3").unwrap();
        let sender = Sender::new(api, Wire(sandbox.service())).with_retries(Retries::new(|| 0));
        let list = async |call: Call| {
            let answer = sender.send(&olivia, &call).await.unwrap();
            Page::read(answer).unwrap().rows
        };
        let organizations = list(organization::List::new().call()).await;
        let org = part(&organizations[0]);
        let applications = list(organization::Applications::new(org.clone()).call()).await;
        let app = applications.iter().find(|row| row["mode"] == "sandbox");
        let app = part(app.unwrap());
        let workflows = list(workflow::List::new(org.clone(), app.clone()).call()).await;
        let kyc = workflows.iter().find(|row| row["workflow_type"] == "kyc");
        let workflow = kyc.unwrap()["uuid"].as_str().unwrap().to_owned();
        Self {
            sandbox,
            olivia,
            sender,
            organization: org,
            application: app,
            workflow,
        }
    }

    fn list(&self) -> session::List {
        session::List::new(self.organization.clone(), self.application.clone())
    }

    fn create(&self, scenario: Option<&str>) -> Call {
        let mut create = session::Create::new(self.workflow.clone());
        create.vendor_data = Some("customer-42".to_owned());
        create.sandbox_scenario = scenario.map(str::to_owned);
        create.call()
    }

    async fn send(&self, call: Call) -> Result<Value, ApiError> {
        self.sender.send(&self.olivia, &call).await
    }

    /// How many sessions customer-42 has.
    async fn sessions(&self) -> usize {
        let mut list = self.list();
        list.vendor_data = Some("customer-42".to_owned());
        let answer = self.send(list.call()).await.unwrap();
        Page::read(answer).unwrap().rows.len()
    }
}

fn part(row: &Value) -> PathPart {
    PathPart::parse(row["uuid"].as_str().unwrap()).unwrap()
}

fn unavailable() -> Fault {
    Fault::Status(StatusCode::SERVICE_UNAVAILABLE)
}

#[tokio::test(start_paused = true)]
async fn a_read_comes_through_what_passes() {
    let world = World::new().await;
    let undisturbed = world.send(world.list().call()).await.unwrap();
    for fault in [
        unavailable(),
        Fault::Status(StatusCode::BAD_GATEWAY),
        Fault::RateLimited { retry_after: 7 },
        Fault::Silent,
        Fault::Cut,
        Fault::Huge,
    ] {
        world.sandbox.fault(Matching::next(), fault.clone());
        let answer = world.send(world.list().call()).await;
        assert_eq!(answer.unwrap(), undisturbed, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_an_error_that_says_what_it_is() {
    let world = World::new().await;
    for (fault, code) in [
        (unavailable(), ErrorCode::ServerError),
        (
            Fault::RateLimited { retry_after: 600 },
            ErrorCode::RateLimited,
        ),
        (Fault::Silent, ErrorCode::NetworkError),
        (Fault::Cut, ErrorCode::NetworkError),
        (Fault::Huge, ErrorCode::NetworkError),
        (Fault::Redirect("http://10.0.0.1/".into()), ErrorCode::Error),
    ] {
        world.sandbox.fault(Matching::all(), fault.clone());
        let error = world.send(world.list().call()).await.unwrap_err();
        assert_eq!(error.code(), code, "{fault:?}");
        assert!(!error.message().contains("10.0.0.1"), "{error}");
        world.sandbox.heal();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_shape_is_no_list() {
    let world = World::new().await;
    for fault in [
        Fault::Html,
        Fault::Truncated,
        Fault::WrongShape,
        Fault::WrongTypes,
    ] {
        world.sandbox.fault(Matching::next(), fault.clone());
        let answer = world.send(world.list().call()).await.unwrap();
        let rows = Page::read(answer).map(Page::rows_as::<Session>);
        assert!(!matches!(rows, Ok(Ok(_))), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_once_unless_it_was_not_served() {
    let world = World::new().await;
    world.sandbox.forget_requests();
    world.sandbox.fault(Matching::next(), unavailable());
    assert!(world.send(world.create(None)).await.is_err());
    assert_eq!(world.sandbox.requests().len(), 1);
    let busy = Fault::RateLimited { retry_after: 3 };
    world.sandbox.fault(Matching::next(), busy);
    assert!(world.send(world.create(None)).await.is_ok());
    assert_eq!(world.sandbox.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_created_twice() {
    let faults = [Fault::Cut, Fault::Silent, unavailable()];
    for fault in faults {
        let world = World::new().await;
        world.sandbox.fault(Matching::next(), fault.clone());
        let list = world.list().call();
        let create = world.create(None);
        let created = world.sender.create_session(&world.olivia, &create, &list);
        let created = CreatedSession::try_from(created.await.unwrap()).unwrap();
        assert!(created.url.is_some());
        assert_eq!(world.sessions().await, 1, "{fault:?}");
    }
    // This one is over as soon as it is created, so that a second one would be another.
    let world = World::new().await;
    world.sandbox.fault(Matching::next(), Fault::Cut);
    let (create, list) = (world.create(Some("review_aml")), world.list().call());
    let created = world.sender.create_session(&world.olivia, &create, &list);
    let error = created.await.unwrap_err();
    assert!(
        error.message().contains("before creating another"),
        "{error}"
    );
    assert_eq!(world.sessions().await, 1);
}

#[tokio::test(start_paused = true)]
async fn every_page_is_read_though_some_fail_once() {
    let world = World::new().await;
    let mut list = world.list();
    list.limit = Some(7);
    let mut pages = world.sender.pages(&world.olivia, list.call());
    let (mut rows, mut count) = (Vec::new(), None);
    while let Some(page) = {
        world.sandbox.fault(Matching::next(), unavailable());
        pages.next().await
    } {
        let page = page.unwrap();
        assert!(page.rows.len() <= 7);
        count = page.count;
        rows.extend(page.rows_as::<Session>().unwrap());
    }
    assert_eq!(count, Some(rows.len() as u64));
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| &row.session_id).collect();
    assert_eq!(ids.len(), rows.len());
    assert!(rows.len() > 7);
}

#[tokio::test(start_paused = true)]
async fn an_applications_key_does_the_same_over_the_rest_api() {
    let world = World::new().await;
    let (org, app) = (world.organization.clone(), world.application.clone());
    let reveal = organization::RevealKey::new(org, app).call();
    let shown = world.send(reveal).await.unwrap();
    let key = Credential::api_key(shown["api_key"].as_str().unwrap());
    let send = async |call: Call| world.sender.send(&key, &call).await;

    let mut create = rest::SessionCreate::new(world.workflow.clone());
    create.vendor_data = Some("customer-42".to_owned());
    let created = send(create.call()).await.unwrap();
    let created = CreatedSession::try_from(created).unwrap();
    let id = PathPart::parse(&created.session_id).unwrap();
    let decision = send(rest::SessionDecision::new(id.clone()).call())
        .await
        .unwrap();
    let decision = Decision::try_from(decision).unwrap();
    assert_eq!(decision.session_id, created.session_id);
    let mut list = rest::SessionList::new();
    list.vendor_data = Some("customer-42".to_owned());
    let page = Page::read(send(list.call()).await.unwrap()).unwrap();
    assert_eq!(page.rows_as::<Session>().unwrap().len(), 1);
    let balance = send(rest::BillingBalance::new().call()).await.unwrap();
    assert!(Balance::try_from(balance).is_ok());
    send(rest::SessionDelete::new(id).call()).await.unwrap();
    assert_eq!(world.sessions().await, 0);

    // Neither credential does what the other is for.
    let refused = world.send(rest::SessionList::new().call()).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::BadRequest);
    assert_eq!(
        refused.message(),
        "the operation takes an application's API key"
    );
    let stranger = Credential::api_key("a-key-of-nobody");
    let list = rest::SessionList::new().call();
    let refused = world.sender.send(&stranger, &list).await.unwrap_err();
    assert!(matches!(refused.status(), Some(401 | 403)), "{refused}");
}
