//! What stands in for `sealing.rs` without the feature `seal`: nothing is sealed.

use std::time::Duration;

use super::error::Error;
use super::request::Request;
use super::round::StateTooLong;
use super::service::Shared;
use super::sessions::SessionLimits;
use crate::revision::Revision;
use crate::types::Initialize;
use crate::violation::Violation;

/// There is none.
#[derive(Debug)]
pub(super) enum StateSeal {}

impl StateSeal {
    pub(super) fn seal(&self, _state: &str) -> Result<String, StateTooLong> {
        match *self {}
    }

    pub(super) fn open(&self, _text: &str) -> Result<String, Error> {
        match *self {}
    }
}

impl<H> Shared<H> {
    pub(super) fn state_seal(
        &self,
        _principal: Option<&str>,
        _request: &Request<'_>,
    ) -> Option<StateSeal> {
        None
    }
}

/// There are none.
pub(super) enum SealedIds {}

/// There is none.
pub(super) enum Found {}

impl SealedIds {
    pub(super) fn of(_limits: &SessionLimits) -> Option<Self> {
        None
    }

    pub(super) fn make(
        &self,
        _revision: Revision,
        _peer: &Initialize,
        _principal: Option<&str>,
    ) -> Option<String> {
        match *self {}
    }

    pub(super) fn open(&self, _id: &str, _principal: Option<&str>) -> Result<Found, Violation> {
        match *self {}
    }

    pub(super) fn goes_on(&self, _found: &Found) -> Result<(), Violation> {
        match *self {}
    }

    pub(super) fn end(&self, _found: &Found) {
        match *self {}
    }

    pub(super) fn left(&self, _found: &Found) -> Duration {
        match *self {}
    }

    pub(super) fn start(&self) -> u64 {
        match *self {}
    }
}

impl Found {
    pub(super) fn read(&self) -> Result<(Revision, Initialize), Violation> {
        match *self {}
    }
}
