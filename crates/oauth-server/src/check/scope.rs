//! Which scopes are asked for: known ones, and never more than was granted.

use oauth_rs::scope::ScopeSet;

use crate::config::Resource;
use crate::refused::Refused;

/// The scopes of an authorization request; all that the resource offers if none were named.
pub(crate) fn asked(resource: &Resource, sent: Option<&str>) -> Result<ScopeSet, Refused> {
    let offered = resource.scope_set();
    // RFC 6749 section 3.3: without the parameter, a default value or invalid_scope.
    let Some(sent) = sent else { return Ok(offered) };
    let asked = ScopeSet::parse(sent).map_err(|_| Refused::ScopeMalformed)?;
    if !asked.is_subset_of(&offered) {
        return Err(Refused::ScopeUnknown);
    }
    Ok(asked)
}

/// The scopes of a refresh; all that was granted if none were named.
pub(crate) fn narrowed(granted: &ScopeSet, sent: Option<&str>) -> Result<ScopeSet, Refused> {
    let Some(sent) = sent else {
        return Ok(granted.clone());
    };
    let asked = ScopeSet::parse(sent).map_err(|_| Refused::ScopeMalformed)?;
    // RFC 6749 section 6: MUST NOT include any scope not originally granted.
    if !asked.is_subset_of(granted) {
        return Err(Refused::ScopeWider);
    }
    Ok(asked)
}
