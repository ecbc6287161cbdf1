//! Programs that a test runs beside the server of the tests.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// A folder that other users may write to, with a short path: it is the beginning of a socket's.
pub(crate) fn open_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    folder
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program of PostgreSQL, which refuses to run as root.
pub(crate) fn as_postgres(program: &str) -> Command {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed.map(|version| version.path().join("bin")).max();
    let program = newest.map_or_else(|| program.into(), |folder| folder.join(program));
    let id = Command::new("id").arg("-u").output().unwrap().stdout;
    let mut command = if id.starts_with(b"0\n") {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.env("LANG", "C.UTF-8").current_dir("/").stdout(Stdio::null());
    command
}
