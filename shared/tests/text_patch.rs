//! Unified diffs, applied by the real `patch`.
#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, reason = "each test file uses some of the generators")]
#[path = "../src/text/testing.rs"]
mod testing;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{self, Command};
use std::sync::atomic::{AtomicUsize, Ordering};

use izanagi_shared::text::diff::DiffOptions;
use izanagi_shared::text::unified::unified;
use proptest::prelude::*;
use rstest::rstest;

/// The result of applying `diff` to `old` with `patch`, in a new folder below the build folder.
fn patch(old: &str, diff: &str) -> io::Result<String> {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = format!("{}-{}", process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("text_patch").join(run);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("old"), old)?;
    fs::write(folder.join("diff"), diff)?;
    // No fuzz: all context lines must match exactly.
    let output = Command::new("patch")
        .args(["--fuzz=0", "--silent", "--reject-file=-", "--input=diff", "--output=new", "old"])
        .current_dir(&folder)
        .output()
        .map_err(|error| {
            let hint = "this test needs the program `patch`: apt-get install patch";
            io::Error::new(error.kind(), format!("{hint} ({error})"))
        })?;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{diff}");
    let new = fs::read_to_string(folder.join("new"))?;
    fs::remove_dir_all(folder)?;
    Ok(new)
}

fn options(context: usize) -> DiffOptions {
    DiffOptions { context, ..DiffOptions::default() }
}

#[rstest]
#[case::changed("a\nb\nc\n", "a\nx\nc\n")]
#[case::from_nothing("", "a\nb\n")]
#[case::to_nothing("a\nb\n", "")]
#[case::newline_added("a\nb", "a\nb\n")]
#[case::newline_removed("a\nb\n", "a\nb")]
#[case::newline_missing_on_both_sides("a\nb\nc", "a\nx\nc")]
#[case::last_line_without_newline_changed("a\nb", "a\nc")]
#[case::carriage_returns("a\r\nb\r\n", "a\r\nx\r\n")]
#[case::lone_carriage_return("a\rb\nc\n", "a\rx\nc\n")]
#[case::lines_that_look_like_a_diff("--- a\n+++ b\n@@ -1 +1 @@\n", "--- a\n+++ c\n-@@ -1 +1 @@\n")]
#[case::backslash_line("\\ No newline\nb\n", "\\ No newline\nc\n")]
#[case::wide_characters("我们\n😀\n", "我们\n😃\n")]
fn patch_gives_the_new_text(#[case] old: &str, #[case] new: &str) {
    let diff = unified("old.md", "new.md", old, new, &DiffOptions::default());
    assert_eq!(patch(old, &diff).unwrap(), new);
}

#[rstest]
#[case::spaces("my old notes.md", "my new notes.md")]
#[case::quotes("a \"b\" \\c.md", "été 写.md")]
#[case::line_break("a\n+++ b", "a\tb")]
fn names_do_not_break_the_diff(#[case] old_name: &str, #[case] new_name: &str) {
    let diff = unified(old_name, new_name, "a\n", "b\n", &DiffOptions::default());
    assert_eq!(patch("a\n", &diff).unwrap(), "b\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn patch_gives_any_new_text((old, new) in testing::text_pair(), context in 0..4_usize) {
        let diff = unified("old.md", "new.md", &old, &new, &options(context));
        prop_assume!(!diff.is_empty());
        prop_assert_eq!(patch(&old, &diff).unwrap(), new);
    }
}
