//! What the page shows (PRODUCT C7). It follows from acknowledgements alone.

use super::{Stop, SyncEngine};
use crate::save_state::SaveState;
use std::time::Duration;

/// How long edits have not been saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lateness {
    /// Not long, or all are saved.
    None,
    /// For 5 seconds.
    Slow,
    /// For 15 seconds.
    Late,
    /// For 30 seconds.
    VeryLate,
}

const SLOW_AFTER: Duration = Duration::from_secs(5);
const LATE_AFTER: Duration = Duration::from_secs(15);
const VERY_LATE_AFTER: Duration = Duration::from_secs(30);

impl SyncEngine {
    /// The state to show at this time.
    #[must_use]
    pub fn save_state_at(&self, now: Duration) -> SaveState {
        match self.save_state() {
            SaveState::Saving if self.lateness(now) > Lateness::None => SaveState::Slow,
            state => state,
        }
    }

    /// The state to show, whatever the time.
    #[must_use]
    pub fn save_state(&self) -> SaveState {
        if let Some(stop) = &self.halted {
            let reason = self.reason.clone().unwrap_or_else(|| stop.default_reason().to_owned());
            return SaveState::Refused { reason };
        }
        let (waiting, is_kept) = (self.outbox.len(), !self.is_at_risk());
        match (self.is_offline, waiting) {
            (true, waiting) => SaveState::Offline { waiting, is_kept },
            (false, 0) => SaveState::Saved,
            (false, _) => SaveState::Saving,
        }
    }

    /// Sets the words for [`SaveState::Refused`] after [`Effect::Stopped`](super::Effect::Stopped).
    pub fn explain(&mut self, reason: String) {
        self.reason = Some(reason);
    }

    /// How long the oldest edit has not been saved.
    #[must_use]
    pub fn lateness(&self, now: Duration) -> Lateness {
        match self.outbox.oldest().map(|made| now.saturating_sub(made)) {
            Some(age) if age >= VERY_LATE_AFTER => Lateness::VeryLate,
            Some(age) if age >= LATE_AFTER => Lateness::Late,
            Some(age) if age >= SLOW_AFTER => Lateness::Slow,
            _ => Lateness::None,
        }
    }

    /// When the lateness of the oldest edit changes next.
    pub(super) fn late_at(&self, now: Duration) -> Option<Duration> {
        let made = self.outbox.oldest()?;
        let ages = [SLOW_AFTER, LATE_AFTER, VERY_LATE_AFTER];
        ages.into_iter().map(|age| made + age).find(|time| *time > now)
    }

    /// Why nothing is sent any more.
    #[must_use]
    pub const fn stopped(&self) -> Option<&Stop> {
        self.halted.as_ref()
    }

    /// The number of edits that are not acknowledged.
    #[must_use]
    pub fn unsaved(&self) -> usize {
        self.outbox.len()
    }

    /// When the oldest edit was made that is not acknowledged.
    #[must_use]
    pub fn unsaved_since(&self) -> Option<Duration> {
        self.outbox.oldest()
    }

    /// The ids of the edits that are not acknowledged, oldest first.
    pub fn unsaved_ids(&self) -> impl Iterator<Item = &str> {
        self.outbox.ids()
    }

    /// Whether closing the page now would lose an edit that is neither on the server nor stored on
    /// this device.
    #[must_use]
    pub fn is_at_risk(&self) -> bool {
        self.outbox.is_at_risk()
    }

    /// Whether edits are sent over HTTP, because sockets do not come up.
    #[must_use]
    pub const fn is_on_http(&self) -> bool {
        self.is_on_http
    }
}

impl Stop {
    fn default_reason(&self) -> &str {
        match self {
            Self::SignedOut => "the sign-in has ended",
            Self::Forbidden => "you may not edit this document",
            Self::Gone => "this document is not there any more",
            Self::Refused { message, .. } | Self::TooLong { message, .. } => message,
        }
    }
}
