//! The integration tests: each refusal on the wire, and the layer around a service.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod complete;
#[cfg(all(feature = "fetch", feature = "tower"))]
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod dpop;
#[cfg(feature = "fetch")]
#[cfg(test)]
mod fetch;
#[cfg(all(feature = "fetch", feature = "tower"))]
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use it as a library of its own"
)]
mod fuzz;
#[cfg(feature = "tower")]
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod introspection;
#[cfg(test)]
mod issuers;
#[cfg(feature = "tower")]
#[cfg(test)]
mod layer;
#[cfg(feature = "tower")]
#[cfg(test)]
mod operations;
#[cfg(test)]
mod passing_on;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod scopes;
#[cfg(test)]
mod support;
