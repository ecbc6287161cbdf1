//! A form on the page: what was typed and what was wrong, with JavaScript and without.

use crate::{error::AppError, writes::Writes};
use izanagi_shared::problem::Problem;
use leptos::{prelude::*, server_fn::ServerFn};
use std::collections::BTreeMap;

/// What a form shows besides its fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormState {
    problem: Signal<Option<Problem>>,
    pending: Signal<bool>,
    typed: StoredValue<BTreeMap<String, String>>,
    /// Stands before the ids of its fields where a page has several forms.
    scope: &'static str,
}

impl FormState {
    /// Follows an action. Begins with what the form left behind when it was sent without
    /// JavaScript; `hidden` tells it from others that go to the same address.
    pub(crate) fn of<S>(action: ServerAction<S>, hidden: &[(&str, &str)]) -> Self
    where
        S: ServerFn<Error = AppError> + Clone + Send + Sync + 'static,
        S::Output: Clone + Send + Sync + 'static,
    {
        let value = action.value();
        let refusal = |error: AppError| error.with_what_was_typed().0;
        let answer = Signal::derive(move || value.get().map(|outcome| outcome.err().map(refusal)));
        Self::new(S::PATH, hidden, answer, action.pending().into())
    }

    /// The part that is the same for every action.
    fn new(
        path: &str,
        hidden: &[(&str, &str)],
        answer: Signal<Option<Option<Problem>>>,
        pending: Signal<bool>,
    ) -> Self {
        let flash = Writes::here().flash();
        let before = flash.and_then(|flash| {
            let problem = flash.refusal_of(path, hidden)?.clone();
            Some((problem, flash.values))
        });
        let (left, typed) = before.unzip();
        let problem = Signal::derive(move || answer.get().unwrap_or_else(|| left.clone()));
        Self { problem, pending, typed: StoredValue::new(typed.unwrap_or_default()), scope: "" }
    }

    /// The same form with ids of its own.
    pub(crate) fn named(self, scope: &'static str) -> Self {
        Self { scope, ..self }
    }

    /// The id of a field.
    pub(crate) fn id(self, field: &str) -> String {
        if self.scope.is_empty() { field.to_owned() } else { format!("{}-{field}", self.scope) }
    }

    /// Why it was refused.
    pub(crate) fn problem(self) -> Signal<Option<Problem>> {
        self.problem
    }

    /// Whether it is on its way.
    pub(crate) fn pending(self) -> Signal<bool> {
        self.pending
    }

    /// What is wrong with a field.
    pub(crate) fn about(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.problem.with(|problem| {
                problem.as_ref().and_then(|problem| problem.about(field)).map(str::to_owned)
            })
        })
    }

    /// What was typed into a field when the form was refused.
    pub(crate) fn typed(self, field: &str) -> Option<String> {
        self.typed.with_value(|typed| typed.get(field).cloned())
    }

    /// Whether it was refused before this page was shown.
    pub(crate) fn was_refused(self) -> bool {
        self.problem.with_untracked(Option::is_some)
    }
}
