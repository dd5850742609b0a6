//! The integration tests, over loopback sockets and a resolver that is handed in.

#[cfg(test)]
mod caps;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod resolving;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod support;
