//! Webhook destinations.

use super::{Base, Operation, Verb, row};
use crate::redact::Mask;

pub(super) const ROWS: &[Operation] = &[row(
    "webhook.list",
    Verb::Get,
    Base::Api,
    "/organization/{org}/application/{app}/webhook/destinations/",
)
.permission("read:webhooks")
.mask(Mask::WebhookDestination)];
