//! For how long an issuer lets its answer be kept (RFC 9111).

use std::time::Duration;

use http::HeaderMap;
use http::header::CACHE_CONTROL;

/// The least of what the answer's `Cache-Control` fields say; none if they say nothing of it.
///
/// A directive that cannot be read counts as the shortest time.
// RFC 9111 section 5.2.2: no-store and no-cache forbid to use an answer again without asking.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let fields = headers.get_all(CACHE_CONTROL).iter();
    let directives = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    directives.filter_map(time).min()
}

fn time(directive: &[u8]) -> Option<Duration> {
    let end = directive.iter().position(|byte| *byte == b'=');
    let (name, value) = directive.split_at(end.unwrap_or(directive.len()));
    let name = name.trim_ascii();
    if name.eq_ignore_ascii_case(b"no-store") || name.eq_ignore_ascii_case(b"no-cache") {
        return Some(Duration::ZERO);
    }
    if !name.eq_ignore_ascii_case(b"max-age") {
        return None;
    }
    // RFC 9111 section 5.2: a recipient ought to accept both forms, token and quoted text.
    let value = value.strip_prefix(b"=").unwrap_or_default().trim_ascii();
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let value = value.strip_suffix(b"\"").unwrap_or(value);
    let seconds = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or_default()))
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
            (&["max-age=60, no-store"], Some(0)),
            (&["No-Store"], Some(0)),
            (&["no-cache=\"set-cookie\""], Some(0)),
            (&["max-age=0"], Some(0)),
            (&["s-maxage=5"], None),
        ] {
            assert_eq!(seconds(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_the_shortest_time() {
        for field in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=soon",
            "max-age=1e3",
        ] {
            assert_eq!(seconds(&[field]), Some(0), "{field}");
        }
    }
}
