//! State machine behind the editor's save indicator (PRODUCT C7). It reports [`SaveState::Saved`]
//! only when every update has been acknowledged.

/// State of the save indicator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveState {
    /// Every edit is durable on the server.
    Saved,
    /// Updates are in flight.
    Saving,
    /// Updates have been in flight for long.
    Slow,
    /// The server cannot be reached.
    Offline {
        /// Number of updates that have not been acknowledged.
        waiting: usize,
        /// Whether all of them are stored on this device and survive closing the page.
        is_kept: bool,
    },
    /// The server rejected an update. Nothing more is sent until the user retries.
    Refused {
        /// Reason given by the server.
        reason: String,
    },
}

impl SaveState {
    /// Returns a short name for CSS classes.
    #[must_use]
    pub const fn variant(&self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Saving => "saving",
            Self::Slow => "slow",
            Self::Offline { .. } => "offline",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Tracks updates from the edit to the acknowledgement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SaveTracker {
    waiting: usize,
    offline: bool,
    refused: Option<String>,
}

impl SaveTracker {
    /// Records an update made on this device.
    pub fn edited(&mut self) {
        self.waiting += 1;
    }

    /// Records that the server acknowledged this many updates as durable.
    pub fn acknowledged(&mut self, updates: usize) {
        self.waiting = self.waiting.saturating_sub(updates);
        self.offline = false;
    }

    /// Records any other response from the server, such as that an update waits for another one: it
    /// is not saved then.
    pub fn reached(&mut self) {
        self.offline = false;
    }

    /// Records that the server could not be reached or could not store an update.
    pub fn lost(&mut self) {
        self.offline = true;
    }

    /// Records that the server permanently rejected an update.
    pub fn refused(&mut self, reason: impl Into<String>) {
        self.refused = Some(reason.into());
    }

    /// Clears a rejection after the user chose to retry.
    pub fn retried(&mut self) {
        self.refused = None;
    }

    /// Returns the number of updates that have not been acknowledged.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns the current state. `is_kept` tells whether this device has stored all unacknowledged
    /// updates.
    #[must_use]
    pub fn state(&self, is_kept: bool) -> SaveState {
        if let Some(reason) = &self.refused {
            return SaveState::Refused { reason: reason.clone() };
        }
        match (self.offline, self.waiting) {
            (true, waiting) => SaveState::Offline { waiting, is_kept },
            (false, 0) => SaveState::Saved,
            (false, _) => SaveState::Saving,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_requires_all_acknowledgements() {
        let mut tracker = SaveTracker::default();
        assert_eq!(tracker.state(true), SaveState::Saved);
        tracker.edited();
        tracker.edited();
        tracker.acknowledged(1);
        assert_eq!(tracker.state(true), SaveState::Saving);
        tracker.acknowledged(1);
        assert_eq!(tracker.state(true), SaveState::Saved);
    }

    #[test]
    fn counts_offline_edits_until_they_arrive() {
        let mut tracker = SaveTracker::default();
        tracker.lost();
        tracker.edited();
        assert_eq!(tracker.state(true), SaveState::Offline { waiting: 1, is_kept: true });
        tracker.edited();
        assert_eq!(tracker.state(false), SaveState::Offline { waiting: 2, is_kept: false });
        assert_eq!(tracker.state(true), SaveState::Offline { waiting: 2, is_kept: true });
        tracker.reached();
        assert_eq!(tracker.state(true), SaveState::Saving);
        tracker.acknowledged(2);
        assert_eq!(tracker.state(true), SaveState::Saved);
    }

    #[test]
    fn an_update_that_waits_for_another_is_not_saved() {
        let mut tracker = SaveTracker::default();
        tracker.edited();
        tracker.reached();
        assert_eq!(tracker.state(true), SaveState::Saving);
        tracker.acknowledged(1);
        assert_eq!(tracker.state(true), SaveState::Saved);
    }

    #[test]
    fn rejection_lasts_until_the_user_retries() {
        let mut tracker = SaveTracker::default();
        tracker.edited();
        tracker.refused("this document was deleted");
        tracker.acknowledged(0);
        let reason = "this document was deleted".to_owned();
        assert_eq!(tracker.state(true), SaveState::Refused { reason });
        tracker.retried();
        assert_eq!(tracker.state(true), SaveState::Saving);
    }
}
