//! The parameters of a message before any method looks at them, and the `_meta` in them.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::key;
use crate::jsonrpc::{FromMembers, Id, Members, Name, Parameters, Shape, Twice};
use crate::trace::Trace;
use crate::types::json::is_object;
use crate::types::{Json, RawObject};

/// The parameters of a message, taken apart once, as far as both eras share them.
#[derive(Clone, Debug)]
pub struct Params<'a> {
    /// All but `_meta`; none when the parameters are no object, or a name in them is no text.
    members: Option<Members<'a>>,
    meta: Option<Result<Members<'a>, ()>>,
    is_object: bool,
}

impl Default for Params<'_> {
    /// None.
    fn default() -> Self {
        Params {
            members: Some(Members::default()),
            meta: None,
            is_object: true,
        }
    }
}

impl<'a> Params<'a> {
    /// Takes the parameters apart without judging them.
    #[must_use]
    pub fn read(params: Option<&'a RawValue>) -> Self {
        params.map(Parameters::read).unwrap_or_default()
    }

    fn unreadable(is_object: bool) -> Self {
        Params {
            members: None,
            meta: Some(Err(())),
            is_object,
        }
    }

    /// The members of the parameters themselves, in the order in which they came.
    #[cfg(all(feature = "server", feature = "seal"))]
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().flat_map(Members::iter)
    }

    /// Whether `_meta` is there and is no object that can be read, or is there twice.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.meta, Some(Err(())))
    }

    /// The `_meta`, if it is there.
    pub(super) fn meta(&self) -> Option<Result<&Members<'a>, ()>> {
        self.meta
            .as_ref()
            .map(|meta| meta.as_ref().map_err(|&()| ()))
    }

    /// A member of `_meta`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a RawValue> {
        self.meta().and_then(Result::ok)?.get(key)
    }

    /// A member of `_meta` that is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Cow<'a, str>> {
        text(self.get(key)?)
    }

    /// Whether this message speaks as those of 2026-07-28 do.
    #[must_use]
    pub fn is_modern(&self) -> bool {
        self.get(key::PROTOCOL_VERSION).is_some() || self.get(key::CLIENT_CAPABILITIES).is_some()
    }

    /// Where the message belongs in somebody's trace.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace::read(|key| self.text(key))
    }

    /// The progress token, if there is a usable one.
    #[must_use]
    pub fn progress_token(&self) -> Option<Id> {
        Id::deserialize(self.get(key::PROGRESS_TOKEN)?).ok()
    }

    /// A member of the parameters themselves; `_meta` is none of them.
    ///
    /// # Errors
    /// [`Twice`].
    pub fn member(&self, name: &str) -> Result<Option<&'a RawValue>, Twice> {
        match &self.members {
            Some(members) => members.once(name),
            None => Ok(None),
        }
    }

    /// Each parameter as its text, `_meta` among them.
    ///
    /// # Errors
    /// [`Twice`].
    pub fn object(&self) -> Result<RawObject, Twice> {
        let mut object = match &self.members {
            Some(members) => members.object()?,
            None => RawObject::new(),
        };
        if let Some(Ok(meta)) = self.meta()
            && let Ok(meta) = Json::new(&meta.object()?)
        {
            object.insert("_meta".to_owned(), meta);
        }
        Ok(object)
    }

    /// Reads the parameters of a method.
    ///
    /// # Errors
    /// The reader's reason.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        match &self.members {
            Some(members) => members.parse(),
            None => Err(serde::de::Error::custom("a name is no text")),
        }
    }

    /// What `Mcp-Name` has to say for this request of the core: the name or address that it is about.
    ///
    /// `None` when the method has no such header, or the body has no such member (which is then a
    /// matter of wrong parameters).
    #[must_use]
    pub fn mirrored_name(&self, method: &str) -> Option<Cow<'a, str>> {
        let member = match method {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ => return None,
        };
        self.member_text(member)
    }

    /// A member of the parameters themselves that is text.
    #[must_use]
    pub fn member_text(&self, name: &str) -> Option<Cow<'a, str>> {
        text(self.member(name).ok()??)
    }
}

impl<'a> Parameters<'a> for Params<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Shape::deserialize(deserializer)? {
            Shape::Object(params) => params,
            Shape::Null | Shape::Other => Params::unreadable(false),
        })
    }

    fn read(params: &'a RawValue) -> Self {
        Parameters::deserialize(params).unwrap_or_else(|_| Params::unreadable(is_object(params)))
    }

    fn are_fit(&self) -> bool {
        self.is_object
    }
}

impl<'a> FromMembers<'a> for Params<'a> {
    fn from_members<A: MapAccess<'a>>(mut map: A) -> Result<Self, A::Error> {
        let (mut members, mut meta) = (Members::with_room(), None);
        while let Some(Name(name)) = map.next_key()? {
            if name == "_meta" {
                let found = map.next_value()?;
                // What is there twice cannot be read.
                meta = Some(meta.map_or(found, |_: Shape<_>| Shape::Other));
            } else {
                members.push(name, map.next_value()?);
            }
        }
        Ok(Params {
            members: Some(members),
            meta: match meta {
                None | Some(Shape::Null) => None,
                Some(Shape::Object(meta)) => Some(Ok(meta)),
                Some(Shape::Other) => Some(Err(())),
            },
            is_object: true,
        })
    }
}

fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    Name::deserialize(raw).ok().map(|name| name.0)
}
