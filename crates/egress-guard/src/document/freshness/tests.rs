//! Header fields of answers, and how long each is fresh.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{Freshness, judge};
use crate::document::DocumentLimits;

/// Sun, 06 Nov 1994 08:49:37 GMT.
const NOW: u64 = 784_111_777;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Bounds that are far away.
fn wide() -> DocumentLimits {
    DocumentLimits {
        shortest: Duration::ZERO,
        unsaid: Duration::from_secs(3600),
        longest: Duration::MAX,
        ..DocumentLimits::default()
    }
}

type Lines = &'static [(&'static str, &'static str)];

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

fn decide(lines: &[(&str, &str)], limits: &DocumentLimits) -> Option<Freshness> {
    judge(&headers(lines), at(NOW), at(NOW), limits)
}

/// The seconds that it is fresh, if it may be kept.
fn fresh(lines: &[(&str, &str)]) -> Option<u64> {
    decide(lines, &wide()).map(|kept| kept.fresh.as_secs())
}

#[test]
fn lifetimes() {
    const PAST: &str = "Sun, 06 Nov 1994 08:48:37 GMT";
    const SOON: &str = "Sun, 06 Nov 1994 08:51:17 GMT";
    let cases: &[(Lines, Option<u64>)] = &[
        (&[], Some(3600)),
        (&[("cache-control", "max-age=60")], Some(60)),
        (&[("cache-control", "MAX-AGE=60, public")], Some(60)),
        (&[("cache-control", "public,max-age=\"60\"")], Some(60)),
        (&[("cache-control", " , max-age = 60 ,")], Some(60)),
        (
            &[("cache-control", "public"), ("cache-control", "max-age=60")],
            Some(60),
        ),
        (&[("cache-control", "max-age=0")], Some(0)),
        (&[("cache-control", "max-age=60, s-maxage=5")], Some(5)),
        (&[("cache-control", "s-maxage=x, max-age=60")], Some(0)),
        (&[("cache-control", "no-cache, max-age=60")], Some(0)),
        (
            &[("cache-control", "no-cache=\"set-cookie, x\", max-age=60")],
            Some(0),
        ),
        (
            &[("cache-control", "max-age=60, must-revalidate")],
            Some(60),
        ),
        (
            &[("cache-control", "max-age=60, stale-while-revalidate=600")],
            Some(60),
        ),
        (&[("cache-control", "immutable")], Some(3600)),
        // Directives inside a quoted argument are none.
        (
            &[("cache-control", "x=\"no-store, \\\", private\", max-age=60")],
            Some(60),
        ),
        (&[("cache-control", "x-no-store, max-age=60")], Some(60)),
        // Contradictions and what does not parse.
        (&[("cache-control", "max-age=60, max-age=600")], Some(0)),
        (
            &[
                ("cache-control", "max-age=60"),
                ("cache-control", "max-age=60"),
            ],
            Some(0),
        ),
        (&[("cache-control", "max-age")], Some(0)),
        (&[("cache-control", "max-age=")], Some(0)),
        (&[("cache-control", "max-age=-1")], Some(0)),
        (&[("cache-control", "max-age=+60")], Some(0)),
        (&[("cache-control", "max-age=1.5")], Some(0)),
        (&[("cache-control", "max-age=60 s")], Some(0)),
        (
            &[("cache-control", "max-age=99999999999999999999999")],
            Some(u64::MAX),
        ),
        // Never kept.
        (&[("cache-control", "no-store")], None),
        (&[("cache-control", "max-age=60, No-Store")], None),
        (
            &[
                ("cache-control", "max-age=60"),
                ("cache-control", "no-store"),
            ],
            None,
        ),
        (&[("cache-control", "private, max-age=60")], None),
        (&[("cache-control", "private=\"x\", max-age=60")], None),
        (&[("cache-control", "max-age=60, \u{e9}")], None),
        (&[("cache-control", "max-age=60"), ("vary", "*")], None),
        (
            &[("cache-control", "max-age=60"), ("vary", "accept, *")],
            None,
        ),
        (
            &[("cache-control", "max-age=60"), ("vary", "accept, origin")],
            Some(60),
        ),
        (
            &[("cache-control", "x=\"a, no-store, b\", max-age=60")],
            Some(60),
        ),
        // A quote without an end might hide anything.
        (&[("cache-control", "max-age=60, x=\"a, no-store")], None),
        (&[("cache-control", "max-age=60, x=\"a\\\"")], None),
        // Expires.
        (&[("expires", SOON)], Some(100)),
        (
            &[("expires", SOON), ("cache-control", "max-age=7")],
            Some(7),
        ),
        (&[("expires", PAST)], Some(0)),
        (&[("expires", "0")], Some(0)),
        (&[("expires", "soon")], Some(0)),
        (&[("expires", SOON), ("expires", SOON)], Some(0)),
        (
            &[("expires", "Fri, 31 Dec 9999 23:59:59 GMT")],
            Some(252_618_189_022),
        ),
        // By its own date it was to live 160 seconds, and it is 60 old.
        (&[("expires", SOON), ("date", PAST)], Some(100)),
        (&[("expires", SOON), ("date", "yesterday")], Some(100)),
        // Age.
        (&[("cache-control", "max-age=60"), ("age", "20")], Some(40)),
        (&[("cache-control", "max-age=60"), ("age", "60")], Some(0)),
        (
            &[
                ("cache-control", "max-age=60"),
                ("age", "99999999999999999999999"),
            ],
            Some(0),
        ),
        (
            &[("cache-control", "max-age=60"), ("age", "20, 50")],
            Some(40),
        ),
        (
            &[
                ("cache-control", "max-age=60"),
                ("age", "20"),
                ("age", "50"),
            ],
            Some(40),
        ),
        (&[("cache-control", "max-age=60"), ("age", "-5")], Some(60)),
        (&[("cache-control", "max-age=60"), ("age", "old")], Some(60)),
        (
            &[("cache-control", "max-age=100"), ("date", PAST)],
            Some(40),
        ),
        (
            &[
                ("cache-control", "max-age=100"),
                ("date", PAST),
                ("age", "70"),
            ],
            Some(30),
        ),
        (
            &[("cache-control", "max-age=100"), ("date", SOON)],
            Some(100),
        ),
        (&[("age", "600")], Some(3000)),
    ];
    for (lines, expected) in cases {
        assert_eq!(fresh(lines), *expected, "{lines:?}");
    }
}

#[test]
fn the_time_on_the_way_counts_as_age() {
    let lines = headers(&[("cache-control", "max-age=60"), ("age", "20")]);
    let kept = judge(&lines, at(NOW - 5), at(NOW), &wide()).unwrap();
    assert_eq!((kept.age.as_secs(), kept.fresh.as_secs()), (25, 35));
    // A clock that was set back meanwhile takes nothing off.
    let kept = judge(&lines, at(NOW + 5), at(NOW), &wide()).unwrap();
    assert_eq!((kept.age.as_secs(), kept.fresh.as_secs()), (20, 40));
}

#[test]
fn lifetimes_are_brought_between_the_bounds() {
    let limits = DocumentLimits {
        shortest: Duration::from_secs(30),
        longest: Duration::from_secs(600),
        unsaid: Duration::from_secs(3600),
        ..DocumentLimits::default()
    };
    let fresh = |lines: &[(&str, &str)]| decide(lines, &limits).map(|kept| kept.fresh.as_secs());
    assert_eq!(fresh(&[("cache-control", "max-age=0")]), Some(30));
    assert_eq!(fresh(&[("cache-control", "max-age=29")]), Some(30));
    assert_eq!(fresh(&[("cache-control", "max-age=31")]), Some(31));
    assert_eq!(fresh(&[("cache-control", "max-age=600")]), Some(600));
    assert_eq!(fresh(&[("cache-control", "max-age=601")]), Some(600));
    assert_eq!(
        fresh(&[("cache-control", "max-age=99999999999999999999999")]),
        Some(600)
    );
    assert_eq!(fresh(&[]), Some(600));
    assert_eq!(
        fresh(&[("cache-control", "max-age=60"), ("age", "9999")]),
        Some(30)
    );
    // What says so is asked about each time, and what must not be kept is not.
    assert_eq!(fresh(&[("cache-control", "no-cache")]), Some(0));
    assert_eq!(fresh(&[("cache-control", "no-store")]), None);
    // Bounds that contradict each other: the upper one counts.
    let odd = DocumentLimits {
        shortest: Duration::from_secs(60),
        longest: Duration::from_secs(10),
        ..DocumentLimits::default()
    };
    assert_eq!(decide(&[], &odd).map(|kept| kept.fresh.as_secs()), Some(10));
}

proptest! {
    /// Whatever is sent, reading it ends in an answer that is within the bounds.
    #[test]
    fn no_header_field_gets_past_the_bounds(
        control in proptest::collection::vec("[ -~]{0,40}|(max-age|s-maxage|no-cache)=?[0-9\",]{0,25}", 0..4),
        date in "[A-Za-z0-9:, -]{0,40}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT",
        age in "[0-9, ]{0,30}",
    ) {
        let limits = DocumentLimits::default();
        let mut lines = HeaderMap::new();
        for line in &control {
            lines.append("cache-control", line.parse().unwrap());
        }
        for name in ["date", "expires"] {
            lines.append(name, date.parse().unwrap());
        }
        lines.append("age", age.parse().unwrap());
        if let Some(kept) = judge(&lines, at(NOW), at(NOW), &limits) {
            let bounded = kept.fresh >= limits.shortest && kept.fresh <= limits.longest;
            prop_assert!(bounded || kept.fresh.is_zero(), "{:?}", kept);
        }
    }
}
