//! A body of form fields and files.
//!
//! Specification: RFC 7578 (`multipart/form-data`), RFC 2046 section 5.1 (boundaries).

use http::HeaderValue;

use crate::crypto::{hex, sha256};
use crate::file::File;

/// The largest form that is sent, in bytes: three files of the largest size, and a megabyte of fields.
pub const MAX_FORM_BODY: usize = 46 * 1024 * 1024;

/// The most fields and files of a form; the widest operation has seven.
pub const MAX_FORM_PARTS: usize = 64;

/// A field of a form.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Text(String),
    File(File),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::File(file) => file.bytes(),
        }
    }
}

/// A form as it is sent.
pub(crate) struct Encoded {
    pub(crate) content_type: HeaderValue,
    pub(crate) body: Vec<u8>,
}

/// Why a form was not encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Writes the fields in their order.
pub(crate) fn encode(fields: &[(String, Content)]) -> Result<Encoded, TooLarge> {
    let size = fields.iter().fold(0_usize, |sum, (name, content)| {
        sum.saturating_add(name.len())
            .saturating_add(content.bytes().len())
    });
    if fields.len() > MAX_FORM_PARTS || size > MAX_FORM_BODY {
        return Err(TooLarge);
    }
    let boundary = boundary(fields);
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
        .map_err(|_| TooLarge)?;
    // Delimiter, headers and line ends are below 512 bytes a part, but for the names.
    let mut body = Vec::with_capacity(size + 512 * (fields.len() + 1));
    for (name, content) in fields {
        body.extend_from_slice(
            format!("--{boundary}\r\n{}\r\n\r\n", headers(name, content)).as_bytes(),
        );
        body.extend_from_slice(content.bytes());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    if body.len() > MAX_FORM_BODY {
        return Err(TooLarge);
    }
    Ok(Encoded { content_type, body })
}

/// A delimiter that no content can hold: the digest of all of it.
///
/// Who wrote a file so that it held the digest of itself would have broken SHA-256.
/// A form that is sent again has the same bytes, so that an `Idempotency-Key` still fits it; a random one would not.
fn boundary(fields: &[(String, Content)]) -> String {
    // RFC 2046 section 5.1.1: at most 70 characters; these are 64.
    hex(&sha256(fields.iter().flat_map(|(name, content)| {
        [name.as_bytes(), b"\0", content.bytes(), b"\0"]
    })))
}

fn headers(name: &str, content: &Content) -> String {
    let name = quoted(name);
    match content {
        // RFC 7578 section 4.2: every part has a disposition with the field's name.
        Content::Text(_) => format!("Content-Disposition: form-data; name=\"{name}\""),
        Content::File(file) => format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{}\"\r\nContent-Type: {}",
            quoted(file.name()),
            file.kind().media_type()
        ),
    }
}

/// What may stand between quotes in a header: RFC 7578 section 2 percent-encodes the rest.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            // RFC 9110 section 5.5: no other control character belongs into a header.
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, value: &str) -> (String, Content) {
        (name.to_owned(), Content::Text(value.to_owned()))
    }

    fn pdf(field: &str, name: &str, content: &[u8]) -> (String, Content) {
        let bytes = [b"%PDF-", content].concat();
        let file = File::new(name, bytes).unwrap();
        (field.to_owned(), Content::File(file))
    }

    /// What a receiver reads: headers and content of each part.
    fn parts(encoded: &Encoded) -> Vec<(String, Vec<u8>)> {
        let content_type = encoded.content_type.to_str().unwrap();
        let boundary = content_type
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap();
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // RFC 2046 section 5.1.1: the line end before a delimiter belongs to it.
        let body = [b"\r\n", encoded.body.as_slice()].concat();
        let mut starts = Vec::new();
        for (at, window) in body.windows(delimiter.len()).enumerate() {
            if window == delimiter.as_slice() {
                starts.push(at);
            }
        }
        assert_eq!(starts[0], 0);
        assert_eq!(
            &body[starts[starts.len() - 1] + delimiter.len()..],
            b"--\r\n"
        );
        starts
            .windows(2)
            .map(|pair| {
                let part = &body[pair[0] + delimiter.len()..pair[1]];
                let part = part.strip_prefix(b"\r\n").unwrap();
                let split = part
                    .windows(4)
                    .position(|four| four == b"\r\n\r\n")
                    .unwrap();
                let headers = String::from_utf8(part[..split].to_vec()).unwrap();
                (headers, part[split + 4..].to_vec())
            })
            .collect()
    }

    #[test]
    fn fields_and_files_are_written_in_order() {
        let encoded = encode(&[
            text("vendor_data", "customer-42"),
            pdf("document", "/srv/a \"b\".pdf", b"1.7\r\n--x"),
        ])
        .ok()
        .unwrap();
        assert_eq!(
            parts(&encoded),
            [
                (
                    "Content-Disposition: form-data; name=\"vendor_data\"".to_owned(),
                    b"customer-42".to_vec()
                ),
                (
                    "Content-Disposition: form-data; name=\"document\"; filename=\"a %22b%22.pdf\"\r\nContent-Type: application/pdf".to_owned(),
                    b"%PDF-1.7\r\n--x".to_vec()
                ),
            ]
        );
    }

    #[test]
    fn a_form_without_fields_is_a_closed_one() {
        assert!(parts(&encode(&[]).ok().unwrap()).is_empty());
    }

    #[test]
    fn the_same_form_has_the_same_bytes_and_another_has_another_boundary() {
        let body = |value| encode(&[text("a", value)]).ok().unwrap();
        assert_eq!(body("1").body, body("1").body);
        assert_ne!(body("1").content_type, body("2").content_type);
    }

    #[test]
    fn content_that_holds_the_boundary_of_another_form_stays_one_part() {
        let first = encode(&[text("a", "1")]).ok().unwrap();
        let copied = String::from_utf8(first.body).unwrap();
        let encoded = encode(&[text("a", &copied)]).ok().unwrap();
        assert_eq!(parts(&encoded)[0].1, copied.as_bytes());
    }

    #[test]
    fn a_form_is_bounded() {
        let wide: Vec<_> = (0..=MAX_FORM_PARTS).map(|_| text("a", "")).collect();
        assert!(encode(&wide[1..]).is_ok());
        assert_eq!(encode(&wide).err(), Some(TooLarge));
        let large = "x".repeat(MAX_FORM_BODY - 512);
        assert!(encode(&[text("a", &large)]).is_ok());
        let large = "x".repeat(MAX_FORM_BODY);
        assert_eq!(encode(&[text("", &large)]).err(), Some(TooLarge));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_what_is_read(
            fields in proptest::collection::vec(("\\PC{1,8}", "(?s).{0,40}", proptest::bool::ANY), 0..6)
        ) {
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value, is_file)| if is_file {
                    pdf(&name, "a.pdf", value.as_bytes())
                } else {
                    text(&name, &value)
                })
                .collect();
            let encoded = encode(&fields).ok().unwrap();
            let read = parts(&encoded);
            proptest::prop_assert_eq!(read.len(), fields.len());
            for ((headers, content), (name, sent)) in read.iter().zip(&fields) {
                proptest::prop_assert_eq!(content.as_slice(), sent.bytes());
                let start = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
                proptest::prop_assert!(headers.starts_with(&start));
                let lines = headers.split("\r\n").count();
                proptest::prop_assert_eq!(lines, if matches!(sent, Content::File(_)) { 2 } else { 1 });
            }
        }

        #[test]
        fn no_name_ends_its_header(name in "(?s).{0,40}") {
            let name = quoted(&name);
            proptest::prop_assert!(!name.contains(['"', '\r', '\n', '\0']));
        }
    }
}
