//! What the documents that servers publish have in common: their members by kind, each kind read in one way.

use thiserror::Error;

use super::{MAX_LIST_ENTRIES, MAX_METADATA_BYTES, MAX_TEXT_BYTES};
use crate::json::{Members, WrongType};
use crate::uri::is_web_page;

/// Why a text is not a metadata document at all, whoever it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidDocument {
    /// More than [`MAX_METADATA_BYTES`].
    #[error("longer than {MAX_METADATA_BYTES} bytes")]
    TooLong,
    /// Not a JSON object, or an object with a member that occurs twice.
    #[error("not a JSON object in which each member occurs once")]
    Malformed,
    /// A member of another type.
    #[error("{member} is not {wanted}")]
    Type {
        /// The member.
        member: &'static str,
        /// What it has to be.
        wanted: &'static str,
    },
    /// A list with more than [`MAX_LIST_ENTRIES`] entries, or a text of more than [`MAX_TEXT_BYTES`].
    #[error(
        "{0} has more than {MAX_LIST_ENTRIES} entries, or a text of more than {MAX_TEXT_BYTES} bytes"
    )]
    Bound(&'static str),
}

impl From<WrongType> for InvalidDocument {
    fn from(wrong: WrongType) -> Self {
        Self::Type {
            member: wrong.member,
            wanted: wrong.wanted,
        }
    }
}

/// Reads the members of a document.
pub(super) fn members(bytes: &[u8]) -> Result<Members<'_>, InvalidDocument> {
    if bytes.len() > MAX_METADATA_BYTES {
        return Err(InvalidDocument::TooLong);
    }
    Members::read(bytes).map_err(|_| InvalidDocument::Malformed)
}

/// Text that a program acts on: what is not there is empty.
pub(super) fn text(
    members: &Members<'_>,
    member: &'static str,
) -> Result<Option<String>, InvalidDocument> {
    match members.text(member)? {
        Some(text) if text.len() > MAX_TEXT_BYTES => Err(InvalidDocument::Bound(member)),
        text => Ok(text),
    }
}

/// A list that a program acts on.
pub(super) fn list(
    members: &Members<'_>,
    member: &'static str,
) -> Result<Option<Vec<String>>, InvalidDocument> {
    let list = members.texts(member)?;
    let bounded = |list: &Vec<String>| {
        list.len() <= MAX_LIST_ENTRIES && list.iter().all(|entry| entry.len() <= MAX_TEXT_BYTES)
    };
    if list.as_ref().is_none_or(bounded) {
        Ok(list)
    } else {
        Err(InvalidDocument::Bound(member))
    }
}

/// A page for people: one that is no address of the web counts as absent, since no program needs it.
pub(super) fn link(members: &Members<'_>, member: &'static str) -> Option<String> {
    let url = members.text(member).ok().flatten()?;
    is_web_page(&url).then_some(url)
}

/// A name for people: one that is too long, or could reorder or hide what stands around it, counts as absent.
pub(super) fn name(members: &Members<'_>, member: &'static str) -> Option<String> {
    let name = members.text(member).ok().flatten()?;
    super::plain_text::is_plain(&name).then_some(name)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

/// Declares a document: what it looks like, how it is read, and which of its members lead somewhere.
macro_rules! document {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            identifiers { $($(#[$id_meta:meta])* $id:ident,)* }
            endpoints { $($(#[$endpoint_meta:meta])* $endpoint:ident,)* }
            lists { $($(#[$list_meta:meta])* $list:ident,)* }
            lists_that_may_be_empty { $($(#[$empty_meta:meta])* $empty:ident,)* }
            flags { $($(#[$flag_meta:meta])* $flag:ident,)* }
            names { $($(#[$name_meta:meta])* $person:ident,)* }
            links { $($(#[$link_meta:meta])* $link:ident,)* }
            documents { $($(#[$inner_meta:meta])* $inner:ident: $type:ty,)* }
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
        pub struct $name {
            $($(#[$id_meta])* pub $id: String,)*
            $(
                $(#[$endpoint_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $endpoint: Option<String>,
            )*
            $(
                $(#[$list_meta])*
                #[serde(skip_serializing_if = "Vec::is_empty")]
                pub $list: Vec<String>,
            )*
            $(
                $(#[$empty_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $empty: Option<Vec<String>>,
            )*
            $(
                $(#[$flag_meta])*
                #[serde(skip_serializing_if = "super::document::is_false")]
                pub $flag: bool,
            )*
            $(
                $(#[$name_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $person: Option<String>,
            )*
            $(
                $(#[$link_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $link: Option<String>,
            )*
            $(
                $(#[$inner_meta])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $inner: Option<$type>,
            )*
        }

        impl $name {
            fn from_members(
                members: &crate::json::Members<'_>,
            ) -> Result<Self, super::document::InvalidDocument> {
                Ok(Self {
                    $($id: super::document::text(members, stringify!($id))?.unwrap_or_default(),)*
                    $($endpoint: super::document::text(members, stringify!($endpoint))?,)*
                    $($list: super::document::list(members, stringify!($list))?.unwrap_or_default(),)*
                    $($empty: super::document::list(members, stringify!($empty))?,)*
                    $($flag: members.flag(stringify!($flag))?,)*
                    $($person: super::document::name(members, stringify!($person)),)*
                    $($link: super::document::link(members, stringify!($link)),)*
                    $($inner: <$type>::from_member(members, stringify!($inner))?,)*
                })
            }

            /// The endpoints that are there, by name.
            fn endpoints(&self) -> impl Iterator<Item = (&'static str, &str)> {
                [$((stringify!($endpoint), self.$endpoint.as_deref()),)*]
                    .into_iter()
                    .filter_map(|(name, url)| Some((name, url?)))
            }
        }
    };
}
pub(super) use document;
