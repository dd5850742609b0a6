//! What a message says its body is, read strictly (RFC 9110 section 8.3).

use http::{HeaderMap, header};

/// The media type of the body in lower case, without its parameters; none if there is not exactly one.
///
/// Does not check: that it is registered, or that the body is of it.
///
/// ```
/// use oauth_rs::media_type;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("content-type", "Application/JSON; charset=utf-8".parse()?);
/// assert_eq!(media_type::of(&headers).as_deref(), Some("application/json"));
/// assert!(media_type::is_json(&headers) && !media_type::is_form(&headers));
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
pub fn of(headers: &HeaderMap) -> Option<String> {
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    // RFC 9110 section 8.3: a message has one media type; two lines, or a list, are malformed.
    let (Some(only), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let line = only.to_str().ok()?;
    let essence = line.split_once(';').map_or(line, |(essence, _)| essence);
    let essence = essence.trim_matches([' ', '\t']);
    // RFC 9110 section 8.3.1: type "/" subtype, both tokens.
    let (kind, subtype) = essence.split_once('/')?;
    (is_token(kind) && is_token(subtype)).then(|| essence.to_ascii_lowercase())
}

/// Whether the body is a form, which is what every request with OAuth parameters is.
///
/// Specification: RFC 6749 section 3.2 and appendix B.
pub fn is_form(headers: &HeaderMap) -> bool {
    of(headers).as_deref() == Some("application/x-www-form-urlencoded")
}

/// Whether the body is JSON: `application/json`, or any application type that is JSON underneath.
///
/// Specification: RFC 6839 section 3.1; client ID metadata document, section 5.
pub fn is_json(headers: &HeaderMap) -> bool {
    let subtype = of(headers);
    let subtype = subtype
        .as_deref()
        .and_then(|own| own.strip_prefix("application/"));
    subtype.is_some_and(|own| own == "json" || own.ends_with("+json"))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(crate::challenge::is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::CONTENT_TYPE, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_type_and_its_parameters() {
        for (line, form, json) in [
            ("application/x-www-form-urlencoded", true, false),
            (
                "Application/X-WWW-Form-Urlencoded;charset=UTF-8",
                true,
                false,
            ),
            ("application/json", false, true),
            ("application/json ; charset=\"a;b\"", false, true),
            ("application/oauth-authz-req+JSON", false, true),
            ("text/json", false, false),
            ("text/html", false, false),
            ("application/jsonp", false, false),
            ("multipart/form-data; boundary=x", false, false),
        ] {
            let headers = headers(&[line]);
            assert_eq!(
                (is_form(&headers), is_json(&headers)),
                (form, json),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_not_one_media_type() {
        for lines in [
            &[][..],
            &[""],
            &["application"],
            &["/json"],
            &["application/"],
            &["application/json/x"],
            &["application / json"],
            &["application/json, application/x-www-form-urlencoded"],
            &["application/json", "application/json"],
            &["application/x-www-form-urlencoded", "application/json"],
        ] {
            assert_eq!(of(&headers(lines)), None, "{lines:?}");
        }
    }
}
