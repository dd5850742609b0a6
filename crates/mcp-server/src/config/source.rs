//! Where settings come from: the defaults, a file, the environment, the command line; the later wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use oauth_rs::secret::Secret;

use super::error::{ConfigError, shown};
use super::field::{FIELDS, Field, find};

/// The largest configuration file that is read: a hundred times one with every setting.
pub(crate) const MAX_FILE_BYTES: usize = 256 * 1024;

/// What is handed in from outside; nothing else is looked at.
pub(crate) struct Sources<'a> {
    /// The file that was named: what it is called in messages, and its text.
    pub(crate) file: Option<(&'a str, &'a str)>,
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// `KEY=VALUE` of the command line, in order.
    pub(crate) flags: &'a [String],
    /// Reads a file that holds a secret.
    pub(crate) read_secret: &'a dyn Fn(&Path) -> Result<Secret, String>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Default,
    File(String),
    Variable(String),
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File(name) => write!(f, "the file {name}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::Flag => f.write_str("--set"),
        }
    }
}

/// A value that was given, and by whom.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) text: Secret,
    pub(crate) source: Source,
}

/// The settings as texts, the last of each.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    given: BTreeMap<&'static str, Given>,
    pub(crate) errors: Vec<ConfigError>,
    /// What is not wrong but was perhaps meant otherwise.
    pub(crate) warnings: Vec<String>,
}

impl Layers {
    /// Reads all sources; what is wrong with one setting does not hide what is wrong with another.
    pub(crate) fn read(sources: &Sources<'_>) -> Self {
        let mut layers = Self::default();
        for field in FIELDS {
            if let Some(default) = field.default {
                layers.put(field, Secret::new(default), Source::Default);
            }
        }
        if let Some((name, text)) = sources.file {
            layers.file(name, text, sources);
        }
        layers.environment(sources);
        for flag in sources.flags {
            layers.flag(flag, sources);
        }
        layers
    }

    /// What is said of a setting.
    pub(crate) fn get(&self, key: &str) -> Option<&Given> {
        self.given.get(key)
    }

    fn put(&mut self, field: &'static Field, text: Secret, source: Source) {
        // As in a shell: a variable that is empty is one that is not set, and so is a setting.
        if !text.expose().trim().is_empty() {
            self.given.insert(field.key, Given { text, source });
        }
    }

    fn file(&mut self, name: &str, text: &str, sources: &Sources<'_>) {
        let whole = |problem: String, takes: &str| ConfigError {
            field: "the configuration file".to_owned(),
            problem,
            source: Source::File(name.to_owned()),
            remedy: takes.to_owned(),
        };
        if text.len() > MAX_FILE_BYTES {
            let problem = format!("has more than {MAX_FILE_BYTES} bytes");
            self.errors.push(whole(problem, "name the right file"));
            return;
        }
        let sections: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                // The words of the parser, without the line itself: it may hold a secret.
                let error: toml::de::Error = error;
                let line = error.span().and_then(|span| text.get(..span.start));
                let line = line.map_or(1, |before| before.matches('\n').count() + 1);
                let message = error.message().lines().next().unwrap_or_default();
                let problem = format!("is not TOML: line {line}: {message}");
                self.errors.push(whole(problem, "correct the line"));
                return;
            }
        };
        for (section, members) in sections {
            let toml::Value::Table(members) = members else {
                self.unknown(&section, Source::File(name.to_owned()));
                continue;
            };
            for (member, value) in members {
                let key = format!("{section}.{member}");
                self.member(&key, &value, Source::File(name.to_owned()), sources);
            }
        }
    }

    fn member(&mut self, key: &str, value: &toml::Value, source: Source, sources: &Sources<'_>) {
        let text = match value {
            toml::Value::String(text) => Some(text.clone()),
            toml::Value::Integer(number) => Some(number.to_string()),
            toml::Value::Boolean(flag) => Some(flag.to_string()),
            toml::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str())
                .collect::<Option<Vec<_>>>()
                .map(|items| items.join(" ")),
            _ => None,
        };
        match text {
            Some(text) => self.named(key, text, source, sources),
            None => match known(key) {
                Some(field) => self.errors.push(ConfigError::new(
                    field,
                    "is neither text nor a number nor a list of texts",
                    source,
                )),
                None => self.unknown(key, source),
            },
        }
    }

    /// A value under the key of a setting, or under that of the file of a secret.
    fn named(&mut self, key: &str, text: String, source: Source, sources: &Sources<'_>) {
        match (find(key), secret_of(key)) {
            (Some(field), _) if field.is_secret => self.errors.push(ConfigError {
                remedy: format!(
                    "write {}_file and the path of a file that only this user can read",
                    field.key
                ),
                ..ConfigError::new(field, "is a secret and may not stand there", source)
            }),
            (Some(field), _) => self.put(field, Secret::new(text), source),
            (None, Some(field)) => self.secret_file(field, &text, source, sources),
            (None, None) => self.unknown(key, source),
        }
    }

    fn secret_file(
        &mut self,
        field: &'static Field,
        path: &str,
        source: Source,
        sources: &Sources<'_>,
    ) {
        if path.trim().is_empty() {
            return;
        }
        match (sources.read_secret)(Path::new(path)) {
            Ok(text) if text.expose().trim().is_empty() => {
                let problem = format!("the file {} is empty", shown(path));
                self.errors.push(ConfigError::new(field, problem, source));
            }
            Ok(text) => {
                let text = Secret::new(text.expose().trim());
                self.put(field, text, source);
            }
            Err(problem) => self.errors.push(ConfigError::new(field, problem, source)),
        }
    }

    fn environment(&mut self, sources: &Sources<'_>) {
        let variables = sources.environment;
        for field in FIELDS {
            let said = variables
                .get(field.variable)
                .filter(|text| !text.trim().is_empty());
            let by_file = format!("{}_FILE", field.variable);
            let path = variables
                .get(&by_file)
                .filter(|path| field.is_secret && !path.trim().is_empty());
            match (said, path) {
                (Some(text), Some(_)) => {
                    self.errors.push(ConfigError {
                        remedy: format!("set one of {} and {by_file}", field.variable),
                        ..ConfigError::new(field, "is given twice", Source::Variable(by_file))
                    });
                    // So that it is not said to be missing as well.
                    let source = Source::Variable(field.variable.to_owned());
                    self.put(field, Secret::new(text.clone()), source);
                }
                (Some(text), None) => {
                    let source = Source::Variable(field.variable.to_owned());
                    self.put(field, Secret::new(text.clone()), source);
                }
                (None, Some(path)) => {
                    let path = path.clone();
                    self.secret_file(field, &path, Source::Variable(by_file), sources);
                }
                (None, None) => {}
            }
        }
        // The environment is not ours alone: a scheduler of containers puts MCP_… of its own there.
        for name in variables.keys() {
            let ours = name.starts_with("MCP_") || name.starts_with("DIDIT_");
            let is_known = FIELDS.iter().any(|field| {
                name == field.variable
                    || field.is_secret && name.strip_suffix("_FILE") == Some(field.variable)
            });
            if ours && !is_known {
                let nearest = nearest(name, FIELDS.iter().map(|field| field.variable));
                self.warnings.push(format!(
                    "the environment variable {} is not a setting of this server{nearest}",
                    shown(name)
                ));
            }
        }
    }

    fn flag(&mut self, flag: &str, sources: &Sources<'_>) {
        match flag.split_once('=') {
            Some((key, value)) => self.named(key.trim(), value.to_owned(), Source::Flag, sources),
            None => self.errors.push(ConfigError {
                // What it is cannot be told, so it is not shown.
                field: "--set".to_owned(),
                problem: "has no `=`".to_owned(),
                source: Source::Flag,
                remedy: "write --set KEY=VALUE".to_owned(),
            }),
        }
    }

    fn unknown(&mut self, key: &str, source: Source) {
        let keys: Vec<String> = FIELDS.iter().map(written).collect();
        let nearest = nearest(key, keys.iter().map(String::as_str));
        self.errors.push(ConfigError {
            field: shown(key),
            problem: format!("is no setting{nearest}"),
            source,
            remedy: "remove it; `mcp-server serve --check` lists them all".to_owned(),
        });
    }
}

/// The key under which a setting stands in a file.
pub(crate) fn written(field: &Field) -> String {
    match field.is_secret {
        true => format!("{}_file", field.key),
        false => field.key.to_owned(),
    }
}

fn secret_of(key: &str) -> Option<&'static Field> {
    let field = find(key.strip_suffix("_file")?)?;
    field.is_secret.then_some(field)
}

fn known(key: &str) -> Option<&'static Field> {
    find(key).or_else(|| secret_of(key))
}

/// The known name that differs in the fewest characters, if it is near.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|other| (distance(name, other), other))
        .min()
        // Three slips of the finger; more is another word.
        .filter(|(distance, _)| *distance <= 3);
    near.map_or_else(String::new, |(_, other)| {
        format!("; perhaps {other} is meant")
    })
}

/// How many characters have to be changed, added or left out.
fn distance(one: &str, other: &str) -> usize {
    // Bounded: names are short, and what is longer than that is none.
    if one.len() > 80 || other.len() > 80 {
        return usize::MAX;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.chars().enumerate() {
        let mut before = at + 1;
        let mut next = vec![before];
        for ((right, above), slanted) in other.iter().zip(row.iter().skip(1)).zip(&row) {
            let change = slanted + usize::from(left != *right);
            before = change.min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
