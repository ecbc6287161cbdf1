//! What a page knows of its visit: what was sent before it, and who is asking.

use super::flash;
use crate::{
    api::accounts::me,
    components::FormStart,
    flash::{Flash, Notice, Outcome},
    toasts::Message,
};
use izanagi_shared::{problem::Problem, wire::UserView};
use leptos::{prelude::*, server_fn::ServerFn};
use std::collections::BTreeMap;

/// The address that takes files without JavaScript.
pub(crate) const UPLOAD_PATH: &str = "/documents/upload";

/// A form that was sent before this page, if one was.
#[derive(Debug, Clone)]
pub(crate) struct Visit(Option<Flash>);

impl Visit {
    /// Makes it and provides it as context. What a form left behind is said on this page only.
    pub(crate) fn provide() {
        provide_context(Self(flash::take()));
    }

    /// That of this page.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// What a form begins with; `hidden` tells it from others that go to the same address, `scope`
    /// its fields from those of others on its page.
    pub(crate) fn form<S: ServerFn>(
        &self,
        scope: &'static str,
        hidden: &[(&str, &str)],
    ) -> FormStart {
        let (typed, problem) = match self.refusal_of(S::PATH, hidden) {
            Some((flash, problem)) => (flash.values.clone(), Some(problem)),
            None => (BTreeMap::new(), None),
        };
        FormStart { action: S::PATH, scope, typed, problem }
    }

    /// Why the form for files was refused.
    pub(crate) fn upload_refusal(&self) -> Option<String> {
        self.refusal_of(UPLOAD_PATH, &[]).map(|(_, problem)| problem.detail)
    }

    /// Whether a form of this kind has just done what it is for.
    pub(crate) fn has_done<S: ServerFn>(&self) -> bool {
        let flash = self.0.as_ref();
        flash.is_some_and(|it| it.form == S::PATH && matches!(it.outcome, Outcome::Done(_)))
    }

    /// What there is to say. A notice is; so is the refusal of a form that has no fields to say it
    /// at. That for files says it itself.
    pub(crate) fn message(&self) -> Option<Message> {
        let flash = self.0.as_ref()?;
        let only_ids = || flash.values.keys().all(|name| matches!(name.as_str(), "id" | "number"));
        let is_mute = || only_ids() && flash.form != UPLOAD_PATH;
        let (notice, is_problem) = match &flash.outcome {
            Outcome::Done(notice) => (notice.clone(), false),
            Outcome::Refused(problem) if is_mute() => (Notice::new(&problem.detail), true),
            Outcome::Refused(_) => return None,
        };
        Some(Message { notice, is_problem, kind: Some(flash.form.clone()) })
    }

    fn refusal_of(&self, form: &str, hidden: &[(&str, &str)]) -> Option<(&Flash, Problem)> {
        let flash = self.0.as_ref()?;
        Some((flash, flash.refusal_of(form, hidden)?.clone()))
    }
}

/// Who is signed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Me(Resource<Option<UserView>>);

impl Me {
    /// Asks once a page.
    pub(crate) fn provide() {
        provide_context(Self(Resource::new(|| (), |()| async { me().await.ok().flatten() })));
    }

    /// The resource of this page.
    pub(crate) fn here() -> Resource<Option<UserView>> {
        expect_context::<Self>().0
    }
}
