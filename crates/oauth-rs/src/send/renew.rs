//! One renewal, run.

use http::Request;
use tokio::time::timeout;

use super::failed::SignInFailed;
use super::options::Notice;
use super::shared::Shared;
use crate::client::Caller;
use crate::client::ExchangeFailed;
use crate::client::flow::{StoredGrant, prove};
use crate::client::refresh;
use crate::client::renewal::{Renewal, RenewalFailed, RenewalStep};
use crate::client::store::{MemoryStore, Standing, TokenStore, save};
use crate::client::token::{TokenKind, TokenResponse};
use crate::error_code::ErrorCode;

/// Gets other tokens in place of these, or finds out that there are none.
pub(super) async fn renew(shared: &Shared, used: &StoredGrant) -> Result<(), SignInFailed> {
    let alone = unshared(shared, used).await?;
    let store: &dyn TokenStore = match &alone {
        Some(alone) => alone,
        None => shared.seams.store.as_ref(),
    };
    let lease = shared.waits.lease;
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
                if let Ok(Some(kept)) = &loaded
                    && !shared.is_usable(&kept.grant)
                {
                    // Somebody with another key has signed in: their tokens are neither ours to use nor to send.
                    shared.end(Some(kept.grant.clone()));
                    return Ok(());
                }
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
                match timeout(at_most, exchange(shared, &grant)).await {
                    Ok(Ok(answer)) => renewal.handle_answer(answer, shared.now()),
                    Ok(Err(why)) => renewal.handle_lost(&why, shared.now()),
                    Err(_) => {
                        let why = format!("no answer in {} seconds", at_most.as_secs());
                        renewal.handle_lost(&why, shared.now());
                    }
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
                shared.note_unsaved(alone.is_some());
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

/// A store of our own for the tokens of a sign-in that the shared one did not take, and does not take now.
///
/// Nobody else has them, so nobody has to be kept from sending them.
async fn unshared(
    shared: &Shared,
    used: &StoredGrant,
) -> Result<Option<MemoryStore>, SignInFailed> {
    if !shared.is_unsaved() {
        return Ok(None);
    }
    let store = shared.seams.store.as_ref();
    let kept = shared
        .stored(store.load(&used.resource, &used.issuer))
        .await;
    if let Ok(kept) = kept {
        // What somebody else has put there may be newer than ours.
        if kept
            .as_ref()
            .is_some_and(|kept| kept.standing != Standing::Ended)
        {
            return Ok(None);
        }
        let read = kept.map(|kept| kept.version);
        let written = shared.stored(store.write(read, used, Standing::Good)).await;
        if written.is_ok() {
            return Ok(None);
        }
    }
    let alone = MemoryStore::new();
    let written = save(&alone, used).await;
    written.map_err(SignInFailed::Store)?;
    Ok(Some(alone))
}

/// What the token endpoint says; or why nothing came back.
async fn exchange(shared: &Shared, grant: &StoredGrant) -> Result<Answer, String> {
    let mut answer = once(shared, grant).await?;
    // RFC 9449 section 8: again with the nonce that the server wants, which has spent nothing; once.
    if let Err(reason) = &answer.0
        && reason.is(ErrorCode::UseDpopNonce)
        && answer.1
    {
        answer = once(shared, grant).await?;
    }
    Ok(answer.0)
}

type Answer = Result<TokenResponse, ExchangeFailed>;

/// One request, and whether its answer brought a new nonce.
async fn once(shared: &Shared, grant: &StoredGrant) -> Result<(Answer, bool), String> {
    let request = match request(shared, grant) {
        Ok(request) => request,
        Err(reason) => return Ok((Err(reason), false)),
    };
    let response = shared.seams.egress.send(request).await?;
    let new = shared.note_nonce(&grant.token_endpoint, response.headers());
    let answer = refresh::response(&response).and_then(|tokens| {
        // RFC 9449 section 5: what is bound stays bound, and what is not cannot be proven.
        if (tokens.kind == TokenKind::Dpop) == grant.dpop_jkt.is_some() {
            Ok(tokens)
        } else {
            Err(ExchangeFailed::Malformed("another token_type than before"))
        }
    });
    Ok((answer, new))
}

fn request(shared: &Shared, grant: &StoredGrant) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let token = grant.refresh_token.as_ref();
    let token = token.ok_or(ExchangeFailed::Malformed("no refresh token"))?;
    let (now, entropy) = (shared.now(), shared.seams.entropy.as_ref());
    let client = shared.client(grant);
    let caller = Caller {
        client: &client,
        issuer: &grant.issuer,
        now,
        entropy,
    };
    let (endpoint, resource) = (grant.token_endpoint.as_str(), grant.resource.as_str());
    let mut request = refresh::request(endpoint, &caller, token, resource)?;
    // RFC 9449 section 5: the refresh token of a public client is bound to the key as well.
    if let Some(key) = shared.key(grant) {
        let nonces = shared.nonces();
        prove(&mut request, key, &nonces, now, entropy)
            .map_err(|_| ExchangeFailed::Malformed("a proof that cannot be made"))?;
    }
    Ok(request)
}

impl From<RenewalFailed> for SignInFailed {
    fn from(reason: RenewalFailed) -> Self {
        Self::Renewal(reason)
    }
}
