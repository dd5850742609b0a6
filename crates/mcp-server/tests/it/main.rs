//! Several processes of one person, against a real authorization server.

#[cfg(test)]
mod child;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod parent;
#[cfg(test)]
mod processes;
