//! Where a request belongs in somebody's trace: the keys `traceparent`, `tracestate` and `baggage` of `_meta`.
//!
//! Read by the rules of W3C Trace Context and W3C Baggage: what breaks them is as good as absent, and never an error.
//!
//! Specification: MCP 2026-07-28, overview, `_meta`; MCP-META-06; W3C Trace Context, 3.2 and 3.3; W3C Baggage, 3.

use std::borrow::Cow;

use serde_json::Value;

use crate::types::Meta;

/// The key of where the request comes from.
pub const PARENT: &str = "traceparent";
/// The key of what tracing systems add.
pub const STATE: &str = "tracestate";
/// The key of what the caller adds.
pub const BAGGAGE: &str = "baggage";

/// W3C Trace Context 3.3.1.5: at least so many characters are passed on, and we pass on no more.
pub const MAX_STATE_BYTES: usize = 512;
/// W3C Trace Context 3.3.1: at most so many entries.
pub const MAX_STATE_ENTRIES: usize = 32;
/// W3C Baggage 3.3.2: so many bytes are passed on, and no more.
pub const MAX_BAGGAGE_BYTES: usize = 8192;
/// W3C Baggage 3.3.2: so many entries are passed on, and no more.
pub const MAX_BAGGAGE_ENTRIES: usize = 64;

/// A trace context that follows the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    parent: Option<String>,
    state: Option<String>,
    baggage: Option<String>,
}

impl Trace {
    /// Reads what follows the rules, and leaves out the rest.
    ///
    /// A state without a parent means nothing and is left out; baggage stands by itself.
    #[must_use]
    pub fn read<'a>(get: impl Fn(&str) -> Option<Cow<'a, str>>) -> Self {
        let text = |key: &str, good: fn(&str) -> bool| {
            let text = get(key)?;
            good(&text).then(|| text.into_owned())
        };
        let parent = text(PARENT, is_parent);
        let state = parent.as_ref().and_then(|_| text(STATE, is_state));
        let baggage = text(BAGGAGE, is_baggage);
        Trace {
            parent,
            state,
            baggage,
        }
    }

    /// Where the request comes from.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// What tracing systems added.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// What the caller added. It comes from a peer: it proves nothing about anybody.
    #[must_use]
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// Puts it into the metadata of another request.
    pub fn write(&self, meta: &mut Meta) {
        let parts = [
            (PARENT, &self.parent),
            (STATE, &self.state),
            (BAGGAGE, &self.baggage),
        ];
        for (key, value) in parts {
            if let Some(value) = value {
                meta.insert(key.to_owned(), Value::from(value.as_str()).into());
            }
        }
    }
}

/// W3C Trace Context 3.2.2: `00-<32 hex>-<16 hex>-<2 hex>`; a later version may go on after a hyphen.
fn is_parent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut hex = |length: usize| {
        let part = parts.next()?;
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (part.len() == length && part.bytes().all(lower)).then_some(part)
    };
    let (Some(version), Some(trace), Some(span), Some(_)) = (hex(2), hex(32), hex(16), hex(2))
    else {
        return false;
    };
    let is_zero = |part: &str| part.bytes().all(|b| b == b'0');
    let whole = parts.next().is_none() || version != "00";
    version != "ff" && !is_zero(trace) && !is_zero(span) && whole
}

/// W3C Trace Context 3.3.1: entries of key, `=` and value, no key twice.
fn is_state(text: &str) -> bool {
    let mut keys = Vec::new();
    let fits = text.len() <= MAX_STATE_BYTES && text.split(',').count() <= MAX_STATE_ENTRIES;
    fits && text
        .split(',')
        .map(|entry| entry.trim_matches([' ', '\t']))
        .all(|entry| {
            // An entry may be empty.
            if entry.is_empty() {
                return true;
            }
            let Some((key, value)) = entry.split_once('=') else {
                return false;
            };
            let first = key
                .bytes()
                .next()
                .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            let rest =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
            let printable = |b: u8| (0x20..=0x7e).contains(&b) && b != b',' && b != b'=';
            let new = !keys.contains(&key);
            keys.push(key);
            first
                && new
                && key.len() <= 256
                && key.bytes().all(rest)
                && (1..=256).contains(&value.len())
                && value.bytes().all(printable)
        })
}

/// W3C Baggage 3.3.1: entries of a token, `=` and a value, with properties behind semicolons.
fn is_baggage(text: &str) -> bool {
    let fits = text.len() <= MAX_BAGGAGE_BYTES && text.split(',').count() <= MAX_BAGGAGE_ENTRIES;
    fits && text.split(',').all(|entry| {
        let member = entry.split(';').next().unwrap_or_default();
        let Some((key, value)) = member.split_once('=') else {
            return false;
        };
        let (key, value) = (
            key.trim_matches([' ', '\t']),
            value.trim_matches([' ', '\t']),
        );
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let octet = |b: u8| (0x21..=0x7e).contains(&b) && !b"\",;\\".contains(&b);
        let properties = entry
            .bytes()
            .all(|b| b == b' ' || b == b'\t' || (0x21..=0x7e).contains(&b));
        !key.is_empty() && key.bytes().all(token) && value.bytes().all(octet) && properties
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(meta: &Value) -> Trace {
        Trace::read(|key| meta.get(key)?.as_str().map(Cow::Borrowed))
    }

    #[test]
    fn what_follows_the_rules_comes_out_as_it_went_in() {
        let meta = json!({ PARENT: GOOD, STATE: "congo=t61rcWkgMzE,rojo@x=00f0 67, ,a=b", BAGGAGE: "user=a%20b;p=1;q , x = y" });
        let mut written = Meta::new();
        read(&meta).write(&mut written);
        assert_eq!(json!(written), meta);
        assert_eq!(read(&meta).parent(), Some(GOOD));
        assert_eq!(read(&json!({})), Trace::default());
    }

    #[test]
    fn a_parent_that_breaks_the_rules_is_absent_and_its_state_with_it() {
        for parent in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            let trace = read(&json!({ PARENT: parent, STATE: "a=b", BAGGAGE: "a=b" }));
            assert_eq!((trace.parent(), trace.state()), (None, None), "{parent}");
            assert_eq!(trace.baggage(), Some("a=b"));
        }
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(read(&json!({ PARENT: later })).parent(), Some(later));
        assert_eq!(read(&json!({ PARENT: 5 })), Trace::default());
    }

    #[test]
    fn a_state_that_breaks_the_rules_is_absent() {
        let many = vec!["a=b"; MAX_STATE_ENTRIES + 1].join(",");
        let long = format!("a={}", "x".repeat(MAX_STATE_BYTES));
        for state in [
            "a", "=b", "a=", "A=b", "a=b,a=c", "a=b=c", "a=ü", &many, &long,
        ] {
            let trace = read(&json!({ PARENT: GOOD, STATE: state }));
            assert_eq!(
                (trace.parent(), trace.state()),
                (Some(GOOD), None),
                "{state}"
            );
        }
    }

    #[test]
    fn baggage_that_breaks_the_rules_is_absent() {
        let many = vec!["a=b"; MAX_BAGGAGE_ENTRIES + 1].join(",");
        let long = format!("a={}", "x".repeat(MAX_BAGGAGE_BYTES));
        for baggage in [
            "", "a", "=b", "a b=c", "a=b c", "a=ü", "a=\"b\"", "a=b;\n", &many, &long,
        ] {
            assert_eq!(
                read(&json!({ BAGGAGE: baggage })).baggage(),
                None,
                "{baggage:?}"
            );
        }
    }
}
