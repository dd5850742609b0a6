//! The one integration binary: the service in memory, with a clock that moves and randomness that is counted.

#[cfg(test)]
mod authorize;
#[cfg(test)]
mod bound;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod document;
#[cfg(test)]
mod front;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod prover;
#[cfg(test)]
mod race;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod register;
#[cfg(test)]
mod revoke;
#[cfg(test)]
mod store;
#[cfg(test)]
mod token;
#[cfg(test)]
mod world;
