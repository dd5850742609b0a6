//! Shows an address in the person's browser, without a shell in between.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, Stdio};

/// A program and the arguments that make it open an address.
#[derive(Debug, PartialEq, Eq)]
struct Opener {
    program: &'static str,
    arguments: &'static [&'static str],
}

/// Which program opens an address on this operating system, by the name in [`std::env::consts::OS`].
fn opener(system: &str) -> Option<Opener> {
    match system {
        "linux" | "freebsd" | "openbsd" | "netbsd" | "dragonfly" => Some(Opener {
            program: "xdg-open",
            arguments: &[],
        }),
        "macos" => Some(Opener {
            program: "open",
            arguments: &[],
        }),
        // `start` is a word of the shell, and the shell reads `&` in an address as its own.
        "windows" => Some(Opener {
            program: "rundll32",
            arguments: &["url.dll,FileProtocolHandler"],
        }),
        _ => None,
    }
}

/// Whether an address may be handed to the operating system to open.
///
/// Anything but a web address could start a program; a leading dash could be read as an option.
fn is_web_address(address: &str) -> bool {
    (address.starts_with("https://") || address.starts_with("http://"))
        && address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Opens `address` in the browser and does not wait for it.
///
/// # Errors
///
/// When the address is not a web address, when no opener is known for this system, or when it cannot be started.
/// The caller has printed the address already, so a failure is not the end of the story.
pub(crate) fn open(address: &str) -> io::Result<()> {
    if !is_web_address(address) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a web address",
        ));
    }
    let Some(opener) = opener(std::env::consts::OS) else {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "no browser opener is known here",
        ));
    };
    let mut child = Command::new(opener.program)
        .args(opener.arguments)
        .arg(OsStr::new(address))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Some openers live as long as the browser does; a thread of its own collects the exit without holding us up.
    std::thread::Builder::new()
        .name("browser".to_owned())
        .spawn(move || {
            if let Err(error) = child.wait() {
                tracing::debug!(%error, "the browser opener could not be waited for");
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_opener() {
        assert_eq!(opener("linux").unwrap().program, "xdg-open");
        assert_eq!(opener("macos").unwrap().program, "open");
        assert_eq!(opener("windows").unwrap().program, "rundll32");
        assert_eq!(
            opener("windows").unwrap().arguments,
            ["url.dll,FileProtocolHandler"]
        );
        assert_eq!(opener("redox"), None);
    }

    #[test]
    fn only_web_addresses_are_opened() {
        assert!(is_web_address("https://auth.example/authorize?a=1&b=2"));
        assert!(is_web_address("http://127.0.0.1:3001/authorize"));
        for refused in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "--version",
            "",
            "HTTPS-ish",
            "https://auth.example/\nsecond",
            "https://auth.example/ space",
        ] {
            assert!(!is_web_address(refused), "{refused:?}");
            assert_eq!(
                open(refused).unwrap_err().kind(),
                io::ErrorKind::InvalidInput
            );
        }
    }
}
