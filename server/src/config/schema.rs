//! Metadata of the settings: names, documentation, defaults.

use super::Config;
use confique::{
    Config as _,
    meta::{Expr, FieldKind, LeafKind, Meta},
};

/// Groups in the file, those in a group with its name before a point. A group contains the variables
/// with its prefix, such as `IZANAGI_LIMITS_…`.
pub(super) const GROUPS: [&str; 13] = [
    "storage.users",
    "storage.documents",
    "storage.revocations",
    "storage.bus",
    "storage.limits",
    "storage.cache",
    "storage.routing.documents",
    "storage.routing.users",
    "cors",
    "log",
    "limits",
    "live",
    "budget",
];

/// Names that do not follow from the variable.
const FIXED: [(&str, &str); 2] =
    [("IZANAGI_CORS_ORIGINS", "cors.allowedOrigins"), ("IZANAGI_LOG", "log.filter")];

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Environment variable.
    pub(super) variable: &'static str,
    /// Group in the file, if any, and name in the file.
    pub(super) group: Option<&'static str>,
    pub(super) name: String,
    /// Lines of its documentation.
    pub(super) doc: Vec<&'static str>,
    /// Default as written in the file.
    pub(super) default: Option<String>,
}

/// Returns every setting in the order of the file, ungrouped ones first.
pub(super) fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    collect(&Config::META, &mut settings);
    settings.sort_by_key(|setting| GROUPS.iter().position(|group| Some(*group) == setting.group));
    settings
}

fn collect(meta: &Meta, into: &mut Vec<Setting>) {
    for field in meta.fields {
        match &field.kind {
            FieldKind::Nested { meta } => collect(meta, into),
            FieldKind::Leaf { env, kind } => {
                let Some(variable) = *env else { continue };
                let (group, name) = place(variable);
                let doc = field.doc.iter().map(|line| line.trim()).collect();
                let default = match kind {
                    LeafKind::Required { default: Some(default) } => Some(text(default)),
                    LeafKind::Required { default: None } | LeafKind::Optional => None,
                };
                into.push(Setting { variable, group, name, doc, default });
            }
        }
    }
}

fn text(default: &Expr) -> String {
    match default {
        Expr::Str(text) => (*text).to_owned(),
        // JSON is YAML.
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

/// Returns the path in the file of a variable's setting, such as `limits.signIn`.
pub(super) fn path(variable: &str) -> String {
    match place(variable) {
        (Some(group), name) => format!("{group}.{name}"),
        (None, name) => name,
    }
}

/// Returns the group and name in the file of a variable's setting.
fn place(variable: &str) -> (Option<&'static str>, String) {
    let group_of = |words: &str, separator: char| {
        GROUPS.into_iter().find_map(|group| {
            let prefix = group.replace('.', &separator.to_string());
            let name = words.strip_prefix(&prefix)?.strip_prefix(separator)?;
            Some((group, name.to_owned()))
        })
    };
    let fixed = FIXED.iter().find(|(fixed, _)| *fixed == variable);
    if let Some((group, name)) = fixed.and_then(|(_, path)| group_of(path, '.')) {
        return (Some(group), name);
    }
    let words = variable.strip_prefix("IZANAGI_").unwrap_or(variable).to_ascii_lowercase();
    match group_of(&words, '_') {
        Some((group, name)) => (Some(group), camel_case(&name)),
        None => (None, camel_case(&words)),
    }
}

fn camel_case(words: &str) -> String {
    let mut name = String::new();
    for word in words.split('_') {
        match word.split_at_checked(1) {
            Some((first, rest)) if !name.is_empty() => {
                name.push_str(&first.to_ascii_uppercase());
                name.push_str(rest);
            }
            _ => name.push_str(word),
        }
    }
    name
}
