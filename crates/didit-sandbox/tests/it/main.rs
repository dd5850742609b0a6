//! The sandbox through its service, in memory: every route, role and refusal.

#[cfg(test)]
mod access;
#[cfg(test)]
mod account;
#[cfg(test)]
mod analytics;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod drafts;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod received;
#[cfg(test)]
mod records;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod vendor_users;
#[cfg(test)]
mod webhooks;
#[cfg(test)]
mod workflows;
