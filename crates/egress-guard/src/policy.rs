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
    ports: Vec<u16>,
    loopback: bool,
}

impl Policy {
    /// `https` on port 443 to public addresses; for URLs that outsiders choose.
    pub fn strict() -> Self {
        Self {
            ports: vec![443],
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
        self.ports.push(port);
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
        let port = port(uri, authority.strip_prefix(text), default_port)?;
        let violation = if scheme != "https" {
            Some(forbidden_scheme(scheme))
        } else if !self.ports.contains(&port) {
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

/// The port, where one that is written but is no port (`99999`) counts as 0 and is refused.
fn port(uri: &Uri, after_host: Option<&str>, default: u16) -> Result<u16, EgressError> {
    match (uri.port_u16(), after_host) {
        (Some(port), _) if port != 0 => Ok(port),
        // RFC 3986 section 3.2.3: an absent or empty port means the default one.
        (None, Some("" | ":")) => Ok(default),
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
mod tests {
    use std::net::IpAddr;

    use http::Uri;

    use super::Policy;

    /// What the policy makes of a URL whose host, if it is a name, has these addresses.
    fn decide(policy: &Policy, url: &str, answers: &[&str]) -> Result<Vec<String>, String> {
        let uri: Uri = url.parse().map_err(|_| "does not parse".to_owned())?;
        let target = policy.target(&uri).map_err(|e| e.to_string())?;
        let answers: Vec<IpAddr> = match target.host {
            crate::host::Host::Address(address) => vec![address],
            crate::host::Host::Name(_) => answers.iter().map(|a| a.parse().unwrap()).collect(),
        };
        let admitted = policy.admit(&target, &answers).map_err(|e| e.to_string())?;
        Ok(admitted.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn strict_reaches_public_https_on_443() {
        let policy = Policy::strict();
        for url in [
            "https://a.example/x?y",
            "https://a.example:443/",
            "https://a.example:/",
        ] {
            let got = decide(&policy, url, &["8.8.8.8"]);
            assert_eq!(got, Ok(vec!["8.8.8.8:443".to_owned()]), "{url}");
        }
        assert_eq!(
            decide(&policy, "https://[2606:4700::1]/", &[]),
            Ok(vec!["[2606:4700::1]:443".to_owned()])
        );
    }

    #[test]
    fn strict_refuses_each_mutation_of_the_url() {
        let policy = Policy::strict();
        for (url, why) in [
            ("http://a.example/", "the scheme \"http\" is not allowed"),
            ("ftp://a.example/", "the scheme \"ftp\" is not allowed"),
            ("/only/a/path", "the scheme \"\" is not allowed"),
            ("a.example:443", "the scheme \"\" is not allowed"),
            ("https://a.example:444/", "port 444 is not allowed"),
            ("https://a.example:80/", "port 80 is not allowed"),
            ("https://a.example:0/", "port 0 is not allowed"),
            ("https://a.example:65536/", "port 0 is not allowed"),
            ("https://a.example:99999/", "port 0 is not allowed"),
            ("https://8.8.8.8:99999/", "port 0 is not allowed"),
            ("https://[2606:4700::1]:99999/", "port 0 is not allowed"),
            ("https://user@a.example/", "the address carries credentials"),
            (
                "https://user:pw@a.example/",
                "the address carries credentials",
            ),
            (
                "https://8.8.8.8@127.0.0.1/",
                "the address carries credentials",
            ),
            ("https://127.1/", "\"127.1\" is not a host"),
            ("https://2130706433/", "\"2130706433\" is not a host"),
            ("https://0x7f000001/", "\"0x7f000001\" is not a host"),
            ("https://0177.0.0.1/", "\"0177.0.0.1\" is not a host"),
        ] {
            let got = decide(&policy, url, &["8.8.8.8"]);
            assert_eq!(got, Err(why.to_owned()), "{url}");
        }
    }

    #[test]
    fn literals_are_judged_without_a_resolver() {
        let policy = Policy::strict();
        for (url, address, why) in [
            ("https://127.0.0.1/", "127.0.0.1", "loopback"),
            ("https://169.254.169.254/", "169.254.169.254", "link-local"),
            ("https://[::1]/", "::1", "loopback"),
            (
                "https://[::ffff:169.254.169.254]/",
                "::ffff:169.254.169.254",
                "IPv4 mapped into IPv6",
            ),
            (
                "https://[::ffff:a9fe:a9fe]/",
                "::ffff:169.254.169.254",
                "IPv4 mapped into IPv6",
            ),
            ("https://[64:ff9b::7f00:1]/", "64:ff9b::7f00:1", "NAT64"),
            ("https://[2002:7f00:1::]/", "2002:7f00:1::", "6to4"),
        ] {
            let got = decide(&policy, url, &[]).unwrap_err();
            assert!(
                got.ends_with(&format!("is at {address}, which is {why}")),
                "{url}: {got}"
            );
        }
    }

    #[test]
    fn a_name_is_judged_by_every_answer() {
        let policy = Policy::strict();
        let url = "https://a.example/";
        assert_eq!(
            decide(&policy, url, &["127.0.0.1"]),
            Err("\"a.example\" is at 127.0.0.1, which is loopback".to_owned())
        );
        assert_eq!(
            decide(&policy, url, &["10.0.0.1", "::1"]),
            Err("\"a.example\" is at 10.0.0.1, which is private".to_owned())
        );
        // Mixed: what is forbidden is dropped, in whatever place it stands.
        for answers in [["10.0.0.1", "8.8.8.8"], ["8.8.8.8", "10.0.0.1"]] {
            assert_eq!(
                decide(&policy, url, &answers),
                Ok(vec!["8.8.8.8:443".to_owned()])
            );
        }
        assert_eq!(
            decide(&policy, url, &[]),
            Err("\"a.example\" has no address".to_owned())
        );
    }

    #[test]
    fn answers_past_the_sixteenth_are_not_looked_at() {
        let mut answers = vec!["10.0.0.1"; 16];
        answers.push("8.8.8.8");
        assert!(decide(&Policy::strict(), "https://a.example/", &answers).is_err());
    }

    #[test]
    fn an_operator_may_add_a_port_for_https_only() {
        let policy = Policy::strict().with_port(8443);
        assert!(decide(&policy, "https://a.example:8443/", &["8.8.8.8"]).is_ok());
        assert!(decide(&policy, "http://a.example:8443/", &["8.8.8.8"]).is_err());
        assert!(decide(&policy, "https://a.example:8443/", &["127.0.0.1"]).is_err());
    }

    #[test]
    fn the_loopback_exception_opens_loopback_and_nothing_else() {
        let policy = Policy::dangerous_allow_loopback();
        for url in [
            "http://127.0.0.1:3001/x",
            "https://127.0.0.2:8443/",
            "http://[::1]:1/",
            "http://127.0.0.1/",
        ] {
            assert!(decide(&policy, url, &[]).is_ok(), "{url}");
        }
        assert!(decide(&policy, "http://localhost:3001/", &["127.0.0.1"]).is_ok());
        assert!(decide(&policy, "https://a.example/", &["8.8.8.8"]).is_ok());
        for (url, answers, why) in [
            (
                "http://a.example/",
                &["8.8.8.8"][..],
                "the scheme \"http\" is not allowed",
            ),
            (
                "http://a.example:3000/",
                &["8.8.8.8"],
                "the scheme \"http\" is not allowed",
            ),
            (
                "https://a.example:3000/",
                &["8.8.8.8"],
                "port 3000 is not allowed",
            ),
            (
                "http://a.example/",
                &["10.0.0.1"],
                "\"a.example\" is at 10.0.0.1, which is private",
            ),
            (
                "http://[::ffff:127.0.0.1]:1/",
                &[],
                "\"[::ffff:127.0.0.1]\" is at ::ffff:127.0.0.1, which is IPv4 mapped into IPv6",
            ),
            (
                "http://0.0.0.0:1/",
                &[],
                "\"0.0.0.0\" is at 0.0.0.0, which is unspecified",
            ),
            (
                "http://u@127.0.0.1:1/",
                &[],
                "the address carries credentials",
            ),
            ("ws://127.0.0.1:1/", &[], "the scheme \"ws\" is not allowed"),
            ("http://127.0.0.1:0/", &[], "port 0 is not allowed"),
            ("http://127.0.0.1:65537/", &[], "port 0 is not allowed"),
        ] {
            assert_eq!(decide(&policy, url, answers), Err(why.to_owned()), "{url}");
        }
        // Of a mixed answer only the loopback address is used for what only loopback may do.
        assert_eq!(
            decide(&policy, "http://a.example:3000/", &["8.8.8.8", "127.0.0.1"]),
            Ok(vec!["127.0.0.1:3000".to_owned()])
        );
    }
}
