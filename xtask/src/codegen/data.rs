//! The data files as they are written, and the rows that they mean.
//!
//! What is written: `crates/didit-client/operations/*.toml`, read strictly, so that a misspelt key is an error.
//! What it means: every parameter with its shape, whether it was written there or shared.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

mod read;

/// The folder of the data files, from the root.
pub(crate) const FOLDER: &str = "crates/didit-client/operations";

/// Everything that the data files say.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) shared: Vec<Field>,
    pub(crate) areas: Vec<Area>,
}

/// One file: the operations of an area and the tools that run them.
#[derive(Debug)]
pub(crate) struct Area {
    pub(crate) name: String,
    pub(crate) says: String,
    pub(crate) operations: Vec<Operation>,
    pub(crate) tools: Vec<Tool>,
}

/// One operation of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) row: OperationRow,
    /// Whether it takes an application's key and not a person's token.
    pub(crate) api_key: bool,
    pub(crate) scope: Vec<String>,
    pub(crate) parts: Vec<Field>,
    pub(crate) query: Vec<Field>,
    pub(crate) body: Vec<Field>,
    pub(crate) form: Vec<Field>,
    pub(crate) files: Vec<Field>,
}

/// One tool.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) row: ToolRow,
    pub(crate) category: String,
    pub(crate) toolsets: Vec<String>,
    pub(crate) scope: Vec<String>,
    pub(crate) kind: Kind,
    pub(crate) permission: Option<String>,
    pub(crate) fine_scope: String,
    pub(crate) arguments: Vec<Field>,
}

/// What an operation or a tool does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Read,
    Write,
    Destructive,
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    Text,
    /// Text that is a whole number; on the wire a number.
    Count,
    /// Text that is a span of time, such as 30m, 12h or 7d.
    Window,
    Number,
    Integer,
    Boolean,
    Object,
    List,
    Any,
    /// The bytes of a file in a form.
    File,
}

/// One parameter, property or item, complete.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) required: bool,
    pub(crate) stdio_only: bool,
    pub(crate) secret: bool,
    pub(crate) nullable: bool,
    pub(crate) one_of: Vec<String>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) max_length: Option<u64>,
    pub(crate) at_least: Option<u64>,
    pub(crate) at_most: Option<u64>,
    pub(crate) default: Option<toml::Value>,
    pub(crate) closed: bool,
    pub(crate) items: Option<Box<Field>>,
    pub(crate) properties: Vec<Field>,
    pub(crate) says: String,
}

/// A parameter as it is written; what is missing comes from the shared one that it stands for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    like: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    required: Option<bool>,
    only: Option<Only>,
    secret: Option<bool>,
    nullable: Option<bool>,
    one_of: Option<Vec<String>>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    max_length: Option<u64>,
    at_least: Option<u64>,
    at_most: Option<u64>,
    default: Option<toml::Value>,
    closed: Option<bool>,
    items: Option<Box<Written>>,
    properties: Option<Fields>,
    says: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Only {
    Stdio,
}

/// Parameters by name; the place in the file gives their order.
type Fields = BTreeMap<String, Spanned<Written>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedFile {
    shared: Fields,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AreaFile {
    says: String,
    /// The place of the area in lists.
    order: u32,
    category: String,
    toolsets: Vec<String>,
    scope: Vec<String>,
    /// Whether every operation takes an application's key and not a person's token.
    #[serde(default)]
    api_key: bool,
    #[serde(default)]
    shared: Fields,
    operation: Vec<OperationRow>,
    #[serde(default)]
    tool: Vec<ToolRow>,
}

/// `[[operation]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationRow {
    pub(crate) name: String,
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) base: Base,
    pub(crate) path: String,
    pub(crate) kind: Kind,
    scope: Option<Vec<String>>,
    pub(crate) permission: Option<String>,
    pub(crate) mask: Option<Mask>,
    pub(crate) repeatable: Option<bool>,
    #[serde(default)]
    pub(crate) anonymous: bool,
    #[serde(default)]
    pub(crate) application_header: bool,
    /// Whether a key may be sent under which it takes effect once.
    #[serde(default)]
    pub(crate) idempotency_key: bool,
    #[serde(default)]
    pub(crate) open: bool,
    pub(crate) confirm: Option<String>,
    pub(crate) says: String,
    #[serde(default)]
    parts: Fields,
    #[serde(default)]
    query: Fields,
    #[serde(default)]
    body: Fields,
    #[serde(default)]
    form: Fields,
    #[serde(default)]
    files: Fields,
}

/// Which base address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Base {
    Auth,
    #[default]
    Api,
}

/// Which secrets an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mask {
    Application,
    WebhookDestination,
    ApiKey,
}

/// `[[tool]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToolRow {
    pub(crate) name: String,
    pub(crate) title: String,
    category: Option<String>,
    toolsets: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) core: bool,
    #[serde(default)]
    pub(crate) visibility: Visibility,
    kind: Option<Kind>,
    #[serde(default)]
    pub(crate) open_world: bool,
    scope: Option<Vec<String>>,
    permission: Option<String>,
    /// The first is the one that the tool is for.
    pub(crate) operations: Vec<String>,
    fine_scope: Option<String>,
    pub(crate) run: Option<String>,
    takes: Option<Vec<String>>,
    /// Whether arguments that are not listed go upstream as they are.
    #[serde(default)]
    pub(crate) open: bool,
    #[serde(default)]
    pub(crate) any_of: Vec<String>,
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    #[serde(default)]
    pub(crate) exactly_one: Vec<String>,
    /// The argument whose members are the body.
    pub(crate) spreads: Option<String>,
    #[serde(default)]
    pub(crate) fetched: Vec<String>,
    #[serde(default)]
    pub(crate) fetched_or_data: Vec<String>,
    /// A member of the answer that is true.
    pub(crate) marks: Option<String>,
    pub(crate) confirm: Option<Confirm>,
    /// Argument to name on the wire; `name[]` is a list of one.
    #[serde(default)]
    pub(crate) sends: BTreeMap<String, String>,
    /// Argument to its words on the wire.
    #[serde(default)]
    pub(crate) words: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) says: String,
    #[serde(default)]
    arguments: Fields,
}

/// Where a tool is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Visibility {
    #[default]
    Both,
    Stdio,
    /// Everywhere; the original lists it in its hosted build alone.
    Hosted,
}

/// The argument that must be true, and the one beside which alone it must.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    pub(crate) argument: String,
    #[serde(rename = "with")]
    pub(crate) beside: Option<String>,
}

/// The two arguments that a file may come in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upload {
    pub(crate) path: String,
    pub(crate) base64: String,
    #[serde(default)]
    pub(crate) required: bool,
}
