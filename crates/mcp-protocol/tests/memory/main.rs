//! What an idle session costs. It has a program for itself, so that nothing else grows meanwhile.

#[cfg(test)]
#[cfg(all(feature = "server", target_os = "linux"))]
mod idle;
