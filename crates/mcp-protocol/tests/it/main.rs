//! Service and client from outside, in memory: exact status, headers and body.

#[cfg(test)]
#[cfg(feature = "server")]
mod asking;
#[cfg(test)]
#[cfg(feature = "server")]
mod batch;
#[cfg(test)]
#[cfg(feature = "client")]
mod client;
#[cfg(test)]
#[cfg(all(feature = "client", feature = "seal", feature = "server"))]
mod corpus;
#[cfg(test)]
#[cfg(feature = "server")]
mod drive;
#[cfg(test)]
#[cfg(all(feature = "server", feature = "client"))]
mod extensions;
#[cfg(test)]
#[cfg(all(feature = "client", feature = "seal", feature = "server"))]
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use it as a library of its own"
)]
mod fuzz;
#[cfg(test)]
#[cfg(feature = "server")]
mod hostile;
#[cfg(test)]
#[cfg(feature = "server")]
mod legacy;
#[cfg(test)]
#[cfg(feature = "server")]
mod listening;
#[cfg(test)]
#[cfg(feature = "client")]
mod lists;
#[cfg(test)]
#[cfg(feature = "server")]
mod modern;
#[cfg(test)]
#[cfg(feature = "server")]
mod ownership;
#[cfg(test)]
#[cfg(feature = "client")]
mod pipe;
#[cfg(test)]
#[cfg(feature = "server")]
mod precedence;
#[cfg(test)]
#[cfg(all(feature = "process", unix))]
mod process;
#[cfg(test)]
mod reading;
#[cfg(test)]
#[cfg(feature = "server")]
mod resuming;
#[cfg(test)]
#[cfg(feature = "client")]
mod rounds;
#[cfg(test)]
#[cfg(feature = "server")]
mod rules;
#[cfg(test)]
#[cfg(all(feature = "server", feature = "seal"))]
mod sealed;
#[cfg(test)]
#[cfg(all(feature = "server", feature = "seal"))]
mod sealed_sessions;
#[cfg(test)]
#[cfg(feature = "server")]
mod sessions;
#[cfg(test)]
#[cfg(feature = "server")]
mod signed_out;
#[cfg(test)]
#[cfg(all(feature = "server", feature = "client"))]
mod skills;
#[cfg(test)]
#[cfg(feature = "server")]
mod stdio;
#[cfg(test)]
#[cfg(feature = "client")]
mod streams;
#[cfg(test)]
#[cfg(feature = "server")]
mod tasks;
#[cfg(test)]
#[cfg(feature = "server")]
mod time;
#[cfg(test)]
#[cfg(feature = "server")]
mod transport;
