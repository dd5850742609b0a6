//! Dates of the civil calendar, in UTC, from and to Unix seconds.

/// Seconds in a day.
pub(crate) const DAY: u64 = 86_400;

/// `2026-03-01T12:00:00Z`.
pub(crate) fn timestamp(seconds: u64) -> String {
    let rest = seconds % DAY;
    format!(
        "{}T{:02}:{:02}:{:02}Z",
        date(seconds),
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// `2026-03-01`.
pub(crate) fn date(seconds: u64) -> String {
    // Days to a civil date, counting years from March so that the leap day comes last.
    let days = seconds / DAY + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The first second of a day written `YYYY-MM-DD`; nothing for another form or a day that is not in the calendar.
pub(crate) fn parse_date(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted_year = year - u64::from(month <= 2);
    let year_of_era = shifted_year % 400;
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let seconds = (shifted_year / 400 * 146_097 + day_of_era).checked_sub(719_468)? * DAY;
    // A day such as 31 April lands in the next month and is told apart by writing it again.
    (date(seconds) == text).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants_are_written() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_868_799), "2000-02-29T23:59:59Z");
        assert_eq!(timestamp(1_767_225_600), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_date_survives_the_round_trip() {
        for day in (0..40_000).map(|day| day * DAY) {
            assert_eq!(parse_date(&date(day)), Some(day));
        }
    }

    #[test]
    fn days_outside_the_calendar_are_refused() {
        for text in [
            "2026-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "",
            "1969-12-31",
            "2026/01/01",
            "2026-01-01T00:00:00Z",
            "+026-01-01",
            "2026-01-0\u{e9}",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
