//! What an extension adds to 2026-07-28: methods, kinds of results, headers, and what has to be declared for them.
//!
//! The table is data, on both sides: a server gives it to [`crate::stateless::admit`], and a client knows by it which headers to
//! send and which kinds of results to take. The extensions that this crate has itself are rows of the same table.
//!
//! Does not know: notifications of an extension, and questions by which a method of an extension would go on in rounds
//! (MCP-MRTR-01: three methods of the core may ask, and no other).
//!
//! Specification: MCP 2026-07-28, overview, capabilities, extensions; MCP-EXT-01, MCP-VER-05.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::names::{Key, KeyProblem};
use crate::types::{JsonObject, Meta, Outcome, RawObject, SKILLS_EXTENSION, TASKS_EXTENSION};

/// What one extension adds.
///
/// ```
/// use mcp_protocol::extension::{Extension, Method};
///
/// let catalogue = Extension::new("com.example/catalogue")?
///     .with_method(Method::new("catalogue/get").about("sku"))
///     .with_result_type("receipt");
/// assert!(Extension::new("catalogue").is_err());
/// # Ok::<(), mcp_protocol::names::KeyProblem>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Extension {
    name: Cow<'static, str>,
    settings: JsonObject,
    methods: Vec<Method>,
    result_types: Vec<Cow<'static, str>>,
    is_of_this_crate: bool,
}

/// A request that an extension adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    name: Cow<'static, str>,
    about: Option<Cow<'static, str>>,
    is_cacheable: bool,
    is_for_everybody: bool,
}

impl Method {
    /// A method with this name. The name of a method of the core stays with the core.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Method {
            name: name.into(),
            about: None,
            is_cacheable: false,
            is_for_everybody: false,
        }
    }

    /// The member of its parameters that `Mcp-Name` repeats, a text.
    #[must_use]
    pub fn about(mut self, member: impl Into<Cow<'static, str>>) -> Self {
        self.about = Some(member.into());
        self
    }

    /// Its complete results carry a cache hint.
    #[must_use]
    pub fn cacheable(mut self) -> Self {
        self.is_cacheable = true;
        self
    }

    /// A client need not declare the extension to ask for it: that the server does is enough.
    #[must_use]
    pub fn for_everybody(mut self) -> Self {
        self.is_for_everybody = true;
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The member that `Mcp-Name` repeats.
    #[must_use]
    pub fn repeated_member(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// Whether its complete results carry a cache hint.
    #[must_use]
    pub fn is_cacheable(&self) -> bool {
        self.is_cacheable
    }

    /// Whether a client has to declare the extension in the request.
    #[must_use]
    pub fn needs_declaring(&self) -> bool {
        !self.is_for_everybody
    }
}

impl Extension {
    /// An extension without settings, methods and kinds of results.
    ///
    /// Prefixes whose second label is `modelcontextprotocol` or `mcp` belong to the specification
    /// ([`Key::is_reserved`]); that is not refused here, because some of those extensions are not in this crate.
    ///
    /// # Errors
    /// MCP-VER-05: what is wrong with the name, which has a prefix and follows the grammar of metadata keys.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Result<Self, KeyProblem> {
        let name = name.into();
        Key::extension(&name)?;
        Ok(Self::named(name))
    }

    fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Extension {
            name: name.into(),
            settings: JsonObject::new(),
            methods: Vec::new(),
            result_types: Vec::new(),
            is_of_this_crate: false,
        }
    }

    /// The same with these settings, which are declared with its name.
    #[must_use]
    pub fn with_settings(mut self, settings: JsonObject) -> Self {
        self.settings = settings;
        self
    }

    /// The same with this method.
    #[must_use]
    pub fn with_method(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// The same with this kind of result beside `complete`: of its own methods, or of a method of the core for a client that
    /// declares the extension.
    #[must_use]
    pub fn with_result_type(mut self, result_type: impl Into<Cow<'static, str>>) -> Self {
        self.result_types.push(result_type.into());
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &JsonObject {
        &self.settings
    }

    /// Whether it has this kind of result.
    #[must_use]
    pub fn has_result_type(&self, result_type: &str) -> bool {
        self.result_types.iter().any(|own| own == result_type)
    }

    /// Whether it is one of this crate's own, whose methods a handler has by their names.
    #[must_use]
    pub fn is_of_this_crate(&self) -> bool {
        self.is_of_this_crate
    }

    /// The tasks extension.
    ///
    /// Specification: MCP-TASK-01, MCP-TASK-11.
    #[must_use]
    pub fn tasks() -> Self {
        let methods = ["tasks/get", "tasks/update", "tasks/cancel"];
        Extension {
            methods: methods.map(|name| Method::new(name).about("taskId")).into(),
            result_types: vec!["task".into()],
            is_of_this_crate: true,
            ..Self::named(TASKS_EXTENSION)
        }
    }

    /// The skills extension with the settings of a server, which has the method for directories if `directoryRead` is true
    /// in them.
    ///
    /// Specification: MCP-SKILL-01, MCP-SKILL-02.
    #[must_use]
    pub fn skills(settings: JsonObject) -> Self {
        let reads_directories = settings.get("directoryRead") == Some(&true.into());
        let lists = ["skills/list", "skills/get"];
        let mut methods: Vec<Method> = lists
            .map(|name| Method::new(name).cacheable().for_everybody())
            .into();
        if reads_directories {
            methods.push(Method::new("resources/directory/read").for_everybody());
        }
        Extension {
            settings,
            methods,
            is_of_this_crate: true,
            ..Self::named(SKILLS_EXTENSION)
        }
    }
}

/// The extension that has this method, the first if there are several.
#[must_use]
pub fn find<'a>(extensions: &'a [Extension], method: &str) -> Option<(&'a Extension, &'a Method)> {
    extensions.iter().find_map(|extension| {
        let found = extension.methods.iter().find(|own| own.name == method)?;
        Some((extension, found))
    })
}

/// A result that an extension defines: of one of its methods, or of another kind than `complete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionResult {
    /// `complete`, or a kind that the extension adds.
    pub result_type: Cow<'static, str>,
    /// The other members of the result, `_meta` among them.
    pub members: RawObject,
}

impl ExtensionResult {
    /// A complete result.
    ///
    /// # Errors
    /// When it cannot be written as JSON, or is no object.
    pub fn new(result: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut members: RawObject = crate::types::Json::new(result)?.read()?;
        members.remove("resultType");
        Ok(ExtensionResult {
            result_type: "complete".into(),
            members,
        })
    }

    /// The same as another kind of result.
    #[must_use]
    pub fn of_type(mut self, result_type: impl Into<Cow<'static, str>>) -> Self {
        self.result_type = result_type.into();
        self
    }
}

impl Serialize for ExtensionResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members.serialize(serializer)
    }
}

impl Outcome for ExtensionResult {
    fn take_meta(&mut self) -> Option<Meta> {
        // What is no object is no metadata, and does not go out.
        self.members.remove("_meta")?.read().ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::revision::Revision;

    fn settings(value: serde_json::Value) -> JsonObject {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_name_has_a_prefix_and_follows_the_grammar() {
        assert!(Extension::new("com.example/a").is_ok());
        assert_eq!(Extension::new("a"), Err(KeyProblem::NoPrefix));
        assert_eq!(Extension::new("com..example/a"), Err(KeyProblem::Label));
        assert_eq!(Extension::new("com.example/-a"), Err(KeyProblem::Name));
    }

    #[test]
    fn the_names_of_this_crate_follow_it_too_and_no_method_is_of_the_core() {
        let all = settings(json!({ "directoryRead": true }));
        for extension in [Extension::tasks(), Extension::skills(all)] {
            assert!(Extension::new(extension.name().to_owned()).is_ok());
            for method in &extension.methods {
                assert!(!Revision::NEWEST.has_request(method.name()), "{method:?}");
            }
        }
    }

    #[test]
    fn directories_are_read_only_where_that_is_set() {
        for (value, has) in [
            (json!({}), false),
            (json!({ "directoryRead": false }), false),
            (json!({ "directoryRead": "true" }), false),
            (json!({ "directoryRead": true }), true),
        ] {
            let skills = [Extension::skills(settings(value.clone()))];
            assert_eq!(
                find(&skills, "resources/directory/read").is_some(),
                has,
                "{value}"
            );
            assert!(find(&skills, "skills/list").is_some());
        }
    }

    #[test]
    fn the_first_extension_has_the_method() {
        let of = |name: &'static str| {
            Extension::new(name)
                .unwrap()
                .with_method(Method::new("a/b"))
        };
        let both = [of("com.example/1"), of("com.example/2")];
        assert_eq!(find(&both, "a/b").unwrap().0.name(), "com.example/1");
        assert_eq!(find(&both, "a/c"), None);
    }

    #[test]
    fn a_result_is_an_object_and_keeps_the_text_of_its_members() {
        let text = serde_json::value::RawValue::from_string(
            r#"{"price":1.50,"resultType":"x","_meta":{"a":1}}"#.into(),
        );
        let mut result = ExtensionResult::new(&text.unwrap()).unwrap();
        assert_eq!(result.result_type, "complete");
        assert_eq!(result.take_meta().unwrap()["a"].get(), "1");
        assert_eq!(serde_json::to_string(&result).unwrap(), r#"{"price":1.50}"#);
        assert!(ExtensionResult::new(&[1]).is_err());
    }
}
