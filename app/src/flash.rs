//! A one-time message after a form was submitted: success, or the errors and the submitted values.
//! A cookie carries it to the next page (`ssr::plain_forms`), unless a script submitted the form
//! and its page can show the error itself.

use izanagi_shared::{id::DocumentId, problem::Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Request header of a form submitted by a script: on success the server names the next page in
/// `Location` instead of redirecting; an error is returned as it is.
pub const ENHANCED: &str = "x-izanagi-form";

/// Parts of the names of fields with secrets.
const SECRET: [&str; 6] = ["password", "passphrase", "secret", "token", "otp", "recovery"];

/// Returns whether a field of this name contains a secret: it is neither kept nor shown again.
#[must_use]
pub fn is_secret(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    SECRET.iter().any(|part| field.contains(part))
}

/// Result of every server function that writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// A short sentence.
    pub notice: String,
    /// Where to see the result: a path of this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The document that can be restored from the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_trash: Option<DocumentId>,
}

impl Notice {
    /// Creates a notice with a message only.
    pub fn new(notice: impl Into<String>) -> Self {
        Self { notice: notice.into(), link: None, undo_trash: None }
    }

    /// Adds a link to the result.
    #[must_use]
    pub fn with_link(self, link: impl Into<String>) -> Self {
        Self { link: Some(link.into()), ..self }
    }
}

/// Outcome of a submitted form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It succeeded.
    Done(Notice),
    /// It was rejected.
    Refused(Problem),
}

/// A form submitted without JavaScript, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flash {
    /// Path of the page that shows it.
    pub page: String,
    /// Path the form was submitted to.
    pub form: String,
    /// Submitted values, without secrets.
    pub values: BTreeMap<String, String>,
    /// Outcome.
    pub outcome: Outcome,
}

impl Flash {
    /// Returns why this form was rejected, if it is the one submitted to `form` with these hidden
    /// fields.
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
            form: "/fn/documents/edit".to_owned(),
            values: values.iter().map(owned).collect(),
            outcome: Outcome::Refused(AppError::not_found().0),
        }
    }

    #[test]
    fn a_rejection_belongs_to_one_of_several_similar_forms() {
        let flash = refused(&[("id", "a"), ("title", " ")]);
        assert!(flash.refusal_of("/fn/documents/edit", &[("id", "a")]).is_some());
        assert!(flash.refusal_of("/fn/documents/edit", &[("id", "b")]).is_none());
        assert!(flash.refusal_of("/fn/documents/create", &[]).is_none());
    }

    #[test]
    fn secrets_are_recognised_by_the_name_of_their_field() {
        for name in ["password", "newPassword", "accessToken", "client_secret", "otp"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["login", "username", "email", "title", "message", "next", "id"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_problem_is_not_parsed_as_a_notice() {
        let problem = serde_json::to_string(&AppError::not_found()).unwrap();
        assert!(serde_json::from_str::<Notice>(&problem).is_err());
        assert!(serde_json::from_str::<Notice>("null").is_err());
    }
}
