//! One sign-in, run: the flow from a refusal to tokens.

use std::sync::Arc;

use tokio::time::timeout;

use super::browser::Visit;
use super::failed::SignInFailed;
use super::options::Notice;
use super::renew;
use super::shared::{Refusal, Shared};
use crate::client::flow::{Flow, FlowOptions, Step, StoredGrant};
use crate::client::store::{self, Kept, Standing};

/// More steps than any sign-in has; one that takes more goes round in circles.
const MAX_STEPS: usize = 64;

/// Has a person sign in, unless another process has had that done already.
pub(super) async fn sign_in(
    shared: &Shared,
    held: Option<&StoredGrant>,
    refusal: &Refusal,
) -> Result<(), SignInFailed> {
    if refusal.status == http::StatusCode::UNAUTHORIZED
        && !shared.is_anew()
        && let Some(grant) = found(shared, held).await?
    {
        let expired = grant.is_expired(shared.now());
        shared.hold_stored(grant.clone());
        if expired {
            renew::renew(shared, &grant).await?;
        }
        if shared.held().is_some() {
            return Ok(());
        }
    }
    let browser = shared.seams.browser.as_ref();
    let browser = browser.ok_or(SignInFailed::NobodyToAsk)?;
    let prepared = timeout(shared.waits.browser, browser.prepare()).await;
    let mut visit = prepared
        .map_err(|_| SignInFailed::TimedOut("making ready for the browser"))?
        .map_err(|error| SignInFailed::Browser(Arc::from(error)))?;
    let redirect_uri = visit.redirect_uri().clone();
    let mut flow = match shared.take_flow() {
        Some(flow) => flow,
        None => {
            let options = FlowOptions {
                redirect_uri: redirect_uri.clone(),
                ..shared.options.clone()
            };
            let failed = |_| SignInFailed::Circles;
            Flow::new(shared.server.as_str(), None, options).map_err(failed)?
        }
    };
    // Refreshing is not the flow's: it goes through the store.
    let before = held.cloned().or_else(|| shared.ended());
    let before = before.map(|grant| StoredGrant {
        refresh_token: None,
        ..grant
    });
    flow.restart(before, redirect_uri);
    flow.handle_challenge(refusal.status, &refusal.headers);
    let mut unsaved = false;
    let end = run(shared, &mut flow, visit.as_mut(), &mut unsaved).await;
    for event in flow.take_events() {
        shared.tell(Notice::Flow(event));
    }
    shared.put_flow(flow);
    shared.hold(end?, None);
    shared.note_unsaved(unsaved);
    Ok(())
}

/// Tokens that another process has stored, other than those that were refused.
async fn found(
    shared: &Shared,
    held: Option<&StoredGrant>,
) -> Result<Option<StoredGrant>, SignInFailed> {
    let find = shared.seams.store.find(shared.server.as_str());
    let kept = shared.stored(find).await.map_err(SignInFailed::Store)?;
    let usable = |kept: &Kept| {
        let other = held.is_none_or(|held| {
            let seen = held.access_token.expose();
            !kept.grant.access_token.ct_eq(seen)
        });
        let lives = !kept.grant.is_expired(shared.now()) || kept.grant.refresh_token.is_some();
        kept.standing != Standing::Ended && other && lives && shared.is_usable(&kept.grant)
    };
    Ok(kept.filter(usable).map(|kept| kept.grant))
}

/// Does what the flow says until there are tokens, or none to be had.
async fn run(
    shared: &Shared,
    flow: &mut Flow,
    visit: &mut dyn Visit,
    unsaved: &mut bool,
) -> Result<StoredGrant, SignInFailed> {
    let mut saved = None;
    for _ in 0..MAX_STEPS {
        match flow.next_step(shared.now(), shared.seams.entropy.as_ref()) {
            Step::Fetch(request) => match shared.fetched(request, shared.waits.exchange).await {
                Ok(response) => flow.handle_response(&response, shared.now()),
                Err(why) => flow.handle_failure(&why),
            },
            Step::OpenBrowser { url, state } => {
                let visiting = timeout(shared.waits.browser, visit.visit(&url, &state)).await;
                let query = visiting
                    .map_err(|_| SignInFailed::TimedOut("the person in the browser"))?
                    .map_err(|error| SignInFailed::Browser(Arc::from(error)))?;
                flow.handle_callback(query.expose());
            }
            Step::Store(grant) => {
                let saving = timeout(
                    shared.waits.store,
                    store::save(shared.seams.store.as_ref(), &grant),
                );
                let done = saving
                    .await
                    .unwrap_or_else(|_| Err(store::StoreError::new("it does not answer")));
                // The person has agreed; that is not thrown away for want of a disk.
                *unsaved = done.is_err();
                if let Err(reason) = done {
                    shared.tell(Notice::NotSaved(reason));
                }
                saved = Some(grant);
            }
            Step::Done(_) => {
                let grant = flow.grant().cloned().or(saved);
                return grant.ok_or(SignInFailed::Circles);
            }
            Step::Failed(reason) => return Err(SignInFailed::Flow(reason)),
        }
    }
    Err(SignInFailed::Circles)
}
