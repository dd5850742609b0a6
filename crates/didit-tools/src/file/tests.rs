//! Each rule, from a file that breaks none.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

/// A folder of its own for one test, gone with it.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        // Without links on the way, wherever the system has its folder for such things.
        let base = fs::canonicalize(std::env::temp_dir()).unwrap();
        let path = base.join(format!("didit-tools-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.join(name);
        fs::write(&path, content).unwrap();
        text(&path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn by_path(path: &str) -> Result<Option<File>, RefusedFile> {
    let given = Given {
        path: Some(path),
        base64: None,
    };
    take(given, "image", &PHOTO, Paths::Read)
}

fn by_bytes(text: &str) -> Result<Option<File>, RefusedFile> {
    let given = Given {
        path: None,
        base64: Some(text),
    };
    take(given, "image", &PHOTO, Paths::Refused)
}

#[test]
fn one_of_path_and_bytes() {
    let none = Given {
        path: None,
        base64: None,
    };
    assert!(take(none, "image", &PHOTO, Paths::Read).unwrap().is_none());
    let both = Given {
        path: Some("/a.png"),
        base64: Some("aaaa"),
    };
    assert_eq!(
        take(both, "image", &PHOTO, Paths::Read).unwrap_err(),
        RefusedFile::Both
    );
}

#[test]
fn a_path_is_refused_over_http_and_said_what_to_send() {
    let folder = Folder::new("http");
    let given = Given {
        path: Some(&folder.write("x.png", PNG)),
        base64: None,
    };
    let refused = take(given, "image", &PHOTO, Paths::Refused).unwrap_err();
    assert_eq!(refused, RefusedFile::PathOverHttp);
    assert!(refused.to_string().ends_with("send its bytes as base64"));
}

#[test]
fn bytes_are_taken_alone_or_in_a_data_url() {
    let encoded = STANDARD.encode(PNG);
    for text in [
        encoded.clone(),
        format!(" {encoded}\n"),
        format!("data:image/png;base64,{encoded}"),
        format!("DATA:image/png;charset=x;BASE64,{encoded}"),
        format!("data:;base64,{encoded}"),
    ] {
        let file = by_bytes(&text).unwrap().unwrap();
        assert_eq!(
            (file.name(), file.bytes(), file.kind()),
            ("image.png", PNG, FileKind::Png)
        );
    }
}

#[test]
fn each_wrong_encoding_has_its_reason() {
    let encoded = STANDARD.encode(PNG);
    let long = format!("data:{};base64,{encoded}", "x".repeat(200));
    for (text, why) in [
        (
            format!("data:image/png,{encoded}"),
            "the data URL does not say ;base64",
        ),
        (long, "the head of the data URL is too long"),
        (
            "aaaa\naaaa".to_owned(),
            "it has spaces or line breaks in it",
        ),
        (
            "aa-_".to_owned(),
            "it uses the alphabet for addresses; + and / are expected",
        ),
        (
            "aa%a".to_owned(),
            "it has characters that base64 does not have",
        ),
        (
            "data:image/png;base64".to_owned(),
            "it has characters that base64 does not have",
        ),
        (
            "aaa".to_owned(),
            "its length or its end is wrong, as if a part were missing",
        ),
        (
            "aa=a".to_owned(),
            "its length or its end is wrong, as if a part were missing",
        ),
        (
            "aab=".to_owned(),
            "its length or its end is wrong, as if a part were missing",
        ),
    ] {
        assert_eq!(
            by_bytes(&text).unwrap_err(),
            RefusedFile::Base64(why),
            "{text}"
        );
    }
}

#[test]
fn sizes_are_bounded_on_both_ways() {
    let folder = Folder::new("sizes");
    let too_large = RefusedFile::TooLarge { most: MAX_IMAGE };
    let mut content = PNG.to_vec();
    content.resize(MAX_IMAGE, 0);
    assert!(by_path(&folder.write("full.png", &content)).is_ok());
    assert!(by_bytes(&STANDARD.encode(&content)).is_ok());
    content.push(0);
    assert_eq!(
        by_path(&folder.write("over.png", &content)).unwrap_err(),
        too_large
    );
    assert_eq!(by_bytes(&STANDARD.encode(&content)).unwrap_err(), too_large);
    assert_eq!(by_bytes(&"!".repeat(MAX_IMAGE * 2)).unwrap_err(), too_large);
    assert_eq!(too_large.to_string(), "is larger than 5 MB");
    assert_eq!(
        by_path(&folder.write("none.png", b"")).unwrap_err(),
        RefusedFile::Empty
    );
    assert_eq!(by_bytes("").unwrap_err(), RefusedFile::Empty);
    assert_eq!(
        by_bytes("data:image/png;base64,").unwrap_err(),
        RefusedFile::Empty
    );
}

#[test]
fn each_use_has_its_size() {
    let megabytes = |takes: &Takes| takes.most / (1024 * 1024);
    assert_eq!(
        [&PORTRAIT, &PHOTO, &DOCUMENT, &LOGO].map(megabytes),
        [1, 5, 15, 15]
    );
}

#[test]
fn the_leading_bytes_decide() {
    let folder = Folder::new("kinds");
    let samples: [(&[u8], FileKind); 8] = [
        (PNG, FileKind::Png),
        (b"\xff\xd8\xff\xe0", FileKind::Jpeg),
        (b"RIFF\0\0\0\0WEBP", FileKind::WebP),
        (b"II*\0", FileKind::Tiff),
        (b"%PDF-1.7", FileKind::Pdf),
        (b"GIF89a", FileKind::Gif),
        (b"BM", FileKind::Bmp),
        (b"\0\0\x01\0", FileKind::Ico),
    ];
    for takes in [&PHOTO, &DOCUMENT, &LOGO] {
        for (content, kind) in samples {
            let path = folder.write("x.png", content);
            for (path, base64) in [
                (Some(path.as_str()), None),
                (None, Some(STANDARD.encode(content))),
            ] {
                let base64 = base64.as_deref();
                let taken = take(Given { path, base64 }, "image", takes, Paths::Read);
                match taken {
                    Ok(file) => {
                        assert!(takes.kinds.contains(&kind), "{kind:?}");
                        assert_eq!(file.unwrap().kind(), kind);
                    }
                    Err(why) => {
                        assert!(!takes.kinds.contains(&kind), "{kind:?}");
                        assert_eq!(why, RefusedFile::Kind { kinds: takes.kinds });
                    }
                }
            }
        }
    }
    let script = RefusedFile::Kind { kinds: PHOTO.kinds };
    assert_eq!(
        by_path(&folder.write("x.png", b"#!/bin/sh")).unwrap_err(),
        script
    );
    assert_eq!(
        by_bytes(&STANDARD.encode("root:x:0:0")).unwrap_err(),
        script
    );
    assert_eq!(
        script.to_string(),
        "is not one of jpg, png, webp, tiff, by its first bytes"
    );
}

#[test]
fn each_wrong_path_has_its_reason() {
    let extension = RefusedPath::Extension {
        allowed: PHOTO.extensions,
    };
    let long = format!("/{}.png", "x".repeat(5000));
    for (path, why) in [
        ("", RefusedPath::Relative),
        ("x.png", RefusedPath::Relative),
        ("./x.png", RefusedPath::Relative),
        ("~/x.png", RefusedPath::Relative),
        ("C:\\x.png", RefusedPath::Relative),
        ("file:///x.png", RefusedPath::Relative),
        (&long, RefusedPath::TooLong),
        ("/a\0.png", RefusedPath::Control),
        ("/a/../etc/x.png", RefusedPath::DotDot),
        ("/a/..", RefusedPath::DotDot),
        ("/etc/x.png", RefusedPath::System),
        ("/etc", RefusedPath::System),
        ("//etc/x.png", RefusedPath::System),
        ("/./etc/./x.png", RefusedPath::System),
        ("/ETC/x.png", RefusedPath::System),
        ("/proc/self/x.png", RefusedPath::System),
        ("/sys/x.png", RefusedPath::System),
        ("/dev/x.png", RefusedPath::System),
        (concat!("/root", "/x.png"), RefusedPath::System),
        ("/run/x.png", RefusedPath::System),
        ("/var/run/x.png", RefusedPath::System),
        ("/boot/x.png", RefusedPath::System),
        ("/private/etc/x.png", RefusedPath::System),
        ("/a/.png", RefusedPath::Hidden),
        ("/a/.env.png", RefusedPath::Hidden),
        ("/a/.ssh/x.png", RefusedPath::Hidden),
        ("/a/id_rsa", RefusedPath::Secret),
        ("/a/ID_RSA.png", RefusedPath::Secret),
        ("/a/credentials.pdf", RefusedPath::Secret),
        ("/a/package.json", RefusedPath::Manifest),
        ("/a/Cargo.toml", RefusedPath::Manifest),
        ("/a/Dockerfile", RefusedPath::Manifest),
        ("/a/x", extension),
        ("/a/x.svg", extension),
        ("/a/x.png.exe", extension),
        ("/a/x.pdf", extension),
        ("/a/x.gif", extension),
        ("/", extension),
    ] {
        assert_eq!(by_path(path).unwrap_err(), RefusedFile::Path(why), "{path}");
    }
    for fine in [
        "/etcetera/x.png",
        "/a//b/./x.PNG",
        "/running/x.jpeg",
        "/a/b.c/secretary.png",
    ] {
        assert_eq!(
            by_path(fine).unwrap_err(),
            RefusedFile::Path(RefusedPath::Missing),
            "{fine}"
        );
    }
    assert_eq!(
        extension.to_string(),
        "has none of the extensions of the files that are taken here: jpg, jpeg, png, webp, tif, tiff"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_path_leads_to_has_to_be_a_plain_file() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new("plain");
    let real = folder.write("real.png", PNG);
    let file = by_path(&real).unwrap().unwrap();
    assert_eq!((file.name(), file.bytes()), ("real.png", PNG));
    let doubled = real.replace("/real", "//./real");
    assert!(
        by_path(&doubled).is_ok(),
        "the same path, written in another way"
    );

    symlink(&real, folder.join("link.png")).unwrap();
    fs::create_dir(folder.join("folder.png")).unwrap();
    fs::create_dir(folder.join("inner")).unwrap();
    folder.write("inner/x.png", PNG);
    symlink(folder.join("inner"), folder.join("way")).unwrap();
    symlink(folder.join("nowhere"), folder.join("loose.png")).unwrap();
    for (name, why) in [
        ("link.png", RefusedPath::Link),
        ("loose.png", RefusedPath::Link),
        ("way/x.png", RefusedPath::Link),
        ("folder.png", RefusedPath::NotRegular),
        ("missing.png", RefusedPath::Missing),
        ("real.png/x.png", RefusedPath::Missing),
    ] {
        let path = text(&folder.join(name));
        assert_eq!(
            by_path(&path).unwrap_err(),
            RefusedFile::Path(why),
            "{name}"
        );
    }
    assert!(by_path(&text(&folder.join("inner/x.png"))).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_socket_is_not_read() {
    let folder = Folder::new("socket");
    let path = folder.join("s.png");
    let _listening = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(
        by_path(&text(&path)).unwrap_err(),
        RefusedFile::Path(RefusedPath::NotRegular)
    );
}
