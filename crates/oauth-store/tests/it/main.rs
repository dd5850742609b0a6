//! The store against the contract of `oauth-server`, and what only a file can get wrong.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod file;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reopen;
