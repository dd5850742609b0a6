//! What a sealed text is bound to: who may bring it back, and with which call.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::crypto::{Hasher, KEY_BYTES};
use crate::jsonrpc::Members;

/// The members of the parameters that differ from round to round of one call.
///
/// MCP-MRTR-04 to MCP-MRTR-06: the call comes again as it was, with these two beside it; metadata
/// belongs to the single request.
const NOT_BOUND: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// Digests of the principal and of the operation.
///
/// Nobody in particular is a principal too: what is sealed for nobody opens for nobody, and not for
/// somebody who has signed in since.
#[derive(Clone)]
pub struct Binding {
    pub(super) principal: [u8; KEY_BYTES],
    pub(super) operation: [u8; KEY_BYTES],
}

impl Binding {
    /// Bound to a principal, and to no operation.
    #[must_use]
    pub fn to_principal(principal: Option<&str>) -> Self {
        let mut hasher = Hasher::new("principal");
        hasher.tag(u8::from(principal.is_some()));
        hasher.part(principal.unwrap_or_default().as_bytes());
        Binding {
            principal: hasher.finish(),
            operation: Hasher::new("no operation").finish(),
        }
    }

    /// Bound to a call as well: to its method and to its parameters without `_meta`,
    /// `inputResponses` and `requestState`.
    ///
    /// The order of members and the space between them do not count, because a client may write its
    /// call anew for each round. Numbers count as this crate reads them: integers exactly, others as
    /// doubles, and `1` is not `1.0`. A parameter that has a member twice, or holds what no reader
    /// can, counts by its text; of a parameter that is there twice both count.
    #[must_use]
    pub fn and_operation(mut self, method: &str, params: Option<&RawValue>) -> Self {
        let members = params.map(Members::read);
        match (members, params) {
            (Some(Ok(members)), _) => self.and_members(method, members.iter()),
            // No object: no method has such parameters.
            (Some(Err(_)), Some(params)) => {
                let mut hasher = operation(method);
                hasher.tag(b'r');
                hasher.part(params.get().as_bytes());
                self.operation = hasher.finish();
                self
            }
            _ => self.and_members(method, []),
        }
    }

    /// The same for parameters that are taken apart; two members of one name count both, in the order
    /// in which they came.
    #[must_use]
    pub(crate) fn and_members<'m>(
        mut self,
        method: &str,
        members: impl IntoIterator<Item = (&'m str, &'m RawValue)>,
    ) -> Self {
        let mut hasher = operation(method);
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_by_key(|(name, _)| *name);
        for (name, value) in members {
            if NOT_BOUND.contains(&name) {
                continue;
            }
            hasher.part(name.as_bytes());
            match serde_json::from_str::<Tree>(value.get()) {
                Ok(tree) => tree.write(&mut hasher),
                Err(_) => {
                    hasher.tag(b'r');
                    hasher.part(value.get().as_bytes());
                }
            }
        }
        self.operation = hasher.finish();
        self
    }
}

fn operation(method: &str) -> Hasher {
    let mut hasher = Hasher::new("operation");
    hasher.part(method.as_bytes());
    hasher
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").finish_non_exhaustive()
    }
}

/// JSON without order and space, and without members that are there twice.
enum Tree {
    Null,
    Bool(bool),
    Negative(i64),
    Positive(u64),
    Double(f64),
    Text(String),
    List(Vec<Tree>),
    Members(BTreeMap<String, Tree>),
}

impl Tree {
    /// Nested no deeper than what was read, so no deeper than [`crate::jsonrpc::MAX_DEPTH`].
    fn write(&self, hasher: &mut Hasher) {
        match self {
            Tree::Null => hasher.tag(b'0'),
            Tree::Bool(yes) => hasher.tag(if *yes { b't' } else { b'f' }),
            Tree::Negative(number) => {
                hasher.tag(b'-');
                hasher.number(number.unsigned_abs());
            }
            Tree::Positive(number) => {
                hasher.tag(b'+');
                hasher.number(*number);
            }
            Tree::Double(number) => {
                hasher.tag(b'd');
                hasher.number(number.to_bits());
            }
            Tree::Text(text) => {
                hasher.tag(b's');
                hasher.part(text.as_bytes());
            }
            Tree::List(items) => {
                hasher.tag(b'[');
                hasher.number(items.len() as u64);
                for item in items {
                    item.write(hasher);
                }
            }
            Tree::Members(members) => {
                hasher.tag(b'{');
                hasher.number(members.len() as u64);
                for (name, value) in members {
                    hasher.part(name.as_bytes());
                    value.write(hasher);
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Negative(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Positive(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Double(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, Tree>()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a member is there twice"));
            }
        }
        Ok(Tree::Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(params: &str) -> [u8; KEY_BYTES] {
        let raw = RawValue::from_string(params.to_owned()).unwrap();
        Binding::to_principal(None)
            .and_operation("tools/call", Some(&raw))
            .operation
    }

    #[test]
    fn the_same_call_written_differently_is_the_same() {
        let plain = of(r#"{"name":"pay","arguments":{"to":"ada","sum":[1,2.5]}}"#);
        for same in [
            r#"{"arguments":{"sum":[1,2.5],"to":"ada"},"name":"pay"}"#,
            r#" { "name" : "pay", "arguments" : { "to":"\u0061da", "sum" : [ 1, 2.50 ] } } "#,
            r#"{"name":"pay","arguments":{"to":"ada","sum":[1,2.5]},"_meta":{"progressToken":1}}"#,
            r#"{"name":"pay","arguments":{"to":"ada","sum":[1,2.5]},"inputResponses":{"a":1},"requestState":"x"}"#,
        ] {
            assert_eq!(of(same), plain, "{same}");
        }
    }

    #[test]
    fn another_call_is_another() {
        let texts = [
            "{}",
            r#"{"name":"pay"}"#,
            r#"{"name":"pax"}"#,
            r#"{"name":"pay","arguments":{}}"#,
            r#"{"name":"pay","arguments":[]}"#,
            r#"{"name":"pay","arguments":null}"#,
            r#"{"name":"pay","arguments":{"sum":1}}"#,
            r#"{"name":"pay","arguments":{"sum":-1}}"#,
            r#"{"name":"pay","arguments":{"sum":1.0}}"#,
            r#"{"name":"pay","arguments":{"sum":"1"}}"#,
            r#"{"name":"pay","arguments":{"sum":true}}"#,
            r#"{"name":"pay","arguments":{"sum":false}}"#,
            r#"{"name":"pay","arguments":{"sum":null}}"#,
            r#"{"name":"pay","arguments":{"sum":[1]}}"#,
            r#"{"name":"pay","arguments":{"sum":[[1]]}}"#,
            r#"{"name":"pay","arguments":{"sum":[1,2]}}"#,
            r#"{"name":"pay","arguments":{"sum":[2,1]}}"#,
            r#"{"name":"pay","arguments":{"sum":[{"a":1},{"b":2}]}}"#,
            r#"{"name":"pay","arguments":{"sum":[{"a":1,"b":2}]}}"#,
            r#"{"name":"pay","arguments":{"sum":9007199254740993}}"#,
            r#"{"name":"pay","arguments":{"sum":9007199254740992}}"#,
            // A reader could take either.
            r#"{"name":"pay","name":"pax"}"#,
            r#"{"name":"pax","name":"pay"}"#,
            r#"{"name":"pay","arguments":{"sum":2,"sum":1}}"#,
            r#"{"name":"pay","arguments":{"sum":1,"sum":2}}"#,
            // No reader can take these.
            r#"{"name":"pay","arguments":{"sum":1e999}}"#,
            r#"{"name":"pay","arguments":{"sum":1e998}}"#,
            r#"{"name":"pay","arguments":"\ud800"}"#,
            // What differs from round to round is only what stands at the top.
            r#"{"name":"pay","arguments":{"_meta":1}}"#,
            r#"{"name":"pay","arguments":{"_meta":2}}"#,
            "[]",
            "5",
        ];
        for (at, one) in texts.iter().enumerate() {
            for other in texts.iter().skip(at + 1) {
                assert_ne!(of(one), of(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn principal_and_method_count() {
        let bound = |principal, method| {
            let binding = Binding::to_principal(principal).and_operation(method, None);
            (binding.principal, binding.operation)
        };
        let some = bound(Some("ada"), "tools/call");
        assert_ne!(bound(Some("eve"), "tools/call").0, some.0);
        assert_ne!(bound(Some(""), "tools/call").0, bound(None, "tools/call").0);
        assert_ne!(bound(Some("ada"), "prompts/get").1, some.1);
        assert_ne!(Binding::to_principal(Some("ada")).operation, some.1);
    }
}
