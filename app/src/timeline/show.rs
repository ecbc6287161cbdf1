//! The player: fetches the history, and shows its moments.

use super::{
    Pace, SPAN_EDITS, Spans, differences, fetch, lanes, next_session, previous_session,
    screen::Screen,
    view::{Phase, TimelineView},
    wording::{about, author_name},
};
use crate::words;
use izanagi_shared::{id::DocumentId, replay::Replay};
use js_sys::Date;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_bindgen::JsValue,
    web_sys::{HtmlInputElement, VisibilityState},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
use wasm_bindgen::JsCast as _;

/// How often the page asks for newer edits.
const POLL: Duration = Duration::from_secs(5);
/// With reduced motion, the text changes this often while it is played.
const CALM: Duration = Duration::from_secs(1);
/// How long a position must last until the text is compared or the address changes.
const SETTLED: Duration = Duration::from_millis(200);
/// The newest part is fetched again, with newer edits, while it has no more than this many.
const GROWING: usize = 2_000;

/// A step from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Start,
    PreviousSession,
    PreviousEdit,
    NextEdit,
    NextSession,
    End,
}

/// Plays the history of a document.
pub(super) struct Player {
    id: DocumentId,
    view: TimelineView,
    spans: RefCell<Spans>,
    screen: RefCell<Screen>,
    pace: Cell<Pace>,
    /// When time was last taken while playing.
    ticked: Cell<f64>,
    /// The present text, once it is needed.
    now: RefCell<Option<String>>,
    settling: RefCell<Option<TimeoutHandle>>,
    is_fetching: Cell<bool>,
}

impl Player {
    pub(super) fn new(id: DocumentId, view: TimelineView) -> Rc<Self> {
        Rc::new(Self {
            id,
            view,
            spans: RefCell::default(),
            screen: RefCell::new(Screen::new(view.host)),
            pace: Cell::default(),
            ticked: Cell::new(0.0),
            now: RefCell::default(),
            settling: RefCell::default(),
            is_fetching: Cell::new(false),
        })
    }

    /// Fetches the part with the present position, and shows it.
    pub(super) fn open(self: &Rc<Self>) {
        self.view.phase.set(Phase::Loading);
        let player = Rc::clone(self);
        spawn_local(async move {
            let seq = player.view.seq.get_untracked();
            match player.load(seq).await {
                Ok(()) => {
                    player.view.phase.set(Phase::Ready);
                    player.show(false);
                }
                Err(reason) => player.view.phase.set(Phase::Failed(reason)),
            }
        });
    }

    /// Asks for newer edits from now on.
    pub(super) fn follow(self: &Rc<Self>) {
        let player = Rc::clone(self);
        let poll = move || {
            let is_visible = document().visibility_state() == VisibilityState::Visible;
            let is_ready = player.view.phase.with_untracked(|phase| *phase == Phase::Ready);
            if is_visible && is_ready && !player.is_fetching.get() {
                let player = Rc::clone(&player);
                spawn_local(async move { player.fetch_newer().await });
            }
        };
        // Fails only for an interval that is too long.
        let _ = set_interval_with_handle(poll, POLL);
    }

    async fn fetch_newer(&self) {
        let live = self.view.live.get_untracked();
        if !fetch::has_edits(self.id, live + 1).await {
            return;
        }
        let from = self.spans.borrow().newest().and_then(|newest| {
            let grows = newest.len() <= GROWING && newest.last_seq() == live;
            grows.then_some(newest.after_seq + 1)
        });
        if self.fetch(from.unwrap_or(live + 1)).await.is_ok() {
            // The present text is another one.
            self.now.take();
        }
    }

    /// Loads the part of the history with this edit.
    async fn load(&self, seq: u64) -> Result<(), String> {
        let mut from = None;
        while self.spans.borrow().find(seq).is_none() {
            let wanted = self.spans.borrow().wanted(self.view.first.get_untracked(), seq);
            // The server has no more than what it has sent.
            if from.replace(wanted) == Some(wanted) {
                return Err(words::timeline_unreadable());
            }
            self.fetch(wanted).await?;
        }
        Ok(())
    }

    async fn fetch(&self, from: u64) -> Result<(), String> {
        self.is_fetching.set(true);
        let fetched = fetch::replay(self.id, from).await;
        self.is_fetching.set(false);
        let fetch::Fetched { replay, first_seq, live_seq } = fetched?;
        self.spans.borrow_mut().add(replay);
        self.view.first.set(first_seq);
        self.view.live.set(live_seq.max(self.view.live.get_untracked()));
        if self.view.seq.get_untracked() + 1 < first_seq {
            self.view.seq.set(first_seq - 1);
        }
        self.tell_parts();
        Ok(())
    }

    /// Updates what the page shows about the loaded parts.
    fn tell_parts(&self) {
        let spans = self.spans.borrow();
        let range = (self.view.first.get_untracked(), self.view.live.get_untracked());
        self.view.lanes.set(lanes(spans.iter(), range, author_name));
        let missing = spans.iter().flat_map(|replay| &replay.missing);
        self.view.missing.set(missing.map(|range| (range.from_seq, range.to_seq)).collect());
        let ends = spans.iter().filter(|replay| replay.ends_lineage);
        self.view.restarts.set(ends.map(Replay::last_seq).collect());
    }

    /// Shows the text after an edit.
    pub(super) fn seek(self: &Rc<Self>, seq: u64) {
        let (first, live) = (self.view.first.get_untracked(), self.view.live.get_untracked());
        self.view.seq.set(seq.clamp(first.saturating_sub(1).min(live), live));
        self.show(true);
    }

    /// Makes a step.
    pub(super) fn step(self: &Rc<Self>, step: Step) {
        let seq = self.view.seq.get_untracked();
        let (first, live) = (self.view.first.get_untracked(), self.view.live.get_untracked());
        self.pause();
        let target = match (step, self.spans.borrow().find(seq)) {
            (Step::Start, _) => first.saturating_sub(1),
            (Step::End, _) => live,
            (Step::PreviousEdit, Some((replay, position))) if position > 1 => {
                replay.seq(position - 1)
            }
            (Step::PreviousSession, Some((replay, position))) if position > 1 => {
                replay.seq(previous_session(replay, position))
            }
            (Step::PreviousEdit | Step::PreviousSession, Some((replay, _))) => replay.after_seq,
            (Step::NextEdit, Some((replay, position))) if position < replay.len() => {
                replay.seq(position + 1)
            }
            (Step::NextSession, Some((replay, position))) if position < replay.len() => {
                replay.seq(next_session(replay, position))
            }
            (Step::NextEdit | Step::NextSession, Some((replay, _))) => replay.next.unwrap_or(live),
            (_, None) => seq,
        };
        self.seek(target);
    }

    /// Starts to play, from the beginning if the end is shown.
    pub(super) fn play(self: &Rc<Self>) {
        if self.view.seq.get_untracked() >= self.view.live.get_untracked() {
            self.seek(0);
        }
        self.view.is_playing.set(true);
        self.pace.set(Pace::default());
        self.ticked.set(Date::now());
        self.tick_later();
    }

    pub(super) fn pause(&self) {
        if self.view.is_playing.get_untracked() {
            self.view.is_playing.set(false);
        }
    }

    fn tick_later(self: &Rc<Self>) {
        let player = Rc::clone(self);
        let tick = move || player.tick();
        if prefers_calm() { set_timeout(tick, CALM) } else { request_animation_frame(tick) }
    }

    fn tick(self: &Rc<Self>) {
        // The page may have been left.
        if self.view.is_playing.try_get_untracked() != Some(true) {
            return;
        }
        let now = Date::now();
        let passed = (now - self.ticked.replace(now)) * f64::from(self.view.speed.get_untracked());
        let seq = self.view.seq.get_untracked();
        let mut pace = self.pace.get();
        let reached = self.spans.borrow().find(seq).map(|(replay, position)| {
            let time = |position| replay.time(position).unwrap_or_default();
            let reached = pace.advance(passed, position, replay.len(), time);
            match replay.next {
                Some(next) if reached == replay.len() => next,
                _ => replay.seq(reached),
            }
        });
        self.pace.set(pace);
        if let Some(reached) = reached {
            if reached != seq {
                self.seek(reached);
            }
            if reached >= self.view.live.get_untracked() {
                return self.pause_and_settle();
            }
        }
        self.tick_later();
    }

    pub(super) fn pause_and_settle(self: &Rc<Self>) {
        self.pause();
        self.settle();
    }

    /// Shows the text at the present position, once that part is loaded.
    fn show(self: &Rc<Self>, follows: bool) {
        let seq = self.view.seq.get_untracked();
        let is_shown = self.spans.borrow().find(seq).map(|(replay, position)| {
            let step = replay.step(position);
            self.view.about.set(about(replay, position));
            self.screen.borrow_mut().show(step.text, step.change, follows);
        });
        if is_shown.is_some() {
            if !self.view.is_playing.get_untracked() || self.view.compares.get_untracked() {
                self.settle();
            }
            return;
        }
        let player = Rc::clone(self);
        spawn_local(async move {
            let loaded = player.load(seq).await;
            // Meanwhile another position may have been chosen.
            if player.view.seq.try_get_untracked() != Some(seq) {
                return;
            }
            match loaded {
                Ok(()) => player.show(follows),
                Err(reason) => player.view.phase.set(Phase::Failed(reason)),
            }
        });
    }

    /// Once the position has lasted: puts it into the address and the form, and compares the text.
    /// While the text is played, it is compared from time to time.
    fn settle(self: &Rc<Self>) {
        let is_playing = self.view.is_playing.get_untracked();
        if is_playing && self.settling.borrow().is_some() {
            return;
        }
        if let Some(timer) = self.settling.take() {
            timer.clear();
        }
        let player = Rc::clone(self);
        let settled = move || {
            player.settling.take();
            player.settled();
        };
        *self.settling.borrow_mut() = set_timeout_with_handle(settled, SETTLED).ok();
    }

    fn settled(self: &Rc<Self>) {
        let (Some(seq), Some(live)) =
            (self.view.seq.try_get_untracked(), self.view.live.try_get_untracked())
        else {
            return;
        };
        if !self.view.is_playing.get_untracked() {
            remember(seq, live);
        }
        self.compare();
    }

    /// Compares the text that is shown with the present one, if that is asked for.
    pub(super) fn compare(self: &Rc<Self>) {
        if !self.view.compares.get_untracked() {
            return;
        }
        if let Some(now) = &*self.now.borrow() {
            let shown = differences(self.screen.borrow().text(), now);
            return self.view.differences.set(Some(shown));
        }
        let player = Rc::clone(self);
        spawn_local(async move {
            match fetch::present_text(player.id).await {
                Ok(text) => {
                    *player.now.borrow_mut() = Some(text);
                    player.compare();
                }
                Err(reason) => player.view.phase.set(Phase::Failed(reason)),
            }
        });
    }
}

/// Puts the position into the address, so that it can be reloaded and shared, and into the form that
/// restores it.
fn remember(seq: u64, live: u64) {
    let path = window().location().pathname().unwrap_or_default();
    let address = if seq < live { format!("{path}?at={seq}") } else { path };
    if let Ok(history) = window().history() {
        // Fails only if the page changes its address very often.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
    let Some(form) = document().get_element_by_id("timeline-restore") else { return };
    // Fails only for an invalid name.
    let _ = form.toggle_attribute_with_force("hidden", seq >= live);
    let field = form.query_selector("[name=seq]").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
        field.set_value(&seq.to_string());
    }
}

/// Returns whether the reader wants little motion.
fn prefers_calm() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)");
    query.ok().flatten().is_some_and(|query| query.matches())
}

const _: () = assert!(SPAN_EDITS > GROWING as u64);
