//! The requirements of MCP outside authorization, each with the tests that would fail without it.
//!
//! The table is data, in `xtask/conformance/requirements/`.
//! `tidy` checks that it is whole and names tests that exist; `conformance` runs them and writes the page.

pub(crate) mod check;
pub(crate) mod page;
pub(crate) mod results;
pub(crate) mod table;
