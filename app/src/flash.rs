//! What a page says once, after a form was sent: that it is done, or what was wrong and what was
//! typed. It crosses to the page in a cookie (`ssr::plain_forms`); a refusal of a form that a script
//! sent does not, for its page is still there.

use izanagi_shared::{id::DocumentId, problem::Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The request header of a form that a script sends: its answer does not redirect but names the page
/// it leads to in `Location`; a refusal comes back as it is, for the page that is still there.
pub const ENHANCED: &str = "x-izanagi-form";

/// What a write says when it is done: the answer of every server function that writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// A short sentence.
    pub notice: String,
    /// Where to look at the result: a path of this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The document that can be taken out of the trash again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_trash: Option<DocumentId>,
}

impl Notice {
    /// A sentence alone.
    pub fn new(notice: impl Into<String>) -> Self {
        Self { notice: notice.into(), link: None, undo_trash: None }
    }

    /// With a place to look at.
    #[must_use]
    pub fn with_link(self, link: impl Into<String>) -> Self {
        Self { link: Some(link.into()), ..self }
    }
}

/// How sending a form went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was done.
    Done(Notice),
    /// It was refused.
    Refused(Problem),
}

/// A form that was sent without JavaScript, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flash {
    /// The path of the page that shows it.
    pub page: String,
    /// The path that the form was sent to.
    pub form: String,
    /// What was typed, passwords left out.
    pub values: BTreeMap<String, String>,
    /// How it went.
    pub outcome: Outcome,
}

impl Flash {
    /// Why this form was refused, if it is the one: sent to `form`, with these hidden fields.
    #[must_use]
    pub fn refusal_of(&self, form: &str, hidden: &[(&str, &str)]) -> Option<&Problem> {
        let has = |(name, value): &(&str, &str)| self.values.get(*name).is_some_and(|v| v == value);
        match &self.outcome {
            Outcome::Refused(problem) if self.form == form && hidden.iter().all(has) => {
                Some(problem)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AppError;

    fn refused(values: &[(&str, &str)]) -> Flash {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Flash {
            page: "/documents".to_owned(),
            form: "/fn/documents/rename".to_owned(),
            values: values.iter().map(owned).collect(),
            outcome: Outcome::Refused(AppError::not_found().0),
        }
    }

    #[test]
    fn a_refusal_belongs_to_one_form_among_many_of_a_kind() {
        let flash = refused(&[("id", "a"), ("title", " ")]);
        assert!(flash.refusal_of("/fn/documents/rename", &[("id", "a")]).is_some());
        assert!(flash.refusal_of("/fn/documents/rename", &[("id", "b")]).is_none());
        assert!(flash.refusal_of("/fn/documents/create", &[]).is_none());
    }

    #[test]
    fn a_problem_is_not_taken_for_a_notice() {
        let problem = serde_json::to_string(&AppError::not_found()).unwrap();
        assert!(serde_json::from_str::<Notice>(&problem).is_err());
        assert!(serde_json::from_str::<Notice>("null").is_err());
    }
}
