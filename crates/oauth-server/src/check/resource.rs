//! For which resource a token is wanted.

use oauth_rs::params::Params;

use crate::config::{Config, Resource};
use crate::refused::Refused;

/// The resource that was named, or the default one.
pub(crate) fn check<'a>(config: &'a Config, params: &Params) -> Result<&'a Resource, Refused> {
    let mut named = params.all("resource");
    let Some(first) = named.next() else {
        // RFC 9068 section 3: without the parameter the server uses a default resource.
        return config.resources.first().ok_or(Refused::ResourceUnknown);
    };
    // RFC 8707 section 2.2: a token for one audience only, so that no resource can use it elsewhere.
    if named.any(|other| other != first) {
        return Err(Refused::ResourceTwice);
    }
    // RFC 8707 section 2: an unknown resource is answered with invalid_target.
    config.resource(first).ok_or(Refused::ResourceUnknown)
}

/// Whether a token request stays with the resource that was granted.
pub(crate) fn stays(granted: &str, params: &Params) -> bool {
    // RFC 8707 section 2.2: the requested resources are a subset of the granted ones.
    params.all("resource").all(|named| named == granted)
}
