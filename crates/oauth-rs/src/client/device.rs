//! Signing in on another device than the one that asks (RFC 8628).

use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::auth::Caller;
use super::exchange::{self, ExchangeFailed};
use super::token::{self, TokenResponse, is_token, lifetime};
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::is_endpoint;

/// The name of the grant.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The longest code that a person is asked to type; servers make them of eight characters and a hyphen.
pub const MAX_USER_CODE_CHARS: usize = 64;

/// The longest pause that lost answers lead to, since a person waits for it; what the server says goes first.
const MAX_INTERVAL: Duration = Duration::from_secs(300);

/// How a person is to sign in.
///
/// `Debug` shows neither of the codes.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the device asks with.
    pub device_code: Secret,
    /// What the person types; printable.
    pub user_code: Secret,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same address with the code in it, for a picture that a phone can read.
    pub verification_uri_complete: Option<Secret>,
    /// How long both codes are good.
    pub expires_in: Duration,
    /// The shortest pause between two questions.
    pub interval: Duration,
}

/// Asks for the codes.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    scope: Option<&ScopeSet>,
    resource: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    // RFC 8628 section 3.1: client_id is required whoever authenticates; RFC 8707 adds resource.
    let mut pairs = vec![
        ("client_id", caller.client.client_id.as_str()),
        ("resource", resource),
    ];
    let scope = exchange::scope_text(scope);
    pairs.extend(scope.as_deref().map(|scope| ("scope", scope)));
    caller.post("device authorization endpoint", endpoint, &pairs)
}

/// Reads the codes.
///
/// It decides, in this order: length and status; a well-formed object; codes that can be sent and
/// shown; addresses that are https or loopback http; a life and a pause that are numbers of seconds.
///
/// Does not check: where the address leads; the person sees it and decides.
///
/// # Errors
/// The first rule that does not hold.
pub fn response(response: &Response<Vec<u8>>) -> Result<Device, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent {
        device_code: String,
        user_code: String,
        verification_uri: String,
        verification_uri_complete: Option<String>,
        expires_in: f64,
        interval: Option<f64>,
    }
    let wanted = [StatusCode::OK];
    let sent: Sent = exchange::read(response, &wanted, "device authorization response")?;
    let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    let shown = (1..=MAX_USER_CODE_CHARS).contains(&sent.user_code.len());
    if !is_token(&sent.device_code) || !shown || !printable(&sent.user_code) {
        return Err(ExchangeFailed::Malformed("device_code or user_code"));
    }
    let complete = sent.verification_uri_complete;
    let addresses = complete.iter().chain([&sent.verification_uri]);
    if addresses.into_iter().any(|url| !is_endpoint(url)) {
        return Err(ExchangeFailed::Address("page for the code"));
    }
    // RFC 8628 section 3.2: without an interval clients MUST use 5 seconds.
    let interval = lifetime(sent.interval)?.unwrap_or(Duration::from_secs(5));
    Ok(Device {
        device_code: Secret::new(sent.device_code),
        user_code: Secret::new(sent.user_code),
        verification_uri: sent.verification_uri,
        verification_uri_complete: complete.map(Secret::new),
        expires_in: lifetime(Some(sent.expires_in))?.unwrap_or_default(),
        // A second is the least that time is counted in here; a part of one counts as all of it.
        interval: Duration::from_secs(interval.as_secs())
            .saturating_add(Duration::from_secs(u64::from(interval.subsec_nanos() > 0)))
            .max(Duration::from_secs(1)),
    })
}

/// Asks whether the person has signed in.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn poll_request(
    endpoint: &str,
    caller: &Caller<'_>,
    device_code: &Secret,
    resource: &str,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let pairs = [
        ("grant_type", GRANT_TYPE),
        ("device_code", device_code.expose()),
        // RFC 8628 section 3.4: client_id is required whoever does not authenticate otherwise.
        ("client_id", caller.client.client_id.as_str()),
        ("resource", resource),
    ];
    caller.post("token endpoint", endpoint, &pairs)
}

/// When to ask, and when to stop asking.
///
/// Specification: RFC 8628 section 3.5.
#[derive(Debug, Clone)]
pub struct Poller {
    interval: Duration,
    next: UnixSeconds,
    ends: UnixSeconds,
}

/// What to do about a sign-in that another device is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Send [`poll_request`] now.
    Ask,
    /// Wait until then.
    Wait(UnixSeconds),
    /// The codes have ended; begin anew.
    Expired,
}

impl Poller {
    /// Begins to count when the codes arrive.
    pub fn new(device: &Device, now: UnixSeconds) -> Self {
        Self {
            interval: device.interval,
            next: now.after(device.interval),
            ends: now.after(device.expires_in),
        }
    }

    /// What to do now.
    pub fn turn(&self, now: UnixSeconds) -> Turn {
        if now >= self.ends {
            Turn::Expired
        } else if now >= self.next {
            Turn::Ask
        } else {
            Turn::Wait(self.next)
        }
    }

    /// Reads the answer to a question: tokens, or none yet.
    ///
    /// # Errors
    /// The person refused, the codes have ended, or the server refused for another reason: asking again is of no use.
    pub fn handle_response(
        &mut self,
        response: &Response<Vec<u8>>,
        now: UnixSeconds,
    ) -> Result<Option<TokenResponse>, ExchangeFailed> {
        match token::response(response) {
            Ok(tokens) => return Ok(Some(tokens)),
            Err(reason) if reason.is(ErrorCode::AuthorizationPending) => {}
            // RFC 8628 section 3.5: 5 seconds more for this and all later questions.
            Err(reason) if reason.is(ErrorCode::SlowDown) => {
                self.interval = self.interval.saturating_add(Duration::from_secs(5));
            }
            Err(reason) => return Err(reason),
        }
        self.next = now.after(self.interval);
        Ok(None)
    }

    /// Takes in that a question brought no answer.
    pub fn handle_failure(&mut self, now: UnixSeconds) {
        // RFC 8628 section 3.5: after a timeout the client MUST ask less often, twice as slowly.
        let slower = self.interval.saturating_mul(2).min(MAX_INTERVAL);
        self.interval = self.interval.max(slower);
        self.next = now.after(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::auth::tests::{caller, issuer};

    const GOOD: &str = r#"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://as.example/device","verification_uri_complete":"https://as.example/device?user_code=WDJB-MJHT","expires_in":60,"interval":7}"#;

    fn read(body: &str) -> Result<Device, ExchangeFailed> {
        response(&Response::new(body.as_bytes().to_vec()))
    }

    fn refusal(code: &str) -> Response<Vec<u8>> {
        let body = format!(r#"{{"error":"{code}"}}"#);
        Response::builder().status(400).body(body.into()).unwrap()
    }

    #[test]
    fn what_is_sent() {
        let client = Client::public("c");
        let issuer = issuer();
        let caller = caller(&client, &issuer);
        let scope = ScopeSet::parse("a b").unwrap();
        let url = "https://as.example/device";
        let begin = request(url, &caller, Some(&scope), "https://rs.example").unwrap();
        assert_eq!(
            begin.body(),
            b"client_id=c&resource=https%3A%2F%2Frs.example&scope=a+b"
        );
        let code = Secret::new("d");
        let poll = poll_request(url, &caller, &code, "https://rs.example").unwrap();
        assert_eq!(
            std::str::from_utf8(poll.body()).unwrap(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d&client_id=c&resource=https%3A%2F%2Frs.example"
        );
    }

    #[test]
    fn reading_the_codes() {
        let device = read(GOOD).unwrap();
        assert!(device.user_code.ct_eq("WDJB-MJHT"));
        assert_eq!(device.interval, Duration::from_secs(7));
        assert!(!format!("{device:?}").contains("WDJB"));
        let unsaid = read(&GOOD.replace(r#","interval":7"#, "")).unwrap();
        assert_eq!(unsaid.interval, Duration::from_secs(5));
        let hasty = read(&GOOD.replace(r#""interval":7"#, r#""interval":0"#)).unwrap();
        assert_eq!(hasty.interval, Duration::from_secs(1));
        for (from, to) in [
            (r#""device_code":"d","#, ""),
            (r#""device_code":"d""#, r#""device_code":"""#),
            (r#""user_code":"WDJB-MJHT""#, r#""user_code":"""#),
            (r#""user_code":"WDJB-MJHT""#, r#""user_code":"\u001b[2J""#),
            (r#""user_code":"WDJB-MJHT""#, r#""user_code":"\u202e1""#),
            ("https://as.example/device\"", "javascript:x\""),
            ("https://as.example/device?", "http://as.example/device?"),
            (r#""expires_in":60"#, r#""expires_in":-1"#),
            (r#""interval":7"#, r#""interval":-7"#),
        ] {
            let bad = GOOD.replacen(from, to, 1);
            assert_ne!(bad, GOOD);
            assert!(read(&bad).is_err(), "{bad}");
        }
        let long = GOOD.replace("WDJB-MJHT", &"A".repeat(MAX_USER_CODE_CHARS + 1));
        assert!(read(&long).is_err());
    }

    #[test]
    fn asking_goes_at_the_pace_of_the_server() {
        let at = UnixSeconds;
        let mut poller = Poller::new(&read(GOOD).unwrap(), at(100));
        assert_eq!(poller.turn(at(106)), Turn::Wait(at(107)));
        assert_eq!(poller.turn(at(107)), Turn::Ask);
        let pending = refusal("authorization_pending");
        assert!(poller.handle_response(&pending, at(107)).unwrap().is_none());
        assert_eq!(poller.turn(at(107)), Turn::Wait(at(114)));
        let slow = refusal("slow_down");
        assert!(poller.handle_response(&slow, at(114)).unwrap().is_none());
        assert_eq!(poller.turn(at(114)), Turn::Wait(at(126)));
        // It stays that slow.
        assert!(poller.handle_response(&pending, at(126)).unwrap().is_none());
        assert_eq!(poller.turn(at(126)), Turn::Wait(at(138)));
        let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
        let tokens = poller.handle_response(&Response::new(tokens.into()), at(138));
        assert!(tokens.unwrap().unwrap().access_token.ct_eq("a"));
        assert_eq!(poller.turn(at(159)), Turn::Ask);
        assert_eq!(poller.turn(at(160)), Turn::Expired);
    }

    #[test]
    fn nobody_asks_more_often_than_the_server_said() {
        let slow = GOOD
            .replace(r#""interval":7"#, r#""interval":400.5"#)
            .replace(r#""expires_in":60"#, r#""expires_in":4000"#);
        let at = UnixSeconds;
        let mut poller = Poller::new(&read(&slow).unwrap(), at(0));
        assert_eq!(poller.turn(at(0)), Turn::Wait(at(401)));
        // A lost answer makes it no faster either.
        poller.handle_failure(at(401));
        assert_eq!(poller.turn(at(401)), Turn::Wait(at(802)));
        let slower = refusal("slow_down");
        assert!(poller.handle_response(&slower, at(802)).unwrap().is_none());
        assert_eq!(poller.turn(at(802)), Turn::Wait(at(1208)));
    }

    #[test]
    fn what_ends_it_and_what_slows_it() {
        let mut poller = Poller::new(&read(GOOD).unwrap(), UnixSeconds(0));
        for code in ["access_denied", "expired_token", "invalid_client", "new"] {
            let ended = poller.handle_response(&refusal(code), UnixSeconds(7));
            assert!(ended.is_err(), "{code}");
        }
        for (now, next) in [(7, 21), (21, 49)] {
            poller.handle_failure(UnixSeconds(now));
            assert_eq!(poller.turn(UnixSeconds(now)), Turn::Wait(UnixSeconds(next)));
        }
        for _ in 0..40 {
            poller.handle_failure(UnixSeconds(49));
        }
        assert_eq!(poller.turn(UnixSeconds(49)), Turn::Wait(UnixSeconds(349)));
    }
}
