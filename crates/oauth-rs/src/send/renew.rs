//! One renewal, run.

use http::{Request, Response};

use super::failed::SignInFailed;
use super::options::Notice;
use super::shared::Shared;
use crate::client::Caller;
use crate::client::ExchangeFailed;
use crate::client::flow::StoredGrant;
use crate::client::refresh;
use crate::client::renewal::{Renewal, RenewalFailed, RenewalStep};
use crate::client::token::TokenResponse;

/// Gets other tokens in place of these, or finds out that there are none.
pub(super) async fn renew(shared: &Shared, used: &StoredGrant) -> Result<(), SignInFailed> {
    let (store, lease) = (&shared.seams.store, shared.waits.lease);
    let (resource, issuer) = (&used.resource, &used.issuer);
    let entropy = shared.seams.entropy.as_ref();
    let mut renewal = match shared.spent() {
        Some(spent) => Renewal::resuming(used, spent, used.clone(), lease, entropy),
        None => Renewal::new(used, lease, entropy),
    };
    loop {
        match renewal.next_step(shared.now()) {
            RenewalStep::Load => {
                let loaded = shared.stored(store.load(resource, issuer)).await;
                renewal.handle_loaded(loaded, shared.now());
            }
            RenewalStep::Write {
                read,
                grant,
                standing,
            } => {
                let written = shared.stored(store.write(Some(read), &grant, standing));
                renewal.handle_written(written.await);
            }
            RenewalStep::Remove { read } => {
                let removed = shared.stored(store.remove(resource, issuer, read)).await;
                renewal.handle_removed(removed);
            }
            RenewalStep::Exchange { grant, at_most } => {
                let request = request(shared, &grant);
                let sent = match request {
                    Ok(request) => shared.fetched(request, at_most).await,
                    Err(reason) => {
                        renewal.handle_answer(Err(reason), shared.now());
                        continue;
                    }
                };
                match sent {
                    Ok(response) => renewal.handle_answer(answer(&response), shared.now()),
                    Err(why) => renewal.handle_lost(&why, shared.now()),
                }
            }
            RenewalStep::Wait(time) => {
                tokio::time::sleep(time).await;
                renewal.handle_waited();
            }
            RenewalStep::Done { grant, unsaved } => {
                if unsaved.is_some() {
                    shared.tell(Notice::RenewedNotSaved);
                }
                shared.hold(grant, unsaved.map(|spent| *spent));
                return Ok(());
            }
            RenewalStep::Ended => {
                // Who we are is still known there, unless that is gone too.
                let kept = shared.stored(store.load(resource, issuer)).await;
                shared.end(kept.ok().flatten().map(|kept| kept.grant));
                shared.tell(Notice::Ended);
                return Ok(());
            }
            RenewalStep::Failed(reason) => return Err(SignInFailed::Renewal(reason)),
        }
    }
}

fn request(shared: &Shared, grant: &StoredGrant) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let token = grant.refresh_token.as_ref();
    let token = token.ok_or(ExchangeFailed::Malformed("no refresh token"))?;
    let caller = Caller {
        client: shared.client(grant),
        issuer: &grant.issuer,
        now: shared.now(),
        entropy: shared.seams.entropy.as_ref(),
    };
    refresh::request(
        &grant.token_endpoint,
        &caller,
        token,
        grant.resource.as_str(),
    )
}

fn answer(response: &Response<Vec<u8>>) -> Result<TokenResponse, ExchangeFailed> {
    refresh::response(response)
}

impl From<RenewalFailed> for SignInFailed {
    fn from(reason: RenewalFailed) -> Self {
        Self::Renewal(reason)
    }
}
