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
    let mut group = "";
    for setting in settings() {
        text.push('\n');
        let names = setting.group.unwrap_or_default();
        if names != group {
            text.push_str(&heads(group, names));
            group = names;
        }
        let indent = "  ".repeat(names.split('.').filter(|name| !name.is_empty()).count());
        for line in lines(&setting) {
            text.push_str(&format!("{indent}#{line}\n"));
        }
    }
    text
}

/// Returns the lines that begin a group after another one; groups in the same one share its line.
fn heads(before: &str, names: &str) -> String {
    let mut before = before.split('.').peekable();
    let mut is_same = true;
    let mut heads = String::new();
    for (depth, name) in names.split('.').enumerate() {
        is_same &= before.next() == Some(name);
        if !is_same {
            heads.push_str(&format!("{}{name}:\n", "  ".repeat(depth)));
        }
    }
    heads
}

fn lines(setting: &Setting) -> Vec<String> {
    let mut lines: Vec<String> = setting.doc.iter().map(|line| format!(" {line}")).collect();
    lines.push(format!(" Environment: {}", setting.variable));
    let default = setting.default.iter().map(|default| format!(" {default}")).collect::<String>();
    lines.push(format!("{}:{default}", setting.name));
    lines
}
