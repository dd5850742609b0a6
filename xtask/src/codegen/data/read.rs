//! Reads the data files, and works out what their rows mean.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::Outcome;

/// The file of parameters that several areas share.
const SHARED: &str = "shared";

impl Data {
    /// Reads the folder.
    pub(crate) fn load(root: &Path) -> Outcome<Self> {
        let folder = root.join(FOLDER);
        let mut files = BTreeMap::new();
        let listing = std::fs::read_dir(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
        for entry in listing {
            let path = entry.map_err(|error| format!("{FOLDER}: {error}"))?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            if let (Some(name), Some("toml")) = (
                name,
                path.extension().and_then(|extension| extension.to_str()),
            ) {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                files.insert(name.to_owned(), text);
            }
        }
        Self::read(&files)
    }

    /// Reads files by their name without ending.
    pub(crate) fn read(files: &BTreeMap<String, String>) -> Outcome<Self> {
        let text = files
            .get(SHARED)
            .ok_or_else(|| format!("{FOLDER}/{SHARED}.toml is missing"))?;
        let shared = parsed::<SharedFile>(SHARED, text)?.shared;
        let mut areas = Vec::new();
        for (name, text) in files.iter().filter(|(name, _)| *name != SHARED) {
            areas.push((name.clone(), parsed::<AreaFile>(name, text)?));
        }
        areas.sort_by_key(|(_, file)| file.order);
        let mut operations = BTreeMap::new();
        for (name, file) in &mut areas {
            let known = Known::new(&file.shared, &shared);
            let read: Outcome<Vec<Operation>> = std::mem::take(&mut file.operation)
                .into_iter()
                .map(|row| operation(row, &file.scope, file.api_key, known))
                .collect();
            operations.insert(name.clone(), read.map_err(|why| in_file(name, &why))?);
        }
        let mut tools = BTreeMap::new();
        for (name, file) in &mut areas {
            let rows = std::mem::take(&mut file.tool);
            let read: Outcome<Vec<Tool>> = rows
                .into_iter()
                .map(|row| {
                    let first = row.operations.first();
                    let first = first.and_then(|first| {
                        operations
                            .values()
                            .flatten()
                            .find(|one| one.row.name == *first)
                    });
                    tool(row, first, file, &shared)
                })
                .collect();
            tools.insert(name.clone(), read.map_err(|why| in_file(name, &why))?);
        }
        let areas = areas
            .into_iter()
            .map(|(name, file)| Area {
                says: file.says,
                operations: operations.remove(&name).unwrap_or_default(),
                tools: tools.remove(&name).unwrap_or_default(),
                name,
            })
            .collect();
        let shared = complete(&shared, Known::new(&Fields::new(), &shared))?;
        Ok(Self { shared, areas })
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.areas.iter().flat_map(|area| &area.operations)
    }

    pub(crate) fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.areas.iter().flat_map(|area| &area.tools)
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations()
            .find(|operation| operation.row.name == name)
    }
}

impl Operation {
    /// Every parameter but the places, in the order in which tools take them.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        [&self.parts, &self.query, &self.body, &self.form]
            .into_iter()
            .flatten()
    }

    /// The names in braces in the path.
    pub(crate) fn braces(&self) -> impl Iterator<Item = &str> {
        self.row
            .path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Whether the path or a header names the organisation.
    pub(crate) fn has_organization(&self) -> bool {
        self.row.application_header || self.braces().any(|name| name == "org")
    }

    /// Whether the path or a header names the application.
    pub(crate) fn has_application(&self) -> bool {
        self.row.application_header || self.braces().any(|name| name == "app")
    }

    /// Whether it may be sent again: what reads may, and what says so.
    pub(crate) fn is_repeatable(&self) -> bool {
        let reads = self.row.kind == Kind::Read || self.row.method == "GET";
        self.row.repeatable.unwrap_or(reads)
    }

    /// The fine scope of the operation: its name.
    pub(crate) fn fine_scope(&self) -> String {
        format!("didit.{}", self.row.name)
    }

    /// The part of the name behind the area.
    pub(crate) fn verb(&self) -> &str {
        self.row.name.split_once('.').map_or("", |(_, verb)| verb)
    }
}

fn parsed<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Outcome<T> {
    toml::from_str(text).map_err(|error| format!("{FOLDER}/{name}.toml: {error}"))
}

/// Where a name without a type is looked up.
#[derive(Clone, Copy)]
struct Known<'a> {
    near: &'a Fields,
    far: &'a Fields,
}

impl<'a> Known<'a> {
    fn new(near: &'a Fields, far: &'a Fields) -> Self {
        Self { near, far }
    }

    fn find(self, name: &str) -> Option<Written> {
        let found = self.near.get(name).or_else(|| self.far.get(name))?;
        Some(found.get_ref().clone())
    }
}

fn in_file(name: &str, why: &str) -> String {
    format!("{FOLDER}/{name}.toml: {why}")
}

fn operation(
    row: OperationRow,
    scope: &[String],
    api_key: bool,
    known: Known<'_>,
) -> Outcome<Operation> {
    let of =
        |fields: &Fields| complete(fields, known).map_err(|why| format!("{}: {why}", row.name));
    let mut parts = of(&row.parts)?;
    // An address without its parts is none.
    for part in &mut parts {
        part.required = true;
    }
    Ok(Operation {
        api_key,
        scope: row.scope.clone().unwrap_or_else(|| scope.to_vec()),
        parts,
        query: of(&row.query)?,
        body: of(&row.body)?,
        form: of(&row.form)?,
        files: of(&row.files)?,
        row,
    })
}

fn tool(
    row: ToolRow,
    first: Option<&Operation>,
    file: &AreaFile,
    shared: &Fields,
) -> Outcome<Tool> {
    let within = |why: &str| format!("{}: {why}", row.name);
    if let (None, Some(name)) = (first, row.operations.first()) {
        return Err(within(&format!("there is no operation {name}")));
    }
    let known = Known::new(&file.shared, shared);
    let own = complete(&row.arguments, known).map_err(|why| within(&why))?;
    let taken = row.takes.clone().unwrap_or_else(|| usual(first));
    if let Some(own) = own.iter().find(|own| !taken.contains(&own.name)) {
        return Err(within(&format!("{} is described but not taken", own.name)));
    }
    let mut arguments = Vec::new();
    for name in &taken {
        let mut fields = own
            .iter()
            .chain(first.into_iter().flat_map(Operation::fields));
        let field = match fields.find(|field| field.name == *name) {
            Some(field) => field.clone(),
            None => one(name, &Written::default(), known).map_err(|why| within(&why))?,
        };
        arguments.push(field);
    }
    let fine_scope = match (&row.fine_scope, first) {
        (Some(own), _) => own.clone(),
        (None, Some(first)) => first.fine_scope(),
        (None, None) => return Err(within("a tool without operations needs a fine_scope")),
    };
    let kind = row.kind.or_else(|| Some(first?.row.kind));
    let permission = match &row.permission {
        // An empty one says that there is none, whatever the operation says.
        Some(own) => Some(own.clone()).filter(|own| !own.is_empty()),
        None => first.and_then(|first| first.row.permission.clone()),
    };
    Ok(Tool {
        category: row
            .category
            .clone()
            .unwrap_or_else(|| file.category.clone()),
        toolsets: row
            .toolsets
            .clone()
            .unwrap_or_else(|| file.toolsets.clone()),
        scope: row
            .scope
            .clone()
            .or_else(|| Some(first?.scope.clone()))
            .unwrap_or_else(|| file.scope.clone()),
        kind: kind.ok_or_else(|| within("a tool without operations needs a kind"))?,
        permission,
        fine_scope,
        arguments,
        row,
    })
}

/// What a tool takes unless it says otherwise: the place, then everything that the operation knows.
fn usual(first: Option<&Operation>) -> Vec<String> {
    let mut names = Vec::new();
    let Some(first) = first else {
        return names;
    };
    if first.has_organization() {
        names.push("organization_id".to_owned());
    }
    if first.has_application() {
        names.push("application_id".to_owned());
    }
    for field in first.fields() {
        if !names.contains(&field.name) {
            names.push(field.name.clone());
        }
    }
    names
}

/// The fields of a table in the order in which they are written.
fn complete(fields: &Fields, known: Known<'_>) -> Outcome<Vec<Field>> {
    let mut in_order: Vec<(&String, &Spanned<Written>)> = fields.iter().collect();
    in_order.sort_by_key(|(_, written)| written.span().start);
    in_order
        .into_iter()
        .map(|(name, written)| one(name, written.get_ref(), known))
        .collect()
}

/// One field, with what is missing taken from the shared one that it stands for.
fn one(name: &str, written: &Written, known: Known<'_>) -> Outcome<Field> {
    let mut whole = written.clone();
    if written.kind.is_none() {
        let like = written.like.as_deref().unwrap_or(name);
        let base = known.find(like).ok_or_else(|| {
            format!("{name} has no type, and no shared parameter is named {like}")
        })?;
        whole = over(written, base);
    } else if written.like.is_some() {
        return Err(format!(
            "{name} has both a type and a parameter that it is like"
        ));
    }
    let kind = whole
        .kind
        .ok_or_else(|| format!("the shared parameter that {name} stands for has no type"))?;
    let items = match &whole.items {
        Some(items) => Some(Box::new(one("items", items, known)?)),
        None => None,
    };
    if (kind == Type::List) != items.is_some() {
        return Err(format!("{name}: a list, and nothing else, has items"));
    }
    Ok(Field {
        name: name.to_owned(),
        kind,
        required: whole.required.unwrap_or(false),
        stdio_only: whole.only.is_some(),
        secret: whole.secret.unwrap_or(false),
        nullable: whole.nullable.unwrap_or(false),
        one_of: whole.one_of.unwrap_or_default(),
        minimum: whole.minimum,
        maximum: whole.maximum,
        max_length: whole.max_length,
        at_least: whole.at_least,
        at_most: whole.at_most,
        default: whole.default,
        closed: whole.closed.unwrap_or(false),
        items,
        properties: complete(&whole.properties.unwrap_or_default(), known)?,
        says: whole.says.unwrap_or_default(),
    })
}

/// What is written beside a reference wins.
fn over(written: &Written, base: Written) -> Written {
    let written = written.clone();
    Written {
        like: None,
        kind: base.kind,
        required: written.required.or(base.required),
        only: written.only.or(base.only),
        secret: written.secret.or(base.secret),
        nullable: written.nullable.or(base.nullable),
        one_of: written.one_of.or(base.one_of),
        minimum: written.minimum.or(base.minimum),
        maximum: written.maximum.or(base.maximum),
        max_length: written.max_length.or(base.max_length),
        at_least: written.at_least.or(base.at_least),
        at_most: written.at_most.or(base.at_most),
        default: written.default.or(base.default),
        closed: written.closed.or(base.closed),
        items: written.items.or(base.items),
        properties: written.properties.or(base.properties),
        says: written.says.or(base.says),
    }
}
