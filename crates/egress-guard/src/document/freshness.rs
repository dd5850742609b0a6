//! How long an answer may be used again: a pure decision over its header fields.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName, VARY};

use super::DocumentLimits;

/// What may be done with an answer after it was given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// How old it was when it arrived.
    pub(crate) age: Duration,
    /// How long from then on it is used without asking.
    pub(crate) fresh: Duration,
}

/// Decides about a `200` whose header fields are these; `None` says that it must not be kept.
///
/// In this order:
///
/// 1. `no-store`, `private`, `Vary: *` or a `Cache-Control` that cannot be read: not kept.
/// 2. `no-cache`: kept, and never used without asking.
/// 3. The lifetime is `s-maxage`, else `max-age`, else `Expires` less `Date`, else the one for answers that say
///    nothing; one that contradicts itself or does not parse is zero.
/// 4. The age is taken off, and what is left is brought between the bounds.
///
/// Does not check: status, media type, content. Ignores `must-revalidate` and its kin, because nothing stale is ever
/// used, and `stale-while-revalidate` and `stale-if-error` for the same reason.
///
/// Specification: RFC 9111 sections 3, 4.2 and 5.2.2.
pub(crate) fn judge(
    headers: &HeaderMap,
    asked: SystemTime,
    received: SystemTime,
    limits: &DocumentLimits,
) -> Option<Freshness> {
    let control = Control::read(headers)?;
    // RFC 9111 sections 5.2.2.5 and 5.2.2.7: we are a shared cache, since we answer for many.
    // Section 4.1: an asterisk matches no other request.
    if control.no_store || control.private || varies_by_everything(headers) {
        return None;
    }
    let age = age(headers, asked, received);
    let fresh = if control.no_cache {
        Duration::ZERO
    } else {
        // RFC 9111 section 4.2.1: the first of these that is there.
        control
            .s_maxage
            .or(control.max_age)
            .map(Lifetime::or_zero)
            .or_else(|| expires(headers, received))
            .unwrap_or(limits.unsaid)
            .saturating_sub(age)
            .max(limits.shortest)
            .min(limits.longest)
    };
    Some(Freshness { age, fresh })
}

/// The directives of a response that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Control {
    no_store: bool,
    no_cache: bool,
    private: bool,
    max_age: Option<Lifetime>,
    s_maxage: Option<Lifetime>,
}

/// The seconds of a directive, or none where they do not parse or are said twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime(Option<u64>);

impl Lifetime {
    // RFC 9111 section 4.2.1: what is invalid or contradicts itself counts as stale.
    fn or_zero(self) -> Duration {
        Duration::from_secs(self.0.unwrap_or_default())
    }

    fn add(known: &mut Option<Self>, value: Option<&str>) {
        *known = Some(match known {
            None => Self(value.and_then(delta_seconds)),
            Some(_) => Self(None),
        });
    }
}

impl Control {
    /// Reads every `Cache-Control` there is; `None` where one is not text or a quote does not end, since it might have
    /// said anything.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut control = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            for directive in split(line.to_str().ok()?)? {
                let (name, value) = match directive.split_once('=') {
                    Some((name, value)) => (name, Some(unquoted(value))),
                    None => (directive, None),
                };
                // RFC 9111 section 5.2: names in any case; section 5.2.2.4: with fields named as without.
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" => control.no_store = true,
                    "no-cache" => control.no_cache = true,
                    "private" => control.private = true,
                    "max-age" => Lifetime::add(&mut control.max_age, value),
                    "s-maxage" => Lifetime::add(&mut control.s_maxage, value),
                    _ => {}
                }
            }
        }
        Some(control)
    }
}

/// Splits a list at its commas, but for those in quotes; `None` where a quote does not end.
fn split(list: &str) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let is_end = |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == ',' && !quoted
    };
    let parts = list.split(is_end).collect();
    (!quoted).then_some(parts)
}

// RFC 9111 section 5.2: both forms of an argument are to be understood.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

/// A number of seconds; one that is too large for us is the largest there is.
// RFC 9111 section 1.2.2.
fn delta_seconds(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

fn varies_by_everything(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(VARY).into_iter();
    lines.any(|line| line.as_bytes().contains(&b'*'))
}

/// `Expires` less `Date`, or less the time of arrival where there is no date; zero where either is no date.
// RFC 9111 section 5.3: an invalid date, `0` above all, is in the past.
fn expires(headers: &HeaderMap, received: SystemTime) -> Option<Duration> {
    let mut lines = headers.get_all(EXPIRES).into_iter();
    lines.next()?;
    if lines.next().is_some() {
        return Some(Duration::ZERO);
    }
    let Some(expires) = date(headers, EXPIRES) else {
        return Some(Duration::ZERO);
    };
    let date = date(headers, DATE).unwrap_or(received);
    Some(expires.duration_since(date).unwrap_or_default())
}

/// How old the answer is: by its own word, or by its date, whichever is more.
// RFC 9111 section 4.2.3.
fn age(headers: &HeaderMap, asked: SystemTime, received: SystemTime) -> Duration {
    // Section 5.1: of several the first, and one that is no number is ignored.
    let said = headers.get(AGE).and_then(|age| age.to_str().ok());
    let said = said.and_then(|age| delta_seconds(age.split(',').next()?.trim()));
    let delay = received.duration_since(asked).unwrap_or_default();
    let corrected = Duration::from_secs(said.unwrap_or_default()).saturating_add(delay);
    let apparent = date(headers, DATE).and_then(|date| received.duration_since(date).ok());
    corrected.max(apparent.unwrap_or_default())
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    let text = headers.get(name)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests;
