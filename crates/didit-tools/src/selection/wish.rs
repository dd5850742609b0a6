//! What the address of a request asks to be offered.

use http::Extensions;

/// The toolset of every tool, the same as none.
const ALL: &str = "all";

/// The names of toolsets, in the order in which a refusal lists them.
///
/// Some are for areas whose tools have no public name yet: they hold nothing.
pub const TOOLSETS: [&str; 20] = [
    "core",
    "account",
    "billing",
    "sessions",
    "workflows",
    "lists",
    "vendors",
    "transactions",
    "cases",
    "investigator",
    "webhooks",
    "reports",
    "branding",
    "verification",
    "travel_rule",
    "marketplace",
    "networks",
    "compliance",
    "docs",
    ALL,
];

/// The longest query: every toolset by its name takes less than 250 bytes, and encoded letter by letter three times that.
const MAX_QUERY_BYTES: usize = 1024;

/// How much of a text that is not understood is said back, in characters.
const SHOWN: usize = 40;

/// What the address of a request asks to be offered: `?toolsets=core,cases&read_only=true&names=classic`.
///
/// ```
/// use didit_tools::{InvalidWish, Wish};
///
/// let wish = Wish::parse("toolsets=core%2Ccases&read_only=true")?;
/// assert_ne!(wish, Wish::default());
/// let why = Wish::parse("toolset=core").unwrap_err();
/// assert_eq!(why.to_string(), "the address has an unknown parameter \"toolset\"; toolsets, read_only and names are understood");
/// # Ok::<(), InvalidWish>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wish {
    /// A bit for each of [`TOOLSETS`]; no bit is every tool.
    toolsets: u32,
    pub(crate) read_only: bool,
    pub(crate) classic: bool,
}

/// Why a query was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWish {
    /// It is longer than any that says something.
    #[error("the query of the address is longer than {MAX_QUERY_BYTES} bytes")]
    TooLong,
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    #[error("the query of the address is not percent-encoded text")]
    Encoding,
    /// A misspelled `read_only` would otherwise offer everything.
    #[error(
        "the address has an unknown parameter {0:?}; toolsets, read_only and names are understood"
    )]
    Parameter(String),
    /// One parameter comes twice.
    #[error("the address has {0} twice; name several toolsets with commas between them")]
    Twice(&'static str),
    /// A value is not one of those that are understood.
    #[error("{parameter} of the address is {found:?}; allowed: {}", .allowed.join(", "))]
    Value {
        /// Which parameter.
        parameter: &'static str,
        /// What was found, cut short.
        found: String,
        /// What could be there.
        allowed: &'static [&'static str],
    },
}

impl Wish {
    /// Reads the query of an address, without its question mark.
    ///
    /// A query that cannot be understood is refused, because it may have asked for less than everything.
    ///
    /// # Errors
    /// The first thing that is not understood.
    pub fn parse(query: &str) -> Result<Self, InvalidWish> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(InvalidWish::TooLong);
        }
        let (mut toolsets, mut read_only, mut names) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            match name.as_str() {
                "toolsets" => once("toolsets", &mut toolsets, read_toolsets(&value)?)?,
                "read_only" => once("read_only", &mut read_only, read_switch(&value)?)?,
                "names" => once("names", &mut names, read_names(&value)?)?,
                _ => return Err(InvalidWish::Parameter(cut(&name))),
            }
        }
        Ok(Self {
            toolsets: toolsets.unwrap_or_default(),
            read_only: read_only.unwrap_or_default(),
            classic: names.unwrap_or_default(),
        })
    }

    /// Leaves the query of a request among its extensions, where the tools find it: what it asks for, or why it was refused.
    ///
    /// Whatever stands in front of the endpoint calls this. Without it nothing is asked for, and the tools that the caller may
    /// use are all offered.
    pub fn leave<B>(request: &mut http::Request<B>) {
        let Some(query) = request.uri().query() else {
            return;
        };
        match Self::parse(query) {
            Ok(wish) => drop(request.extensions_mut().insert(wish)),
            Err(why) => drop(request.extensions_mut().insert(why)),
        }
    }

    /// What was left by [`Wish::leave`].
    pub(crate) fn left(extensions: &Extensions) -> Result<Option<Self>, InvalidWish> {
        match extensions.get::<InvalidWish>() {
            Some(why) => Err(why.clone()),
            None => Ok(extensions.get::<Self>().copied()),
        }
    }

    /// Whether less than every tool is asked for.
    pub(crate) fn names_toolsets(self) -> bool {
        self.toolsets != 0
    }

    /// Whether the toolset at this place of [`TOOLSETS`] is named.
    pub(crate) fn names_toolset(self, at: usize) -> bool {
        self.toolsets >> at & 1 == 1
    }
}

fn once<T>(name: &'static str, slot: &mut Option<T>, value: T) -> Result<(), InvalidWish> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(InvalidWish::Twice(name)),
    }
}

fn read_toolsets(value: &str) -> Result<u32, InvalidWish> {
    let mut bits = 0;
    let mut is_all = false;
    for name in value.split(',').map(str::trim) {
        let known = TOOLSETS.iter().position(|known| *known == name);
        let at = known.ok_or_else(|| unknown("toolsets", name, &TOOLSETS))?;
        is_all |= name == ALL;
        bits |= 1_u32 << at;
    }
    Ok(if is_all { 0 } else { bits })
}

fn read_switch(value: &str) -> Result<bool, InvalidWish> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(unknown("read_only", value, &["true", "false"])),
    }
}

fn read_names(value: &str) -> Result<bool, InvalidWish> {
    match value {
        "classic" => Ok(true),
        _ => Err(unknown("names", value, &["classic"])),
    }
}

fn unknown(parameter: &'static str, found: &str, allowed: &'static [&'static str]) -> InvalidWish {
    InvalidWish::Value {
        parameter,
        found: cut(found),
        allowed,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// Undoes percent-encoding; a plus is a space, as browsers write it.
fn decoded(text: &str) -> Result<String, InvalidWish> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(out).map_err(|_| InvalidWish::Encoding)
}

fn digit(byte: Option<u8>) -> Result<u8, InvalidWish> {
    byte.and_then(|byte| char::from(byte).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(InvalidWish::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(query: &str) -> Vec<&'static str> {
        let wish = Wish::parse(query).unwrap();
        let names = TOOLSETS.iter().enumerate();
        let named: Vec<_> = names.filter(|(at, _)| wish.names_toolset(*at)).collect();
        assert_eq!(wish.names_toolsets(), !named.is_empty());
        named.into_iter().map(|(_, name)| *name).collect()
    }

    #[test]
    fn what_is_understood() {
        assert_eq!(Wish::parse(""), Ok(Wish::default()));
        assert_eq!(Wish::parse("&"), Ok(Wish::default()));
        assert!(named("read_only=true").is_empty());
        assert_eq!(named("toolsets=core"), ["core"]);
        let two = ["core", "cases"];
        for query in [
            "toolsets=core,cases",
            "toolsets=cases,core,cases",
            "toolsets=core%2ccases",
            "tools%65ts=core%2C+cases&",
        ] {
            assert_eq!(named(query), two, "{query}");
        }
        for query in ["toolsets=all", "toolsets=core,all"] {
            assert_eq!(Wish::parse(query), Ok(Wish::default()), "{query}");
        }
        let both = Wish::parse("names=classic&read_only=true").unwrap();
        assert!(both.classic && both.read_only);
        assert_eq!(Wish::parse("read_only=false"), Ok(Wish::default()));
        for name in TOOLSETS {
            assert!(Wish::parse(&format!("toolsets={name}")).is_ok(), "{name}");
        }
        assert!(Wish::parse(&format!("toolsets={}", TOOLSETS.join(","))).is_ok());
    }

    #[test]
    fn what_is_refused() {
        let value = |parameter, found: &str, allowed| InvalidWish::Value {
            parameter,
            found: found.to_owned(),
            allowed,
        };
        let toolset = |found: &str| value("toolsets", found, &TOOLSETS);
        let long = "a".repeat(MAX_QUERY_BYTES + 1);
        for (query, why) in [
            ("toolsets=", toolset("")),
            ("toolsets", toolset("")),
            ("toolsets=Core", toolset("Core")),
            ("toolsets=core,", toolset("")),
            ("toolsets=core;cases", toolset("core;cases")),
            ("toolsets=nothing", toolset("nothing")),
            ("read_only", value("read_only", "", &["true", "false"])),
            ("read_only=1", value("read_only", "1", &["true", "false"])),
            (
                "read_only=TRUE",
                value("read_only", "TRUE", &["true", "false"]),
            ),
            ("names=old", value("names", "old", &["classic"])),
            ("toolset=core", InvalidWish::Parameter("toolset".to_owned())),
            (
                "readonly=true",
                InvalidWish::Parameter("readonly".to_owned()),
            ),
            ("=core", InvalidWish::Parameter(String::new())),
            (
                "toolsets=core&toolsets=core",
                InvalidWish::Twice("toolsets"),
            ),
            (
                "read_only=true&read_only=false",
                InvalidWish::Twice("read_only"),
            ),
            ("names=classic&names=classic", InvalidWish::Twice("names")),
            ("toolsets=%", InvalidWish::Encoding),
            ("toolsets=%4", InvalidWish::Encoding),
            ("toolsets=%zz", InvalidWish::Encoding),
            ("toolsets=%ff", InvalidWish::Encoding),
            (long.as_str(), InvalidWish::TooLong),
        ] {
            assert_eq!(Wish::parse(query), Err(why), "{query}");
        }
        // What is said back is short, and the allowed names are said.
        let why = Wish::parse(&format!("toolsets={}", "é".repeat(150))).unwrap_err();
        let text = why.to_string();
        assert!(text.contains(&format!("{:?}", "é".repeat(40))), "{text}");
        assert!(text.ends_with("allowed: core, account, billing, sessions, workflows, lists, vendors, transactions, cases, investigator, webhooks, reports, branding, verification, travel_rule, marketplace, networks, compliance, docs, all"), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn no_query_panics(query in ".{0,80}") {
            drop(Wish::parse(&query));
        }
    }
}
