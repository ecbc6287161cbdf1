//! The controls: lanes, slider, buttons.

use super::{
    SPEEDS,
    show::Step,
    view::{Phase, TimelineView},
};
use crate::{
    parts::{Announcement, Icon},
    words::{self, grouped},
};
use leptos::{ev, prelude::*};

/// What the controls do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actions {
    /// Makes a step.
    pub(super) step: Callback<Step>,
    /// Shows the text after an edit.
    pub(super) seek: Callback<u64>,
    /// Plays or pauses.
    pub(super) toggle: Callback<()>,
}

/// Lanes, slider and buttons.
#[component]
pub(super) fn Controls(view: TimelineView, actions: Actions) -> impl IntoView {
    let is_asleep = move || view.phase.with(|phase| *phase != Phase::Ready);
    let edit_words = move || edit_words(view);
    let position_words = move || {
        let about = view.about.get();
        if about.is_empty() {
            edit_words()
        } else {
            words::timeline_position(&edit_words(), &about)
        }
    };
    // While the text is played, only that it is played is announced.
    let spoken = move || {
        if view.is_playing.get() { words::timeline_playing() } else { position_words() }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_asleep() {
            return;
        }
        let step = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => Step::PreviousEdit,
            "ArrowRight" | "ArrowUp" => Step::NextEdit,
            "PageDown" => Step::PreviousSession,
            "PageUp" => Step::NextSession,
            "Home" => Step::Start,
            "End" => Step::End,
            _ => return,
        };
        event.prevent_default();
        actions.step.run(step);
    };
    let button = move |step: Step, icon: &'static str, label: String, keys: &'static str| {
        view! {
            <button
                class="icon-button"
                type="button"
                aria-label=label
                aria-keyshortcuts=keys
                disabled=is_asleep
                on:click=move |_| actions.step.run(step)
            >
                <Icon name=icon/>
            </button>
        }
    };
    let speed = move |speed: u32| {
        view! {
            <button
                type="button"
                aria-pressed=move || if view.speed.get() == speed { "true" } else { "false" }
                aria-label=words::timeline_speed_of(&speed.to_string())
                disabled=is_asleep
                on:click=move |_| view.speed.set(speed)
            >
                "×" {speed}
            </button>
        }
    };
    view! {
        <div class="timeline-controls" role="group" aria-label=words::timeline_controls() on:keydown=on_key>
            <ul class="timeline-lanes" aria-label=words::timeline_authors()>
                {move || lanes_view(view)}
            </ul>
            <div class="timeline-track">
                <label class="timeline-name" for="timeline-slider">{words::timeline_edit()}</label>
                <input
                    class="timeline-slider"
                    id="timeline-slider"
                    type="range"
                    step="1"
                    min=move || view.first.get().saturating_sub(1).to_string()
                    max=move || view.live.get().to_string()
                    prop:value=move || view.seq.get().to_string()
                    aria-valuetext=edit_words
                    disabled=is_asleep
                    on:input=move |event| {
                        if let Ok(seq) = event_target_value(&event).parse() {
                            actions.seek.run(seq);
                        }
                    }
                />
            </div>
            <div class="timeline-buttons">
                {button(Step::PreviousSession, "skip-back", words::timeline_previous_session(), "PageDown")}
                {button(Step::PreviousEdit, "left", words::timeline_previous_edit(), "ArrowLeft")}
                <button
                    class="button timeline-play"
                    data-variant="primary"
                    type="button"
                    disabled=is_asleep
                    on:click=move |_| actions.toggle.run(())
                >
                    {move || view! { <Icon name=if view.is_playing.get() { "pause" } else { "play" }/> }}
                    {move || if view.is_playing.get() { words::timeline_pause() } else { words::timeline_play() }}
                </button>
                {button(Step::NextEdit, "right", words::timeline_next_edit(), "ArrowRight")}
                {button(Step::NextSession, "skip-forward", words::timeline_next_session(), "PageUp")}
                <div class="segmented" role="group" aria-label=words::timeline_speed()>
                    {SPEEDS.map(speed)}
                </div>
                <button
                    class="button"
                    data-variant="quiet"
                    type="button"
                    aria-pressed=move || if view.compares.get() { "true" } else { "false" }
                    disabled=is_asleep
                    on:click=move |_| view.compares.update(|compares| *compares = !*compares)
                >
                    <Icon name="compare"/>
                    {words::timeline_compare()}
                </button>
            </div>
            <p class="timeline-position">{position_words}</p>
            <Announcement topic=Signal::derive(spoken) text=Signal::derive(spoken)/>
        </div>
    }
}

/// Names the position.
fn edit_words(view: TimelineView) -> String {
    let (seq, first, live) = (view.seq.get(), view.first.get(), view.live.get());
    if seq < first {
        return words::timeline_before(&grouped(first));
    }
    words::timeline_edit_of(&grouped(seq), &grouped(live))
}

fn lanes_view(view: TimelineView) -> impl IntoView {
    let lane = move |(at, lane): (usize, super::Lane)| {
        let number = if lane.author.is_some() { (at + 1).to_string() } else { "rest".to_owned() };
        let name = if lane.author.is_some() { lane.name } else { words::timeline_others() };
        view! {
            <li class="timeline-lane" data-lane=number>
                <span class="timeline-name">
                    <bdi>{name}</bdi>
                    <span class="soft numeric">{words::timeline_edits(lane.edits)}</span>
                </span>
                <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                    <path class="timeline-ticks" d=lane.path></path>
                    <path class="timeline-head" d=move || format!("M{} 0v10", view.thousandth())></path>
                </svg>
            </li>
        }
    };
    view.lanes.get().into_iter().enumerate().map(lane).collect_view()
}
