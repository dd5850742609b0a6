//! Decisions about URLs and answers, as tables.

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
        // What others may take for another host, and what only a parser of numbers takes for a port.
        (
            "https://[2606:4700::1].a.example:443/",
            "port 0 is not allowed",
        ),
        ("https://[2606:4700::1]443/", "port 0 is not allowed"),
        ("https://a.example:+443/", "port 0 is not allowed"),
        ("https://[2606:4700::1]:+443/", "port 0 is not allowed"),
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
