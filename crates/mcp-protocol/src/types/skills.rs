//! The skills extension: folders of instructions that a server has for agents.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Items, Json, JsonObject, Meta, Outcome, RawObject, Resource, ServerCapabilities};

/// The name of the extension, as a server declares it (2026-07-28); a client need not.
pub const SKILLS_EXTENSION: &str = "io.modelcontextprotocol/skills";

/// The media type of a folder.
pub const DIRECTORY_TYPE: &str = "inode/directory";

/// What a server says of one skill; [`Skill::check`](crate::types::Skill::check) has the rules.
///
/// Specification: MCP-SKILL-03.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skill {
    /// The address of its `SKILL.md`, by which the skill is known at its server.
    pub uri: String,
    /// The frontmatter of that file, as it is.
    pub frontmatter: RawObject,
    /// Its files.
    pub resources: SkillFiles,
}

/// The files of a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkillFiles {
    /// Every file, `SKILL.md` among them.
    Listed(Vec<SkillFile>),
    /// Made on demand, so that nothing can be said of them beforehand.
    Dynamic,
}

/// One file of a skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkillFile {
    /// Its address.
    pub uri: String,
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// A SHA-256, written `sha256:` and 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

const PREFIX: &str = "sha256:";

impl Digest {
    /// Reads a digest.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?.as_bytes();
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Digest(bytes))
    }
}

fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Digest::parse(&text).ok_or_else(|| {
            de::Error::custom("a digest is \"sha256:\" and 64 lowercase hexadecimal digits")
        })
    }
}

const DYNAMIC: &str = "dynamic";

impl Serialize for SkillFiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            SkillFiles::Listed(files) => files.serialize(serializer),
            SkillFiles::Dynamic => serializer.serialize_str(DYNAMIC),
        }
    }
}

impl<'de> Deserialize<'de> for SkillFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        if json.get().starts_with('[') {
            return json
                .read()
                .map(SkillFiles::Listed)
                .map_err(de::Error::custom);
        }
        match json.read::<String>() {
            Ok(text) if text == DYNAMIC => Ok(SkillFiles::Dynamic),
            _ => Err(de::Error::custom(
                "resources is a list of files or \"dynamic\"",
            )),
        }
    }
}

/// The answer to `skills/list`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkillList {
    /// The skills; an entry is never split across pages.
    pub skills: Items<Skill>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Outcome for SkillList {
    fn rendered(&self) -> Option<&Arc<RawValue>> {
        self.skills.rendered()
    }
}

/// The answer to `skills/get`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillReading {
    /// The skill.
    pub skill: Skill,
    /// Metadata.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl Outcome for SkillReading {
    fn take_meta(&mut self) -> Option<Meta> {
        self.meta.take()
    }
}

/// The parameters of `resources/directory/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryAddress {
    /// Which folder, without a slash at its end.
    pub uri: String,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The answer to `resources/directory/read`: what is directly in the folder; a folder in it has [`DIRECTORY_TYPE`].
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryReading {
    /// The children.
    pub resources: Items<Resource>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Outcome for DirectoryReading {
    fn rendered(&self) -> Option<&Arc<RawValue>> {
        self.resources.rendered()
    }
}

impl ServerCapabilities {
    /// Declares skills (2026-07-28), and resources, by which their files are read.
    ///
    /// With `reads_directories` the method for folders is declared too.
    // MCP-SKILL-02.
    #[must_use]
    pub fn with_skills(mut self, reads_directories: bool) -> Self {
        let mut settings = JsonObject::new();
        if reads_directories {
            settings.insert("directoryRead".to_owned(), json!(true));
        }
        self.extensions
            .insert(SKILLS_EXTENSION.to_owned(), settings.into());
        self.resources.get_or_insert_default();
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_digest_is_read_as_it_is_written(bytes: [u8; 32]) {
            let digest = Digest(bytes);
            prop_assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        }
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert!(Digest::parse(&good).is_some());
        for bad in [
            String::new(),
            "0a".repeat(32),
            format!("sha512:{}", "0a".repeat(32)),
            format!("sha256:{}", "0A".repeat(32)),
            format!("sha256:{}", "0a".repeat(31)),
            format!("sha256:{}0", "0a".repeat(32)),
            format!("sha256:{}", "0g".repeat(32)),
            format!("sha256: {}", "0a".repeat(32)),
        ] {
            assert_eq!(Digest::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn an_entry_keeps_its_text() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let text = format!(
            r#"{{"uri":"skill://a/SKILL.md","frontmatter":{{"description":"b","name":"a","version":1.50}},"resources":[{{"uri":"skill://a/SKILL.md","digest":"{digest}","size":3}}]}}"#
        );
        let skill: Skill = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&skill).unwrap(), text);
        let dynamic = r#"{"uri":"skill://a/SKILL.md","frontmatter":{},"resources":"dynamic"}"#;
        let skill: Skill = serde_json::from_str(dynamic).unwrap();
        assert_eq!(skill.resources, SkillFiles::Dynamic);
        assert_eq!(serde_json::to_string(&skill).unwrap(), dynamic);
    }

    #[test]
    fn files_are_a_list_or_dynamic_and_nothing_else() {
        for bad in ["\"static\"", "{}", "null", "1", "[1]"] {
            assert!(serde_json::from_str::<SkillFiles>(bad).is_err(), "{bad}");
        }
        let listed: SkillFiles = serde_json::from_str(" []").unwrap();
        assert_eq!(listed, SkillFiles::Listed(Vec::new()));
    }
}
