//! Whether what was typed is safe, in words (PRODUCT C7). The page feeds in what happens, the
//! machine says what is true; *Saved* is said only when every update has been acknowledged.

/// What the page says about saving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveState {
    /// Everything typed is durable on the server.
    Saved,
    /// Updates are on their way.
    Saving,
    /// The server cannot be reached.
    Offline {
        /// Updates that wait.
        waiting: usize,
        /// Whether this device has kept them all, so that they outlive the page.
        is_kept: bool,
    },
    /// The server refused an update; nothing further is sent until somebody acts.
    Refused {
        /// Why, in the server's words.
        reason: String,
    },
}

impl SaveState {
    /// The words for the page.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Saved => "Saved".to_owned(),
            Self::Saving => "Saving…".to_owned(),
            Self::Offline { waiting: 0, .. } => "Offline".to_owned(),
            Self::Offline { waiting, is_kept } => {
                let edits = if *waiting == 1 { "edit" } else { "edits" };
                let place = if *is_kept { "on this device" } else { "in this tab only" };
                format!("Offline, {waiting} {edits} {place}")
            }
            Self::Refused { reason } => format!("Not saved: {reason}"),
        }
    }

    /// A short name for styling.
    #[must_use]
    pub const fn variant(&self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Saving => "saving",
            Self::Offline { .. } => "offline",
            Self::Refused { .. } => "refused",
        }
    }
}

/// Follows updates from the keyboard to the acknowledgement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SaveTracker {
    waiting: usize,
    offline: bool,
    refused: Option<String>,
}

impl SaveTracker {
    /// An update was made on this device.
    pub fn edited(&mut self) {
        self.waiting += 1;
    }

    /// This many updates were acknowledged as durable; the server is there.
    pub fn acknowledged(&mut self, updates: usize) {
        self.waiting = self.waiting.saturating_sub(updates);
        self.offline = false;
    }

    /// The server answered something else than an acknowledgement.
    pub fn reached(&mut self) {
        self.offline = false;
    }

    /// The server could not be reached, or could not store anything.
    pub fn lost(&mut self) {
        self.offline = true;
    }

    /// The server refused an update for good.
    pub fn refused(&mut self, reason: impl Into<String>) {
        self.refused = Some(reason.into());
    }

    /// Somebody chose to try again after a refusal.
    pub fn retried(&mut self) {
        self.refused = None;
    }

    /// How many updates are not acknowledged yet.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// What is true now. `is_kept` says whether this device has kept whatever waits.
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
    fn saved_is_said_only_when_every_update_is_acknowledged() {
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
    fn an_edit_made_offline_is_counted_until_it_arrives() {
        let mut tracker = SaveTracker::default();
        tracker.lost();
        tracker.edited();
        assert_eq!(tracker.state(true).words(), "Offline, 1 edit on this device");
        tracker.edited();
        assert_eq!(tracker.state(false).words(), "Offline, 2 edits in this tab only");
        assert_eq!(tracker.state(true).words(), "Offline, 2 edits on this device");
        tracker.reached();
        assert_eq!(tracker.state(true), SaveState::Saving);
        tracker.acknowledged(2);
        assert_eq!(tracker.state(true).words(), "Saved");
    }

    #[test]
    fn a_refusal_stays_until_somebody_acts() {
        let mut tracker = SaveTracker::default();
        tracker.edited();
        tracker.refused("this document was deleted");
        tracker.acknowledged(0);
        assert_eq!(tracker.state(true).words(), "Not saved: this document was deleted");
        tracker.retried();
        assert_eq!(tracker.state(true), SaveState::Saving);
    }
}
