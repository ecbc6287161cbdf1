//! Settings of the real binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rstest::rstest;
use std::process::{Command, Output};

/// Runs it in an empty folder with one variable, and a file if there is a text for it.
fn run(command: &str, variable: (&str, &str), file: Option<&str>) -> Output {
    let home = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        std::fs::write(home.path().join("izanagi.yaml"), text).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_izanagi"))
        .arg(command)
        .current_dir(home.path())
        .env_clear()
        .env(variable.0, variable.1)
        .output()
        .unwrap()
}

#[rstest]
#[case(("IZANAGI_LISTEN", "7999"), None, "setting IZANAGI_LISTEN: “7999” is not allowed; use ")]
#[case(("A", ""), Some("limits: { drain: soon }"), "setting limits.drain: “soon” is not allowed; use ")]
#[case(("A", ""), Some("listem: 1"), "setting izanagi.yaml: “listem” is not allowed; no setting ")]
fn a_wrong_setting_stops_the_start(
    #[case] variable: (&str, &str),
    #[case] file: Option<&str>,
    #[case] message: &str,
) {
    let output = run("migrate", variable, file);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("izanagi: {message}")), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_variable_that_is_not_utf_8_stops_the_start() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_izanagi"))
        .arg("migrate")
        .current_dir(home.path())
        .env_clear()
        .env("IZANAGI_DATA_DIR", std::ffi::OsStr::from_bytes(b"d\xff"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("setting IZANAGI_DATA_DIR: "), "{said}");
}

#[test]
fn config_prints_a_file_that_the_start_accepts() {
    // Also while a setting is wrong: it helps to put it right.
    let output = run("config", ("IZANAGI_LISTEN", "wrong"), None);
    assert_eq!(output.status.code(), Some(0));
    let template = String::from_utf8(output.stdout).unwrap();
    assert!(template.contains("\n#listen: 127.0.0.1:7999\n"), "{template}");
    assert!(template.contains("\nlimits:\n"), "{template}");
    // The file is read before the environment, so the refused variable shows that it is accepted.
    let output = run("migrate", ("IZANAGI_LISTEN", "wrong"), Some(&template));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("setting IZANAGI_LISTEN: "), "{said}");
}
