//! The `izanagi.yaml` that `izanagi config` prints.

use super::schema::{Setting, settings};

const HEAD: &str = "\
# Settings of Izanagi. Every setting is commented out and shows its default, if it has one.
# To change one, remove the # before its name. The environment variable above it has precedence.
";

/// Returns an `izanagi.yaml` with every setting, its documentation, variable and default, commented
/// out.
#[must_use]
pub fn template() -> String {
    let mut text = HEAD.to_owned();
    let mut group = None;
    for setting in settings() {
        text.push('\n');
        if setting.group != group {
            group = setting.group;
            text.extend(group.map(|group| format!("{group}:\n")));
        }
        let indent = if group.is_some() { "  " } else { "" };
        for line in lines(&setting) {
            text.push_str(&format!("{indent}#{line}\n"));
        }
    }
    text
}

fn lines(setting: &Setting) -> Vec<String> {
    let mut lines: Vec<String> = setting.doc.iter().map(|line| format!(" {line}")).collect();
    lines.push(format!(" Environment: {}", setting.variable));
    let default = setting.default.iter().map(|default| format!(" {default}")).collect::<String>();
    lines.push(format!("{}:{default}", setting.name));
    lines
}
