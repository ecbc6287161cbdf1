//! What every page shares: who is signed in, what has just been written, and what there is to say
//! about it.

use crate::{
    api::accounts::me,
    error::AppError,
    flash::{Flash, Notice, Outcome},
    platform::Platform,
    upload::FORM_PATH,
};
use izanagi_shared::wire::UserView;
use leptos::{prelude::*, server_fn::ServerFn};

/// Something that is said for a while at the edge of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) id: u32,
    pub(crate) notice: Notice,
    /// It says that something went wrong, and stays until it is dismissed or out of date.
    pub(crate) is_problem: bool,
    /// How often it was said while it stood there.
    pub(crate) times: u32,
    /// The kind of write that it is the outcome of, by its path.
    kind: Option<&'static str>,
}

/// As many are read; of more, the oldest go.
const MOST_TOASTS: usize = 4;

/// Says one thing more. What the same kind of write said before is out of date, unless it offers a
/// way back; what is said already is said once, and counted.
fn add_toast(toasts: &mut Vec<Toast>, toast: Toast) {
    let mut times = toast.times;
    toasts.retain(|old| {
        let is_same = old.notice == toast.notice && old.is_problem == toast.is_problem;
        if is_same {
            times += old.times;
        }
        let is_outdated =
            old.kind.is_some() && old.kind == toast.kind && old.notice.undo_trash.is_none();
        !is_same && !is_outdated
    });
    toasts.push(Toast { times, ..toast });
    if toasts.len() > MOST_TOASTS {
        // A problem is not pushed away by good news.
        let oldest = toasts.iter().position(|old| !old.is_problem).unwrap_or_default();
        toasts.remove(oldest);
    }
}

/// Follows what is written, so that what was read is read again, and what came of it is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writes {
    revision: RwSignal<u32>,
    toasts: RwSignal<Vec<Toast>>,
    /// The id of the next toast. None is given twice, or an old one would stand for a new one.
    next_toast: StoredValue<u32>,
    flash: StoredValue<Option<Flash>>,
}

impl Writes {
    /// Makes it and provides it as context. What a form left behind before this page is said now.
    pub(crate) fn provide() {
        let flash = SharedValue::new(|| (Platform::here().take_flash)()).into_inner();
        let toasts = flash.as_ref().and_then(first_toast).into_iter().collect();
        provide_context(Self {
            revision: RwSignal::new(0),
            toasts: RwSignal::new(toasts),
            next_toast: StoredValue::new(FIRST_TOAST + 1),
            flash: StoredValue::new(flash),
        });
    }

    /// The one of this page.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// Changes after every write: resources that depend on it are read again.
    pub(crate) fn revision(self) -> u32 {
        self.revision.get()
    }

    /// Everything there is to say now.
    pub(crate) fn toasts(self) -> RwSignal<Vec<Toast>> {
        self.toasts
    }

    /// What the form sent before this page left behind.
    pub(crate) fn flash(self) -> Option<Flash> {
        self.flash.get_value()
    }

    /// Says something.
    pub(crate) fn say(self, notice: Notice, is_problem: bool) {
        self.say_outcome(None, notice, is_problem);
    }

    /// Says what came of a write, or what keeps it from being sent.
    pub(crate) fn say_outcome(self, kind: Option<&'static str>, notice: Notice, is_problem: bool) {
        let id = self.next_toast.get_value();
        self.next_toast.set_value(id + 1);
        let toast = Toast { id, notice, is_problem, times: 1, kind };
        self.toasts.update(|toasts| add_toast(toasts, toast));
    }

    /// Something was written.
    pub(crate) fn note(self) {
        self.revision.update(|revision| *revision += 1);
    }

    /// An action whose success is noted and said. A refusal is left to the form.
    pub(crate) fn form_action<S>(self) -> ServerAction<S>
    where
        S: ServerFn<Output = Notice, Error = AppError> + Clone + Send + Sync + 'static,
    {
        let action = ServerAction::new();
        let value = action.value();
        Effect::new(move || self.hear(S::PATH, value.get(), false));
        action
    }

    /// An action behind a mere button: its refusal is said as well.
    pub(crate) fn button_action<S>(self) -> ServerAction<S>
    where
        S: ServerFn<Output = Notice, Error = AppError> + Clone + Send + Sync + 'static,
    {
        let action = ServerAction::new();
        let value = action.value();
        Effect::new(move || self.hear(S::PATH, value.get(), true));
        action
    }

    fn hear(
        self,
        kind: &'static str,
        outcome: Option<Result<Notice, AppError>>,
        say_refusal: bool,
    ) {
        match outcome {
            Some(Ok(notice)) => {
                self.note();
                self.say_outcome(Some(kind), notice, false);
            }
            Some(Err(error)) if say_refusal => {
                self.say_outcome(Some(kind), Notice::new(error.0.detail), true);
            }
            Some(Err(_)) | None => {}
        }
    }
}

const FIRST_TOAST: u32 = 1;

/// A notice is said; so is the refusal of a form that has no fields to say it at. That for files
/// says it itself.
fn first_toast(flash: &Flash) -> Option<Toast> {
    let only_ids = || flash.values.keys().all(|name| matches!(name.as_str(), "id" | "number"));
    let is_mute = || only_ids() && flash.form != FORM_PATH;
    let (notice, is_problem) = match &flash.outcome {
        Outcome::Done(notice) => (notice.clone(), false),
        Outcome::Refused(problem) if is_mute() => (Notice::new(problem.detail.clone()), true),
        Outcome::Refused(_) => return None,
    };
    Some(Toast { id: FIRST_TOAST, notice, is_problem, times: 1, kind: None })
}

/// Who is signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Me(Resource<Option<UserView>>);

impl Me {
    /// Asks once, and again after every sign-in.
    pub(crate) fn provide() {
        let writes = Writes::here();
        let asked =
            Resource::new(move || writes.revision(), |_| async { me().await.ok().flatten() });
        provide_context(Self(asked));
    }

    /// The resource of this page.
    pub(crate) fn here() -> Resource<Option<UserView>> {
        expect_context::<Self>().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::id::DocumentId;

    const RENAME: Option<&str> = Some("/fn/documents/rename");
    const RESTORE: Option<&str> = Some("/fn/versions/restore");

    /// The words of the toasts after these were said, each with how often.
    fn said(toasts: &[(Option<&'static str>, &str, bool)]) -> Vec<(String, u32)> {
        let mut shown = Vec::new();
        for (id, (kind, words, is_problem)) in (1..).zip(toasts) {
            let (notice, is_problem, kind) = (Notice::new(*words), *is_problem, *kind);
            add_toast(&mut shown, Toast { id, notice, is_problem, times: 1, kind });
        }
        shown.into_iter().map(|toast| (toast.notice.notice, toast.times)).collect()
    }

    fn once(words: &[&str]) -> Vec<(String, u32)> {
        words.iter().map(|words| ((*words).to_owned(), 1)).collect()
    }

    #[test]
    fn four_toasts_stand_at_most_and_problems_outlast_good_news() {
        let toasts = ["one", "two", "three", "four", "five"];
        let mut given = toasts.map(|words| (None, words, false));
        assert_eq!(said(&given), once(&["two", "three", "four", "five"]));
        given[0].2 = true;
        assert_eq!(said(&given), once(&["one", "three", "four", "five"]));
        assert_eq!(said(&toasts.map(|words| (None, words, true))), once(&toasts[1..]));
    }

    #[test]
    fn equal_words_are_said_once_and_counted() {
        let toasts = [(None, "full", true), (None, "other", true), (None, "full", true)];
        assert_eq!(said(&toasts), [("other".to_owned(), 1), ("full".to_owned(), 2)]);
    }

    #[test]
    fn a_later_outcome_of_the_same_kind_takes_the_place_of_a_problem() {
        let toasts = [(RENAME, "no title", true), (RESTORE, "nothing new", true)];
        let later = (RENAME, "renamed", false);
        assert_eq!(said(&[toasts[0], toasts[1], later]), once(&["nothing new", "renamed"]));
    }

    #[test]
    fn a_way_back_stays_when_the_same_is_done_to_another() {
        let id: DocumentId = "00000000-0000-7000-8000-000000000000".parse().unwrap();
        let trashed = |id, title: &str, undo| Toast {
            id,
            notice: Notice { undo_trash: Some(undo), ..Notice::new(title) },
            is_problem: false,
            times: 1,
            kind: Some("/fn/documents/trash"),
        };
        let mut toasts = vec![trashed(1, "Plans", id)];
        add_toast(&mut toasts, trashed(2, "Notes", id));
        assert_eq!(toasts.len(), 2);
    }
}
