//! Temporary messages at the edge of a page.

#![expect(missing_docs, reason = "`#[island]` generates an undocumented struct for its properties")]

use crate::{
    flash::Notice,
    parts::{Icon, isolate_quoted},
    words,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, time::Duration};

/// Time a toast stays visible: long enough to reach its button by keyboard (WCAG 2.2.1 requires 20
/// s).
const STAYS: Duration = Duration::from_secs(20);

/// Screen readers only announce what changes in a live region that they know. They may need this long
/// to find it on a new page.
const REGION_IS_KNOWN: Duration = Duration::from_millis(300);

/// Maximum number of toasts; the oldest are removed first.
const MOST_TOASTS: usize = 4;

/// A message to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The text and its actions.
    pub notice: Notice,
    /// Whether it reports a problem; such a toast stays until it is dismissed or outdated.
    pub is_problem: bool,
    /// Path of the server function whose outcome it reports.
    pub kind: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Toast {
    id: u32,
    message: Message,
    /// How often it was repeated while visible.
    times: u32,
    /// Whether it was part of the page.
    is_first: bool,
}

type Listener = Box<dyn Fn(Message)>;

thread_local! {
    /// The toasts of this page; set once they are hydrated.
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// Shows a message on this page.
pub fn say(message: Message) {
    LISTENER.with_borrow(|listener| {
        if let Some(listener) = listener {
            listener(message);
        }
    });
}

/// Adds a toast. It replaces earlier ones about the same server function, unless they offer undo; a
/// repeated message is counted instead.
fn add_toast(toasts: &mut Vec<Toast>, toast: Toast) {
    let mut times = toast.times;
    let new = &toast.message;
    toasts.retain(|old| {
        let old_message = &old.message;
        let is_same = old_message.notice == new.notice && old_message.is_problem == new.is_problem;
        if is_same {
            times += old.times;
        }
        let is_outdated = old_message.kind.is_some()
            && old_message.kind == new.kind
            && old_message.notice.undo_trash.is_none();
        !is_same && !is_outdated
    });
    toasts.push(Toast { times, ..toast });
    if toasts.len() > MOST_TOASTS {
        // Success messages do not push out problems.
        let oldest = toasts.iter().position(|old| !old.message.is_problem).unwrap_or_default();
        toasts.remove(oldest);
    }
}

/// Toasts at the edge of the page, in a polite live region.
#[island]
pub fn Toasts(
    /// Message from a form submitted before this page was shown.
    first: Option<Message>,
    /// URL for restoring a document from the trash.
    undo: String,
) -> impl IntoView {
    let first = first.map(|message| Toast { id: 0, message, times: 1, is_first: true });
    let toasts = RwSignal::new(first.into_iter().collect::<Vec<_>>());
    // Ids are never reused, or a new toast would be confused with an old one.
    let next_id = StoredValue::new(1);
    Effect::new(move || {
        let listener = move |message| {
            let id = next_id.get_value();
            next_id.set_value(id + 1);
            let toast = Toast { id, message, times: 1, is_first: false };
            toasts.update(|toasts| add_toast(toasts, toast));
        };
        LISTENER.set(Some(Box::new(listener)));
        if toasts.with_untracked(|toasts| !toasts.is_empty()) {
            // Inserted again under another id, so that it is announced.
            let insert_again = move || {
                let id = next_id.get_value();
                next_id.set_value(id + 1);
                toasts.update(|toasts| {
                    toasts.iter_mut().filter(|toast| toast.id == 0).for_each(|toast| toast.id = id);
                });
            };
            set_timeout(insert_again, REGION_IS_KNOWN);
        }
    });
    view! {
        <div class="toasts" role="status">
            <For each=move || toasts.get() key=|toast| toast.id let(toast)>
                <ToastView toast toasts undo=undo.clone()/>
            </For>
        </div>
    }
}

#[component]
fn ToastView(toast: Toast, toasts: RwSignal<Vec<Toast>>, undo: String) -> impl IntoView {
    let Toast { id, message, times, is_first } = toast;
    let Message { notice: Notice { notice, link, undo_trash }, is_problem, .. } = message;
    let again = (times > 1).then(
        || view! { <span class="soft">{format!(" {}", words::times(u64::from(times)))}</span> },
    );
    let dismiss = move || toasts.update(|toasts| toasts.retain(|toast| toast.id != id));
    if !is_problem {
        Effect::new(move || {
            let timer = set_timeout_with_handle(dismiss, STAYS);
            on_cleanup(move || {
                if let Ok(timer) = timer {
                    timer.clear();
                }
            });
        });
    }
    let undo = undo_trash.map(|document| {
        view! {
            <form method="post" action=undo data-send="">
                <input type="hidden" name="id" value=document.to_string()/>
                <button class="button" data-variant="quiet">
                    <Icon name="restore"/>
                    {words::undo()}
                </button>
            </form>
        }
    });
    view! {
        <div class="toast" data-variant=is_problem.then_some("danger") data-still=is_first.then_some("")>
            <p>{isolate_quoted(&notice)} {again}</p>
            {link.map(|path| view! { <a class="button" data-variant="quiet" href=path>{words::open()}</a> })}
            {undo}
            <button
                class="icon-button"
                data-variant="quiet"
                type="button"
                aria-label=words::dismiss()
                on:click=move |_| dismiss()
            >
                <Icon name="close"/>
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::id::DocumentId;

    const EDIT: Option<&str> = Some("/fn/documents/edit");
    const RESTORE: Option<&str> = Some("/fn/versions/restore");

    fn toast(id: u32, kind: Option<&str>, notice: Notice, is_problem: bool) -> Toast {
        let message = Message { notice, is_problem, kind: kind.map(str::to_owned) };
        Toast { id, message, times: 1, is_first: false }
    }

    /// Returns the texts of the toasts after these messages, with their counts.
    fn said(toasts: &[(Option<&str>, &str, bool)]) -> Vec<(String, u32)> {
        let mut shown = Vec::new();
        for (id, (kind, words, is_problem)) in (1..).zip(toasts) {
            add_toast(&mut shown, toast(id, *kind, Notice::new(*words), *is_problem));
        }
        shown.into_iter().map(|toast| (toast.message.notice.notice, toast.times)).collect()
    }

    fn once(words: &[&str]) -> Vec<(String, u32)> {
        words.iter().map(|words| ((*words).to_owned(), 1)).collect()
    }

    #[test]
    fn shows_at_most_four_toasts_and_keeps_problems_longest() {
        let toasts = ["one", "two", "three", "four", "five"];
        let mut given = toasts.map(|words| (None, words, false));
        assert_eq!(said(&given), once(&["two", "three", "four", "five"]));
        given[0].2 = true;
        assert_eq!(said(&given), once(&["one", "three", "four", "five"]));
        assert_eq!(said(&toasts.map(|words| (None, words, true))), once(&toasts[1..]));
    }

    #[test]
    fn repeated_messages_are_shown_once_and_counted() {
        let toasts = [(None, "full", true), (None, "other", true), (None, "full", true)];
        assert_eq!(said(&toasts), [("other".to_owned(), 1), ("full".to_owned(), 2)]);
    }

    #[test]
    fn a_later_outcome_of_the_same_kind_replaces_a_problem() {
        let toasts = [(EDIT, "no title", true), (RESTORE, "nothing new", true)];
        let later = (EDIT, "renamed", false);
        assert_eq!(said(&[toasts[0], toasts[1], later]), once(&["nothing new", "renamed"]));
    }

    #[test]
    fn an_undo_toast_stays_after_the_same_action_on_another_document() {
        let undo: DocumentId = "00000000-0000-7000-8000-000000000000".parse().unwrap();
        let trashed = |id, title: &str| {
            let notice = Notice { undo_trash: Some(undo), ..Notice::new(title) };
            toast(id, Some("/fn/documents/trash"), notice, false)
        };
        let mut toasts = vec![trashed(1, "Plans")];
        add_toast(&mut toasts, trashed(2, "Notes"));
        assert_eq!(toasts.len(), 2);
    }
}
