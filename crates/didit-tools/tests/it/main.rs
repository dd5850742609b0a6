//! The tools over an upstream made of a function.

#[cfg(test)]
mod attending;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod every_tool;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use it as a library of its own"
)]
mod fuzz;
#[cfg(test)]
mod graph;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod place;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod selection;
#[cfg(test)]
mod skills;
#[cfg(test)]
mod span;
#[cfg(test)]
mod travel;
#[cfg(test)]
mod upstream;
