//! Reading a file by a path that was checked: what is opened is what is looked at and what is read.

use std::fs::{self, File as Opened, Metadata};
use std::io::{ErrorKind, Read as _};

use super::RefusedFile;
use super::path::{CheckedPath, RefusedPath};

/// Reads a regular file that no link led to.
pub(super) fn read(path: &CheckedPath, most: usize) -> Result<Vec<u8>, RefusedFile> {
    // Before it is opened: opening a device can already do something.
    let before = fs::symlink_metadata(path.path()).map_err(refused)?;
    if before.is_symlink() {
        return Err(RefusedPath::Link.into());
    }
    if !before.is_file() {
        return Err(RefusedPath::NotRegular.into());
    }
    let file = system::open(path)?;
    read_opened(file, path, most)
}

/// Everything that counts is asked of the open file; another one at its path by now changes nothing.
fn read_opened(file: Opened, path: &CheckedPath, most: usize) -> Result<Vec<u8>, RefusedFile> {
    let found = file.metadata().map_err(refused)?;
    if !found.is_file() {
        return Err(RefusedPath::NotRegular.into());
    }
    if !system::is_at(&file, &found, path) {
        return Err(RefusedPath::Link.into());
    }
    let too_large = RefusedFile::TooLarge { most };
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    if found.len() > most {
        return Err(too_large);
    }
    let mut content = Vec::new();
    // It may grow while it is read: one byte more tells.
    file.take(most.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(refused)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > most {
        return Err(too_large);
    }
    Ok(content)
}

fn refused(error: std::io::Error) -> RefusedFile {
    let why = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => RefusedPath::Missing,
        ErrorKind::PermissionDenied => RefusedPath::Forbidden,
        _ => RefusedPath::Unreadable,
    };
    why.into()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    //! Linux says where an open file is.

    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::{CheckedPath, Metadata, Opened, RefusedFile, RefusedPath, fs, refused};

    /// `O_NOFOLLOW`, which has one of two values by processor; unknown elsewhere.
    const NO_FOLLOW: Option<i32> = if cfg!(any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "loongarch64"
    )) {
        Some(0o400_000)
    } else if cfg!(any(
        target_arch = "arm",
        target_arch = "aarch64",
        target_arch = "powerpc64"
    )) {
        Some(0o100_000)
    } else {
        None
    };

    /// `O_NONBLOCK`: a pipe put in the file's place must not hold the call.
    const NON_BLOCK: i32 = 0o4_000;

    /// `O_NOCTTY`.
    const NO_CTTY: i32 = 0o400;

    pub(super) fn open(path: &CheckedPath) -> Result<Opened, RefusedFile> {
        let no_follow = NO_FOLLOW.ok_or(RefusedPath::Unsupported)?;
        fs::OpenOptions::new()
            .read(true)
            .custom_flags(no_follow | NON_BLOCK | NO_CTTY)
            .open(path.path())
            .map_err(refused)
    }

    /// proc_pid_fd(5): the link of a descriptor is the path that the kernel came to, after all links.
    pub(super) fn is_at(file: &Opened, _: &Metadata, path: &CheckedPath) -> bool {
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        fs::read_link(link).is_ok_and(|place| place.as_path() == path.path())
    }
}

#[cfg(target_os = "macos")]
mod system {
    //! macOS refuses to follow any link on the way, when it is asked to.

    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

    use super::{CheckedPath, Metadata, Opened, RefusedFile, fs, refused};

    /// `O_NOFOLLOW`, `O_NOFOLLOW_ANY`, `O_NONBLOCK` and `O_NOCTTY` of open(2).
    const FLAGS: i32 = 0x100 | 0x2000_0000 | 0x4 | 0x2_0000;

    pub(super) fn open(path: &CheckedPath) -> Result<Opened, RefusedFile> {
        fs::OpenOptions::new()
            .read(true)
            .custom_flags(FLAGS)
            .open(path.path())
            .map_err(refused)
    }

    /// For a kernel that does not know the flag: the path leads to itself, and to this file.
    pub(super) fn is_at(_: &Opened, found: &Metadata, path: &CheckedPath) -> bool {
        let same = |now: Metadata| (now.dev(), now.ino()) == (found.dev(), found.ino());
        fs::canonicalize(path.path()).is_ok_and(|real| real.as_path() == path.path())
            && fs::symlink_metadata(path.path()).is_ok_and(same)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos")))]
mod system {
    //! Elsewhere nothing is read by its path.

    use super::{CheckedPath, Metadata, Opened, RefusedFile, RefusedPath};

    pub(super) fn open(_: &CheckedPath) -> Result<Opened, RefusedFile> {
        Err(RefusedPath::Unsupported.into())
    }

    pub(super) fn is_at(_: &Opened, _: &Metadata, _: &CheckedPath) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::path;
    use super::*;
    use crate::file::tests::{Folder, PNG};

    #[test]
    fn a_link_put_in_between_is_found() {
        let folder = Folder::new("between");
        fs::create_dir(folder.join("a")).unwrap();
        let text = folder.write("a/x.png", PNG);
        let path = path::check(&text, &["png"]).unwrap();
        let file = system::open(&path).unwrap();
        fs::rename(folder.join("a"), folder.join("b")).unwrap();
        symlink(folder.join("b"), folder.join("a")).unwrap();
        assert_eq!(
            read_opened(file, &path, 100),
            Err(RefusedPath::Link.into()),
            "the same file, now behind a link"
        );
    }

    #[test]
    fn another_file_put_in_its_place_is_not_read() {
        let folder = Folder::new("swapped");
        let text = folder.write("x.png", PNG);
        let path = path::check(&text, &["png"]).unwrap();
        let file = system::open(&path).unwrap();
        let other = folder.write("y.png", b"other");
        fs::rename(other, folder.join("x.png")).unwrap();
        assert_eq!(
            read_opened(file, &path, 100),
            Err(RefusedPath::Link.into()),
            "the opened one has no place any more"
        );
    }

    #[test]
    fn opening_does_not_follow_a_link() {
        let folder = Folder::new("follow");
        let real = folder.write("x.png", PNG);
        symlink(real, folder.join("l.png")).unwrap();
        let text = folder.join("l.png").to_str().unwrap().to_owned();
        let path = path::check(&text, &["png"]).unwrap();
        assert!(system::open(&path).is_err());
    }
}
