//! Skills of a server: listing them, loading one, and reading its files, each verified.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, Response};
use serde::Deserialize;
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::lists::Received;
use super::notice::Change;
use super::outgoing::{Outgoing, Params};
use super::{AnswerBody, Client};
use crate::skills::{Inspector, LoadedSkill, ReadProblem, SkillContent};
use crate::types::{Json, Resource, SKILLS_EXTENSION, Skill, SkillReading};

const LIST: &str = "skills/list";
const GET: &str = "skills/get";
const FOLDER: &str = "resources/directory/read";

/// By what a skill is known: its server and its address there. Two servers may each have a skill at the same address, and
/// those have nothing to do with each other.
// MCP-SKILL-04.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SkillKey {
    server: Arc<str>,
    uri: String,
}

impl SkillKey {
    /// The label of the server, which the host gave it ([`Client::with_server_label`]), or its endpoint.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The address of the `SKILL.md`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

/// The skills of a server, as far as it lists them: a server need not list all that it has.
#[derive(Clone, Debug, Default)]
pub struct ListedSkills {
    /// Those that can be loaded, in the server's order. Names may be there twice.
    pub skills: Vec<Skill>,
    /// Those that were left out of the list.
    pub dropped: Vec<DroppedSkill>,
}

/// A skill whose entry is wrong, or beyond what a host takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedSkill {
    /// Its address, if that can be read.
    pub uri: Option<String>,
    /// What is wrong with it.
    pub why: String,
}

/// A skill that was loaded, held for as long as it is acted on. Made by [`Client::load_skill`].
#[derive(Clone, Debug, PartialEq)]
pub struct HeldSkill {
    key: SkillKey,
    loaded: LoadedSkill,
}

impl HeldSkill {
    /// By what it is known.
    #[must_use]
    pub fn key(&self) -> &SkillKey {
        &self.key
    }

    /// Its entry.
    #[must_use]
    pub fn skill(&self) -> &Skill {
        self.loaded.skill()
    }

    /// The text of its `SKILL.md`, for the model together with the server that it is from.
    #[must_use]
    pub fn text(&self) -> &str {
        self.loaded.text()
    }
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Lists the skills, page after page, and reads none of their files.
    ///
    /// An entry that is wrong ([`Skill::check`]) is left out and reported beside the list.
    /// The server is asked first whether it has skills ([`discover`](Self::discover)), which a cache makes free.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoExtension`] where it declares none; [`ClientError::NotSpoken`] in the older era;
    /// [`BadAnswer::EndlessList`] over the limits; otherwise as any request.
    // MCP-SKILL-04: no file is read here.
    pub async fn list_skills(&self) -> Result<ListedSkills, ClientError> {
        self.has_skills(LIST).await?;
        let entries: Vec<Json> = self.every_page(LIST, "skills").await?;
        let mut listed = ListedSkills::default();
        for entry in entries {
            match read_entry(&entry) {
                Ok(skill) => listed.skills.push(skill),
                Err(dropped) => listed.dropped.push(dropped),
            }
        }
        Ok(listed)
    }

    /// What the server says of one skill now, by the address of its `SKILL.md`; also of one that it does not list.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] where it has no such skill; [`ClientError::Skill`] for an entry that is wrong; otherwise as
    /// [`list_skills`](Self::list_skills).
    pub async fn get_skill(&self, uri: &str) -> Result<Received<SkillReading>, ClientError> {
        self.has_skills(GET).await?;
        let mut keepable = match self.look(self.key_about(GET, uri)) {
            Ok(pages) => {
                let kept = pages.first().cloned().ok_or(BadAnswer::NoAnswer)?;
                return Received::read(GET, kept);
            }
            Err(keepable) => keepable,
        };
        let outgoing = Outgoing::new(GET, Params::resource(uri));
        let received: Received<SkillReading> = Received::read(GET, self.request(&outgoing).await?)?;
        let skill = &received.result.skill;
        if skill.uri != uri {
            let why = "an entry of another address".to_owned();
            return Err(BadAnswer::Result { method: GET, why }.into());
        }
        skill.check().map_err(ReadProblem::from)?;
        self.note_page(&mut keepable, &received.raw);
        self.keep(keepable, &Arc::from([received.raw.clone()]));
        Ok(received)
    }

    /// Reads the `SKILL.md` of a skill that is wanted now, and verifies it against its entry ([`Skill::load`]).
    ///
    /// A match is no reason to trust the skill: entry and file are from the same server (MCP-SKILL-06). Whether a person
    /// agreed to this entry is for the host to know; one that has changed is another one.
    ///
    /// # Errors
    ///
    /// [`ClientError::Skill`] for a file that is not as its entry says: the entry may be old, and
    /// [`get_skill`](Self::get_skill) has the new one. Otherwise as [`read_resource`](Self::read_resource).
    // MCP-SKILL-05.
    pub async fn load_skill(
        &self,
        skill: Skill,
        inspector: &impl Inspector,
    ) -> Result<HeldSkill, ClientError> {
        skill.check().map_err(ReadProblem::from)?;
        let key = self.skill_key(&skill.uri);
        let bytes = self.bytes_of(&key.uri).await?;
        let loaded = skill.load(bytes, inspector);
        let loaded = loaded.map_err(|problem| self.refused(&key.uri, problem))?;
        Ok(HeldSkill { key, loaded })
    }

    /// Reads one file of a skill that was loaded, when it is needed, and verifies it at each read.
    ///
    /// A file that is not in the entry is not read, whatever a folder says of it. In a skill whose files are dynamic nothing
    /// can be verified: see [`SkillContent::is_verified`].
    ///
    /// # Errors
    ///
    /// [`ClientError::Skill`], also for a skill of another server; otherwise as [`load_skill`](Self::load_skill).
    // MCP-SKILL-04, MCP-SKILL-05.
    pub async fn read_skill_file(
        &self,
        held: &HeldSkill,
        uri: &str,
        inspector: &impl Inspector,
    ) -> Result<SkillContent, ClientError> {
        if held.key.server != self.server {
            return Err(ReadProblem::NotListed.into());
        }
        held.loaded.may_read(uri)?;
        let bytes = self.bytes_of(uri).await?;
        let content = held.loaded.accept(uri, bytes, inspector);
        content.map_err(|problem| self.refused(uri, problem))
    }

    /// What is in a folder of the server, page after page; it says nothing about what belongs to a skill.
    ///
    /// # Errors
    ///
    /// [`ClientError::NoExtension`] where the server does not declare that it reads folders;
    /// [`ClientError::Rpc`] for what is no folder; otherwise as [`list_skills`](Self::list_skills).
    pub async fn read_directory(&self, uri: &str) -> Result<Vec<Resource>, ClientError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            resources: Vec<Resource>,
            #[serde(default)]
            next_cursor: Option<String>,
        }
        self.has_skills(FOLDER).await?;
        let mut entries: Vec<Resource> = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..self.limits.max_pages {
            let outgoing = Outgoing::new(FOLDER, Params::folder(uri, cursor.as_deref()));
            let page: Page = Received::read(FOLDER, self.request(&outgoing).await?)?.result;
            if page.resources.len() > self.limits.max_entries.saturating_sub(entries.len()) {
                break;
            }
            entries.extend(page.resources);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(entries);
            }
        }
        Err(BadAnswer::EndlessList(self.limits.max_pages).into())
    }

    /// By what a skill of this server is known.
    #[must_use]
    pub fn skill_key(&self, uri: &str) -> SkillKey {
        SkillKey {
            server: Arc::clone(&self.server),
            uri: uri.to_owned(),
        }
    }

    // MCP-SKILL-02: asked for only where the server declares it.
    async fn has_skills(&self, method: &str) -> Result<(), ClientError> {
        let extensions = self.discover().await?.result.capabilities.extensions;
        let settings = extensions.get(SKILLS_EXTENSION);
        let has = match settings.and_then(|settings| settings.as_object()) {
            Some(settings) if method == FOLDER => {
                settings.get("directoryRead") == Some(&true.into())
            }
            settings => settings.is_some(),
        };
        if has {
            Ok(())
        } else {
            Err(self.no_extension(method))
        }
    }

    async fn bytes_of(&self, uri: &str) -> Result<Vec<u8>, ClientError> {
        let reading = self.read_resource(uri).await?.result;
        let content = reading.contents.into_iter().find(|own| own.uri == uri);
        let bytes = content.and_then(|content| match (content.text, content.blob) {
            (Some(text), None) => Some(text.into_bytes()),
            (None, Some(blob)) => STANDARD.decode(blob).ok(),
            _ => None,
        });
        bytes.ok_or_else(|| {
            let why = "no content of this address".to_owned();
            let method = "resources/read";
            BadAnswer::Result { method, why }.into()
        })
    }

    /// What is not as it should be is not kept.
    fn refused(&self, uri: &str, problem: ReadProblem) -> ClientError {
        self.forget(&Change::Resource(uri.to_owned()));
        problem.into()
    }
}

fn read_entry(entry: &Json) -> Result<Skill, DroppedSkill> {
    #[derive(Deserialize)]
    struct Address {
        uri: String,
    }
    let dropped = |why: String| DroppedSkill {
        uri: entry.read::<Address>().ok().map(|address| address.uri),
        why,
    };
    let skill: Skill = entry.read().map_err(|error| dropped(error.to_string()))?;
    skill
        .check()
        .map_err(|problem| dropped(problem.to_string()))?;
    Ok(skill)
}
