//! State of a visit: the form submitted before the page, and the signed-in user.

use super::flash;
use crate::{
    api::accounts::me,
    components::FormStart,
    flash::{Flash, Notice, Outcome},
    toasts::Message,
    words,
};
use izanagi_shared::{problem::Problem, wire::UserView};
use leptos::{prelude::*, server_fn::ServerFn};
use std::collections::BTreeMap;

/// Upload URL for forms without JavaScript.
pub(crate) const UPLOAD_PATH: &str = "/documents/upload";

/// The form submitted before this page, if any.
#[derive(Debug, Clone)]
pub(crate) struct Visit(Option<Flash>);

impl Visit {
    /// Reads the flash and provides it as context, so that it is shown on this page only.
    pub(crate) fn provide() {
        provide_context(Self(flash::take()));
    }

    /// Returns the visit of this page.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// Returns the initial state of a form. `hidden` distinguishes it from other forms with the
    /// same target, `scope` its fields from those of other forms on the page.
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

    /// Returns why the upload form was rejected.
    pub(crate) fn upload_refusal(&self) -> Option<String> {
        self.refusal_of(UPLOAD_PATH, &[]).map(|(_, problem)| words::problem(&problem))
    }

    /// Returns whether a form of this kind has just succeeded.
    pub(crate) fn has_done<S: ServerFn>(&self) -> bool {
        let flash = self.0.as_ref();
        flash.is_some_and(|it| it.form == S::PATH && matches!(it.outcome, Outcome::Done(_)))
    }

    /// Returns the message to show: a notice, or the error of a form without visible fields. The
    /// upload form shows its own errors.
    pub(crate) fn message(&self) -> Option<Message> {
        let flash = self.0.as_ref()?;
        let only_ids = || flash.values.keys().all(|name| matches!(name.as_str(), "id" | "number"));
        let is_mute = || only_ids() && flash.form != UPLOAD_PATH;
        let (notice, is_problem) = match &flash.outcome {
            Outcome::Done(notice) => (notice.clone(), false),
            Outcome::Refused(problem) if is_mute() => (Notice::new(words::problem(problem)), true),
            Outcome::Refused(_) => return None,
        };
        Some(Message { notice, is_problem, kind: Some(flash.form.clone()) })
    }

    fn refusal_of(&self, form: &str, hidden: &[(&str, &str)]) -> Option<(&Flash, Problem)> {
        let flash = self.0.as_ref()?;
        Some((flash, flash.refusal_of(form, hidden)?.clone()))
    }
}

/// The signed-in user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Me(Resource<Option<UserView>>);

impl Me {
    /// Provides the user, loaded once per page.
    pub(crate) fn provide() {
        provide_context(Self(Resource::new(|| (), |()| async { me().await.ok().flatten() })));
    }

    /// Returns this page's resource.
    pub(crate) fn here() -> Resource<Option<UserView>> {
        expect_context::<Self>().0
    }
}
