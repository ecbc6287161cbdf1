//! Commits over two real servers (DESIGN §5): what is in PostgreSQL and what is in MongoDB, with a fault of
//! each kind at each step. [`TABLE`] says what the caller is told. Whatever it was, the version is made
//! once, the one before becomes a delta, and no content of an abandoned attempt is left. Without servers, the tests say so and
//! pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod support;

#[path = "support/servers.rs"]
mod servers;
#[path = "../../storage/tests/contract/services.rs"]
mod services;

use futures::future::join_all;
use izanagi_domain::{
    documents::RequestKey,
    error::Error,
    jobs::LEASE,
    storage::{Freshness, RecordIndex, RecordPath},
    versions::{CommitInput, INTENT_LIFETIME},
};
use izanagi_shared::{id::DocumentId, wire::VersionNote};
use izanagi_storage::faulty::{CallInfo, Fault, Injector, wrap};
use servers::Servers;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use support::World;

/// Each call of a commit to a store, in order, and what the caller is told at first if this call meets a
/// fault:
///
/// - `made`: the version.
/// - `again`: to try again; then it got the version.
/// - `nothing`, as the call hangs; then it tried again.
/// - `missing`: that there is no such document; then it tried again.
/// - `failed`: an internal error; then it tried again.
/// - `-`: the fault does not fit the call, or its answer has nothing to corrupt.
///
/// All attempts have the same key. Only a store that breaks its promise of fresh reads gives an old
/// answer where `missing` and `failed` stand.
const TABLE: &str = "
                     ErrorBefore LostReply   LateEffect  Repeat      Hang        StaleRead   CorruptByte KillBefore  KillAfter
catalog.get_for      again       -           -           -           nothing     missing     -           again       -
versions.by_request  again       -           -           -           nothing     -           -           again       -
versions.get         again       -           -           -           nothing     failed      -           again       -
log.load             again       -           -           -           nothing     missing     again       again       -
versions.get         again       -           -           -           nothing     -           -           again       -
records.get          again       -           -           -           nothing     made        made        again       -
intents.open         again       made        made        made        nothing     -           -           again       again
records.create       again       made        made        made        nothing     -           -           again       again
intents.commit       again       made        made        made        nothing     -           -           again       again
";

/// Kinds of faults: the columns of the table.
const FAULTS: [Fault; 9] = [
    Fault::ErrorBefore,
    Fault::LostReply,
    Fault::LateEffect,
    Fault::Repeat,
    Fault::Hang,
    Fault::StaleRead,
    Fault::CorruptByte,
    Fault::KillBefore,
    Fault::KillAfter,
];

/// The number of the commit's own calls. The others are of the jobs after it.
const STEPS: usize = 9;

/// Worlds in which commits run beside each other.
const WORLDS: usize = 4;

/// Tries before a run counts as failed.
const TRIES: usize = 20;

/// Of the faults after a commit, one in so many is tried by default.
const SAMPLE: usize = 7;

/// Timeout of an attempt whose call hangs.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Timeout of all others.
const LIMIT: Duration = Duration::from_secs(60);

/// What became of one run.
struct Run {
    told: &'static str,
    calls: Vec<CallInfo>,
    fired: bool,
}

fn patience(fault: Option<Fault>) -> Duration {
    if fault == Some(Fault::Hang) { PATIENCE } else { LIMIT }
}

fn text(version: u64) -> String {
    let line = |line| format!("Line {line} of a text that grows by one line a version.\n");
    (0..20 + version).map(line).collect()
}

/// A world whose rooms save no text while a test runs, so that all commits read the same.
async fn world(servers: &Servers) -> World {
    let mut plan = servers.plan(20);
    plan.settings.live.settle_after = LIMIT * 60;
    plan.settings.live.append_timeout = LIMIT;
    World::with(plan).await
}

/// A document with two versions and a third to be made.
async fn prepared(base: &World) -> DocumentId {
    let document = base.create(&text(0)).await;
    for number in 1..=2 {
        base.write(document, &text(number)).await;
        base.commit(document, "before").await.unwrap();
    }
    base.services.jobs.work_off().await.unwrap();
    base.write(document, &text(3)).await;
    document
}

/// Commits the third version at a node whose stores have the injector's fault, and does all that follows
/// from it there.
async fn run(base: &World, injector: &Arc<Injector>, fault: Option<Fault>) -> Run {
    let patience = patience(fault);
    let document = prepared(base).await;
    let mut node = World::beside(base, |stores| wrap(stores, injector));
    let key = || RequestKey::new(base.ada.user, "POST", "/table", &document.to_string()).unwrap();
    let mut told = None;
    let mut tries = 0..TRIES;
    let made = loop {
        tries.next().expect("each try fails");
        let commit = async {
            let editor = node.services.documents.for_editor(&node.ada.into(), document).await?;
            let input = CommitInput { note: VersionNote::new("third"), content: None, key: key() };
            node.services.versions.commit(&editor, input).await
        };
        match tokio::time::timeout(patience, commit).await {
            Ok(Ok(version)) => break version,
            Ok(Err(Error::Unavailable(_))) => told = told.or(Some("again")),
            // Damaged bytes are noticed.
            Ok(Err(Error::CorruptDocument(_) | Error::CorruptVersion { .. })) => {
                told = told.or(Some("again"));
            }
            Ok(Err(Error::NotFound(_))) => told = told.or(Some("missing")),
            Ok(Err(Error::Internal(_))) => told = told.or(Some("failed")),
            Ok(Err(error)) => panic!("{error:?}"),
            Err(_) => told = told.or(Some("nothing")),
        }
        injector.release().await;
        node = restarted(base, node, injector).await;
    };
    assert_eq!(made.number, 3);
    work_off(base, &mut node, injector, patience).await;
    base.clock.advance(INTENT_LIFETIME * 2);
    let mut tries = 0..TRIES;
    while !matches!(
        tokio::time::timeout(patience, node.services.versions.collect_garbage()).await,
        Ok(Ok(_))
    ) {
        tries.next().expect("each collection of garbage fails");
        injector.release().await;
        node = restarted(base, node, injector).await;
    }
    work_off(base, &mut node, injector, patience).await;
    injector.release().await;
    node.services.shut_down().await;
    check(base, document, fault != Some(Fault::StaleRead)).await;
    let (calls, fired) = (injector.calls(), injector.fired().is_some());
    Run { told: told.unwrap_or("made"), calls, fired }
}

/// The process starts again, if the fault killed it.
async fn restarted(base: &World, node: World, injector: &Arc<Injector>) -> World {
    let kills = |fault: &Fault| matches!(fault, Fault::KillBefore | Fault::KillAfter);
    if !injector.faults().iter().any(|(_, fault)| kills(fault)) {
        return node;
    }
    node.services.shut_down().await;
    injector.revive();
    World::beside(base, |stores| wrap(stores, injector))
}

/// Works until no job is left, also those that another process had claimed.
async fn work_off(base: &World, node: &mut World, injector: &Arc<Injector>, patience: Duration) {
    for _ in 0..TRIES {
        base.clock.advance(LEASE * 6);
        let worked = tokio::time::timeout(patience, node.services.jobs.work_off()).await;
        injector.release().await;
        if worked.is_ok_and(|worked| worked.is_ok())
            && base.stores.relational.outbox.pending(1).await.unwrap().is_empty()
        {
            return;
        }
        let former = std::mem::replace(node, World::beside(base, |stores| wrap(stores, injector)));
        injector.revive();
        former.services.shut_down().await;
    }
    panic!("jobs are left");
}

/// The version is there once, the one before is a delta (unless the job saw an old state, and had nothing
/// to do), and no other content is left.
async fn check(base: &World, document: DocumentId, demoted: bool) {
    let row = base.reader(document).await.row().clone();
    assert_eq!(row.head_version, 3);
    for number in 1..=3 {
        assert_eq!(base.content(document, number).await, text(number), "version {number}");
    }
    let versions = &base.stores.relational.versions;
    let before = versions.get(Freshness::Fresh, document, 2).await.unwrap();
    assert!(before.is_delta || !demoted);
    let contents = RecordPath::contents_of(document);
    let index = RecordIndex::CollectionId;
    let records = base.stores.documents.paths(index, &contents, None, 10, true).await.unwrap();
    assert_eq!(records.len(), 3, "contents of abandoned attempts are left");
}

/// Runs a commit for each of these calls and faults, in worlds of their own beside each other.
async fn run_all(cases: Vec<(CallInfo, Fault)>) -> Vec<(CallInfo, Fault, Run)> {
    let worlds = (0..WORLDS).map(|first| {
        let cases: Vec<_> = cases.iter().copied().skip(first).step_by(WORLDS).collect();
        async move {
            let servers = Servers::new().await.unwrap();
            let base = world(&servers).await;
            let mut runs = Vec::new();
            for (call, fault) in cases {
                println!("{fault:?} at {call:?}");
                let run = run(&base, &Injector::nth(call.index, fault), Some(fault)).await;
                runs.push((call, fault, run));
            }
            base.fsck_is_clean().await;
            servers.end(base).await;
            runs
        }
    });
    let mut runs: Vec<_> = join_all(worlds).await.into_iter().flatten().collect();
    runs.sort_by_key(|(call, ..)| call.index);
    runs
}

/// The calls of a run without faults; `None` without servers.
async fn calls() -> Option<Vec<CallInfo>> {
    let servers = Servers::new().await?;
    let base = world(&servers).await;
    let quiet = run(&base, &Injector::quiet(), None).await;
    servers.end(base).await;
    assert_eq!(quiet.told, "made");
    Some(quiet.calls)
}

fn cases(calls: &[CallInfo]) -> Vec<(CallInfo, Fault)> {
    let fitting = |call: &CallInfo| {
        let call = *call;
        FAULTS
            .into_iter()
            .filter(move |fault| fault.fits(call.class))
            .map(move |fault| (call, fault))
    };
    calls.iter().flat_map(fitting).collect()
}

/// The table as it is written above.
fn table(runs: &[(CallInfo, Fault, Run)]) -> String {
    let row = |first: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:<12}")).collect();
        format!("{first:<21}{cells}").trim_end().to_owned()
    };
    let mut lines = vec![row("", FAULTS.iter().map(|fault| format!("{fault:?}")).collect())];
    for call in runs.iter().map(|(call, ..)| call.index).collect::<BTreeSet<_>>() {
        let runs: Vec<_> = runs.iter().filter(|(it, ..)| it.index == call).collect();
        let cell = |fault: &Fault| {
            let told =
                runs.iter().find(|(_, it, run)| it == fault && run.fired).map(|it| it.2.told);
            told.unwrap_or("-").to_owned()
        };
        let CallInfo { store, method, .. } = runs[0].0;
        lines.push(row(&format!("{store}.{method}"), FAULTS.iter().map(cell).collect()));
    }
    format!("\n{}\n", lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_says_what_the_caller_is_told() {
    let Some(calls) = calls().await else { return };
    let found = table(&run_all(cases(&calls[..STEPS])).await);
    assert!(found == TABLE, "this is what it was:{found}");
}

/// What follows from a commit, by jobs, fails without harm. A sample; `make faults` runs all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_has_the_version_whatever_the_jobs_after_it_meet() {
    let Some(calls) = calls().await else { return };
    let step = if std::env::var_os("FAULTS_ALL").is_some() { 1 } else { SAMPLE };
    let cases: Vec<_> = cases(&calls[STEPS..]).into_iter().step_by(step).collect();
    let runs = run_all(cases).await;
    for (call, fault, run) in &runs {
        assert_eq!(run.told, "made", "{fault:?} at {call:?}");
    }
    assert!(runs.iter().filter(|(.., run)| run.fired).count() > runs.len() / 2);
}
