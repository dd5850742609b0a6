//! The grammar of names: keys of `_meta`, extensions, tools.
//!
//! Specification: MCP 2026-07-28, overview, `_meta`, and capabilities, extensions; tools, tool names;
//! MCP-VER-05, MCP-TOOL-02.

/// The longest key that is looked at, in bytes; no key of the specification is half as long.
pub const MAX_KEY_BYTES: usize = 512;

/// The longest name of a tool, in characters.
pub const MAX_TOOL_NAME: usize = 128;

/// What is wrong with a key of `_meta` or the name of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// Longer than [`MAX_KEY_BYTES`].
    #[error("is longer than {MAX_KEY_BYTES} bytes")]
    TooLong,
    /// An extension needs a prefix; a key of `_meta` may do without.
    #[error("needs a prefix, as in \"com.example/name\"")]
    NoPrefix,
    /// The prefix is not of labels with dots between them.
    #[error(
        "has a prefix whose labels do not all start with a letter, end with a letter or digit, and have letters, digits and hyphens between"
    )]
    Label,
    /// The name does not start and end with a letter or digit, or has something else than `-_.` between.
    #[error(
        "has a name that does not start and end with a letter or digit, or has more than -_. between"
    )]
    Name,
}

/// What is wrong with the name of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolNameProblem {
    /// Empty, or longer than [`MAX_TOOL_NAME`].
    #[error("has not 1 to {MAX_TOOL_NAME} characters")]
    Length,
    /// Something else than `A-Z a-z 0-9 _ . -`.
    #[error("has a character other than A-Z a-z 0-9 _ . -")]
    Character,
}

/// A key of `_meta`, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// What is before the slash.
    pub prefix: Option<&'a str>,
    /// What is after it.
    pub name: &'a str,
}

impl<'a> Key<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &'a str) -> Result<Self, KeyProblem> {
        if text.len() > MAX_KEY_BYTES {
            return Err(KeyProblem::TooLong);
        }
        let (prefix, name) = match text.split_once('/') {
            Some((prefix, name)) => (Some(prefix), name),
            None => (None, text),
        };
        if prefix.is_some_and(|prefix| !prefix.split('.').all(is_label)) {
            return Err(KeyProblem::Label);
        }
        if is_name(name) {
            Ok(Key { prefix, name })
        } else {
            Err(KeyProblem::Name)
        }
    }

    /// Reads the name of an extension: a key whose prefix is not left out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn extension(text: &'a str) -> Result<Self, KeyProblem> {
        let key = Key::parse(text)?;
        match key.prefix {
            Some(_) => Ok(key),
            None => Err(KeyProblem::NoPrefix),
        }
    }

    /// Whether the prefix belongs to the specification: its second label is `modelcontextprotocol` or `mcp`.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let second = self.prefix.and_then(|prefix| prefix.split('.').nth(1));
        matches!(second, Some("modelcontextprotocol" | "mcp"))
    }
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

/// Checks the name of a tool.
///
/// # Errors
/// What is wrong with it.
pub fn check_tool_name(name: &str) -> Result<(), ToolNameProblem> {
    if name.is_empty() || name.chars().count() > MAX_TOOL_NAME {
        return Err(ToolNameProblem::Length);
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(ToolNameProblem::Character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stateless::key;

    #[test]
    fn a_key_is_a_name_with_or_without_a_prefix() {
        for (text, prefix, name) in [
            ("a", None, "a"),
            ("progressToken", None, "progressToken"),
            ("a-b_c.d9", None, "a-b_c.d9"),
            ("com.example/x", Some("com.example"), "x"),
            ("a.b-c.d9/1", Some("a.b-c.d9"), "1"),
            (
                key::PROTOCOL_VERSION,
                Some("io.modelcontextprotocol"),
                "protocolVersion",
            ),
        ] {
            assert_eq!(Key::parse(text), Ok(Key { prefix, name }), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_has_its_reason() {
        for text in [
            "",
            "-a",
            "a-",
            "_",
            "a b",
            "ä",
            "com.example/",
            "a/b/c",
            "a/.b",
        ] {
            assert_eq!(Key::parse(text), Err(KeyProblem::Name), "{text:?}");
        }
        for text in [
            "/a", "1a/b", "a./b", ".a/b", "a..b/c", "a-/b", "a_b/c", "ä.b/c",
        ] {
            assert_eq!(Key::parse(text), Err(KeyProblem::Label), "{text:?}");
        }
        let long = "a".repeat(MAX_KEY_BYTES);
        assert!(Key::parse(&long).is_ok());
        assert_eq!(Key::parse(&format!("{long}a")), Err(KeyProblem::TooLong));
    }

    #[test]
    fn an_extension_has_a_prefix() {
        assert!(Key::extension(crate::types::TASKS_EXTENSION).is_ok());
        assert_eq!(Key::extension("tasks"), Err(KeyProblem::NoPrefix));
        assert_eq!(Key::extension("a../tasks"), Err(KeyProblem::Label));
    }

    #[test]
    fn the_second_label_makes_a_prefix_reserved() {
        for (text, reserved) in [
            ("io.modelcontextprotocol/x", true),
            ("dev.mcp/x", true),
            ("org.modelcontextprotocol.api/x", true),
            ("com.example.mcp/x", false),
            ("mcp/x", false),
            ("mcp", false),
        ] {
            assert_eq!(Key::parse(text).unwrap().is_reserved(), reserved, "{text}");
        }
    }

    #[test]
    fn the_name_of_a_tool_has_its_characters_and_its_length() {
        let longest = "a".repeat(MAX_TOOL_NAME);
        for good in ["a", "get_User.v2-x", "9", longest.as_str()] {
            assert_eq!(check_tool_name(good), Ok(()), "{good}");
        }
        for bad in ["", &format!("{longest}a")] {
            assert_eq!(check_tool_name(bad), Err(ToolNameProblem::Length), "{bad}");
        }
        for bad in ["a b", "a/b", "ä", "a,b", "a\n"] {
            assert_eq!(
                check_tool_name(bad),
                Err(ToolNameProblem::Character),
                "{bad:?}"
            );
        }
    }
}
