//! Addresses, parameters, challenges and scopes.

use http::{HeaderMap, HeaderValue};
use oauth_rs::challenge::{Challenge, MAX_CHALLENGE_PARAMS, MAX_CHALLENGES};
use oauth_rs::params::{MAX_PARAMS, Params, encode};
use oauth_rs::scope::{MAX_SCOPE_BYTES, MAX_SCOPE_TOKENS, ScopeSet};
use oauth_rs::uri::{
    ClientIdUrl, Issuer, MAX_URI_BYTES, RedirectUri, ResourceId, TargetUri, is_endpoint,
    is_endpoint_of,
};

/// Challenges: bounded, and what is read is written as a header that is read as the same.
pub fn challenge(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append("www-authenticate", value);
        }
    }
    let all = Challenge::all_of(&headers);
    assert!(all.len() <= MAX_CHALLENGES);
    for read in &all {
        assert!(!read.scheme().is_empty());
        assert!(read.params().count() <= MAX_CHALLENGE_PARAMS);
        assert!(read.token68().is_none() || read.params().count() == 0);
        let written = read.to_string();
        assert!(HeaderValue::from_bytes(written.as_bytes()).is_ok());
        // Quotes are added, so that the longest may become too long to be read.
        if let Ok(again) = Challenge::parse_all(&written) {
            assert_eq!(again, std::slice::from_ref(read), "{written:?}");
        } else {
            assert!(data.len() > 1024, "{written:?}");
        }
        if let Some(scope) = read.scope() {
            assert!(!scope.is_empty());
        }
        for (name, value) in read.params() {
            assert_eq!(read.get(&name.to_ascii_uppercase()), Some(value));
            // Whatever is told to others as a parameter makes one.
            let built = Challenge::new("Bearer").param(name, value);
            let told = Challenge::parse_all(&built.to_string());
            assert!(told.is_ok_and(|told| told == [built]) || data.len() > 1024);
        }
    }
}

/// Forms: bounded, no name twice but those that may repeat, and what is read is written and read as the same.
pub fn form(data: &[u8]) {
    let repeatable = ["resource", "audience"];
    let Ok(params) = Params::parse_form(data, &repeatable) else {
        return;
    };
    let pairs: Vec<(&str, &str)> = params.iter().collect();
    assert!(pairs.len() <= MAX_PARAMS);
    for (name, value) in &pairs {
        assert!(!value.is_empty());
        let times = params.all(name).count();
        assert!(times == 1 || repeatable.contains(name), "{name:?}");
        assert!(params.get(name).is_some());
    }
    let written = encode(&pairs);
    assert!(written.bytes().all(|b| b.is_ascii_graphic()));
    // Percent signs are added, so that the longest may become too long to be read.
    if let Ok(again) = Params::parse_query(&written, &repeatable) {
        assert_eq!(again.iter().collect::<Vec<_>>(), pairs);
    } else {
        assert!(data.len() > 5 * 1024);
    }
    // Another reader of forms sees the same.
    let other = url::form_urlencoded::parse(written.as_bytes());
    let other: Vec<(String, String)> = other.into_owned().collect();
    let own = pairs
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    assert_eq!(other, own.collect::<Vec<_>>());
}

/// Redirect addresses: the text is kept, the comparison is one, and nothing but the port of loopback may differ.
pub fn redirect(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (one, other) = text.split_once('\n').unwrap_or((text, text));
    let Ok(one) = RedirectUri::parse(one) else {
        return;
    };
    address(&one);
    let Ok(other) = RedirectUri::parse(other) else {
        return;
    };
    address(&other);
    let same = one.same_but_loopback_port(&other);
    assert_eq!(same, other.same_but_loopback_port(&one));
    if one.same_but_loopback_address_port(&other) {
        assert!(same);
    }
    if one == other {
        assert!(same && one.same_but_loopback_address_port(&other));
    } else if same {
        assert!(one.is_loopback() && other.is_loopback());
        assert_eq!(one.host(), other.host());
        assert_eq!(without_port(&one), without_port(&other));
    }
}

fn address(uri: &RedirectUri) {
    assert!(uri.as_str().len() <= MAX_URI_BYTES);
    assert!(uri.same_but_loopback_port(uri));
    assert!(!uri.as_str().contains('#'));
    let sent = uri.with_params(&[("code", "a b&c"), ("state", "\u{e9}")]);
    assert!(sent.starts_with(uri.as_str()));
    let added = "code=a+b%26c&state=%C3%A9";
    assert!(sent.ends_with(added) && sent.split_once('?').is_some());
    // Wherever a browser takes it, that is where we say it leads.
    if matches!(uri.scheme(), "http" | "https") {
        assert!(is_endpoint(uri.as_str()));
        let host = uri.host().unwrap_or_default();
        if !host.to_ascii_lowercase().contains("xn--") {
            let browser = url::Url::parse(uri.as_str()).expect("what is read here is an address");
            assert_eq!(browser.host_str(), Some(host.to_ascii_lowercase().as_str()));
            assert_eq!(browser.scheme(), uri.scheme());
            assert_eq!((browser.username(), browser.password()), ("", None));
        }
    }
}

fn without_port(uri: &RedirectUri) -> String {
    let host = uri.host().unwrap_or_default();
    let after = uri.as_str().split_once(host).map_or("", |(_, after)| after);
    after
        .trim_start_matches(':')
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .to_owned()
}

/// The other addresses: the text is kept, and what is made of one is one again.
pub fn uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(issuer) = Issuer::parse(text) {
        assert_eq!(issuer.as_str(), text);
        assert!(is_endpoint(text) && !text.contains(['?', '#']));
        for url in issuer.metadata_urls() {
            // The well-known path comes on top of the longest issuer.
            assert!(
                is_endpoint_of(&url, text) || url.len() > MAX_URI_BYTES,
                "{url}"
            );
        }
    }
    if let Ok(resource) = ResourceId::parse(text) {
        assert_eq!(resource.as_str(), text);
        assert!(resource.covers(text));
        for url in [resource.metadata_url(), resource.root_metadata_url()] {
            assert!(
                is_endpoint_of(&url, text) || url.len() > MAX_URI_BYTES,
                "{url}"
            );
        }
        let canonical = ResourceId::canonical(text).expect("what is an identifier has a form");
        assert!(canonical.covers(text) && resource.covers(canonical.as_str()));
    }
    if let Ok(canonical) = ResourceId::canonical(text) {
        assert_eq!(ResourceId::parse(canonical.as_str()), Ok(canonical.clone()));
        assert_eq!(ResourceId::canonical(canonical.as_str()), Ok(canonical));
    }
    if let Ok(id) = ClientIdUrl::parse(text) {
        assert_eq!(id.as_str(), text);
        assert!(ClientIdUrl::is_meant(text) && !id.host().is_empty());
        assert_eq!(ClientIdUrl::dangerous_parse_with_loopback(text), Ok(id));
    }
    if let Ok(target) = TargetUri::parse(text) {
        assert_eq!(TargetUri::parse(target.as_str()), Ok(target.clone()));
        assert!(!target.as_str().contains(['?', '#']));
    }
}

/// Scopes: bounded, each token once, and what is read is written and read as the same.
pub fn scope(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    let (Ok(one), Ok(other)) = (ScopeSet::parse(one), ScopeSet::parse(other)) else {
        return;
    };
    for set in [&one, &other] {
        let written = set.to_string();
        assert!(set.len() <= MAX_SCOPE_TOKENS && written.len() <= MAX_SCOPE_BYTES);
        assert_eq!(ScopeSet::parse(&written).as_ref(), Ok(set));
    }
    let (union, both) = (one.union(&other), one.intersection(&other));
    for set in [&one, &other] {
        assert!(set.is_subset_of(&union) && both.is_subset_of(set));
    }
    assert_eq!(union.len() + both.len(), one.len() + other.len());
    assert_eq!(one.is_subset_of(&other), both.len() == one.len());
}
