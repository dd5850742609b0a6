//! Which URLs and which addresses may be reached: pure decisions, no lookup.

use std::net::{IpAddr, SocketAddr};

use http::Uri;

use crate::address::{self, Range};
use crate::error::EgressError;
use crate::host::Host;

/// What a client may reach.
///
/// There is one client, with one pool of connections, for each policy: a pool finds connections
/// by scheme, host and port, so one opened under a lax policy must never serve a strict one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For `https`; none means any.
    ports: Option<Vec<u16>>,
    private: bool,
    loopback: bool,
}

impl Policy {
    /// `https` on port 443 to public addresses; for URLs that outsiders choose.
    pub fn strict() -> Self {
        Self {
            ports: Some(vec![443]),
            private: false,
            loopback: false,
        }
    }

    /// `https` on any port to public and private addresses; for URLs that the operator wrote down.
    ///
    /// Private are `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, `100.64.0.0/10` and `fc00::/7`. Loopback,
    /// link-local and the metadata services of clouds stay forbidden.
    ///
    /// # Security
    ///
    /// A URL that came from outside, even one found in a document of a host that the operator wrote down, belongs to a
    /// client of the [`strict`](Self::strict) policy.
    pub fn configured() -> Self {
        Self {
            ports: None,
            private: true,
            loopback: false,
        }
    }

    /// What [`strict`](Self::strict) allows, and loopback addresses over plain `http` and on any
    /// port; for tests and for a development server that only this machine can reach.
    ///
    /// # Security
    ///
    /// Everything that listens on this machine's loopback addresses can be reached by whoever
    /// chooses the URL: databases, debuggers, other people's development servers.
    /// The caller takes that over, and should log once at start that the policy is in use.
    /// Only `127.0.0.0/8` and `::1` count; other spellings of them stay forbidden.
    pub fn dangerous_allow_loopback() -> Self {
        Self {
            loopback: true,
            ..Self::strict()
        }
    }

    /// The same policy with one more port for `https`; for an operator who has named it.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        if let Some(ports) = &mut self.ports {
            ports.push(port);
        }
        self
    }

    /// Checks everything about a URL that can be checked before a lookup.
    pub(crate) fn target(&self, uri: &Uri) -> Result<Target, EgressError> {
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |a| a.as_str());
        refuse_credentials(authority)?;
        let default_port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return Err(forbidden_scheme(scheme)),
        };
        let text = uri.host().unwrap_or_default();
        let Some(host) = Host::parse(text) else {
            let host = text.chars().take(80).collect();
            return Err(EgressError::Host { host });
        };
        let after_host = authority.strip_prefix(text).unwrap_or(authority);
        let port = port(after_host, default_port)?;
        let violation = if scheme != "https" {
            Some(forbidden_scheme(scheme))
        } else if self
            .ports
            .as_ref()
            .is_some_and(|ports| !ports.contains(&port))
        {
            Some(EgressError::Port { port })
        } else {
            None
        };
        match violation {
            // Whether the address is a loopback one is known after the lookup.
            Some(violation) if !self.loopback => Err(violation),
            only_loopback => Ok(Target {
                text: text.to_owned(),
                host,
                port,
                only_loopback,
            }),
        }
    }

    /// Judges one address of a target.
    pub(crate) fn judge(&self, target: &Target, address: IpAddr) -> Result<(), EgressError> {
        match address::forbidden(address) {
            Some(Range::Loopback) if self.loopback => Ok(()),
            Some(Range::Private | Range::Shared | Range::UniqueLocal) if self.private => Ok(()),
            Some(range) => Err(EgressError::ForbiddenAddress {
                host: target.text.clone(),
                address,
                range,
            }),
            None => target.only_loopback.clone().map_or(Ok(()), Err),
        }
    }

    /// The addresses that may be connected to, in the order of the answer; the others are dropped.
    ///
    /// Refused with the first address's reason if none remains.
    pub(crate) fn admit(
        &self,
        target: &Target,
        answers: &[IpAddr],
    ) -> Result<Vec<SocketAddr>, EgressError> {
        let mut admitted = Vec::new();
        let mut refusal = None;
        for address in answers.iter().copied().take(MAX_ANSWERS) {
            match self.judge(target, address) {
                Ok(()) => admitted.push(SocketAddr::new(address, target.port)),
                Err(why) => {
                    refusal.get_or_insert(why);
                }
            }
        }
        if !admitted.is_empty() {
            return Ok(admitted);
        }
        Err(refusal.unwrap_or_else(|| EgressError::NotFound {
            host: target.text.clone(),
        }))
    }
}

/// A URL's host and port after the checks that need no lookup.
#[derive(Debug)]
pub(crate) struct Target {
    /// The host as written, for messages.
    pub(crate) text: String,
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// What is wrong with the URL unless the address turns out to be a loopback one.
    only_loopback: Option<EgressError>,
}

/// User information is a way to make one host look like another, and a secret in a URL.
// RFC 9110 section 4.2.4: treat it as an error in a reference from an untrusted source.
fn refuse_credentials(authority: &str) -> Result<(), EgressError> {
    if authority.contains('@') {
        return Err(EgressError::Credentials);
    }
    Ok(())
}

/// The port that is written behind the host. What is no port (`99999`, `+443`), or stands between the two, counts as 0 and
/// is refused.
fn port(after_host: &str, default: u16) -> Result<u16, EgressError> {
    // RFC 3986 section 3.2.3: an absent or empty port means the default one.
    if matches!(after_host, "" | ":") {
        return Ok(default);
    }
    let digits = after_host.strip_prefix(':').unwrap_or_default();
    let digits = digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits);
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(port) if port != 0 => Ok(port),
        _ => Err(EgressError::Port { port: 0 }),
    }
}

fn forbidden_scheme(scheme: &str) -> EgressError {
    EgressError::Scheme {
        scheme: scheme.chars().take(20).collect(),
    }
}

/// Addresses of one name that are looked at; a real name has fewer.
const MAX_ANSWERS: usize = 16;

#[cfg(test)]
mod spellings;
#[cfg(test)]
mod tests;
