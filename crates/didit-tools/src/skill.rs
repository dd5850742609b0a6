//! The skills: instructions for work that takes several tools, served by the skills extension (MCP-SKILL-02 to 05).
//!
//! Each is one text, the same for every caller. A test follows each step by step against the sandbox.

use mcp_protocol::skills::frontmatter;
use mcp_protocol::types::{
    Digest, Resource, ResourceContents, ResourceReading, Skill, SkillFile, SkillFiles, SkillReading,
};
use ring::digest::{SHA256, digest};
use serde_json::Value;

const MARKDOWN: &str = "text/markdown";

/// A skill: the address of its one file, and the text.
type Written = (&'static str, &'static str);

const SKILLS: [Written; 3] = [
    (
        "skill://didit/run-a-kyc/SKILL.md",
        include_str!("../skills/run-a-kyc/SKILL.md"),
    ),
    (
        "skill://didit/build-a-workflow/SKILL.md",
        include_str!("../skills/build-a-workflow/SKILL.md"),
    ),
    (
        "skill://didit/review-a-case/SKILL.md",
        include_str!("../skills/review-a-case/SKILL.md"),
    ),
];

/// What is said of each skill.
pub(crate) fn entries() -> Vec<Skill> {
    SKILLS.iter().map(entry).collect()
}

/// What is said of the skill at this address.
pub(crate) fn get(uri: &str) -> Option<SkillReading> {
    Some(SkillReading {
        skill: entry(find(uri)?),
        meta: None,
    })
}

/// Each file as a resource, for clients that do not know the extension.
pub(crate) fn resources() -> Vec<Resource> {
    let shown = |(uri, text): &Written| Resource {
        uri: (*uri).to_owned(),
        name: field(text, "name").unwrap_or_default().to_owned(),
        description: field(text, "description").map(str::to_owned),
        mime_type: Some(MARKDOWN.to_owned()),
        ..Resource::default()
    };
    SKILLS.iter().map(shown).collect()
}

/// The file at this address.
pub(crate) fn read(uri: &str) -> Option<ResourceReading> {
    let (own, text) = find(uri)?;
    Some(ResourceReading {
        contents: vec![ResourceContents::text(*own, MARKDOWN, *text)],
        meta: None,
    })
}

fn find(uri: &str) -> Option<&'static Written> {
    SKILLS.iter().find(|(own, _)| *own == uri)
}

fn entry((uri, text): &Written) -> Skill {
    let fields = fields(text).map(|(name, value)| (name.to_owned(), Value::from(value).into()));
    let file = SkillFile {
        uri: (*uri).to_owned(),
        digest: sha256(text.as_bytes()),
        size: text.len() as u64,
    };
    Skill {
        uri: (*uri).to_owned(),
        frontmatter: fields.collect(),
        resources: SkillFiles::Listed(vec![file]),
    }
}

fn field<'t>(text: &'t str, wanted: &str) -> Option<&'t str> {
    fields(text)
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// The fields of the frontmatter: each is one line of plain text, which is all that our own files need of YAML.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = frontmatter(text).unwrap_or_default().lines();
    lines.filter_map(|line| line.split_once(": "))
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut sum = [0; 32];
    for (to, from) in sum.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *to = *from;
    }
    Digest(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_skill_may_be_served() {
        for skill in entries() {
            assert_eq!(skill.check(), Ok(()), "{}", skill.uri);
        }
    }

    #[test]
    fn the_frontmatter_is_as_plain_as_it_is_read() {
        for (uri, text) in &SKILLS {
            let lines: Vec<&str> = frontmatter(text).unwrap().lines().collect();
            assert_eq!(lines.len(), fields(text).count(), "{uri}");
            for (name, value) in fields(text) {
                assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
                // A plain scalar of YAML, which is no number, no mapping, no comment and not quoted.
                let plain = value.starts_with(|first: char| first.is_ascii_alphabetic())
                    && !value.contains(": ")
                    && !value.contains(" #")
                    && value == value.trim()
                    && !matches!(value, "true" | "false" | "null" | "yes" | "no");
                assert!(plain, "{uri}: {value}");
            }
        }
    }

    #[test]
    fn the_digest_is_that_of_the_standard() {
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), abc);
    }
}
