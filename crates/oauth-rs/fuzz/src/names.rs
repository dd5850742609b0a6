//! The names of an object, read by somebody who minds none of them.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// Nothing that is read anywhere has a name twice.
pub(crate) fn each_once(data: &[u8]) {
    let Ok(Names(names)) = serde_json::from_slice(data) else {
        return;
    };
    let once: HashSet<&String> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "{names:?}");
}

struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = map.next_key()? {
            names.push(name);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Names(names))
    }
}
