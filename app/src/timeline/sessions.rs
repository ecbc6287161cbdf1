//! Steps from session to session.

use izanagi_shared::replay::Replay;

/// A pause that ends a session, as on the server. In milliseconds.
const PAUSE: i64 = 5 * 60 * 1_000;

/// Returns the position of the last edit of the session after this position.
#[must_use]
pub fn next_session(replay: &Replay, position: usize) -> usize {
    let mut at = position + 1;
    while at < replay.len() && !ends_session(replay, at) {
        at += 1;
    }
    at.min(replay.len())
}

/// Returns the position of the last edit of the session before the one at this position, or 0.
#[must_use]
pub fn previous_session(replay: &Replay, position: usize) -> usize {
    let mut at = position.saturating_sub(1);
    while at > 0 && !ends_session(replay, at) {
        at -= 1;
    }
    at
}

fn ends_session(replay: &Replay, position: usize) -> bool {
    let times = replay.time(position).zip(replay.time(position + 1));
    times.is_none_or(|(time, next)| next - time >= PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::wire::{ReplayEdits, ReplayView};

    #[test]
    fn steps_to_the_ends_of_sessions() {
        let times = vec![0, 1, 300_000, 5, 299_999, 300_000];
        let edits =
            ReplayEdits { seqs: vec![1; 6], authors: vec![0; 6], times, ..ReplayEdits::default() };
        let replay = Replay::new(ReplayView { edits, ..ReplayView::default() }).unwrap();
        let nexts: Vec<usize> = (0..=6).map(|at| next_session(&replay, at)).collect();
        assert_eq!(nexts, [2, 2, 5, 5, 5, 6, 6]);
        let previous: Vec<usize> = (0..=6).map(|at| previous_session(&replay, at)).collect();
        assert_eq!(previous, [0, 0, 0, 2, 2, 2, 5]);
    }
}
