//! The authorization request: what is asked for, and where the browser goes.

use http::{Request, Response};

use super::FlowFailed;
use super::machine::{Flow, MAX_ATTEMPTS};
use super::state::{Found, SignIn, State};
use crate::client::auth::Caller;
use crate::client::authorize::{self, Pending};
use crate::client::push;
use crate::entropy::Entropy;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// The scope that asks for a refresh token (OpenID Connect Core section 11).
const OFFLINE_ACCESS: &str = "offline_access";

impl Flow {
    pub(super) fn prepare(&mut self, e: &dyn Entropy) {
        let State::Prepare(mut found, client) = std::mem::replace(&mut self.state, State::Start)
        else {
            return;
        };
        // RFC 8705 section 5: a client that presents a certificate uses the endpoints for that.
        if client.auth.is_tls() {
            found.server = found.server.for_mutual_tls();
        }
        if self.attempts >= MAX_ATTEMPTS {
            self.state = State::Failed(FlowFailed::TooManyAttempts);
            return;
        }
        self.attempts += 1;
        let key = match self.key_for(&found) {
            Ok(key) => key,
            Err(reason) => {
                self.state = State::Failed(reason);
                return;
            }
        };
        let mut pending = Pending::new(
            e,
            found.issuer.clone(),
            found.server.authorization_response_iss_parameter_supported,
            self.options.redirect_uri.clone(),
            self.scope(&found),
        );
        pending.authentication = self.authentication.clone();
        // RFC 9449 section 10: the code is of no use without the key.
        pending.dpop_jkt = key.as_ref().map(|key| key.kid().to_owned());
        let sign_in = Box::new(SignIn {
            found: *found,
            client,
            pending,
            key,
        });
        self.state = self.started(sign_in).unwrap_or_else(State::Failed);
    }

    fn started(&self, sign_in: Box<SignIn>) -> Result<State, FlowFailed> {
        let server = &sign_in.found.server;
        // Asking the person to sign in is pointless where the code could not be redeemed.
        if server.token_endpoint.is_none() {
            return Err(FlowFailed::NoEndpoint("token_endpoint"));
        }
        let endpoint = server.authorization_endpoint.as_deref();
        let endpoint = endpoint.ok_or(FlowFailed::NoEndpoint("authorization_endpoint"))?;
        // RFC 9126 section 5: a server that demands it refuses every other request.
        let demanded = server.require_pushed_authorization_requests;
        let offered = server.pushed_authorization_request_endpoint.is_some();
        if demanded && !offered {
            let missing = "pushed_authorization_request_endpoint";
            return Err(FlowFailed::NoEndpoint(missing));
        }
        if demanded || (offered && self.options.profile.pushes()) {
            return Ok(State::Push(sign_in));
        }
        let resource = sign_in.found.target.resource.as_str();
        let url = authorize::url(
            endpoint,
            &sign_in.client.client_id,
            resource,
            &sign_in.pending,
        )
        .map_err(FlowFailed::Authorization)?;
        Ok(State::Away {
            sign_in,
            url: Secret::new(url),
        })
    }

    pub(super) fn push_request(
        sign_in: &SignIn,
        now: UnixSeconds,
        e: &dyn Entropy,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        let server = &sign_in.found.server;
        let endpoint = server.pushed_authorization_request_endpoint.as_deref();
        let missing = FlowFailed::NoEndpoint("pushed_authorization_request_endpoint");
        let caller = Caller {
            client: &sign_in.client,
            issuer: &sign_in.found.issuer,
            now,
            entropy: e,
        };
        let resource = sign_in.found.target.resource.as_str();
        push::request(
            endpoint.ok_or(missing)?,
            &caller,
            resource,
            &sign_in.pending,
        )
        .map_err(FlowFailed::Authorization)
    }

    pub(super) fn pushed(sign_in: Box<SignIn>, response: &Response<Vec<u8>>) -> State {
        let endpoint = sign_in.found.server.authorization_endpoint.as_deref();
        let url = push::response(response).and_then(|pushed| {
            push::url(
                endpoint.unwrap_or_default(),
                &sign_in.client.client_id,
                &pushed,
            )
        });
        match url {
            Ok(url) => State::Away {
                sign_in,
                url: Secret::new(url),
            },
            Err(reason) => State::Failed(FlowFailed::Authorization(reason)),
        }
    }

    /// Takes the query in with which the browser came back.
    ///
    /// A query with a wrong `state` changes nothing; the next step is to wait again.
    pub fn handle_callback(&mut self, query: &str) {
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Away { sign_in, url } => match authorize::response(query, &sign_in.pending) {
                Ok(code) => State::Redeem { sign_in, code },
                Err(authorize::CallbackRefused::State) => State::Away { sign_in, url },
                Err(reason) => State::Failed(FlowFailed::Callback(reason)),
            },
            State::Failed(reason) => State::Failed(reason),
            _ => State::Failed(FlowFailed::Unexpected),
        };
    }

    // MCP 2026-07-28: the challenge's scope, else all that the resource supports, else none.
    fn scope(&self, found: &Found) -> Option<ScopeSet> {
        let without_offline = |scope: &ScopeSet| {
            let rest = scope.iter().filter(|token| *token != OFFLINE_ACCESS);
            ScopeSet::from_tokens(rest).ok()
        };
        let supported = || ScopeSet::from_tokens(&found.target.scopes_supported).ok();
        // What the program asks for is its own choice.
        let chosen = self.stepped_up.is_none();
        let chosen = self.options.scope.clone().filter(|_| chosen);
        let scope = chosen
            .or_else(|| {
                // A resource has no say in refresh tokens: whatever it lists, the server decides.
                let named = self
                    .stepped_up
                    .clone()
                    .or_else(|| self.challenged_scope.clone());
                named.or_else(supported).as_ref().and_then(without_offline)
            })
            .filter(|scope| !scope.is_empty())?;
        // MCP 2026-07-28: offline_access may be added only where the server lists it.
        let supported = &found.server.scopes_supported;
        let listed = supported.iter().any(|scope| scope == OFFLINE_ACCESS);
        let more = scope.iter().chain(listed.then_some(OFFLINE_ACCESS));
        // Where there is no room for it, the rest is what matters.
        Some(ScopeSet::from_tokens(more).unwrap_or_else(|_| scope.clone()))
    }
}
