//! What the player and its page share.

use super::{Lane, Shown};
use leptos::{html::Div, prelude::*};

/// Whether the history can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is being fetched.
    Loading,
    /// It can be played.
    Ready,
    /// It could not be fetched, for this reason.
    Failed(String),
}

/// Signals and elements shared by a player and its page.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimelineView {
    /// Element that shows the text.
    pub(super) host: NodeRef<Div>,
    pub(super) phase: RwSignal<Phase>,
    /// The edit after which the text is shown.
    pub(super) seq: RwSignal<u64>,
    /// The oldest edit that is kept.
    pub(super) first: RwSignal<u64>,
    /// The newest edit.
    pub(super) live: RwSignal<u64>,
    pub(super) is_playing: RwSignal<bool>,
    pub(super) speed: RwSignal<u32>,
    /// The author and time of the edit, in words.
    pub(super) about: RwSignal<String>,
    pub(super) lanes: RwSignal<Vec<Lane>>,
    /// Damaged edits, from and to.
    pub(super) missing: RwSignal<Vec<(u64, u64)>>,
    /// The edits after which the document was restored from its stored text.
    pub(super) restarts: RwSignal<Vec<u64>>,
    pub(super) compares: RwSignal<bool>,
    pub(super) differences: RwSignal<Option<Shown>>,
}

impl TimelineView {
    pub(super) fn new(first: u64, live: u64, seq: u64) -> Self {
        Self {
            host: NodeRef::new(),
            phase: RwSignal::new(Phase::Loading),
            seq: RwSignal::new(seq),
            first: RwSignal::new(first),
            live: RwSignal::new(live),
            is_playing: RwSignal::new(false),
            speed: RwSignal::new(1),
            about: RwSignal::new(String::new()),
            lanes: RwSignal::new(Vec::new()),
            missing: RwSignal::new(Vec::new()),
            restarts: RwSignal::new(Vec::new()),
            compares: RwSignal::new(false),
            differences: RwSignal::new(None),
        }
    }

    /// Returns the position as a part of a thousand.
    pub(super) fn thousandth(self) -> u64 {
        let (first, live) = (self.first.get(), self.live.get());
        let edits = live.saturating_sub(first) + 1;
        (self.seq.get() + 1).saturating_sub(first) * 1_000 / edits
    }
}
