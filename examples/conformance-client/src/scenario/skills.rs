//! Skills: listed, loaded when one is wanted, and given up when a file is not as it was said to be.

use mcp_protocol::client::Client;
use mcp_protocol::skills::Inspector;
use mcp_protocol::types::{JsonObject, SkillFiles};
use ring::digest::{SHA256, digest};

use crate::carrier::Carrier;
use crate::failed::Failed;

/// The hash of `ring`, and YAML as far as one line for each text: what is more than that is not read, and so not loaded.
struct Simple;

impl Inspector for Simple {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        let mut sum = [0; 32];
        for (to, from) in sum.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
            *to = *from;
        }
        sum
    }

    fn yaml(&self, text: &str) -> Option<JsonObject> {
        text.lines()
            .map(|line| {
                let (name, value) = line.split_once(": ")?;
                let plain =
                    |text: &str| text.starts_with(|first: char| first.is_ascii_alphabetic());
                let is_simple = plain(name) && plain(value) && !value.contains([':', '#']);
                is_simple.then(|| (name.to_owned(), value.trim_end().into()))
            })
            .collect()
    }
}

/// Lists the skills and wants none of them.
pub(super) async fn list<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    client.list_skills().await?;
    Ok(())
}

/// Loads every skill and reads every file of it, up to the first that may not be used.
pub(super) async fn load<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    for skill in client.list_skills().await?.skills {
        let held = client.load_skill(skill, &Simple).await?;
        let SkillFiles::Listed(files) = &held.skill().resources else {
            continue;
        };
        for file in files.iter().filter(|file| file.uri != held.key().uri()) {
            client.read_skill_file(&held, &file.uri, &Simple).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_hash_and_the_texts_are_right() {
        let sum = Simple.sha256(b"abc");
        assert_eq!(sum.first_chunk(), Some(&[0xba, 0x78, 0x16, 0xbf]));
        let read = Simple.yaml("name: a\ndescription: B c, d.\r\n").unwrap();
        assert_eq!(
            json!(read),
            json!({ "name": "a", "description": "B c, d." })
        );
        for more in [
            "a: [1]", "a: 'b'", "a: 1", "a:", "a: b: c", "- a: b", "a: b # c",
        ] {
            assert_eq!(Simple.yaml(more), None, "{more}");
        }
    }
}
