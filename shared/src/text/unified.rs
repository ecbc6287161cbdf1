//! Unified diffs, in the format of GNU diff ("Detailed Description of Unified Format").

use std::fmt::{self, Display, Formatter, Write};
use std::ops::Range;

use super::budget::Budget;
use super::diff::{DiffOptions, HunkRange, compare_for_display, group_changes};
use super::lines::LineChanges;

/// The unified diff between two texts; empty if there is no difference.
///
/// Applied with `patch`, it turns the old text into the new one, byte for byte. With white space
/// ignored, lines that differ only in white space keep their old form.
pub fn unified(
    old_name: &str,
    new_name: &str,
    old: &str,
    new: &str,
    options: &DiffOptions,
) -> String {
    let mut budget = Budget::new(options.budget);
    let lines = compare_for_display(old, new, options, &mut budget);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_hunks(&mut text, old_name, new_name, &lines, options.context);
    text
}

fn write_hunks(
    text: &mut String,
    old_name: &str,
    new_name: &str,
    lines: &LineChanges<'_>,
    context: usize,
) -> fmt::Result {
    let mut hunks = group_changes(lines, context).peekable();
    if hunks.peek().is_some() {
        writeln!(text, "--- {}", FileName(old_name))?;
        writeln!(text, "+++ {}", FileName(new_name))?;
    }
    for hunk in hunks {
        let (old, new) = (side(lines, &hunk.old), side(lines, &hunk.new));
        writeln!(text, "@@ -{old} +{new} @@")?;
        for (equal, change) in hunk.parts() {
            // The old lines, because `patch` searches the old text for them.
            for (old, _) in equal {
                write_line(text, ' ', lines.old[old]);
            }
            let Some(change) = change else { continue };
            for line in &lines.old[change.old.clone()] {
                write_line(text, '-', line);
            }
            for line in &lines.new[change.new.clone()] {
                write_line(text, '+', line);
            }
        }
    }
    Ok(())
}

fn write_line(text: &mut String, mark: char, line: &str) {
    text.push(mark);
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

/// The line range of one side in a hunk header.
fn side(lines: &LineChanges<'_>, side: &Range<usize>) -> String {
    let start = HunkRange::start(lines, side);
    match side.len() {
        1 => start.to_string(),
        len => format!("{start},{len}"),
    }
}

/// A file name in a header. As in Git, it is quoted as in C if it contains special characters, and
/// followed by a tab if it contains spaces.
struct FileName<'a>(&'a str);

impl Display for FileName<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        let is_special = |c: char| c.is_control() || matches!(c, '"' | '\\');
        if !name.contains(is_special) {
            let end = if name.contains(' ') { "\t" } else { "" };
            return write!(formatter, "{name}{end}");
        }
        formatter.write_char('"')?;
        for c in name.chars() {
            match c {
                '"' | '\\' => write!(formatter, "\\{c}")?,
                '\n' => formatter.write_str("\\n")?,
                '\t' => formatter.write_str("\\t")?,
                c if c.is_ascii_control() => write!(formatter, "\\{:03o}", u32::from(c))?,
                c => formatter.write_char(c)?,
            }
        }
        formatter.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn of(old: &str, new: &str) -> String {
        unified("old.md", "new.md", old, new, &DiffOptions::default())
    }

    #[test]
    fn equal_texts_give_an_empty_diff() {
        assert_eq!(of("same\n", "same\n"), "");
    }

    #[rstest]
    #[case::replaced("a\nb\n", "a\nc\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c\n")]
    #[case::from_nothing("", "a\n", "@@ -0,0 +1 @@\n+a\n")]
    #[case::to_nothing("a\n", "", "@@ -1 +0,0 @@\n-a\n")]
    #[case::newline_added("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n")]
    #[case::newline_missing_on_both_sides(
        "a\nz",
        "b\nz",
        "@@ -1,2 +1,2 @@\n-a\n+b\n z\n\\ No newline at end of file\n"
    )]
    #[case::two_hunks(
        "1\n2\n3\n4\n5\n6\n7\n8\n9\n",
        "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
        "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"
    )]
    #[case::contexts_that_touch(
        "1\n2\n3\n4\n5\n6\n7\n8\n",
        "x\n2\n3\n4\n5\n6\n7\ny\n",
        "@@ -1,8 +1,8 @@\n-1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n-8\n+y\n"
    )]
    fn writes_hunks(#[case] old: &str, #[case] new: &str, #[case] hunks: &str) {
        assert_eq!(of(old, new), format!("--- old.md\n+++ new.md\n{hunks}"));
    }

    #[rstest]
    #[case::plain("notes.md", "notes.md")]
    #[case::space("my notes.md", "my notes.md\t")]
    #[case::line_break("a\nb", r#""a\nb""#)]
    #[case::quote(r#"a"b\c"#, r#""a\"b\\c""#)]
    #[case::control("a\u{7}b", r#""a\007b""#)]
    #[case::letters("été 写", "été 写\t")]
    fn escapes_file_names(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(FileName(name).to_string(), expected);
    }

    #[test]
    fn keeps_the_old_white_space_when_ignoring_it() {
        let options = DiffOptions { ignore_white_space: true, ..DiffOptions::default() };
        let text = unified("a", "b", "  x\ny\n", "x\nz\n", &options);
        assert_eq!(text, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n   x\n-y\n+z\n");
    }
}
