//! Files that a tool sends on: as bytes anywhere, by their path where the server is the person's own.
//!
//! Over HTTP a path would name a file of the server, so it is refused there with what to send instead.
//! On stdio a path is read through one open descriptor, after rules that keep a model from being talked into sending what no check needs.

mod bytes;
mod path;
mod read;

use didit_client::{File, FileKind, MAX_FILE};

pub(crate) use path::RefusedPath;

/// The largest image of a check, in bytes.
pub(crate) const MAX_IMAGE: usize = 5 * 1024 * 1024;

/// What one use of a file takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Takes {
    /// The kinds, by their leading bytes.
    pub(crate) kinds: &'static [FileKind],
    /// The extensions that a path may end with.
    pub(crate) extensions: &'static [&'static str],
    /// The largest, in bytes.
    pub(crate) most: usize,
}

/// The picture of a face or a document that a check looks at.
pub(crate) const PHOTO: Takes = Takes {
    kinds: &[
        FileKind::Jpeg,
        FileKind::Png,
        FileKind::WebP,
        FileKind::Tiff,
    ],
    extensions: &["jpg", "jpeg", "png", "webp", "tif", "tiff"],
    most: MAX_IMAGE,
};

/// A document that shows an address.
pub(crate) const DOCUMENT: Takes = Takes {
    kinds: &[
        FileKind::Jpeg,
        FileKind::Png,
        FileKind::WebP,
        FileKind::Tiff,
        FileKind::Pdf,
    ],
    extensions: &["jpg", "jpeg", "png", "webp", "tif", "tiff", "pdf"],
    most: MAX_FILE,
};

/// A picture of the customer's own look.
pub(crate) const LOGO: Takes = Takes {
    kinds: &[
        FileKind::Png,
        FileKind::Jpeg,
        FileKind::WebP,
        FileKind::Gif,
        FileKind::Bmp,
        FileKind::Ico,
    ],
    extensions: &["png", "jpg", "jpeg", "webp", "gif", "bmp", "ico"],
    most: MAX_FILE,
};

/// The portrait that a session is held against; it comes as bytes only.
pub(crate) const PORTRAIT: Takes = Takes {
    kinds: PHOTO.kinds,
    extensions: &[],
    most: 1024 * 1024,
};

/// What a file field of an operation takes.
pub(crate) fn takes(operation: &str, field: &str) -> &'static Takes {
    match (operation, field) {
        ("verify.poa", _) => &DOCUMENT,
        ("branding.update", _) => &LOGO,
        _ => &PHOTO,
    }
}

/// Whether paths may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    /// They name files of the person who calls: over stdio.
    Read,
    /// They would name files of the server: over HTTP.
    Refused,
}

/// One file among the arguments of a tool: by its path, or as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) path: Option<&'a str>,
    pub(crate) base64: Option<&'a str>,
}

/// Why a file was not taken. Neither a path nor any byte of the content is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedFile {
    /// Both were given.
    #[error("was given both as a path and as bytes; give one of them")]
    Both,
    /// A path, where none may be read.
    #[error("was given as a path, which would be a file of the server; send its bytes as base64")]
    PathOverHttp,
    /// The path itself.
    #[error(transparent)]
    Path(#[from] RefusedPath),
    /// Not base64 that can be read.
    #[error("is not base64: {0}")]
    Base64(&'static str),
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// More than the use takes.
    #[error("is larger than {} MB", .most / (1024 * 1024))]
    TooLarge { most: usize },
    /// It begins like nothing that the use takes.
    #[error("is not one of {}, by its first bytes", .kinds.iter().map(|kind| kind.extension()).collect::<Vec<_>>().join(", "))]
    Kind { kinds: &'static [FileKind] },
}

/// The file that was given, checked; `None` when there is none.
///
/// `called` names it upstream when it came as bytes, without its extension.
///
/// Checked: one of path and bytes; the rules of paths; the size; the leading bytes.
/// Not checked: whether the rest of the content is what it begins like.
///
/// Reading a path blocks for as long as the file system takes; that is for a server of one person, and 15 MB at most.
///
/// # Errors
/// [`RefusedFile`] with the first rule that is broken.
pub(crate) fn take(
    given: Given<'_>,
    called: &str,
    takes: &Takes,
    paths: Paths,
) -> Result<Option<File>, RefusedFile> {
    let (name, content) = match (given.path, given.base64) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(RefusedFile::Both),
        (Some(_), None) if paths == Paths::Refused => return Err(RefusedFile::PathOverHttp),
        (Some(path), None) => {
            let path = path::check(path, takes.extensions)?;
            let content = read::read(&path, takes.most)?;
            (path.name().to_owned(), content)
        }
        (None, Some(text)) => {
            let content = bytes::decode(text, takes.most)?;
            let extension = FileKind::of(&content).map_or("bin", FileKind::extension);
            (format!("{called}.{extension}"), content)
        }
    };
    if content.is_empty() {
        return Err(RefusedFile::Empty);
    }
    let kinds = takes.kinds;
    if !FileKind::of(&content).is_some_and(|kind| kinds.contains(&kind)) {
        return Err(RefusedFile::Kind { kinds });
    }
    File::new(&name, content)
        .map(Some)
        .map_err(|_| RefusedFile::Kind { kinds })
}

#[cfg(test)]
mod tests;
