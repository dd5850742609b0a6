//! The tools over an upstream made of a function.

#[cfg(test)]
mod attending;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod place;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod span;
#[cfg(test)]
mod upstream;
