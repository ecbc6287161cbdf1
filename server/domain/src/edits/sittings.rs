//! Sittings: edits that follow each other without a long pause.

use super::{
    Edit, Edits,
    read::{Damaged, MAX_LIMIT, WORK_BYTES, author},
};
use crate::{documents::Editor, error::Result};
use izanagi_shared::{crdt::Tally, id::ActorId, wire::EditSessionView};
use std::time::Duration;

/// A pause that ends a sitting.
const PAUSE: Duration = Duration::from_secs(5 * 60);
/// Sittings on a page.
const SHOWN_SITTINGS: usize = 200;
/// Edits that are read for one list of sittings.
const SITTING_EDITS: u64 = 100_000;

impl Edits {
    /// The sittings from edit `from` on, up to 100,000 edits further.
    ///
    /// # Errors
    /// `CorruptDocument` when some of these edits are damaged or missing.
    pub async fn sittings(
        &self,
        editor: &Editor,
        from: Option<u64>,
    ) -> Result<Vec<EditSessionView>> {
        self.read_sittings(editor, from, Damaged::Refused).await
    }

    async fn read_sittings(
        &self,
        editor: &Editor,
        from: Option<u64>,
        damaged: Damaged,
    ) -> Result<Vec<EditSessionView>> {
        let _reserved = self.core.budget.work(WORK_BYTES).await?;
        let mut start = from.unwrap_or(1).max(1);
        let log = self.tail(editor, start).await?;
        let end = start.saturating_add(SITTING_EDITS - 1).min(log.live_seq);
        let mut sittings: Vec<(EditSessionView, Vec<ActorId>)> = Vec::new();
        let mut tally = Tally::default();
        while start <= end {
            let stop = start.saturating_add(u64::from(MAX_LIMIT) - 1).min(end);
            let window = self.window(editor, &log, start..=stop, damaged).await?;
            window.edits.values().for_each(|edit| note(&mut sittings, &mut tally, edit));
            start = window.cut.unwrap_or(stop + 1);
        }
        let people =
            self.people(sittings.iter().flat_map(|(_, users)| users.iter().copied())).await?;
        let with_authors = |(sitting, users): (EditSessionView, Vec<ActorId>)| {
            let authors = users.iter().map(|actor| author(&people, *actor)).collect();
            EditSessionView { authors, ..sitting }
        };
        Ok(sittings.into_iter().map(with_authors).collect())
    }

    /// The newest sittings before edit `before`, or of all, the newest first, and the edit with which
    /// those begin that precede them. Damaged edits are left out: the replay names them.
    ///
    /// # Errors
    /// As the stores.
    pub async fn newest_sittings(
        &self,
        editor: &Editor,
        before: Option<u64>,
    ) -> Result<(Vec<EditSessionView>, Option<u64>)> {
        let (first, live) = self.range(editor).await?;
        let end = before.unwrap_or(u64::MAX).min(live + 1);
        let from = first.max(end.saturating_sub(SITTING_EDITS));
        let mut sittings = self.read_sittings(editor, Some(from), Damaged::LeftOut).await?;
        sittings.retain(|sitting| sitting.from_seq < end);
        sittings.reverse();
        sittings.truncate(SHOWN_SITTINGS);
        let earliest = sittings.last().map(|sitting| sitting.from_seq);
        Ok((sittings, earliest.filter(|seq| *seq > first)))
    }
}

/// Adds an edit to the last sitting, or begins a new one.
fn note(sittings: &mut Vec<(EditSessionView, Vec<ActorId>)>, tally: &mut Tally, edit: &Edit) {
    let (added, removed) = tally.add(&edit.delta);
    match sittings.last_mut() {
        Some((last, users)) if edit.at.since(last.to) < PAUSE => {
            last.to_seq = edit.seq;
            last.to = last.to.max(edit.at);
            last.added += added;
            last.removed += removed;
            if !users.contains(&edit.actor) {
                users.push(edit.actor);
            }
        }
        _ => {
            let sitting = EditSessionView {
                from_seq: edit.seq,
                to_seq: edit.seq,
                from: edit.at,
                to: edit.at,
                authors: Vec::new(),
                added,
                removed,
            };
            sittings.push((sitting, vec![edit.actor]));
        }
    }
}
