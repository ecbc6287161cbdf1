//! A process is killed again and again while it moves the database under writers.

use crate::{
    moves::{ask, config, file, mover, seed},
    pg_server::PgDatabase,
    world::{Acknowledged, Writers, check},
};
use izanagi_shared::id::{DocumentId, UserId};
use izanagi_storage::open;
use std::{io::Write as _, path::Path, process::Stdio, time::Duration};
use tokio::{
    process::{Child, Command},
    sync::mpsc,
};
use uuid::Uuid;

/// What the process is to do, in its environment.
const FROM: &str = "RELOCATION_FROM";
const FILE: &str = "RELOCATION_FILE";

/// What a writer rests after each request.
const PACE: Duration = Duration::from_millis(25);

/// The process itself: opens the stores, writes, and moves them. It ends when they have moved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_moves_a_database() {
    let given = |name| std::env::var(name).ok();
    // Only as a process of the test below.
    let (Some(from), Some(path)) = (given(FROM), given(FILE)) else { return };
    let opened = open(&config(&from)).await.unwrap();
    let documents = documents(Path::new(&path));
    let (told, mut heard) = mpsc::channel::<Acknowledged>(64);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    std::thread::spawn(move || {
        while let Some(done) = heard.blocking_recv() {
            file.write_all(format!("{}\n", done.line()).as_bytes()).unwrap();
        }
    });
    let run = Uuid::now_v7().simple().to_string();
    let writers = Writers::start(&opened.stores, &documents, &run, &told, PACE);
    mover(&opened).carry_on().await.unwrap();
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(200)).await;
    writers.stop().await;
    opened.close().await;
}

fn documents(path: &Path) -> Vec<(UserId, DocumentId)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("document "));
    let ids = |line: &str| {
        let (user, document) = line.split_once(' ').unwrap();
        (UserId(user.parse().unwrap()), DocumentId(document.parse().unwrap()))
    };
    lines.map(ids).collect()
}

fn start(from: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::a_process_that_moves_a_database"])
        .env(FROM, from)
        .env(FILE, file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the process after ever longer times, until it gets to the end.
async fn move_with_kills(from: &str, to: &str, step: Duration) -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let acknowledged = folder.path().join("acknowledged");
    let opened = open(&config(from)).await.unwrap();
    let documents = seed(&opened.stores, 6).await;
    let lines: Vec<_> =
        documents.iter().map(|(user, document)| format!("document {user} {document}\n")).collect();
    std::fs::write(&acknowledged, lines.concat()).unwrap();
    ask(&opened, to, false).await.unwrap();
    opened.close().await;
    let mut kills = 0_u32;
    loop {
        let mut child = start(from, &acknowledged);
        let ended = tokio::time::timeout(step * (kills + 1).pow(2), child.wait()).await;
        if ended.is_err() {
            child.kill().await.unwrap();
        }
        match ended.ok().map(Result::unwrap) {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => kills += 1,
        }
        assert!(kills < 30, "it never ends");
    }
    let text = std::fs::read_to_string(&acknowledged).unwrap();
    let all: Vec<_> = text.lines().filter_map(Acknowledged::parse).collect();
    assert!(all.len() > 10, "{}", all.len());
    let opened = open(&config(from)).await.unwrap();
    check(&opened.stores, &documents, &all).await;
    assert_eq!(opened.stores.relational.inspect.integrity().await.unwrap(), Vec::<String>::new());
    opened.close().await;
    kills
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr)]
async fn a_move_survives_kills() {
    let Some(database) = PgDatabase::empty().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let step = Duration::from_millis(30);
    let there = move_with_kills(&file(&folder, "from"), &database.url(), step).await;
    let back = move_with_kills(&database.url(), &file(&folder, "to"), step).await;
    eprintln!("killed {there} times on the way there, {back} times on the way back");
    assert!(there > 3 && back > 3, "{there} {back}");
    database.drop().await;
}
