//! What every page shares: who is signed in, what has just been written, and what there is to say
//! about it.

use crate::{
    api::accounts::me,
    error::AppError,
    flash::{Flash, Notice, Outcome},
    platform::Platform,
};
use izanagi_shared::wire::UserView;
use leptos::{prelude::*, server_fn::ServerFn};

/// Something that is said for a while at the edge of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    pub(crate) id: u32,
    pub(crate) notice: Notice,
    /// It says that something went wrong, and stays until it is dismissed.
    pub(crate) is_problem: bool,
}

/// Follows what is written, so that what was read is read again, and what came of it is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writes {
    revision: RwSignal<u32>,
    toasts: RwSignal<Vec<Toast>>,
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
        self.toasts.update(|toasts| {
            let id = toasts.last().map_or(1, |last| last.id + 1);
            toasts.push(Toast { id, notice, is_problem });
        });
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
        Effect::new(move || self.hear(value.get(), false));
        action
    }

    /// An action behind a mere button: its refusal is said as well.
    pub(crate) fn button_action<S>(self) -> ServerAction<S>
    where
        S: ServerFn<Output = Notice, Error = AppError> + Clone + Send + Sync + 'static,
    {
        let action = ServerAction::new();
        let value = action.value();
        Effect::new(move || self.hear(value.get(), true));
        action
    }

    fn hear(self, outcome: Option<Result<Notice, AppError>>, say_refusal: bool) {
        match outcome {
            Some(Ok(notice)) => {
                self.note();
                self.say(notice, false);
            }
            Some(Err(error)) if say_refusal => self.say(Notice::new(error.0.detail), true),
            Some(Err(_)) | None => {}
        }
    }
}

/// A notice is said; so is the refusal of a form that has no fields to say it at.
fn first_toast(flash: &Flash) -> Option<Toast> {
    let only_ids = || flash.values.keys().all(|name| matches!(name.as_str(), "id" | "number"));
    match &flash.outcome {
        Outcome::Done(notice) => Some(Toast { id: 1, notice: notice.clone(), is_problem: false }),
        Outcome::Refused(problem) if only_ids() => {
            Some(Toast { id: 1, notice: Notice::new(problem.detail.clone()), is_problem: true })
        }
        Outcome::Refused(_) => None,
    }
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
