//! Skills, served and read: lists, entries, folders, and files that are not what they were said to be.

use std::sync::{Arc, Mutex};

use mcp_protocol::client::{Client, ClientError};
use mcp_protocol::serve::{Context, Error, Handler, HttpService, Options};
use mcp_protocol::skills::{Inspector, ReadProblem, SkillProblem};
use mcp_protocol::types::{
    DIRECTORY_TYPE, Digest, DirectoryAddress, DirectoryReading, Implementation, JsonObject, Page,
    Resource, ResourceAddress, ResourceCapability, ResourceContents, ResourceReading,
    ServerCapabilities, Skill, SkillList, SkillReading,
};
use serde_json::{Value, json};

use crate::drive::{initialize, legacy, modern};
use crate::extensions::{Bridge, client};

const MAIN: &str = "skill://acme/refunds/SKILL.md";
const MAIL: &str = "skill://acme/refunds/mails/one.md";
const PICTURE: &str = "skill://acme/refunds/one.png";
const TEXT: &str = "---\nname: refunds\ndescription: Give it back\n---\nPay.\n";

/// A hash that is none: what is looked at is what is done with it.
struct Plain;

fn sum(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0_u8; 32];
    for (index, byte) in bytes.iter().enumerate() {
        let place = &mut sum[index % 32];
        *place = place.wrapping_mul(31).wrapping_add(*byte);
    }
    sum
}

impl Inspector for Plain {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        sum(bytes)
    }

    fn yaml(&self, text: &str) -> Option<JsonObject> {
        let field = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), json!(value)))
        };
        text.lines().map(field).collect()
    }
}

fn file(uri: &str, bytes: &[u8]) -> Value {
    json!({ "uri": uri, "digest": Digest(sum(bytes)).to_string(), "size": bytes.len() })
}

fn entry() -> Value {
    json!({
        "uri": MAIN,
        "frontmatter": { "description": "Give it back", "name": "refunds" },
        "resources": [file(MAIN, TEXT.as_bytes()), file(MAIL, b"Dear"), file(PICTURE, b"\x89PNG")],
    })
}

/// A server with one skill, whose texts can be changed, and which remembers what was read.
#[derive(Clone)]
struct Library {
    reads: Arc<Mutex<Vec<String>>>,
    main: Arc<Mutex<String>>,
    mail: &'static str,
    directories: bool,
}

impl Library {
    fn new() -> Self {
        Library {
            reads: Arc::default(),
            main: Arc::new(Mutex::new(TEXT.to_owned())),
            mail: "Dear",
            directories: true,
        }
    }

    fn reads(&self) -> Vec<String> {
        self.reads.lock().unwrap().clone()
    }
}

impl Handler for Library {
    fn info(&self) -> Implementation {
        Implementation::new("library", "1")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::default().with_skills(self.directories)
    }

    async fn list_skills(&self, _: &Context, page: Page) -> Result<SkillList, Error> {
        let (skills, next) = match page.cursor.as_deref() {
            None => (vec![serde_json::from_value(entry()).unwrap()], Some("2")),
            Some("2") => {
                let mut other = entry();
                other["uri"] = json!("skill://other/SKILL.md");
                (vec![serde_json::from_value(other).unwrap()], None)
            }
            Some(_) => return Err(Error::invalid_params("no such cursor")),
        };
        Ok(SkillList {
            skills: skills.into(),
            next_cursor: next.map(str::to_owned),
        })
    }

    async fn get_skill(
        &self,
        _: &Context,
        address: ResourceAddress,
    ) -> Result<SkillReading, Error> {
        if address.uri != MAIN {
            return Err(Error::resource_not_found(&address.uri));
        }
        let skill = serde_json::from_value(entry()).unwrap();
        Ok(SkillReading { skill, meta: None })
    }

    async fn read_directory(
        &self,
        _: &Context,
        address: DirectoryAddress,
    ) -> Result<DirectoryReading, Error> {
        if address.uri != "skill://acme/refunds" {
            return Err(Error::resource_not_found(&address.uri));
        }
        let (name, next) = match address.cursor {
            None => ("SKILL.md", Some("2".to_owned())),
            Some(_) => ("mails", None),
        };
        let child = Resource {
            uri: format!("{}/{name}", address.uri),
            name: name.to_owned(),
            mime_type: (name == "mails").then(|| DIRECTORY_TYPE.to_owned()),
            ..Resource::default()
        };
        Ok(DirectoryReading {
            resources: vec![child].into(),
            next_cursor: next,
        })
    }

    async fn read_resource(
        &self,
        _: &Context,
        address: ResourceAddress,
    ) -> Result<ResourceReading, Error> {
        self.reads.lock().unwrap().push(address.uri.clone());
        let content = match address.uri.as_str() {
            MAIN => ResourceContents::text(MAIN, "text/markdown", &*self.main.lock().unwrap()),
            MAIL => ResourceContents::text(MAIL, "text/markdown", self.mail),
            PICTURE => ResourceContents::blob(PICTURE, "image/png", "iVBORw=="),
            other => return Err(Error::resource_not_found(other)),
        };
        Ok(ResourceReading {
            contents: vec![content],
            meta: None,
        })
    }
}

fn service(library: Library) -> HttpService<Library> {
    HttpService::new(library, Options::default())
}

async fn listed(client: &Client<Bridge<Library>>) -> Skill {
    client.list_skills().await.unwrap().skills.remove(0)
}

#[tokio::test]
async fn skills_are_declared_with_resources_and_in_the_newest_revision_only() {
    let told = modern("server/discover", json!({}))
        .send(&service(Library::new()))
        .await;
    assert_eq!(
        told.json()["result"]["capabilities"],
        json!({
            "resources": {},
            "extensions": { "io.modelcontextprotocol/skills": { "directoryRead": true } },
        })
    );
    let told = initialize("2025-11-25", &json!({}))
        .send(&service(Library::new()))
        .await;
    assert_eq!(
        told.json()["result"]["capabilities"],
        json!({ "resources": {} })
    );
    let older = legacy("2025-11-25", "skills/list", &json!({}));
    let older = older.send(&service(Library::new())).await.json();
    assert_eq!(older["error"]["code"], -32601);
    // Whoever declares them by hand declares resources all the same.
    #[derive(Clone)]
    struct ByHand;
    impl Handler for ByHand {
        fn info(&self) -> Implementation {
            Implementation::new("by hand", "1")
        }

        fn capabilities(&self) -> ServerCapabilities {
            let mut declared = ServerCapabilities::default().with_skills(false);
            declared.resources = None;
            declared
        }
    }
    let by_hand = HttpService::new(ByHand, Options::default());
    let told = modern("server/discover", json!({}))
        .send(&by_hand)
        .await
        .json();
    assert_eq!(told["result"]["capabilities"]["resources"], json!({}));
    assert_eq!(
        ServerCapabilities::default().with_skills(false).resources,
        Some(ResourceCapability::default())
    );
}

#[tokio::test]
async fn a_list_has_pages_and_hints_and_an_entry_is_found_or_refused() {
    let service = service(Library::new());
    let first = modern("skills/list", json!({})).send(&service).await.json();
    assert_eq!(
        first["result"],
        json!({
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "library", "version": "1" } },
            "skills": [entry()], "nextCursor": "2",
        })
    );
    let second = modern("skills/list", json!({ "cursor": "2" }))
        .send(&service)
        .await;
    assert_eq!(second.json()["result"].get("nextCursor"), None);
    // No header repeats the address, and none is wanted.
    let got = modern("skills/get", json!({ "uri": MAIN })).without("mcp-name");
    let got = got.send(&service).await.json();
    assert_eq!(got["result"]["skill"], entry());
    assert_eq!(got["result"]["ttlMs"], 0);
    let unknown = modern("skills/get", json!({ "uri": MAIL }))
        .send(&service)
        .await
        .json();
    assert_eq!(unknown["error"]["code"], -32602);
    let without = modern("skills/get", json!({})).send(&service).await.json();
    assert_eq!(without["error"]["code"], -32602);
}

#[tokio::test]
async fn folders_are_read_where_that_is_declared() {
    let read = |library| async move {
        let params = json!({ "uri": "skill://acme/refunds", "cursor": "2" });
        let call = modern("resources/directory/read", params);
        call.send(&service(library)).await.json()
    };
    let told = read(Library::new()).await;
    assert_eq!(
        told["result"]["resources"][0]["mimeType"],
        "inode/directory"
    );
    assert_eq!(told["result"].get("ttlMs"), None);
    let without = Library {
        directories: false,
        ..Library::new()
    };
    assert_eq!(read(without).await["error"]["code"], -32601);
    let client = client(Library::new());
    let children = client.read_directory("skill://acme/refunds").await.unwrap();
    let names: Vec<&str> = children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["SKILL.md", "mails"]);
    let refused = client.read_directory(MAIN).await;
    assert!(
        matches!(&refused, Err(ClientError::Rpc { error, .. }) if error.code == -32602),
        "{refused:?}"
    );
}

#[tokio::test]
async fn who_does_not_declare_skills_is_not_asked_for_them() {
    let bare = client(crate::drive::Server::default());
    for refused in [
        bare.list_skills().await.map(drop),
        bare.get_skill(MAIN).await.map(drop),
        bare.read_directory("skill://acme/refunds").await.map(drop),
    ] {
        assert!(
            matches!(refused, Err(ClientError::NoExtension { .. })),
            "{refused:?}"
        );
    }
    let without = client(Library {
        directories: false,
        ..Library::new()
    });
    assert_eq!(without.list_skills().await.unwrap().skills.len(), 1);
    let refused = without.read_directory("skill://acme/refunds").await;
    assert!(
        matches!(refused, Err(ClientError::NoExtension { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn nothing_is_read_before_it_is_wanted_and_what_is_read_is_verified() {
    let library = Library::new();
    let client = client(library.clone());
    let found = client.list_skills().await.unwrap();
    // The second has another name than its folder.
    assert_eq!((found.skills.len(), found.dropped.len()), (1, 1));
    let dropped = &found.dropped[0];
    assert_eq!(dropped.uri.as_deref(), Some("skill://other/SKILL.md"));
    assert_eq!(dropped.why, SkillProblem::OtherName.to_string());
    let skill = client.get_skill(MAIN).await.unwrap().result.skill;
    assert_eq!(skill, found.skills[0]);
    assert_eq!(library.reads(), [""; 0]);

    let held = client.load_skill(skill, &Plain).await.unwrap();
    assert_eq!((held.text(), library.reads().len()), (TEXT, 1));
    let mail = client.read_skill_file(&held, MAIL, &Plain).await.unwrap();
    assert_eq!((mail.bytes(), mail.is_verified()), (&b"Dear"[..], true));
    let picture = client
        .read_skill_file(&held, PICTURE, &Plain)
        .await
        .unwrap();
    assert_eq!(picture.bytes(), b"\x89PNG");
    assert_eq!(library.reads(), [MAIN, MAIL, PICTURE]);

    // What is not in the entry is not even asked for.
    for uri in ["skill://acme/refunds/new.md", "file:///etc/passwd"] {
        let refused = client.read_skill_file(&held, uri, &Plain).await;
        let problem = ReadProblem::NotListed;
        assert!(
            matches!(&refused, Err(ClientError::Skill(found)) if *found == problem),
            "{refused:?}"
        );
    }
    assert_eq!(library.reads().len(), 3);
}

#[tokio::test]
async fn what_is_not_as_it_was_said_to_be_is_not_used() {
    let library = Library {
        mail: "Deaf",
        ..Library::new()
    };
    let client = client(library.clone());
    let skill = listed(&client).await;
    let longer = format!("{TEXT}!");
    let size = ReadProblem::Size {
        said: TEXT.len() as u64,
        found: TEXT.len() as u64 + 1,
    };
    for (text, problem) in [
        (longer, size),
        (TEXT.replace("Pay", "Bay"), ReadProblem::Digest),
    ] {
        *library.main.lock().unwrap() = text;
        let refused = client.load_skill(skill.clone(), &Plain).await;
        assert!(
            matches!(&refused, Err(ClientError::Skill(found)) if *found == problem),
            "{refused:?}"
        );
    }
    // A digest that is right is no reason to take another frontmatter.
    let text = TEXT.replace("Give it back", "Keep it all!");
    *library.main.lock().unwrap() = text.clone();
    let mut other = entry();
    other["resources"][0] = file(MAIN, text.as_bytes());
    let other: Skill = serde_json::from_value(other).unwrap();
    let refused = client.load_skill(other, &Plain).await;
    let problem = ReadProblem::Frontmatter("description".to_owned());
    assert!(
        matches!(&refused, Err(ClientError::Skill(found)) if *found == problem),
        "{refused:?}"
    );
    *library.main.lock().unwrap() = TEXT.to_owned();
    let held = client.load_skill(skill, &Plain).await.unwrap();
    let refused = client.read_skill_file(&held, MAIL, &Plain).await;
    assert!(
        matches!(refused, Err(ClientError::Skill(ReadProblem::Digest))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_skill_is_known_by_its_server_and_its_address() {
    let first = client(Library::new()).with_server_label("first");
    let second = client(Library::new()).with_server_label("second");
    let held = first
        .load_skill(listed(&first).await, &Plain)
        .await
        .unwrap();
    assert_eq!((held.key().server(), held.key().uri()), ("first", MAIN));
    assert_eq!(*held.key(), first.skill_key(MAIN));
    assert_ne!(first.skill_key(MAIN), second.skill_key(MAIN));
    // Nor does a skill of one server make the other be read.
    let refused = second.read_skill_file(&held, MAIL, &Plain).await;
    assert!(
        matches!(refused, Err(ClientError::Skill(ReadProblem::NotListed))),
        "{refused:?}"
    );
}
