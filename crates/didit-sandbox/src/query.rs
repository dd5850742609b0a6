//! The query of a list: filters, pages by offset, pages by cursor.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::date::{DAY, parse_date};
use crate::field::not_a_choice;
use crate::refused::{Complaints, Refused};

/// Rows on a page when the caller does not say.
const DEFAULT_LIMIT: usize = 20;
/// Rows on a page at most; more is held to this without a complaint.
const MOST_ROWS: usize = 200;
/// Parameters that are read; the rest is ignored.
const MOST_PARAMETERS: usize = 64;

/// The parameters of a request, and where it was sent, for the links to other pages.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    address: String,
}

/// The first and the last second that a list was narrowed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    from: u64,
    to: u64,
}

impl Period {
    pub(crate) fn holds(self, seconds: u64) -> bool {
        (self.from..=self.to).contains(&seconds)
    }
}

impl Query {
    pub(crate) fn new(mut pairs: Vec<(String, String)>, address: String) -> Self {
        pairs.truncate(MOST_PARAMETERS);
        Self { pairs, address }
    }

    /// The last value of that name, unless it is blank.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Text to look for, in lower case.
    pub(crate) fn search(&self) -> Option<String> {
        self.get("search").map(str::to_lowercase)
    }

    /// The choices of a parameter that takes several with commas between them.
    pub(crate) fn choices(
        &self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Option<BTreeSet<&'static str>>, Refused> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let mut chosen = BTreeSet::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            match known
                .iter()
                .find(|choice| choice.eq_ignore_ascii_case(part))
            {
                Some(choice) => chosen.insert(*choice),
                None => return Err(Refused::field(name, not_a_choice(part))),
            };
        }
        Ok(Some(chosen))
    }

    /// `date_from` and `date_to`, both days included.
    pub(crate) fn period(&self) -> Result<Period, Refused> {
        let mut complaints = Complaints::new();
        let mut day = |name: &str| -> Option<u64> {
            let text = self.get(name)?;
            let parsed = parse_date(text);
            if parsed.is_none() {
                let why = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
                complaints.insert(name.to_owned(), vec![why.to_owned()]);
            }
            parsed
        };
        let from = day("date_from").unwrap_or(0);
        let to = day("date_to").map_or(u64::MAX, |start| start + DAY - 1);
        if complaints.is_empty() {
            Ok(Period { from, to })
        } else {
            Err(Refused::Invalid(complaints))
        }
    }

    fn whole(&self, name: &str, otherwise: usize) -> Result<usize, Refused> {
        self.get(name).map_or(Ok(otherwise), |text| {
            text.parse()
                .map_err(|_| Refused::field(name, "A valid integer is required."))
        })
    }

    fn limit(&self) -> Result<usize, Refused> {
        Ok(self.whole("limit", DEFAULT_LIMIT)?.clamp(1, MOST_ROWS))
    }

    /// One page by `limit` and `offset`: `count`, `next`, `previous`, `results`.
    pub(crate) fn page<T>(
        &self,
        rows: &[T],
        mut show: impl FnMut(&T) -> Value,
    ) -> Result<Value, Refused> {
        let (limit, offset) = (self.limit()?, self.whole("offset", 0)?);
        let end = offset.saturating_add(limit);
        let link = |offset: usize| {
            self.link(&[("limit", limit.to_string()), ("offset", offset.to_string())])
        };
        let next = (end < rows.len()).then(|| link(end));
        let previous = (offset > 0).then(|| link(offset.saturating_sub(limit)));
        let results: Vec<Value> = rows
            .iter()
            .skip(offset)
            .take(limit)
            .map(&mut show)
            .collect();
        Ok(json!({ "count": rows.len(), "next": next, "previous": previous, "results": results }))
    }

    /// One page by `cursor`, over rows in falling order of their key; only the way forward is linked.
    pub(crate) fn cursor_page<T>(
        &self,
        rows: &[T],
        key: impl Fn(&T) -> (u64, String),
        mut show: impl FnMut(&T) -> Value,
    ) -> Result<Value, Refused> {
        let limit = self.limit()?;
        let after = self.get("cursor").map(read_cursor).transpose()?;
        let later: Vec<&T> = rows
            .iter()
            .filter(|row| after.as_ref().is_none_or(|after| key(row) < *after))
            .collect();
        let next = if later.len() > limit {
            later.get(limit - 1).map(|row| {
                let (created, id) = key(row);
                self.link(&[("cursor", format!("{created:x}.{id}"))])
            })
        } else {
            None
        };
        let results: Vec<Value> = later.into_iter().take(limit).map(&mut show).collect();
        Ok(json!({ "next": next, "previous": null, "results": results }))
    }

    fn link(&self, replaced: &[(&str, String)]) -> String {
        let kept = self
            .pairs
            .iter()
            .filter(|(name, _)| replaced.iter().all(|(other, _)| other != name))
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let added = replaced.iter().map(|(name, value)| (*name, value.as_str()));
        let written: Vec<String> = kept
            .chain(added)
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        format!("{}?{}", self.address, written.join("&"))
    }
}

fn read_cursor(text: &str) -> Result<(u64, String), Refused> {
    let (created, id) = text.split_once('.').ok_or(Refused::InvalidCursor)?;
    let created = u64::from_str_radix(created, 16).map_err(|_| Refused::InvalidCursor)?;
    Ok((created, id.to_owned()))
}

// RFC 3986 section 2.3: only unreserved characters stand for themselves.
fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Query::new(pairs.collect(), "http://localhost/v3/x/".to_owned())
    }

    fn numbers(query: &Query) -> Value {
        query
            .page(&[1, 2, 3, 4, 5], |number| json!(number))
            .unwrap()
    }

    #[test]
    fn pages_link_to_each_other_and_keep_the_filters() {
        let page = numbers(&query(&[
            ("limit", "2"),
            ("offset", "2"),
            ("search", "a b&c"),
        ]));
        assert_eq!(page["count"], 5);
        assert_eq!(page["results"], json!([3, 4]));
        assert_eq!(
            page["next"],
            "http://localhost/v3/x/?search=a%20b%26c&limit=2&offset=4"
        );
        assert_eq!(
            page["previous"],
            "http://localhost/v3/x/?search=a%20b%26c&limit=2&offset=0"
        );
    }

    #[test]
    fn the_ends_have_no_further_link() {
        let page = numbers(&query(&[]));
        assert_eq!(
            (&page["next"], &page["previous"]),
            (&Value::Null, &Value::Null)
        );
        let page = numbers(&query(&[("offset", "18446744073709551615")]));
        assert_eq!(page["results"], json!([]));
    }

    #[test]
    fn a_limit_that_is_no_number_is_refused() {
        for text in ["x", "-1", "1.5"] {
            let refused = query(&[("limit", text)]).page(&[1], |number| json!(number));
            assert!(matches!(refused, Err(Refused::Invalid(_))), "{text}");
        }
        let page = numbers(&query(&[("limit", "0")]));
        assert_eq!(page["results"], json!([1]));
    }

    #[test]
    fn a_cursor_goes_on_where_the_page_ended() {
        let rows = [(9_u64, "b"), (9, "a"), (3, "z")];
        let key = |row: &(u64, &str)| (row.0, row.1.to_owned());
        let page = query(&[("limit", "2")])
            .cursor_page(&rows, key, |row| json!(row.1))
            .unwrap();
        assert_eq!(page["results"], json!(["b", "a"]));
        assert_eq!(page["next"], "http://localhost/v3/x/?limit=2&cursor=9.a");
        let page = query(&[("cursor", "9.a")])
            .cursor_page(&rows, key, |row| json!(row.1))
            .unwrap();
        assert_eq!(
            (&page["results"], &page["next"]),
            (&json!(["z"]), &Value::Null)
        );
        for text in ["x", "zz.a", "-1.a"] {
            let refused = query(&[("cursor", text)]).cursor_page(&rows, key, |row| json!(row.1));
            assert!(matches!(refused, Err(Refused::InvalidCursor)), "{text}");
        }
    }

    #[test]
    fn a_period_holds_both_of_its_days() {
        let period = query(&[("date_from", "1970-01-02"), ("date_to", "1970-01-02")])
            .period()
            .unwrap();
        assert!(!period.holds(DAY - 1) && period.holds(DAY));
        assert!(period.holds(2 * DAY - 1) && !period.holds(2 * DAY));
        assert!(query(&[("date_to", "tomorrow")]).period().is_err());
    }

    #[test]
    fn choices_are_told_apart_by_commas() {
        let chosen =
            query(&[("status", "approved, Declined")]).choices("status", &["Approved", "Declined"]);
        assert_eq!(chosen.unwrap().unwrap().len(), 2);
        let refused = query(&[("status", "Approved,Gone")]).choices("status", &["Approved"]);
        assert!(refused.is_err());
    }
}
