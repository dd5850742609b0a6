//! For how long an issuer lets its answer be kept.

use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// The least `max-age` of the answer's `Cache-Control` fields; none if they say nothing of it.
///
/// `no-store`, `no-cache` and a `max-age` of zero say nothing here: most servers put them on every
/// answer of such an endpoint, for the HTTP caches on the way.
// RFC 7662 section 2.2: the resource may keep an answer, at the cost of liveness. RFC 9110 section
// 9.3.3: no HTTP cache may use the answer to a POST for another one, whatever it says.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers.get_all(CACHE_CONTROL).iter();
    let directives = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    directives.filter_map(max_age).min()
}

fn max_age(directive: &[u8]) -> Option<Duration> {
    let at = directive.iter().position(|byte| *byte == b'=')?;
    let (name, value) = directive.split_at(at);
    if !name.trim_ascii().eq_ignore_ascii_case(b"max-age") {
        return None;
    }
    // RFC 9111 section 5.2: a recipient ought to accept both forms, token and quoted text.
    let value = value.strip_prefix(b"=").unwrap_or_default().trim_ascii();
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let value = value.strip_suffix(b"\"").unwrap_or(value);
    let seconds = std::str::from_utf8(value).ok()?.parse().ok()?;
    (seconds > 0).then_some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn seconds(fields: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(field));
        }
        of(&headers).map(|time| time.as_secs())
    }

    #[test]
    fn the_shortest_time_counts() {
        for (fields, expected) in [
            (&[][..], None),
            (&["private"], None),
            (&["max-age=60"], Some(60)),
            (&["private, Max-Age = 60"], Some(60)),
            (&["private,MAX-AGE=\"60\" "], Some(60)),
            (&["max-age=60", "max-age=7, must-revalidate"], Some(7)),
            (&["s-maxage=5"], None),
        ] {
            assert_eq!(seconds(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_is_meant_for_http_caches_says_nothing() {
        for field in [
            "no-store",
            "no-cache, no-store, max-age=0, must-revalidate",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=soon",
        ] {
            assert_eq!(seconds(&[field]), None, "{field}");
        }
    }
}
