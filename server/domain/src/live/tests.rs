//! Tests of rooms over a faulty log.

mod limits;
mod others;
mod seated;
mod stories;
mod waiting;
mod yjs;

use super::{
    replica::{Loaded, Replica},
    seal::seal,
    testing::{DOCUMENT, MemoryLog, Trouble},
    *,
};
use crate::{
    budget::{Budget, BudgetSettings},
    error::{Error, Result},
    hash::sha256,
    storage::{LiveLog as _, LoadedLog, LoggedUpdate, StoredSnapshot, SystemIds},
};
use izanagi_shared::{
    crdt::{Change, Rejected, TextDoc, inspect_update},
    id::{ActorId, DocumentId},
    rules::MAX_CONTENT_BYTES,
    time::Timestamp,
};
use rstest::rstest;
use std::{future::pending, sync::Arc};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

const ANN: ActorId = ActorId(Uuid::from_u128(2));

/// Rooms over a log with one document.
struct Bench {
    log: Arc<MemoryLog>,
    rooms: Rooms,
    stop: CancellationToken,
    tasks: TaskTracker,
    budget: Budget,
}

impl Bench {
    fn new(text: &str) -> Self {
        Self::with(text, BudgetSettings::default())
    }

    fn with(text: &str, budget: BudgetSettings) -> Self {
        Self::with_log(MemoryLog::of(text), budget)
    }

    /// Rooms over a log that other rooms have used.
    fn over(log: Arc<MemoryLog>) -> Self {
        Self::with_log(log, BudgetSettings::default())
    }

    fn with_log(log: Arc<MemoryLog>, budget: BudgetSettings) -> Self {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let settings =
            LiveSettings { max_update_bytes: 2 * MAX_CONTENT_BYTES, ..Default::default() };
        let mut context = log.context(settings, budget);
        context.stop = stop.clone();
        let budget = context.budget.clone();
        let rooms = Rooms::over(context, tasks.clone());
        Self { log, rooms, stop, tasks, budget }
    }

    /// Closes the rooms, which persist everything.
    async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn trouble(&self, trouble: Trouble) {
        *self.log.trouble.lock() = trouble;
    }

    /// Submits an update of Ann's; returns its seq, whether it waits or not.
    async fn submit(&self, op_id: &str, delta: Vec<u8>) -> Result<u64> {
        self.send(ANN, op_id, delta).await.map(|receipt| receipt.seq)
    }

    async fn send(&self, actor: ActorId, op_id: &str, delta: Vec<u8>) -> Result<Receipt> {
        let op_id = op_id.to_owned();
        self.rooms.submit(DOCUMENT, ClientUpdate { actor, op_id, delta }).await
    }

    async fn edit(&self, op_id: &str, content: &str) -> Result<EditOutcome> {
        let kind = EditKind::Replace { content: content.to_owned(), expected: None };
        let (op_id, request_hash) = (op_id.to_owned(), kind.request_hash());
        let edit = ServerEdit { actor: ANN, op_id, request_hash, kind };
        self.rooms.edit(DOCUMENT, edit).await
    }

    async fn text(&self) -> String {
        self.rooms.read(DOCUMENT).await.unwrap().content.to_string()
    }

    /// Creates a replica with the given client id.
    fn replica(&self, client: u64) -> TextDoc {
        TextDoc::load(client, &decoded(self.log.kept.lock().newest())).unwrap()
    }

    fn quarantined(&self) -> Vec<u64> {
        self.log.kept.lock().quarantined.clone()
    }
}

/// The state in a stored snapshot.
fn decoded(StoredSnapshot { seq, state }: &StoredSnapshot) -> Vec<u8> {
    Snapshot::decode(DOCUMENT, *seq, state).unwrap().state
}

fn update(op_id: &str, delta: Vec<u8>) -> ClientUpdate {
    ClientUpdate { actor: ANN, op_id: op_id.to_owned(), delta }
}

fn insert(text: &str) -> Vec<Change> {
    vec![Change { from: 0, to: 0, insert: text.to_owned() }]
}

fn loaded(live_seq: u64, snapshot: StoredSnapshot, updates: Vec<LoggedUpdate>) -> LoadedLog {
    let (lineage, quarantined, full) = ([0; 16], Vec::new(), Vec::new());
    LoadedLog { live_seq, head_is_damaged: false, lineage, snapshot, updates, quarantined, full }
}

fn is_quarantined<T>(answer: &Result<T>) -> bool {
    matches!(answer, Err(Error::BadUpdate(why)) if why == QUARANTINED)
}

#[test]
fn loading_stops_at_the_first_inapplicable_row() {
    let (_, state) = TextDoc::from_text(1, "kept");
    let at = Timestamp::default();
    let row = |seq| LoggedUpdate { seq, actor: ANN, delta: seal(b"no update"), at };
    let snapshot =
        StoredSnapshot { seq: 0, state: Snapshot::first(state.clone()).encode(DOCUMENT, 0) };
    let updates = vec![row(1), row(2)];
    let log = loaded(2, snapshot, updates);
    let loaded = Replica::load(DOCUMENT, log, &SystemIds, BudgetSettings::default(), None).unwrap();
    assert!(matches!(loaded, Loaded::Invalid(Rejected { tag: 1, .. }, None)));
}

#[test]
fn a_trial_checks_like_the_real_document() {
    let (_, state) = TextDoc::from_text(1, "abcdef");
    let snapshot =
        StoredSnapshot { seq: 0, state: Snapshot::first(state.clone()).encode(DOCUMENT, 0) };
    let log = loaded(0, snapshot, Vec::new());
    let Loaded::Whole(replica, _) =
        Replica::load(DOCUMENT, log, &SystemIds, BudgetSettings::default(), None).unwrap()
    else {
        panic!()
    };
    let crossed = [1, 1, 2, 0, 0xc4, 1, 4, 1, 1, 1, b'X', 0];
    let summary = inspect_update(&crossed).unwrap();
    let trial = replica.fit(&crossed, &summary);
    assert!(matches!(trial, Err(Error::BadUpdate(_))), "{trial:?}");
}

#[tokio::test]
async fn an_inapplicable_update_is_quarantined_and_never_acknowledged() {
    let bench = Bench::new("kept");
    let mut replica = bench.replica(7);
    let (bad, good) = (replica.edit(&insert("a")), replica.edit(&insert("b")));
    // The reply is lost, so the room reads the row back and appends again.
    bench.trouble(Trouble { spoils_rows: true, loses_a_reply: true, ..Trouble::default() });
    let answer = bench.submit("bad", bad.clone()).await;
    assert!(is_quarantined(&answer), "{answer:?}");
    bench.trouble(Trouble::default());
    let again = bench.submit("bad", bad).await;
    assert!(is_quarantined(&again), "{again:?}");
    assert_eq!(bench.submit("good", good).await.unwrap(), 2);
    assert_eq!(bench.quarantined(), [1]);
    assert_eq!(bench.text().await, "kept");
}

#[tokio::test]
async fn a_forged_update_is_refused_with_an_explanation() {
    let bench = Bench::new("abcdef");
    let crossed = vec![1, 1, 2, 0, 0xc4, 1, 4, 1, 1, 1, b'X', 0];
    for _ in 0..2 {
        let answer = bench.submit("forged", crossed.clone()).await;
        let Err(Error::BadUpdate(why)) = &answer else { panic!("{answer:?}") };
        assert!(why.contains("side by side"), "{why}");
    }
    let delta = bench.replica(7).edit(&insert("well "));
    assert_eq!(bench.submit("good", delta).await.unwrap(), 1);
    bench.rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(bench.text().await, "well abcdef");
    assert!(bench.quarantined().is_empty());
}

#[tokio::test]
async fn a_pending_update_that_turns_out_invalid_is_quarantined() {
    let bench = Bench::new("abcdef");
    // It waits for another client, whose item turns out to be at a different place.
    let waits = vec![1, 1, 2, 0, 0xc4, 3, 0, 1, 1, 1, b'X', 0];
    assert_eq!(bench.submit("waits", waits).await.unwrap(), 1);
    let other = vec![1, 1, 3, 0, 0x84, 1, 5, 1, b'Y', 0];
    assert_eq!(bench.submit("other", other).await.unwrap(), 2);
    assert_eq!(bench.quarantined(), [1]);
    bench.rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(bench.text().await, "abcdefY");
}

#[tokio::test]
async fn a_reloaded_batch_acknowledges_no_bad_rows() {
    let bench = Bench::new("kept");
    let deltas = [7, 8, 9].map(|client| bench.replica(client).edit(&insert("x")));
    bench.trouble(Trouble { spoils_rows: true, loses_a_reply: true, ..Trouble::default() });
    let [a, b, c] = deltas;
    let answers = futures::join!(bench.submit("a", a), bench.submit("b", b), bench.submit("c", c));
    for answer in [answers.0, answers.1, answers.2] {
        assert!(is_quarantined(&answer), "{answer:?}");
    }
    assert_eq!(bench.quarantined(), [1, 2, 3]);
}

#[tokio::test]
async fn a_quarantined_server_edit_is_refused_each_time() {
    let bench = Bench::new("kept");
    bench.trouble(Trouble { spoils_rows: true, loses_a_reply: true, ..Trouble::default() });
    for _ in 0..2 {
        let answer = bench.edit("op", "other").await;
        assert!(is_quarantined(&answer), "{answer:?}");
        bench.trouble(Trouble::default());
    }
    assert_eq!(bench.text().await, "kept");
    let other = bench.edit("op", "another").await;
    assert!(matches!(other, Err(Error::IdempotencyMismatch)), "{other:?}");
}

#[tokio::test]
async fn a_refused_server_edit_leaves_the_room_unchanged() {
    let bench = Bench::new("kept");
    let refused = bench.edit("op", "a\0b").await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    let delta = bench.replica(7).edit(&insert("well "));
    bench.submit("next", delta).await.unwrap();
    assert_eq!(bench.text().await, "well kept");
}

#[tokio::test]
async fn a_panicking_log_is_retried() {
    let bench = Bench::new("");
    bench.trouble(Trouble { panics: true, ..Trouble::default() });
    let delta = bench.replica(7).edit(&insert("a"));
    assert_eq!(bench.submit("op", delta).await.unwrap(), 1);
    assert_eq!(bench.text().await, "a");
}

#[tokio::test]
async fn an_update_is_checked_against_its_batch() {
    let bench = Bench::new("abcdef");
    bench.text().await;
    // The second update depends on the first and declares wrong neighbours.
    let first = vec![1, 1, 2, 0, 0xc4, 1, 1, 1, 2, 1, b'X', 0];
    let second = vec![1, 1, 2, 1, 0xc4, 2, 0, 1, 1, 1, b'Y', 0];
    let answers = futures::join!(bench.submit("a", first), bench.submit("b", second));
    assert_eq!(answers.0.unwrap(), 1);
    let Err(Error::BadUpdate(why)) = &answers.1 else { panic!("{:?}", answers.1) };
    assert!(why.contains("side by side"), "{why}");
    assert!(bench.quarantined().is_empty());
    assert_eq!(bench.text().await, "abXcdef");
}

#[tokio::test]
async fn updates_of_a_batch_may_depend_on_each_other() {
    let bench = Bench::new("");
    bench.text().await;
    let mut replica = bench.replica(7);
    let [a, b, c] = ["1", "2", "3"].map(|text| replica.edit(&insert(text)));
    let answers = futures::join!(bench.submit("a", a), bench.submit("b", b), bench.submit("c", c));
    assert_eq!((answers.0.unwrap(), answers.1.unwrap(), answers.2.unwrap()), (1, 2, 3));
    assert_eq!(bench.text().await, "321");
}

#[tokio::test]
async fn a_panic_in_a_check_costs_only_the_replica() {
    let (_, state) = TextDoc::from_text(1, "kept");
    let snapshot =
        StoredSnapshot { seq: 0, state: Snapshot::first(state.clone()).encode(DOCUMENT, 0) };
    let log = loaded(0, snapshot, Vec::new());
    let loaded = Replica::load(DOCUMENT, log, &SystemIds, BudgetSettings::default(), None).unwrap();
    let Loaded::Whole(mut replica, _) = loaded else { panic!() };
    replica.lineage.1 = true;
    let delta = TextDoc::load(7, &state).unwrap().edit(&insert("a"));
    for _ in 0..2 {
        let refused = replica.admit(update("op", delta.clone()), None);
        assert!(matches!(refused, Err(Error::Internal(_))));
        assert!(replica.is_broken);
    }
}

#[tokio::test]
async fn a_room_sees_writes_of_another_room() {
    let log = MemoryLog::of("");
    let context = log.context(LiveSettings::default(), BudgetSettings::default());
    let rooms = || Rooms::over(context.clone(), TaskTracker::new());
    let (closing, opened) = (rooms(), rooms());
    assert_eq!(opened.read(DOCUMENT).await.unwrap().facts.seq, 0);
    let delta = TextDoc::new(7).edit(&insert("a"));
    assert_eq!(closing.submit(DOCUMENT, update("op", delta)).await.unwrap().seq, 1);
    let text = opened.read(DOCUMENT).await.unwrap();
    assert_eq!((&*text.content, text.facts.seq), ("a", 1));
}

#[rstest]
#[case::on_leaving(Duration::from_secs(2))]
#[case::after_a_while(Duration::from_secs(100))]
#[tokio::test(start_paused = true)]
async fn a_failed_text_write_is_retried(#[case] down_for: Duration) {
    let bench = Bench::new("");
    bench.trouble(Trouble { refuses_texts: true, ..Trouble::default() });
    let delta = bench.replica(7).edit(&insert("a"));
    bench.submit("op", delta).await.unwrap();
    // Tokio's paused clock advances when all tasks are idle.
    let _ = timeout(down_for, pending::<()>()).await;
    let refused = std::mem::take(&mut bench.log.trouble.lock().refused_texts);
    assert!((1..10).contains(&refused), "asked {refused} times");
    bench.trouble(Trouble::default());
    assert_eq!(bench.log.kept.lock().text, "");
    bench.close().await;
    assert_eq!(bench.log.kept.lock().text, "a");
}

#[test]
fn a_merge_is_recognised_with_any_base() {
    let merge = |base: &str| EditKind::Merge { base: base.to_owned(), content: "c".to_owned() };
    assert_eq!(merge("a").request_hash(), merge("b").request_hash());
    assert_eq!(merge("a").request_hash(), EditKind::merge_hash("c"));
    let replace = EditKind::Replace { content: "c".to_owned(), expected: None };
    assert_ne!(merge("a").request_hash(), replace.request_hash());
    assert_ne!(replace.request_hash(), sha256("c"));
}
