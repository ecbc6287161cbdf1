//! The displayed save state: that of the text together with that of the title.

use izanagi_shared::save_state::SaveState;

/// Where a changed title is on its way to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TitleState {
    /// The server has it.
    #[default]
    Stored,
    /// In flight.
    Sending,
    /// The server could not be reached; the title is in this tab only.
    Waiting,
}

/// Adds the title to the state of the text.
#[must_use]
pub fn with_title(text: SaveState, title: TitleState) -> SaveState {
    match (text, title) {
        (text @ SaveState::Refused { .. }, _) | (text, TitleState::Stored) => text,
        (SaveState::Offline { waiting, .. }, _) => {
            SaveState::Offline { waiting: waiting + 1, is_kept: false }
        }
        (SaveState::Slow, TitleState::Sending) => SaveState::Slow,
        (SaveState::Saved | SaveState::Saving, TitleState::Sending) => SaveState::Saving,
        (SaveState::Saved | SaveState::Saving | SaveState::Slow, TitleState::Waiting) => {
            SaveState::Offline { waiting: 1, is_kept: false }
        }
    }
}

/// Returns the state without the number of edits, which changes with every key.
#[must_use]
pub fn without_count(state: SaveState) -> SaveState {
    match state {
        SaveState::Offline { waiting, is_kept } => {
            SaveState::Offline { waiting: waiting.min(1), is_kept: is_kept || waiting == 0 }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const fn offline(waiting: usize, is_kept: bool) -> SaveState {
        SaveState::Offline { waiting, is_kept }
    }

    #[rstest]
    #[case(SaveState::Saved, TitleState::Stored, SaveState::Saved)]
    #[case(SaveState::Saved, TitleState::Sending, SaveState::Saving)]
    #[case(SaveState::Saved, TitleState::Waiting, offline(1, false))]
    #[case(SaveState::Saving, TitleState::Waiting, offline(1, false))]
    #[case(offline(2, true), TitleState::Stored, offline(2, true))]
    #[case(offline(2, true), TitleState::Waiting, offline(3, false))]
    #[case(offline(0, true), TitleState::Sending, offline(1, false))]
    fn a_title_counts_as_an_edit_until_it_is_stored(
        #[case] text: SaveState,
        #[case] title: TitleState,
        #[case] both: SaveState,
    ) {
        assert_eq!(with_title(text, title), both);
    }

    #[test]
    fn a_rejected_edit_is_not_hidden_by_the_title() {
        let refused = SaveState::Refused { reason: "full".to_owned() };
        assert_eq!(with_title(refused.clone(), TitleState::Waiting), refused);
    }

    #[test]
    fn another_edit_is_not_another_state() {
        assert_eq!(without_count(offline(2, true)), without_count(offline(7, true)));
        assert_ne!(without_count(offline(2, true)), without_count(offline(2, false)));
        assert_ne!(without_count(offline(0, true)), without_count(offline(1, true)));
    }
}
