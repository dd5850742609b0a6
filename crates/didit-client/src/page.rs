//! Long lists, page by page: what to ask for next, and what an answer holds.

use serde_json::Value;

use crate::call::Call;
use crate::error::{ApiError, ErrorCode};
use crate::model::InvalidModel;

/// The most pages that are asked for when no other number is chosen.
pub const DEFAULT_PAGES: usize = 1000;

/// The most rows that are given out when no other number is chosen.
pub const DEFAULT_ROWS: usize = 100_000;

/// The longest cursor that is sent back, in bytes.
const MAX_CURSOR: usize = 4096;

/// The names under which an answer may hold its rows.
const ROWS: [&str; 3] = ["results", "organizations", "applications"];

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// Its rows, in their order.
    pub rows: Vec<Value>,
    /// How many rows the whole list has, where Didit says so.
    pub count: Option<u64>,
}

impl Page {
    /// Reads a bare array, or an object with the rows in `results`, `organizations` or `applications`.
    ///
    /// # Errors
    /// [`ApiError`] if it is neither.
    pub fn read(answer: Value) -> Result<Self, ApiError> {
        Self::and_next(answer).map(|(page, _)| page)
    }

    /// Its rows as a type.
    ///
    /// # Errors
    /// [`InvalidModel`] for the first row that is none; its field begins with the row's number in brackets.
    pub fn rows_as<T>(self) -> Result<Vec<T>, InvalidModel>
    where
        T: TryFrom<Value, Error = InvalidModel>,
    {
        let rows = self.rows.into_iter().enumerate();
        rows.map(|(row, value)| T::try_from(value).map_err(|error| error.in_row(row)))
            .collect()
    }

    /// The page, and the address of the next one as it was written.
    fn and_next(answer: Value) -> Result<(Self, Option<String>), ApiError> {
        match answer {
            Value::Array(rows) => Ok((Self { rows, count: None }, None)),
            Value::Object(mut object) => {
                let rows = ROWS
                    .into_iter()
                    .find_map(|name| match object.remove(name) {
                        Some(Value::Array(rows)) => Some(rows),
                        _ => None,
                    })
                    .ok_or_else(|| broken("the answer of the Didit API is not a list"))?;
                let count = object.get("count").and_then(Value::as_u64);
                let next = match object.remove("next") {
                    None | Some(Value::Null) => None,
                    Some(Value::String(next)) => Some(next),
                    Some(_) => {
                        return Err(broken("the answer names a next page that is no address"));
                    }
                };
                Ok((Self { rows, count }, next))
            }
            _ => Err(broken("the answer of the Didit API is not a list")),
        }
    }
}

/// Asks for a list page by page.
///
/// The address of the next page is never followed: only `offset` and `cursor` are read out of it, and go into the same call again.
/// So an answer cannot send the credential to another host or another path.
/// A page that does not go on, a page too many and a row too many are errors, never a silent end.
#[derive(Clone, Debug)]
pub struct Pager {
    call: Option<Call>,
    offset: u64,
    cursor: Option<String>,
    pages: usize,
    rows: usize,
}

impl Pager {
    /// Begins with the page that the call itself asks for.
    pub fn new(call: Call) -> Self {
        let offset = call
            .query_value("offset")
            .and_then(|text| text.parse().ok());
        Self {
            cursor: call.query_value("cursor").map(str::to_owned),
            offset: offset.unwrap_or(0),
            call: Some(call),
            pages: DEFAULT_PAGES,
            rows: DEFAULT_ROWS,
        }
    }

    /// Replaces how many pages are asked for and how many rows are given out.
    #[must_use]
    pub fn at_most(mut self, pages: usize, rows: usize) -> Self {
        self.pages = pages;
        self.rows = rows;
        self
    }

    /// The call for the next page; `None` at the end, and after an error.
    pub fn call(&self) -> Option<&Call> {
        self.call.as_ref()
    }

    /// Reads the answer to that call.
    ///
    /// # Errors
    /// [`ApiError`] if it is no list, does not go on, or goes beyond the bounds; nothing is asked for after it.
    pub fn read(&mut self, answer: Value) -> Result<Page, ApiError> {
        let Some(call) = self.call.take() else {
            return Err(broken("the list has ended"));
        };
        let (page, next) = Page::and_next(answer)?;
        self.rows = self
            .rows
            .checked_sub(page.rows.len())
            .ok_or_else(|| broken("the list has more rows than were asked for"))?;
        self.pages = self.pages.saturating_sub(1);
        if let Some(next) = next.filter(|_| !page.rows.is_empty()) {
            if self.pages == 0 {
                return Err(broken("the list has more pages than were asked for"));
            }
            self.call = Some(self.onward(call, &next)?);
        }
        Ok(page)
    }

    fn onward(&mut self, call: Call, next: &str) -> Result<Call, ApiError> {
        let takes = |name| call.operation().query.contains(&name);
        if takes("cursor")
            && let Some(cursor) = parameter(next, "cursor")
        {
            if cursor.len() > MAX_CURSOR || self.cursor.as_ref() == Some(&cursor) {
                return Err(broken("the next page is not further on"));
            }
            self.cursor = Some(cursor.clone());
            return Ok(call.with_query("cursor", cursor));
        }
        if takes("offset")
            && let Some(offset) = parameter(next, "offset").and_then(|text| text.parse().ok())
        {
            if offset <= self.offset {
                return Err(broken("the next page is not further on"));
            }
            self.offset = offset;
            return Ok(call.with_query("offset", offset.to_string()));
        }
        Err(broken(
            "the answer names a next page that this operation cannot ask for",
        ))
    }
}

fn broken(message: &'static str) -> ApiError {
    ApiError::local(ErrorCode::Error, message)
}

/// One parameter of the query of an address.
fn parameter(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then(|| decoded(value))?)
        .filter(|value| !value.is_empty())
}

/// Undoes percent-encoding, and `+` for a blank; `None` if it is not text.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            // RFC 3986 section 2.1: a percent sign and two hexadecimal digits.
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Api, Base};
    use crate::credential::Credential;
    use crate::operation::{Operation, Verb, row};

    static BY_OFFSET: Operation = Operation {
        query: &["status", "limit", "offset"],
        ..row("test.offset", Verb::Get, Base::Api, "/rows/")
    };
    static BY_CURSOR: Operation = Operation {
        query: &["cursor"],
        ..row("test.cursor", Verb::Get, Base::Api, "/rows/")
    };

    fn asked(pager: &Pager) -> Option<String> {
        let call = pager.call()?;
        let request = call.request(&Api::hosted(), &Credential::bearer("t"));
        Some(request.unwrap().uri().to_string())
    }

    const ROWS: &str = "https://verification.didit.me/v3/rows/";

    #[test]
    fn offsets_are_read_out_of_the_next_address() {
        let call = Call::new(&BY_OFFSET)
            .query("status", "In Review")
            .query("limit", "2");
        let mut pager = Pager::new(call);
        assert_eq!(
            asked(&pager).unwrap(),
            format!("{ROWS}?status=In%20Review&limit=2")
        );
        let page = pager
            .read(json!({"count": 3, "next": "http://internal.example/x?limit=9&offset=2&status=All", "results": [1, 2]}))
            .unwrap();
        assert_eq!((page.rows, page.count), (vec![json!(1), json!(2)], Some(3)));
        // Host, path and the other parameters of the address are not taken.
        assert_eq!(
            asked(&pager).unwrap(),
            format!("{ROWS}?status=In%20Review&limit=2&offset=2")
        );
        let page = pager.read(json!({"count": 3, "next": null, "results": [3]}));
        assert_eq!(page.unwrap().rows, [json!(3)]);
        assert_eq!(asked(&pager), None);
        assert!(pager.read(json!([])).is_err());
    }

    #[test]
    fn cursors_are_read_out_of_the_next_address() {
        let mut pager = Pager::new(Call::new(&BY_CURSOR));
        pager
            .read(json!({"next": "/cases/?cursor=cD0x%2FMg%3D%3D#x", "results": [1]}))
            .unwrap();
        assert_eq!(
            asked(&pager).unwrap(),
            format!("{ROWS}?cursor=cD0x%2FMg%3D%3D")
        );
        pager
            .read(json!({"next": "?cursor=b", "results": [1]}))
            .unwrap();
        assert_eq!(asked(&pager).unwrap(), format!("{ROWS}?cursor=b"));
    }

    #[test]
    fn a_bare_array_is_one_page() {
        for answer in [
            json!([1]),
            json!({"organizations": [1]}),
            json!({"applications": [1], "next": null}),
        ] {
            let mut pager = Pager::new(Call::new(&BY_OFFSET));
            assert_eq!(pager.read(answer).unwrap().rows, [json!(1)]);
            assert!(pager.call().is_none());
        }
    }

    #[test]
    fn an_empty_page_is_the_end_whatever_it_names() {
        let mut pager = Pager::new(Call::new(&BY_OFFSET));
        pager
            .read(json!({"next": "?offset=9", "results": []}))
            .unwrap();
        assert!(pager.call().is_none());
    }

    #[test]
    fn a_list_that_goes_round_is_an_error() {
        let turning = "the next page is not further on";
        let other = "the answer names a next page that this operation cannot ask for";
        let call = |query| Call::new(&BY_OFFSET).query("offset", query);
        for (call, next, why) in [
            (call("5"), json!("?offset=5"), turning),
            (call("5"), json!("?offset=0"), turning),
            (
                Call::new(&BY_CURSOR).query("cursor", "a"),
                json!("?cursor=a"),
                turning,
            ),
            (
                Call::new(&BY_CURSOR),
                json!(format!("?cursor={}", "a".repeat(5000))),
                turning,
            ),
            (Call::new(&BY_CURSOR), json!("?offset=5"), other),
            (Call::new(&BY_CURSOR), json!("?cursor=%zz"), other),
            (call("5"), json!("?page=2"), other),
            (call("5"), json!("?offset=six"), other),
            (call("5"), json!(""), other),
            (
                call("5"),
                json!(7),
                "the answer names a next page that is no address",
            ),
        ] {
            let mut pager = Pager::new(call);
            let error = pager.read(json!({"next": next, "results": [1]}));
            assert_eq!(error.unwrap_err().message(), why, "{next}");
            assert!(pager.call().is_none());
        }
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for answer in [
            json!({}),
            json!("x"),
            json!({"results": {}}),
            json!(null),
            json!({"raw": "<html>"}),
        ] {
            let error = Page::read(answer).unwrap_err();
            assert_eq!(error.message(), "the answer of the Didit API is not a list");
        }
    }

    #[test]
    fn pages_and_rows_are_bounded() {
        let page = |offset: u64| json!({"next": format!("?offset={offset}"), "results": [1, 2]});
        let mut pager = Pager::new(Call::new(&BY_OFFSET)).at_most(2, 100);
        assert!(pager.read(page(2)).is_ok());
        assert_eq!(
            pager.read(page(4)).unwrap_err().message(),
            "the list has more pages than were asked for"
        );
        let mut pager = Pager::new(Call::new(&BY_OFFSET)).at_most(9, 3);
        assert!(pager.read(page(2)).is_ok());
        assert_eq!(
            pager.read(page(4)).unwrap_err().message(),
            "the list has more rows than were asked for"
        );
        // A list that ends with the last page that may be asked for has ended.
        let mut pager = Pager::new(Call::new(&BY_OFFSET)).at_most(1, 2);
        assert!(pager.read(json!({"next": null, "results": [1, 2]})).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn a_parameter_survives_its_encoding(text in "\\PC{1,30}") {
            let address = format!("https://h/?a=1&cursor={}&b=2", crate::api::percent_encode(&text));
            proptest::prop_assert_eq!(parameter(&address, "cursor"), Some(text));
        }
    }
}
