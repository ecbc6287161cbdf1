//! Why a form was rejected, shown at its top and at its fields.

use crate::words;
use izanagi_shared::{markdown::escape_text, problem::Problem};

/// Returns the id of a field; `scope` is the prefix on a page with several forms.
#[must_use]
pub fn field_id(scope: &str, field: &str) -> String {
    if scope.is_empty() { field.to_owned() } else { format!("{scope}-{field}") }
}

/// Returns the summary of a rejected form as HTML: a list of links to its fields, in the order of
/// `fields`, the names of the form's fields from top to bottom; or one sentence.
#[must_use]
pub fn refusal_html<S: AsRef<str>>(problem: &Problem, scope: &str, fields: &[S]) -> String {
    if problem.errors.is_empty() {
        return format!(
            "<div role=\"alert\" tabindex=\"-1\"><div class=\"alert\" data-variant=\"danger\">\
             <svg class=\"icon\" aria-hidden=\"true\"><use href=\"/icons.svg#warning\"></use></svg>\
             <p>{}</p></div></div>",
            escape_text(&words::problem(problem))
        );
    }
    let title = words::errors_in_form(problem.errors.len() as u64);
    let errors_of = |name| problem.errors.iter().filter(move |error| error.field == name);
    let of_fields = fields.iter().flat_map(|field| errors_of(field.as_ref()));
    // Errors of no field of the form come last.
    let is_field = |name: &str| fields.iter().any(|field| field.as_ref() == name);
    let others = problem.errors.iter().filter(|error| !is_field(&error.field));
    let mut items = String::new();
    for error in of_fields.chain(others) {
        let (id, words) = (field_id(scope, &error.field), escape_text(&words::field_error(error)));
        items.push_str(&format!("<li><a href=\"#{}\">{words}</a></li>", escape_text(&id)));
    }
    format!(
        "<div class=\"error-summary\" role=\"alert\" tabindex=\"-1\" aria-labelledby=\"error-summary\">\
         <h2 id=\"error-summary\">{title}</h2><ul>{items}</ul></div>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::AppError;
    use izanagi_shared::problem::FieldError;

    #[test]
    fn input_is_escaped() {
        let mut problem = AppError::new(422, "other", "Invalid", "No <b>.").0;
        let html = words::in_english(|| refusal_html(&problem, "", &["title"]));
        assert!(html.contains("<p>No &lt;b&gt;.</p>"), "{html}");
        problem.errors = vec![FieldError::new("title", "other", "Not “<b>”.")];
        let html = words::in_english(|| refusal_html(&problem, "new", &["title"]));
        assert!(html.contains("<a href=\"#new-title\">Not “&lt;b&gt;”.</a>"), "{html}");
        assert!(html.contains("1 field has an error"));
    }

    #[test]
    fn errors_are_listed_in_the_order_of_the_fields() {
        let mut problem = AppError::new(422, "invalid", "Invalid", "Some fields are invalid.").0;
        let error = |field| FieldError::new(field, "other", field);
        problem.errors = ["other", "password", "email", "username"].map(error).into();
        let fields = ["username", "email", "password"];
        let html = words::in_english(|| refusal_html(&problem, "", &fields));
        let links: Vec<_> = html.split("href=\"#").skip(1).collect();
        let links: Vec<_> = links.iter().filter_map(|link| link.split('"').next()).collect();
        assert_eq!(links, ["username", "email", "password", "other"]);
    }
}
