//! Content blocks: what tools return and prompts contain.

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use super::{Json, Meta, Resource, ResourceContents};

/// Who speaks, or for whom something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// Hints for showing something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    /// For whom it is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Vec<Role>>,
    /// From 0, optional, to 1, required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// When it was last changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// One piece of content.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentBlock {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Hints.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Metadata.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Meta>,
    },
    /// An image.
    Image {
        /// Base64.
        data: String,
        /// Its media type.
        #[serde(rename = "mimeType")]
        mime_type: String,
        /// Hints.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Metadata.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Meta>,
    },
    /// Sound (since 2025-03-26).
    Audio {
        /// Base64.
        data: String,
        /// Its media type.
        #[serde(rename = "mimeType")]
        mime_type: String,
        /// Hints.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Metadata.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Meta>,
    },
    /// The address of a resource (since 2025-06-18).
    ResourceLink(Resource),
    /// A resource itself.
    Resource {
        /// What it contains.
        resource: ResourceContents,
        /// Hints.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Annotations>,
        /// Metadata.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Meta>,
    },
    /// A kind that this crate does not know, as it came.
    #[serde(untagged)]
    Other(Json),
}

impl<'de> Deserialize<'de> for ContentBlock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let block = Json::deserialize(deserializer)?;
        read(block).map_err(de::Error::custom)
    }
}

/// Reads a block by its `type`; what passes through in it keeps its text.
fn read(block: Json) -> Result<ContentBlock, serde_json::Error> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Deserialize)]
    struct Text {
        text: String,
        #[serde(default)]
        annotations: Option<Annotations>,
        #[serde(default, rename = "_meta")]
        meta: Option<Meta>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Media {
        data: String,
        mime_type: String,
        #[serde(default)]
        annotations: Option<Annotations>,
        #[serde(default, rename = "_meta")]
        meta: Option<Meta>,
    }
    #[derive(Deserialize)]
    struct Embedded {
        resource: ResourceContents,
        #[serde(default)]
        annotations: Option<Annotations>,
        #[serde(default, rename = "_meta")]
        meta: Option<Meta>,
    }
    Ok(match block.read::<Kind>()?.kind.as_str() {
        "text" => {
            let Text {
                text,
                annotations,
                meta,
            } = block.read()?;
            ContentBlock::Text {
                text,
                annotations,
                meta,
            }
        }
        "image" => {
            let Media {
                data,
                mime_type,
                annotations,
                meta,
            } = block.read()?;
            ContentBlock::Image {
                data,
                mime_type,
                annotations,
                meta,
            }
        }
        "audio" => {
            let Media {
                data,
                mime_type,
                annotations,
                meta,
            } = block.read()?;
            ContentBlock::Audio {
                data,
                mime_type,
                annotations,
                meta,
            }
        }
        "resource_link" => ContentBlock::ResourceLink(block.read()?),
        "resource" => {
            let Embedded {
                resource,
                annotations,
                meta,
            } = block.read()?;
            ContentBlock::Resource {
                resource,
                annotations,
                meta,
            }
        }
        _ => ContentBlock::Other(block),
    })
}

impl ContentBlock {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        ContentBlock::Text {
            text: text.into(),
            annotations: None,
            meta: None,
        }
    }

    /// An image, already in base64.
    pub fn image(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        ContentBlock::Image {
            data: data.into(),
            mime_type: mime_type.into(),
            annotations: None,
            meta: None,
        }
    }

    /// Sound, already in base64.
    pub fn audio(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        ContentBlock::Audio {
            data: data.into(),
            mime_type: mime_type.into(),
            annotations: None,
            meta: None,
        }
    }

    /// A resource itself.
    #[must_use]
    pub fn resource(resource: ResourceContents) -> Self {
        ContentBlock::Resource {
            resource,
            annotations: None,
            meta: None,
        }
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            ContentBlock::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_and_written_as_it_came() {
        for text in [
            r#"{"type":"text","text":"a","annotations":{"audience":["user"],"priority":0.5},"_meta":{"x/y":1.50}}"#,
            r#"{"type":"image","data":"YQ==","mimeType":"image/png"}"#,
            r#"{"type":"audio","data":"YQ==","mimeType":"audio/wav","_meta":{"a":{"z":1,"b":2}}}"#,
            r#"{"type":"resource_link","uri":"a:b","name":"b","size":3,"icons":[{"src":"https://a.example/i.png","sizes":["48x48"]}]}"#,
            r#"{"type":"resource","resource":{"uri":"a:b","text":"c","_meta":{"n":7e-60}}}"#,
            r#"{"type":"hologram","depth":[1.0],"a":1}"#,
        ] {
            let block: ContentBlock = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&block).unwrap(), text);
            let other = matches!(block, ContentBlock::Other(_));
            assert_eq!(other, text.contains("hologram"), "{text}");
        }
    }

    #[test]
    fn a_block_without_its_kind_or_its_members_is_refused() {
        for text in [
            r#"{"text":"a"}"#,
            r#"{"type":5}"#,
            r#"{"type":"text"}"#,
            r#"{"type":"image","data":"YQ=="}"#,
            r#"{"type":"audio","mimeType":"a/b"}"#,
            r#"{"type":"resource_link","uri":"a:b"}"#,
            r#"{"type":"resource"}"#,
            "[]",
        ] {
            assert!(
                serde_json::from_str::<ContentBlock>(text).is_err(),
                "{text}"
            );
        }
    }
}
