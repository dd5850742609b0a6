//! What a tool takes: as a JSON Schema for the caller, and as a check before anything is sent.

mod check;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use check::{Checked, Reading};
pub(crate) use write::{input_schema, output_schema};

/// One argument of a tool, or one property of an object among them.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// Whether it is taken over standard input and output alone.
    pub(crate) stdio_only: bool,
    /// What counts when it is left out, as JSON; Didit fills it in.
    pub(crate) default: Option<&'static str>,
    pub(crate) says: &'static str,
}

/// The values an argument may have.
#[derive(Debug)]
pub(crate) enum Shape {
    Text,
    /// Text of at most so many characters.
    TextWithin(usize),
    /// Text that is a whole number.
    CountText,
    /// Text that is a span of time, such as 30m, 12h or 7d.
    Window,
    Choice(&'static [&'static str]),
    Number(Bounds),
    Integer(Bounds),
    Boolean,
    /// An object; without properties it may hold anything.
    Object {
        properties: &'static [Argument],
        /// Whether it may hold nothing else.
        closed: bool,
    },
    List {
        of: &'static Shape,
        at_least: usize,
        at_most: Option<usize>,
    },
    /// The shape, or a `null` that means something.
    OrNull(&'static Shape),
    Any,
}

/// The least and the greatest number, both allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
}

impl Bounds {
    pub(crate) const NONE: Self = Self::new(None, None);

    pub(crate) const fn new(minimum: Option<f64>, maximum: Option<f64>) -> Self {
        Self { minimum, maximum }
    }
}

impl Argument {
    pub(crate) const fn new(name: &'static str, shape: Shape, says: &'static str) -> Self {
        Self {
            name,
            shape,
            required: false,
            stdio_only: false,
            default: None,
            says,
        }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn stdio_only(mut self) -> Self {
        self.stdio_only = true;
        self
    }

    pub(crate) const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }
}
