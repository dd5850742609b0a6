//! The sandbox through its service, in memory: every route, role and refusal.

#[cfg(test)]
mod access;
#[cfg(test)]
mod account;
#[cfg(test)]
mod analytics;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod received;
#[cfg(test)]
mod records;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod vendor_users;
#[cfg(test)]
mod workflows;
