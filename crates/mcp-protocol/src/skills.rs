//! The rules of the skills extension, without I/O: what an entry has to be, and when what was read may be used.
//!
//! A digest is no reason to trust anything (MCP-SKILL-06): it comes from the server that the file comes from, and whoever can
//! change one can change the other. A match says that both belong together, and that what a person agreed to is what is read.
//!
//! Does not check: whether a person agrees, and what a skill asks for. What a skill says is the text of a stranger: it is
//! shown with the server it is from, it runs nothing, and its `allowed-tools` grants nothing.
//!
//! Specification: MCP extension `io.modelcontextprotocol/skills`.

use crate::types::{Digest, Json, JsonObject, Skill, SkillFile, SkillFiles};

/// Files of one skill, `SKILL.md` among them: what every host takes.
pub const MAX_FILES: usize = 512;

/// Bytes of all files of one skill: what every host takes.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The longest name of a skill.
pub const MAX_NAME: usize = 64;

/// The file that each skill has.
const MAIN: &str = "/SKILL.md";

/// What is wrong with the entry of a skill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkillProblem {
    /// The address is not that of a `SKILL.md` in a folder.
    #[error("uri does not end with a folder and /SKILL.md")]
    Address,
    /// The name of the folder is not 1 to [`MAX_NAME`] lowercase letters, digits and single hyphens between them.
    #[error(
        "uri has a folder whose name is not 1 to {MAX_NAME} of a-z 0-9 and single hyphens between"
    )]
    Name,
    /// The frontmatter has no `name` or `description`, or it is no text or empty.
    #[error("frontmatter has no {0}")]
    Missing(&'static str),
    /// The frontmatter has another name than the folder.
    #[error("frontmatter has another name than the folder")]
    OtherName,
    /// `SKILL.md` is not among the files.
    #[error("resources has no SKILL.md")]
    Incomplete,
    /// A file is there twice.
    #[error("resources has {0:?} twice")]
    Twice(String),
    /// A file is not below the folder of the skill.
    #[error("resources has {0:?}, which is outside of the skill")]
    Outside(String),
    /// More than [`MAX_FILES`] files.
    #[error("resources has more than {MAX_FILES} files")]
    TooMany,
    /// More than [`MAX_BYTES`] bytes.
    #[error("resources has more than {MAX_BYTES} bytes")]
    TooLarge,
}

/// Why something that was read may not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadProblem {
    /// The entry itself is wrong.
    #[error("the entry is wrong: {0}")]
    Entry(#[from] SkillProblem),
    /// No file of the skill: it is not in its entry, or outside of its folder.
    #[error("this is no file of the skill")]
    NotListed,
    /// It has not as many bytes as the entry says.
    #[error("it has {found} bytes and not {said}")]
    Size {
        /// Bytes by the entry.
        said: u64,
        /// Bytes that were read.
        found: u64,
    },
    /// Its digest is not that of the entry.
    #[error("it has another digest than the entry says")]
    Digest,
    /// More than [`MAX_BYTES`] bytes, in a skill that does not say how many it has.
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// `SKILL.md` is no text with frontmatter that can be read.
    #[error("SKILL.md has no frontmatter that can be read")]
    NoFrontmatter,
    /// A field of the frontmatter is not as the entry has it.
    #[error("the field {0:?} of the frontmatter is not as in the entry")]
    Frontmatter(String),
}

/// What a check takes that this crate does not have: a hash and a reader of YAML.
pub trait Inspector {
    /// The SHA-256 of these bytes.
    fn sha256(&self, bytes: &[u8]) -> [u8; 32];

    /// The YAML mapping in this text as JSON; none when it is no mapping.
    ///
    /// The text is that of a stranger, at most [`MAX_BYTES`] long: aliases and depth need bounds.
    fn yaml(&self, text: &str) -> Option<JsonObject>;
}

/// A skill whose `SKILL.md` was verified against its entry. Made by [`Skill::load`].
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedSkill {
    skill: Skill,
    text: String,
}

/// A file of a skill that may be used. Made by [`LoadedSkill::accept`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillContent {
    bytes: Vec<u8>,
    is_verified: bool,
}

impl SkillContent {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes themselves.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Whether they are those that the entry says; never so in a skill whose files are dynamic.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }
}

impl Skill {
    /// Whether this may be served, and whether a host may look at it any further.
    ///
    /// 1. The address is a folder and `SKILL.md`, and the folder has a name for a skill.
    /// 2. The frontmatter has a name, which is that of the folder, and a description.
    /// 3. Each file is there once, in the folder or below it, and `SKILL.md` is among them.
    /// 4. There are at most [`MAX_FILES`] files of [`MAX_BYTES`] in all.
    ///
    /// Does not check: whether the files are as the entry says, and whether another skill of the server has this name.
    ///
    /// # Errors
    /// The first thing that is wrong.
    // MCP-SKILL-03.
    pub fn check(&self) -> Result<(), SkillProblem> {
        let root = self.root().ok_or(SkillProblem::Address)?;
        let (_, path) = root.split_once("://").ok_or(SkillProblem::Address)?;
        let folder = path.rsplit('/').next().unwrap_or(path);
        if !is_name(folder) {
            return Err(SkillProblem::Name);
        }
        let name = self.field("name").ok_or(SkillProblem::Missing("name"))?;
        if name != folder {
            return Err(SkillProblem::OtherName);
        }
        if self.field("description").is_none() {
            return Err(SkillProblem::Missing("description"));
        }
        match &self.resources {
            SkillFiles::Listed(files) => self.check_files(root, files),
            SkillFiles::Dynamic => Ok(()),
        }
    }

    fn check_files(&self, root: &str, files: &[SkillFile]) -> Result<(), SkillProblem> {
        if files.len() > MAX_FILES {
            return Err(SkillProblem::TooMany);
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut bytes = 0_u64;
        for file in files {
            if !is_within(root, &file.uri) {
                return Err(SkillProblem::Outside(file.uri.clone()));
            }
            if !seen.insert(file.uri.as_str()) {
                return Err(SkillProblem::Twice(file.uri.clone()));
            }
            bytes = bytes.saturating_add(file.size);
        }
        if !seen.contains(self.uri.as_str()) {
            return Err(SkillProblem::Incomplete);
        }
        if bytes > MAX_BYTES {
            return Err(SkillProblem::TooLarge);
        }
        Ok(())
    }

    /// The address of its folder, without a slash at the end; none when its own address is that of no `SKILL.md`.
    #[must_use]
    pub fn root(&self) -> Option<&str> {
        self.uri.strip_suffix(MAIN)
    }

    /// A text of its frontmatter that is not empty.
    fn field(&self, name: &str) -> Option<String> {
        let text: String = self.frontmatter.get(name)?.read().ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// What the entry says of a file.
    fn said(&self, uri: &str) -> Result<Option<&SkillFile>, ReadProblem> {
        match &self.resources {
            SkillFiles::Listed(files) => {
                let file = files.iter().find(|file| file.uri == uri);
                file.map(Some).ok_or(ReadProblem::NotListed)
            }
            SkillFiles::Dynamic if self.root().is_some_and(|root| is_within(root, uri)) => Ok(None),
            SkillFiles::Dynamic => Err(ReadProblem::NotListed),
        }
    }

    /// Verifies one file of the skill.
    // MCP-SKILL-05: size first, then digest; a file that is not listed is as good as one that differs.
    fn verify(
        &self,
        uri: &str,
        bytes: Vec<u8>,
        inspector: &impl Inspector,
    ) -> Result<SkillContent, ReadProblem> {
        let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let said = self.said(uri)?;
        match said {
            Some(file) if file.size != found => {
                let said = file.size;
                return Err(ReadProblem::Size { said, found });
            }
            Some(file) if file.digest != Digest(inspector.sha256(&bytes)) => {
                return Err(ReadProblem::Digest);
            }
            None if found > MAX_BYTES => return Err(ReadProblem::TooLarge),
            Some(_) | None => {}
        }
        Ok(SkillContent {
            bytes,
            is_verified: said.is_some(),
        })
    }

    /// Takes the bytes of its `SKILL.md`.
    ///
    /// 1. The entry is as it has to be ([`Skill::check`]).
    /// 2. Size and digest are those of the entry, unless its files are dynamic.
    /// 3. The frontmatter is, field by field, that of the entry: so that what a person agreed to is what the model gets.
    ///
    /// # Errors
    /// The first thing that is wrong; the bytes are then not to be used. An entry that is old is had anew by `skills/get`.
    // MCP-SKILL-05.
    pub fn load(
        self,
        bytes: Vec<u8>,
        inspector: &impl Inspector,
    ) -> Result<LoadedSkill, ReadProblem> {
        self.check()?;
        let content = self.verify(&self.uri, bytes, inspector)?;
        let text = String::from_utf8(content.bytes).map_err(|_| ReadProblem::NoFrontmatter)?;
        let found = frontmatter(&text)
            .and_then(|yaml| inspector.yaml(yaml))
            .ok_or(ReadProblem::NoFrontmatter)?;
        self.compare(&found)?;
        Ok(LoadedSkill { skill: self, text })
    }

    fn compare(&self, found: &JsonObject) -> Result<(), ReadProblem> {
        let differs = |name: &String| ReadProblem::Frontmatter(name.clone());
        for (name, said) in &self.frontmatter {
            let same = Json::read::<serde_json::Value>(said).ok();
            if same.is_none() || same.as_ref() != found.get(name) {
                return Err(differs(name));
            }
        }
        match found
            .keys()
            .find(|name| !self.frontmatter.contains_key(*name))
        {
            Some(name) => Err(differs(name)),
            None => Ok(()),
        }
    }
}

impl LoadedSkill {
    /// The entry from which it was loaded. It is held for as long as the skill is acted on, and reads go by it.
    #[must_use]
    pub fn skill(&self) -> &Skill {
        &self.skill
    }

    /// The text of `SKILL.md`, frontmatter and all.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the skill has a file at this address, so that it may be read at all.
    ///
    /// # Errors
    /// [`ReadProblem::NotListed`].
    pub fn may_read(&self, uri: &str) -> Result<(), ReadProblem> {
        self.skill.said(uri).map(drop)
    }

    /// Takes the bytes of one of its files.
    ///
    /// # Errors
    /// What is wrong; the bytes are then not to be used.
    // MCP-SKILL-05.
    pub fn accept(
        &self,
        uri: &str,
        bytes: Vec<u8>,
        inspector: &impl Inspector,
    ) -> Result<SkillContent, ReadProblem> {
        self.skill.verify(uri, bytes, inspector)
    }
}

/// The YAML between the two lines of three hyphens with which a `SKILL.md` begins.
#[must_use]
pub fn frontmatter(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text.strip_prefix("---")?;
    let rest = rest.strip_prefix("\r\n").or(rest.strip_prefix('\n'))?;
    let mut length = 0;
    for line in rest.split_inclusive('\n') {
        if line
            .trim_end_matches(['\n', '\r'])
            .trim_end_matches([' ', '\t'])
            == "---"
        {
            return rest.get(..length);
        }
        length += line.len();
    }
    None
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    // Between two hyphens, and at each end, there is something.
    name.len() <= MAX_NAME
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(allowed))
}

/// Whether an address is below a folder, however it is written.
fn is_within(root: &str, uri: &str) -> bool {
    let inside = uri
        .strip_prefix(root)
        .and_then(|path| path.strip_prefix('/'));
    inside.is_some_and(|path| {
        let plain = path.to_ascii_lowercase().replace("%2e", ".");
        let is_odd =
            plain.contains(['\\', '?', '#']) || plain.contains("%2f") || plain.contains("%5c");
        !is_odd
            && plain
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."))
    })
}

#[cfg(test)]
mod tests;
