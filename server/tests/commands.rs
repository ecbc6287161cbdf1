//! Tests of the binary's commands.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use izanagi::{config::Config, run::Running};
use izanagi_domain::accounts::Device;
use izanagi_shared::{rules::Secret, wire::SignupRequest};
use rstest::rstest;
use std::{
    path::Path,
    process::{Command, Output},
};

/// Runs the binary on the data in `home`.
fn izanagi(home: &Path, arguments: &[&str]) -> Output {
    command(home, arguments).output().unwrap()
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_izanagi"));
    command
        .args(arguments)
        .current_dir(home)
        .env("IZANAGI_DATA_DIR", home.join("data"))
        .env("IZANAGI_LISTEN", "127.0.0.1:0")
        .env("IZANAGI_SITE_ROOT", home.join("site"))
        .env_remove("IZANAGI_CONFIG")
        .env_remove("DATABASE_URL")
        .env_remove("IZANAGI_STORAGE_USERS_URL");
    command
}

#[rstest]
#[case::fsck(&["fsck"])]
#[case::repair(&["fsck", "--repair"])]
#[case::gc(&["gc"])]
#[case::user(&["user", "deactivate", "ada"])]
fn maintenance_commands_create_no_data(#[case] command: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let output = izanagi(home.path(), command);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let database = data.join("izanagi.db");
    assert!(
        stderr.contains(&format!("there is no database at {}", database.display())),
        "{stderr}"
    );
    assert!(!data.exists());
}

#[tokio::test]
async fn keys_in_the_database_are_rotated_beside_a_server() {
    let home = tempfile::tempdir().unwrap();
    let (data_dir, secret) = (home.path().join("data"), "0123456789abcdef0123456789abcdef");
    let config = |secret: &str| Config {
        data_dir: data_dir.clone(),
        keys_secret: Some(Secret::new(secret)),
        ..Config::default()
    };
    let running = Running::open(&config(secret)).await.unwrap();
    let rotate = |secret: &str| {
        let mut command = command(home.path(), &["keys", "rotate"]);
        command.env("IZANAGI_KEYS_SECRET", secret).output().unwrap()
    };
    let output = rotate(secret);
    assert!(output.status.success(), "{output:?}");
    assert!(!data_dir.join("keys.pem").exists());
    let output = rotate("another secret of 32 characters!");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("IZANAGI_KEYS_SECRET: the secret does not open"), "{stderr}");
    let output = rotate("short");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("32 to 1024") && !stderr.contains("short"), "{stderr}");
    let keys = running.services.core.stores.relational.keys.list().await.unwrap();
    assert_eq!(keys.len(), 2);
    running.close().await;
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_and_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let output = izanagi(home.path(), &["doctor"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("0 are bad") && !home.path().join("data").exists(), "{stdout}");
    let config = Config { data_dir: home.path().join("data"), ..Config::default() };
    Running::open(&config).await.unwrap().close().await;
    let output = izanagi(home.path(), &["doctor"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && stdout.contains("ok    indexes"), "{stdout}");
    let keys = home.path().join("data/keys.pem");
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let output = izanagi(home.path(), &["doctor"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("BAD   signing keys") && stdout.contains("chmod 600"), "{stdout}");
}

#[test]
fn health_fails_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path(), &["health"]);
    let output = command.env("IZANAGI_LISTEN", "127.0.0.1:9").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("127.0.0.1:9: cannot connect"), "{stderr}");
}

/// Runs `izanagi user …` on the data in `home` and returns what it prints.
fn user(home: &Path, arguments: &[&str]) -> String {
    let output = izanagi(home, &[&["user"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn user_commands_say_what_is_the_case_now() {
    let home = tempfile::tempdir().unwrap();
    let config = Config { data_dir: home.path().join("data"), ..Config::default() };
    let running = Running::open(&config).await.unwrap();
    let (accounts, device) = (&running.services.accounts, Device::default());
    let request = SignupRequest {
        email: "ada@example.org".to_owned(),
        password: Secret::new("correct horse battery"),
        username: Some("ada".to_owned()),
        display_name: None,
    };
    let turn = accounts.take_sign_up_turn(&device).await.unwrap();
    accounts.sign_up(turn, &request, &device).await.unwrap();
    running.close().await;
    let role =
        "The role takes effect within half an hour, when the user's browser renews its token.";
    let deactivated = "The account is deactivated: its sessions have ended, and it cannot sign in.";
    let active = "The account is active: it can sign in.";
    for (arguments, state, effect) in [
        (["role", "ada", "premium"].as_slice(), "premium, active", role),
        (["deactivate", "ada"].as_slice(), "premium, deactivated", deactivated),
        (["role", "ada", "admin"].as_slice(), "admin, deactivated", role),
        (["activate", "ada"].as_slice(), "admin, active", active),
    ] {
        let printed = user(home.path(), arguments);
        assert_eq!(printed, format!("ada <ada@example.org>: {state}\n{effect}\n"));
    }
}

#[tokio::test]
async fn commands_that_write_need_the_data_for_themselves() {
    let home = tempfile::tempdir().unwrap();
    let config = Config { data_dir: home.path().join("data"), ..Config::default() };
    std::fs::create_dir_all(home.path().join("site/pkg/none")).unwrap();
    let running = Running::open(&config).await.unwrap();
    for command in [&["serve"][..], &["migrate"], &["gc"], &["fsck", "--repair"]] {
        let output = izanagi(home.path(), command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        let holder = format!("in use by izanagi serve (process {})", std::process::id());
        assert!(stderr.contains(&holder), "{command:?}: {stderr}");
    }
    for command in [&["fsck"][..], &["config"]] {
        let output = izanagi(home.path(), command);
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
    running.close().await;
    let output = izanagi(home.path(), &["gc"]);
    assert!(output.status.success(), "{output:?}");
}

#[cfg(unix)]
#[test]
fn the_data_is_only_for_the_user_of_the_server() {
    use std::{fs, os::unix::fs::PermissionsExt as _};
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let output = izanagi(home.path(), &["migrate"]);
    assert!(output.status.success(), "{output:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}
