//! A `multipart/form-data` body, read strictly (RFC 7578, RFC 2046 section 5.1).

use bytes::Bytes;

/// Parts of one form at most: no operation has more than ten.
const MOST_PARTS: usize = 32;
/// Bytes of the headers of one part at most.
const MOST_HEADER_BYTES: usize = 4 * 1024;
// RFC 2046 section 5.1.1: a boundary is 1 to 70 characters.
const MOST_BOUNDARY_BYTES: usize = 70;

/// One part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// The name of the file, where the part is one.
    pub file_name: Option<String>,
    /// The media type that the part says it has.
    pub content_type: Option<String>,
    /// What is in it.
    pub content: Bytes,
}

/// Reads a form. The text says what is wrong with one that cannot be read.
pub(crate) fn parse(content_type: &str, body: &Bytes) -> Result<Vec<Part>, String> {
    let boundary = boundary(content_type)?;
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut parts: Vec<Part> = Vec::new();
    let mut at = body
        .starts_with(opening.as_bytes())
        .then_some(opening.len())
        .ok_or("The body does not start with its boundary.")?;
    loop {
        let rest = body.slice(at..);
        if rest.starts_with(b"--") {
            // RFC 2046 section 5.1.1: nothing of meaning follows the last boundary.
            return match rest.slice(2..).as_ref() {
                b"" | b"\r\n" => Ok(parts),
                _ => Err("Something follows the last boundary.".to_owned()),
            };
        }
        if !rest.starts_with(b"\r\n") {
            return Err("A boundary is not followed by the end of its line.".to_owned());
        }
        let rest = rest.slice(2..);
        let end = find(&rest, b"\r\n\r\n").filter(|end| *end <= MOST_HEADER_BYTES);
        let end = end.ok_or("The headers of a part have no end.")?;
        let headers = rest.slice(..end);
        let content = rest.slice(end + 4..);
        let length = find(&content, between.as_bytes()).ok_or("The last boundary is missing.")?;
        if parts.len() >= MOST_PARTS {
            return Err(format!("The form has more than {MOST_PARTS} parts."));
        }
        let part = part(&headers, content.slice(..length))?;
        if parts.iter().any(|other| other.name == part.name) {
            return Err("Two parts have the same name.".to_owned());
        }
        parts.push(part);
        at += 2 + end + 4 + length + between.len();
    }
}

fn boundary(content_type: &str) -> Result<String, String> {
    let given = parameter(content_type, "boundary").ok_or("The media type names no boundary.")?;
    if given.is_empty() || given.len() > MOST_BOUNDARY_BYTES || !given.is_ascii() {
        return Err("The boundary is not 1 to 70 ASCII characters.".to_owned());
    }
    Ok(given)
}

// RFC 7578 section 4.2: each part says `form-data` and its name.
fn part(headers: &[u8], content: Bytes) -> Result<Part, String> {
    let text = std::str::from_utf8(headers).map_err(|_| "The headers of a part are not text.")?;
    let (mut disposition, mut content_type) = (None, None);
    for line in text.split("\r\n") {
        let (name, value) = line
            .split_once(':')
            .ok_or("A header of a part has no name.")?;
        if name.eq_ignore_ascii_case("content-disposition") {
            disposition = Some(value.trim());
        } else if name.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.trim().to_owned());
        }
    }
    let disposition = disposition
        .filter(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim() == "form-data")
        })
        .ok_or("A part is not form-data.")?;
    let name = parameter(disposition, "name").filter(|name| !name.is_empty());
    Ok(Part {
        name: name.ok_or("A part has no name.")?,
        file_name: parameter(disposition, "filename"),
        content_type,
        content,
    })
}

/// The value of a parameter, with or without quotes.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, left) = quoted.split_once('"')?;
                (value, left.trim_start().strip_prefix(';').unwrap_or(""))
            }
            None => after.split_once(';').unwrap_or((after, "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = left;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=x1";
    const GOOD: &str = "--x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--x1\r\n\
        content-disposition: form-data; name=\"f\"; filename=\"p; q.png\"\r\nContent-Type: image/png\r\n\r\n\r\n--x\r\n--x1--\r\n";

    fn read(content_type: &str, body: &str) -> Result<Vec<Part>, String> {
        parse(content_type, &Bytes::from(body.to_owned()))
    }

    #[test]
    fn the_parts_of_a_form_are_told_apart() {
        for body in [GOOD, GOOD.trim_end()] {
            let parts = read(TYPE, body).unwrap();
            assert_eq!(parts.len(), 2);
            assert_eq!(
                (parts[0].name.as_str(), &parts[0].content[..]),
                ("a", &b"one"[..])
            );
            assert_eq!(
                (&parts[0].file_name, &parts[0].content_type),
                (&None, &None)
            );
            assert_eq!(parts[1].file_name.as_deref(), Some("p; q.png"));
            assert_eq!(parts[1].content_type.as_deref(), Some("image/png"));
            assert_eq!(&parts[1].content[..], b"\r\n--x");
        }
        let quoted = "multipart/form-data; charset=utf-8; boundary=\"x1\"";
        assert_eq!(read(quoted, GOOD).unwrap().len(), 2);
        assert_eq!(read(TYPE, "--x1--\r\n").unwrap(), []);
    }

    #[test]
    fn a_form_that_is_broken_is_refused_with_the_reason() {
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        let many: String = (0..33)
            .map(|number| {
                format!("--x1\r\nContent-Disposition: form-data; name=\"{number}\"\r\n\r\n\r\n")
            })
            .collect::<String>()
            + "--x1--";
        for (content_type, body, why) in [
            (
                "multipart/form-data",
                GOOD.to_owned(),
                "The media type names no boundary.",
            ),
            (
                &long,
                GOOD.to_owned(),
                "The boundary is not 1 to 70 ASCII characters.",
            ),
            (
                TYPE,
                String::new(),
                "The body does not start with its boundary.",
            ),
            (
                TYPE,
                GOOD.replace("--x1--", "--x1"),
                "The headers of a part have no end.",
            ),
            (
                TYPE,
                GOOD.replace("\r\n--x1--\r\n", ""),
                "The last boundary is missing.",
            ),
            (
                TYPE,
                format!("{GOOD}more"),
                "Something follows the last boundary.",
            ),
            (
                TYPE,
                GOOD.replacen("--x1\r\n", "--x1 \r\n", 1),
                "A boundary is not followed by the end of its line.",
            ),
            (
                TYPE,
                GOOD.replace("form-data;", "attachment;"),
                "A part is not form-data.",
            ),
            (
                TYPE,
                GOOD.replace("name=\"a\"", "nome=\"a\""),
                "A part has no name.",
            ),
            (
                TYPE,
                GOOD.replace("name=\"f\"", "name=\"a\""),
                "Two parts have the same name.",
            ),
            (
                TYPE,
                GOOD.replace("Content-Type: image/png", "image/png"),
                "A header of a part has no name.",
            ),
            (
                TYPE,
                "--x1\r\nContent-Disposition: form-data".to_owned(),
                "The headers of a part have no end.",
            ),
            (TYPE, many, "The form has more than 32 parts."),
        ] {
            assert_eq!(read(content_type, &body), Err(why.to_owned()), "{why}");
        }
    }
}
