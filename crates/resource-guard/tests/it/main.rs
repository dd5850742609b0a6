//! The integration tests: each refusal on the wire, and the layer around a service.

#[cfg(feature = "fetch")]
#[cfg(test)]
mod fetch;
#[cfg(test)]
mod issuers;
#[cfg(feature = "tower")]
#[cfg(test)]
mod layer;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod support;
