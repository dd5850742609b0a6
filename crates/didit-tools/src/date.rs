//! Days of the calendar from seconds, and seconds from the times in rows.

use serde_json::Value;

const DAY: u64 = 86_400;

/// More days than this are this many.
const MAX_DAYS: u64 = 36_500;

/// The window that `last_n_days` means: from today minus the days, to today, in UTC.
///
/// `None` for a number that is not above 0.
pub(crate) fn window(now: u64, days: f64) -> Option<(String, String)> {
    if days.is_nan() || days <= 0.0 {
        return None;
    }
    // A float is cut to the range of the target by the language, so this is total.
    let days = (days as u64).min(MAX_DAYS);
    Some((date(now.saturating_sub(days * DAY)), date(now)))
}

/// `YYYY-MM-DD` of seconds since 1970, in the Gregorian calendar.
pub(crate) fn date(seconds: u64) -> String {
    // Days are counted from 1 March of year 0, so that a leap day is the last of its year.
    let days = seconds / DAY + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM-DDThh:mm:ssZ` of seconds since 1970.
pub(crate) fn time(seconds: u64) -> String {
    let (day, second) = (date(seconds), seconds % DAY);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{day}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

/// The time in a row, for sorting: a number of seconds or milliseconds, or ISO 8601 text.
pub(crate) fn instant(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => {
            let number = number.as_f64()?;
            // Seconds reach this number in the year 5138; milliseconds reached it in 1973.
            Some(if number.abs() < 1e11 {
                number
            } else {
                number / 1000.0
            })
        }
        Value::String(text) => instant_of(text.trim()),
        _ => None,
    }
}

/// `YYYY-MM-DD`, then perhaps `THH:MM:SS`, a fraction, and `Z` or an offset; UTC without one.
fn instant_of(text: &str) -> Option<f64> {
    let (day, time) = match text.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some()
        || year > 9999
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
    {
        return None;
    }
    let midnight = days_before(year, month, day)? as f64 * DAY as f64;
    let Some(time) = time else {
        return Some(midnight);
    };
    let end = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(end)?;
    Some(midnight + seconds_of(clock)? - offset_of(zone)?)
}

/// Days from 1970 to this one; `None` before that.
fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * shifted_month + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}

fn seconds_of(clock: &str) -> Option<f64> {
    let mut parts = clock.trim().split(':').map(|part| part.parse::<f64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0.0))?;
    Some(hours * 3600.0 + minutes * 60.0 + seconds)
}

fn offset_of(zone: &str) -> Option<f64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0.0);
    }
    let digits = zone.strip_prefix(['+', '-'])?;
    let seconds = match digits.len() {
        2 => digits.parse::<f64>().ok()? * 3600.0,
        4 => {
            let (hours, minutes) = digits.split_at_checked(2)?;
            hours.parse::<f64>().ok()? * 3600.0 + minutes.parse::<f64>().ok()? * 60.0
        }
        _ => seconds_of(digits)?,
    };
    Some(if zone.starts_with('-') {
        -seconds
    } else {
        seconds
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_days() {
        for (seconds, want) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds), want);
        }
    }

    #[test]
    fn a_window_ends_today() {
        let now = 1_767_225_600 + 3_600;
        assert_eq!(
            window(now, 7.0),
            Some(("2025-12-25".into(), "2026-01-01".into()))
        );
        assert_eq!(
            window(now, 0.5),
            Some(("2026-01-01".into(), "2026-01-01".into()))
        );
        for none in [0.0, -1.0, f64::NAN] {
            assert_eq!(window(now, none), None);
        }
        assert!(window(now, 1e300).is_some());
    }

    #[test]
    fn times_in_rows_are_comparable() {
        for (value, want) in [
            (json!("2026-01-01"), 1_767_225_600.0),
            (json!("2026-01-01T00:00:00Z"), 1_767_225_600.0),
            (json!("2026-01-01 01:00:00+01:00"), 1_767_225_600.0),
            (json!("2025-12-31T19:00-0500"), 1_767_225_600.0),
            (json!("2026-01-01T00:00:01.5z"), 1_767_225_601.5),
            (json!(1_767_225_600), 1_767_225_600.0),
            (json!(1_767_225_600_000_u64), 1_767_225_600.0),
        ] {
            assert_eq!(instant(&value), Some(want), "{value}");
        }
        for value in [
            json!("yesterday"),
            json!("2026-13-01"),
            json!("2026-01-01T"),
            json!("2026-01-01T10:00:00+x"),
            json!("99999999999999999999-01-01"),
            json!(null),
            json!(["2026-01-01"]),
        ] {
            assert_eq!(instant(&value), None, "{value}");
        }
    }

    #[test]
    fn both_directions_agree() {
        for days in (0..40_000).step_by(13) {
            let text = date(days * DAY);
            assert_eq!(instant(&json!(text)), Some((days * DAY) as f64));
        }
    }
}
