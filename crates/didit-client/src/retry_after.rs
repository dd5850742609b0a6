//! How long a server asks to be left alone.

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};

/// The seconds that `Retry-After` asks for, in either of its forms.
///
/// A date is compared with the answer's own `Date`, so that no clock of ours has to agree with the server's.
/// Both are read in the one form that senders may use; a date without `Date` beside it says nothing.
///
/// Specification: RFC 9110 sections 5.6.7, 6.6.1 and 10.2.3.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = header(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let until = seconds_of(text)?;
    let now = seconds_of(header(headers, &DATE)?)?;
    Some(until.saturating_sub(now))
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in seconds since 1970.
fn seconds_of(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_weekday, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day = digits(words.next()?, 2)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year = digits(words.next()?, 4)?;
    let mut clock = words.next()?.split(':');
    let hour = digits(clock.next()?, 2)?;
    let minute = digits(clock.next()?, 2)?;
    let second = digits(clock.next()?, 2)?;
    let ends = words.next() == Some("GMT") && words.next().is_none() && clock.next().is_none();
    // A leap second is written as 60.
    let fits = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !ends || !fits || year < 1970 {
        return None;
    }
    let days = days_before(year, u64::try_from(month).ok()?) + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    let fits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// The days from 1970 to the first of a month, January being 0.
fn days_before(year: u64, month: u64) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let leaps_until = |year: u64| year / 4 - year / 100 + year / 400;
    let leaps = leaps_until(year - 1) - leaps_until(1969);
    let this_year = BEFORE
        .into_iter()
        .nth(usize::try_from(month).unwrap_or_default())
        .unwrap_or_default();
    (year - 1970) * 365 + leaps + this_year + u64::from(leap(year) && month > 1)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asked(retry: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        retry_after(&headers)
    }

    #[test]
    fn dates_are_read() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            // RFC 9110 section 5.6.7.
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Tue, 29 Feb 2000 23:59:59 GMT", Some(951_868_799)),
            ("Wed, 01 Mar 2000 00:00:00 GMT", Some(951_868_800)),
            ("Thu, 01 Jan 2026 00:00:00 GMT", Some(1_767_225_600)),
            ("Fri, 01 Mar 2097 00:00:00 GMT", Some(4_012_934_400)),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 32 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49 GMT", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 06 Nov 0000 08:49:37 GMT", None),
            ("", None),
        ] {
            assert_eq!(seconds_of(text), seconds, "{text}");
        }
    }

    #[test]
    fn seconds_and_dates_are_both_understood() {
        let date = "Thu, 01 Jan 2026 00:00:00 GMT";
        for (retry, with_date, wait) in [
            ("7", None, Some(7)),
            (" 7 ", None, Some(7)),
            ("-7", None, None),
            ("1.5", None, None),
            ("soon", Some(date), None),
            ("Thu, 01 Jan 2026 00:01:30 GMT", Some(date), Some(90)),
            ("Wed, 31 Dec 2025 00:00:00 GMT", Some(date), Some(0)),
            ("Thu, 01 Jan 2026 00:01:30 GMT", None, None),
            ("Thu, 01 Jan 2026 00:01:30 GMT", Some("now"), None),
        ] {
            assert_eq!(asked(retry, with_date), wait, "{retry}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_breaks_on_any_text(text in "[A-Za-z, :0-9GMT]{0,40}") {
            let _ = seconds_of(&text);
        }
    }
}
