//! A file that is uploaded: its kind by its leading bytes, and a name without a folder.

use std::fmt;
use std::sync::Arc;

/// The largest file that is uploaded, in bytes: what Didit takes of an address document, its largest kind.
pub const MAX_FILE: usize = 15 * 1024 * 1024;

/// The longest file name, in bytes: what common file systems allow.
pub const MAX_FILE_NAME: usize = 255;

/// What a file is, by its leading bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// Windows bitmap.
    Bmp,
    /// GIF.
    Gif,
    /// Windows icon.
    Ico,
    /// JPEG.
    Jpeg,
    /// PDF.
    Pdf,
    /// PNG.
    Png,
    /// TIFF, in either byte order.
    Tiff,
    /// WebP.
    WebP,
}

impl FileKind {
    /// The kind that these bytes begin like, if it is one that Didit takes.
    ///
    /// Not checked: anything after the signature; a file may begin well and be broken or hostile further on.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        // RFC 9649 section 2.4: `RIFF`, the length, `WEBP`.
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return Some(Self::WebP);
        }
        const SIGNATURES: [(&[u8], FileKind); 9] = [
            // PNG (third edition) section 5.2.
            (b"\x89PNG\r\n\x1a\n", FileKind::Png),
            // ITU-T T.81 annex B: start of image, and the first marker.
            (b"\xff\xd8\xff", FileKind::Jpeg),
            (b"GIF87a", FileKind::Gif),
            (b"GIF89a", FileKind::Gif),
            (b"%PDF-", FileKind::Pdf),
            // TIFF 6.0 section 2: byte order, then 42.
            (b"II*\0", FileKind::Tiff),
            (b"MM\0*", FileKind::Tiff),
            (b"\0\0\x01\0", FileKind::Ico),
            (b"BM", FileKind::Bmp),
        ];
        SIGNATURES
            .into_iter()
            .find_map(|(signature, kind)| bytes.starts_with(signature).then_some(kind))
    }

    /// The media type that is sent with it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Bmp => "image/bmp",
            Self::Gif => "image/gif",
            Self::Ico => "image/x-icon",
            Self::Jpeg => "image/jpeg",
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
            Self::WebP => "image/webp",
        }
    }

    /// The extension that it usually has, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Bmp => "bmp",
            Self::Gif => "gif",
            Self::Ico => "ico",
            Self::Jpeg => "jpg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Tiff => "tiff",
            Self::WebP => "webp",
        }
    }
}

/// A file that may be uploaded.
///
/// `Debug` shows name, kind and length, never the content; a copy shares the content.
#[derive(Clone)]
pub struct File {
    name: String,
    kind: FileKind,
    bytes: Arc<Vec<u8>>,
}

impl File {
    /// Takes a file's content under a name.
    ///
    /// Of the name, what stands after the last `/` or `\` is kept, without control characters: folders of the sender are nobody's business.
    ///
    /// # Errors
    /// [`InvalidFile`] with the rule that the name or the content breaks.
    pub fn new(name: &str, bytes: Vec<u8>) -> Result<Self, InvalidFile> {
        let name = base_name(name)?;
        if bytes.is_empty() {
            return Err(InvalidFile::Empty);
        }
        if bytes.len() > MAX_FILE {
            return Err(InvalidFile::TooLarge);
        }
        let kind = FileKind::of(&bytes).ok_or(InvalidFile::UnknownKind)?;
        Ok(Self {
            name,
            kind,
            bytes: Arc::new(bytes),
        })
    }

    /// The name, without a folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, by its leading bytes.
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// The content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

fn base_name(name: &str) -> Result<String, InvalidFile> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).collect();
    let clean = clean.trim();
    if clean.is_empty() || clean == "." || clean == ".." {
        return Err(InvalidFile::NoName);
    }
    if clean.len() > MAX_FILE_NAME {
        return Err(InvalidFile::NameTooLong);
    }
    Ok(clean.to_owned())
}

/// Why something may not be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFile {
    /// There is no content.
    #[error("the file is empty")]
    Empty,
    /// More than [`MAX_FILE_NAME`] bytes.
    #[error("the file name is longer than 255 bytes")]
    NameTooLong,
    /// Nothing is left of the name without folders and control characters.
    #[error("the file has no name")]
    NoName,
    /// More than [`MAX_FILE`] bytes.
    #[error("the file is larger than 15 MiB")]
    TooLarge,
    /// It begins like none of the kinds that Didit takes.
    #[error("the file begins like none of PNG, JPEG, WebP, GIF, BMP, ICO, TIFF and PDF")]
    UnknownKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_bytes_say_what_it_is() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], Some(FileKind::Png)),
            (b"\x89PNG\n\x1a\n", None),
            (b"\xff\xd8\xff\xe0", Some(FileKind::Jpeg)),
            (b"\xff\xd8", None),
            (b"GIF87a", Some(FileKind::Gif)),
            (b"GIF89a", Some(FileKind::Gif)),
            (b"GIF88a", None),
            (b"%PDF-1.7", Some(FileKind::Pdf)),
            (b" %PDF-1.7", None),
            (b"II*\0", Some(FileKind::Tiff)),
            (b"MM\0*", Some(FileKind::Tiff)),
            (b"\0\0\x01\0\x01", Some(FileKind::Ico)),
            (b"BM6", Some(FileKind::Bmp)),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some(FileKind::WebP)),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (b"RIFFWEBP", None),
            (b"<svg xmlns=", None),
            (b"root:x:0:0", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::of(bytes), kind, "{bytes:?}");
        }
    }

    #[test]
    fn a_name_loses_its_folder_and_what_could_end_a_header() {
        let name =
            |text: &str| File::new(text, b"%PDF-".to_vec()).map(|file| file.name().to_owned());
        for (text, kept) in [
            ("a.pdf", "a.pdf"),
            ("/srv/private/a.pdf", "a.pdf"),
            ("C:\\Users\\ada\\a.pdf", "a.pdf"),
            ("a\r\nX-Evil: 1.pdf", "aX-Evil: 1.pdf"),
            ("zażółć.pdf", "zażółć.pdf"),
            ("...", "..."),
        ] {
            assert_eq!(name(text).unwrap(), kept);
        }
        for text in ["", "/", "a/", "a/..", ".", "\r\n", "x/ \t"] {
            assert_eq!(name(text).unwrap_err(), InvalidFile::NoName, "{text:?}");
        }
        assert!(name(&"x".repeat(MAX_FILE_NAME)).is_ok());
        assert_eq!(
            name(&"x".repeat(MAX_FILE_NAME + 1)).unwrap_err(),
            InvalidFile::NameTooLong
        );
    }

    #[test]
    fn content_is_bounded_and_of_a_known_kind() {
        let file = |bytes| File::new("a", bytes).map(|file| file.kind());
        assert_eq!(file(Vec::new()).unwrap_err(), InvalidFile::Empty);
        assert_eq!(
            file(b"#!/bin/sh".to_vec()).unwrap_err(),
            InvalidFile::UnknownKind
        );
        let mut large = b"BM".to_vec();
        large.resize(MAX_FILE, 0);
        assert_eq!(file(large.clone()).unwrap(), FileKind::Bmp);
        large.push(0);
        assert_eq!(file(large).unwrap_err(), InvalidFile::TooLarge);
    }

    #[test]
    fn debug_does_not_show_the_content() {
        let file = File::new("a.pdf", b"%PDF-1.7".to_vec()).unwrap();
        assert_eq!(
            format!("{file:?}"),
            r#"File { name: "a.pdf", kind: Pdf, bytes: 8 }"#
        );
    }
}
