//! The title between the field and the server: one request at a time, the newest title last.

use super::save::TitleState;

/// A title, and the changes to it that the server has not stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TitleQueue {
    saved: String,
    /// What it should be, until the server has stored or rejected it.
    wanted: Option<String>,
    /// The title in flight.
    sent: Option<String>,
    /// How often the server could not be reached in a row.
    attempts: u32,
    /// Whether the server may have stored a title without its answer arriving, so that `saved` may
    /// be outdated.
    is_unsure: bool,
}

impl TitleQueue {
    /// Starts with the stored title.
    #[must_use]
    pub fn new(saved: String) -> Self {
        Self { saved, ..Self::default() }
    }

    /// Sets what the title should be.
    pub fn want(&mut self, title: &str) {
        // With another one in flight or perhaps stored, even the stored title has to be sent again.
        let is_needed = self.sent.is_some() || self.is_unsure || title != self.saved;
        self.wanted = is_needed.then(|| title.to_owned());
    }

    /// Returns the title to send now; `None` if there is none or one is in flight.
    pub fn take(&mut self) -> Option<String> {
        if self.sent.is_some() {
            return None;
        }
        self.sent.clone_from(&self.wanted);
        self.sent.clone()
    }

    /// The server has stored the title in flight.
    pub fn stored(&mut self) {
        self.attempts = 0;
        self.is_unsure = false;
        let Some(sent) = self.sent.take() else { return };
        if self.wanted.as_ref() == Some(&sent) {
            self.wanted = None;
        }
        self.saved = sent;
    }

    /// The server has rejected the title in flight. Returns whether it is still the wanted one; a
    /// newer one is sent next.
    pub fn rejected(&mut self) -> bool {
        self.attempts = 0;
        let is_current = self.wanted == self.sent.take();
        if is_current {
            self.wanted = None;
        }
        is_current
    }

    /// The server could not be reached. Returns how often before in a row.
    pub fn lost(&mut self) -> u32 {
        self.sent = None;
        self.is_unsure = true;
        self.attempts = self.attempts.saturating_add(1);
        self.attempts - 1
    }

    /// Another tab or user has changed the title. A title that waits here replaces it again.
    pub fn learn(&mut self, title: &str) {
        title.clone_into(&mut self.saved);
    }

    /// Returns where the title is.
    #[must_use]
    pub const fn state(&self) -> TitleState {
        match (&self.wanted, self.attempts) {
            (None, _) => TitleState::Stored,
            (Some(_), 0) => TitleState::Sending,
            (Some(_), _) => TitleState::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> TitleQueue {
        TitleQueue::new("Old".to_owned())
    }

    #[test]
    fn an_unchanged_title_is_not_sent() {
        let mut queue = queue();
        queue.want("Old");
        assert_eq!((queue.take(), queue.state()), (None, TitleState::Stored));
    }

    #[test]
    fn a_lost_title_is_sent_until_it_is_stored() {
        let mut queue = queue();
        queue.want("New");
        assert_eq!(queue.state(), TitleState::Sending);
        for attempts in 0..3 {
            assert_eq!(queue.take().as_deref(), Some("New"));
            assert_eq!(queue.lost(), attempts);
            assert_eq!(queue.state(), TitleState::Waiting);
        }
        queue.take();
        queue.stored();
        assert_eq!((queue.take(), queue.state()), (None, TitleState::Stored));
        queue.want("New");
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn titles_are_sent_one_after_the_other_and_the_newest_last() {
        let mut queue = queue();
        queue.want("First");
        assert_eq!(queue.take().as_deref(), Some("First"));
        queue.want("Second");
        queue.want("Old");
        assert_eq!(queue.take(), None);
        queue.stored();
        assert_eq!(queue.take().as_deref(), Some("Old"));
    }

    #[test]
    fn the_old_title_is_sent_after_a_lost_answer() {
        let mut queue = queue();
        queue.want("New");
        queue.take();
        queue.lost();
        queue.want("Old");
        assert_eq!((queue.take().as_deref(), queue.state()), (Some("Old"), TitleState::Waiting));
        queue.stored();
        queue.want("Old");
        assert_eq!((queue.take(), queue.state()), (None, TitleState::Stored));
        // A rejection of the next title says nothing about the lost one.
        queue.want("New");
        queue.take();
        queue.lost();
        queue.want("Bad");
        queue.take();
        queue.rejected();
        queue.want("Old");
        assert_eq!(queue.take().as_deref(), Some("Old"));
    }

    #[test]
    fn a_rejected_title_is_not_sent_again_by_itself() {
        let mut queue = queue();
        queue.want("Bad");
        queue.take();
        assert!(queue.rejected());
        assert_eq!((queue.take(), queue.state()), (None, TitleState::Stored));
        queue.want("Bad");
        assert_eq!(queue.take().as_deref(), Some("Bad"));
        queue.want("Better");
        assert!(!queue.rejected());
        assert_eq!(queue.take().as_deref(), Some("Better"));
    }

    #[test]
    fn a_waiting_title_replaces_that_of_another_tab() {
        let mut queue = queue();
        queue.learn("Theirs");
        queue.want("Old");
        assert_eq!(queue.take().as_deref(), Some("Old"));
        queue.learn("Theirs again");
        queue.lost();
        assert_eq!(queue.take().as_deref(), Some("Old"));
    }
}
