use super::{
    controls::{Actions, Controls},
    show::Player,
    view::{Phase, TimelineView},
};
use crate::{
    parts::Alert,
    words::{self, grouped},
};
use izanagi_shared::id::DocumentId;
use leptos::{
    ev,
    prelude::*,
    web_sys::{Element, HtmlElement},
};
use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;

/// A document whose history is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedTimeline {
    /// Id of the document.
    pub id: DocumentId,
    /// Sequence number of the oldest edit that is kept.
    pub first: u64,
    /// Sequence number of the newest edit.
    pub live: u64,
    /// The edit after which the text is shown at first.
    pub at: u64,
}

/// Content rendered only by the server, passed as context, so that it is not serialised for hydration.
#[derive(Debug, Clone, Default)]
pub struct TimelineHtml {
    /// The text until the history has been fetched, or without JavaScript.
    pub text: String,
}

/// The player of a document's history.
#[island]
pub fn Timeline(opened: OpenedTimeline) -> impl IntoView {
    let TimelineHtml { text } = use_context().unwrap_or_default();
    let OpenedTimeline { id, first, live, at } = opened;
    let view = TimelineView::new(first, live, at);
    // Thread-bound values must not exist in the server, where rendering moves between threads.
    let player = StoredValue::new(None::<SendWrapper<Rc<Player>>>);
    let with_player = move |call: fn(&Rc<Player>, u64), seq: u64| {
        let held = player.with_value(Option::clone);
        if let Some(player) = held {
            call(&player, seq);
        }
    };
    Effect::new(move || {
        if view.host.get().is_none() || player.with_value(Option::is_some) {
            return;
        }
        let new = Player::new(id, view);
        new.open();
        new.follow();
        player.set_value(Some(SendWrapper::new(new)));
        window_event_listener(ev::click, move |event| {
            if let Some(seq) = chosen_session(&event) {
                event.prevent_default();
                with_player(
                    |player, seq| {
                        player.pause();
                        player.seek(seq);
                    },
                    seq,
                );
                focus_slider();
            }
        });
    });
    Effect::new(move || {
        if view.compares.get() {
            with_player(|player, _| player.compare(), 0);
        } else {
            view.differences.set(None);
        }
    });
    let actions = Actions {
        step: Callback::new(move |step| {
            let held = player.with_value(Option::clone);
            if let Some(player) = held {
                player.step(step);
            }
        }),
        seek: Callback::new(move |seq| {
            with_player(
                |player, seq| {
                    player.pause();
                    player.seek(seq);
                },
                seq,
            );
        }),
        toggle: Callback::new(move |()| {
            let is_playing = view.is_playing.get_untracked();
            let call: fn(&Rc<Player>, u64) = if is_playing {
                |player, _| player.pause_and_settle()
            } else {
                |player, _| player.play()
            };
            with_player(call, 0);
        }),
    };
    let reload = move |_| with_player(|player, _| player.open(), 0);
    view! {
        <div class="timeline" data-phase=move || view.phase.with(phase_name)>
            <Controls view actions/>
            {move || notes(view)}
            <div role="alert">
                {move || view.phase.with(failure).map(|reason| view! {
                    <Alert variant="danger">
                        <p>{reason}</p>
                        <button class="button" type="button" on:click=reload>{words::timeline_retry()}</button>
                    </Alert>
                })}
            </div>
            {move || differences_view(view)}
            <section class="timeline-frame" aria-label=words::timeline_text() hidden=move || view.differences.with(Option::is_some)>
                <div class="timeline-text" tabindex="0" role="group" aria-label=words::timeline_text() node_ref=view.host inner_html=text></div>
            </section>
        </div>
    }
}

fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Loading => "loading",
        Phase::Ready => "ready",
        Phase::Failed(_) => "failed",
    }
}

fn failure(phase: &Phase) -> Option<String> {
    match phase {
        Phase::Failed(reason) => Some(reason.clone()),
        Phase::Loading | Phase::Ready => None,
    }
}

/// What the reader must know about the history: damaged edits, and where it does not continue.
fn notes(view: TimelineView) -> impl IntoView {
    let missing = view.missing.get().into_iter().map(|(from, to)| {
        let words = words::timeline_missing(&grouped(from), &grouped(to));
        view! { <Alert variant="warning"><p>{words}</p></Alert> }
    });
    let restarts = view.restarts.get().into_iter().map(|seq| {
        view! { <Alert><p>{words::timeline_restarted(&grouped(seq))}</p></Alert> }
    });
    (missing.collect_view(), restarts.collect_view())
}

fn differences_view(view: TimelineView) -> Option<impl IntoView> {
    let shown = view.differences.get()?;
    let counts =
        words::timeline_counts(&grouped(shown.added as u64), &grouped(shown.removed as u64));
    let is_same = shown.html.is_empty();
    Some(view! {
        <section class="timeline-differences" aria-label=words::timeline_compare()>
            <p class="soft">{if is_same { words::timeline_same() } else { counts }}</p>
            {shown.is_cut.then(|| view! { <Alert><p>{words::timeline_cut()}</p></Alert> })}
            <div class="diff timeline-scroll" tabindex="0" role="group" aria-label=words::timeline_compare() hidden=is_same inner_html=shown.html></div>
        </section>
    })
}

/// Returns the end of the session whose link was clicked without modifiers.
fn chosen_session(event: &ev::MouseEvent) -> Option<u64> {
    if event.ctrl_key() || event.meta_key() || event.shift_key() || event.button() != 0 {
        return None;
    }
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest("a[data-seq]").ok()??.get_attribute("data-seq")?.parse().ok()
}

fn focus_slider() {
    let slider = document().get_element_by_id("timeline-slider");
    if let Some(slider) = slider.and_then(|slider| slider.dyn_into::<HtmlElement>().ok()) {
        // Fails only for an element that cannot have the focus.
        let _ = slider.focus();
    }
}
