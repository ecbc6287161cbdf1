//! Tests of the binary's commands.

use rstest::rstest;
use std::process::Command;

#[rstest]
#[case::fsck(&["fsck"])]
#[case::repair(&["fsck", "--repair"])]
#[case::gc(&["gc"])]
#[case::user(&["user", "deactivate", "ada"])]
fn maintenance_commands_create_no_data(#[case] command: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let output = Command::new(env!("CARGO_BIN_EXE_izanagi"))
        .args(command)
        .current_dir(home.path())
        .env("IZANAGI_DATA_DIR", &data)
        .env_remove("IZANAGI_CONFIG")
        .env_remove("DATABASE_URL")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let database = data.join("izanagi.db");
    assert!(
        stderr.contains(&format!("there is no database at {}", database.display())),
        "{stderr}"
    );
    assert!(!data.exists());
}
