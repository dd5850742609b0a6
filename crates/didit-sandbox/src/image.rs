//! What a file is, by its first bytes, and what is taken.

use crate::form::Part;
use crate::refused::Refused;

/// Bytes of one image at most.
pub(crate) const MOST_IMAGE_BYTES: usize = 5 * 1024 * 1024;
/// Bytes of a document with an address at most.
pub(crate) const MOST_DOCUMENT_BYTES: usize = 15 * 1024 * 1024;

/// First bytes, and what begins with them.
const MAGIC: &[(&[u8], &str)] = &[
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF-", "PDF"),
];

/// The format of a file, where it is one of those known.
pub(crate) fn format(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("WebP");
    }
    let found = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, name)| *name)
}

/// Checks a file: not empty, not too long, and of a format that is taken.
pub(crate) fn check(name: &str, bytes: &[u8], most: usize, pdf: bool) -> Result<(), Refused> {
    let why = if bytes.is_empty() {
        "The submitted file is empty.".to_owned()
    } else if bytes.len() > most {
        format!("The file is larger than {} MB.", most / (1024 * 1024))
    } else {
        match format(bytes) {
            Some("PDF") if !pdf => "Upload a valid image: JPEG, PNG, WebP or TIFF.".to_owned(),
            Some(_) => return Ok(()),
            None => "Upload a valid image: JPEG, PNG, WebP or TIFF.".to_owned(),
        }
    };
    Err(Refused::field(name, why))
}

/// The file of a form under that name: it must be there, and be a file.
pub(crate) fn file<'f>(form: &'f [Part], name: &str) -> Result<&'f Part, Refused> {
    let part = form.iter().find(|part| part.name == name);
    match part {
        None => Err(Refused::field(name, "No file was submitted.")),
        Some(part) if part.file_name.is_none() => {
            let why = "The submitted data was not a file. Check the encoding type on the form.";
            Err(Refused::field(name, why))
        }
        Some(part) => Ok(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        for (bytes, name) in [
            (&b"\xff\xd8\xff\xe0"[..], Some("JPEG")),
            (b"\x89PNG\r\n\x1a\n....", Some("PNG")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("WebP")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"II*\0", Some("TIFF")),
            (b"MM\0*", Some("TIFF")),
            (b"%PDF-1.4", Some("PDF")),
            (b"GIF89a", None),
            (b"", None),
        ] {
            assert_eq!(format(bytes), name, "{bytes:?}");
        }
        assert!(check("x", b"%PDF-1.4", 100, true).is_ok());
        assert!(check("x", b"%PDF-1.4", 100, false).is_err());
        assert!(check("x", b"\xff\xd8\xff", 2, false).is_err());
        assert!(check("x", b"", 2, false).is_err());
    }
}
