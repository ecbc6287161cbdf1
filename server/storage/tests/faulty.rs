//! Effects of each fault on a call: what its caller learns, and what the store behind the injector
//! contains afterwards.

#[path = "faulty/memory.rs"]
mod memory;
#[path = "faulty/whole.rs"]
mod whole;

use izanagi_domain::storage::{
    Batch, ClientOwner, Constraint, Data, DocumentStore, LiveLog, NewRecord, NewUpdate, Record,
    RecordIndex, RecordPath, StoreError, StoreResult,
};
use izanagi_shared::{
    id::{ActorId, DocumentId},
    time::Timestamp,
};
use izanagi_storage::faulty::{CallInfo, Class, Fault, Faulty, Injector};
use memory::{Log, Records, STATE, TEXT};
use rstest::rstest;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

const AT: Timestamp = Timestamp::from_micros(1);

/// Two stores behind one injector, with direct access to the same stores.
struct Bench {
    injector: Arc<Injector>,
    records: Arc<Faulty<Records>>,
    log: Arc<Faulty<Log>>,
    real_records: Arc<Records>,
    real_log: Arc<Log>,
}

impl Bench {
    fn new(injector: Arc<Injector>) -> Self {
        let (real_records, real_log) = (Arc::<Records>::default(), Arc::<Log>::default());
        Self {
            records: Arc::new(Faulty::new(real_records.clone(), &injector)),
            log: Arc::new(Faulty::new(real_log.clone(), &injector)),
            injector,
            real_records,
            real_log,
        }
    }

    /// Creates a record through the injector.
    async fn create(&self, id: &str) -> StoreResult<()> {
        self.records.create(&record(id, "content"), AT).await
    }

    /// Whether the store behind the injector has this record.
    async fn has(&self, id: &str) -> bool {
        self.real_records.get(&path(id)).await.is_ok()
    }

    /// Returns all records in the store behind the injector.
    async fn all_records(&self) -> StoreResult<Vec<Record>> {
        self.real_records.query(RecordIndex::CollectionId, "notes", None, u32::MAX, false).await
    }

    fn fault_fired(&self) -> bool {
        self.injector.fired().is_some()
    }
}

fn path(id: &str) -> RecordPath {
    RecordPath::from_parts("notes", id)
}

fn data(content: &str) -> Data {
    let mut data = Data::new();
    data.insert("content".to_owned(), content.into());
    data
}

fn record(id: &str, content: &str) -> NewRecord {
    NewRecord { path: path(id), data: data(content) }
}

fn document(number: u128) -> DocumentId {
    DocumentId(Uuid::from_u128(number))
}

/// Creates one update per letter.
fn batch(number: u128, op_ids: &str) -> Batch {
    let update = |op_id: char| NewUpdate {
        actor: ActorId(Uuid::nil()),
        op_id: op_id.to_string(),
        delta: Vec::new().into(),
        delta_hash: [0; 32],
        clients: Vec::new(),
        client_owner: ClientOwner::Server,
        missing_clients: Vec::new(),
    };
    Batch {
        document_id: document(number),
        updates: op_ids.chars().map(update).collect(),
        after: None,
        at: AT,
    }
}

fn is_unavailable<R>(answer: &StoreResult<R>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

fn is_unknown<R>(answer: &StoreResult<R>) -> bool {
    matches!(answer, Err(StoreError::Unknown(_)))
}

#[tokio::test]
async fn a_passive_injector_counts_the_calls_of_all_stores() {
    let bench = Bench::new(Injector::quiet());
    bench.create("a").await.unwrap();
    bench.log.text(document(1)).await.unwrap();
    bench.records.query(RecordIndex::CollectionId, "notes", None, 9, false).await.unwrap();
    let call = |index, store, method, class| CallInfo { index, store, method, class };
    let expected = [
        call(0, "records", "create", Class::Write),
        call(1, "log", "text", Class::Read),
        call(2, "records", "query", Class::Read),
    ];
    assert_eq!(bench.injector.calls(), expected);
    assert_eq!(bench.injector.fired(), None);
}

#[tokio::test]
async fn only_the_nth_call_meets_the_fault() {
    let bench = Bench::new(Injector::nth(1, Fault::ErrorBefore));
    bench.create("a").await.unwrap();
    assert!(is_unavailable(&bench.create("b").await));
    bench.create("c").await.unwrap();
    assert_eq!(
        (bench.has("a").await, bench.has("b").await, bench.has("c").await),
        (true, false, true)
    );
    assert_eq!(bench.injector.fired(), Some(bench.injector.calls()[1]));
    assert_eq!(bench.injector.faults(), [(bench.injector.calls()[1], Fault::ErrorBefore)]);
}

#[tokio::test]
async fn a_lost_reply_is_unknown_after_the_effect() {
    let bench = Bench::new(Injector::nth(0, Fault::LostReply));
    assert!(is_unknown(&bench.create("a").await));
    assert!(bench.has("a").await && bench.fault_fired());
}

#[tokio::test]
async fn a_late_effect_is_missed_by_the_next_read() {
    let bench = Bench::new(Injector::nth(0, Fault::LateEffect));
    assert!(is_unknown(&bench.create("a").await));
    assert!(!bench.has("a").await && bench.fault_fired());
    assert_eq!(bench.records.get(&path("a")).await, Err(StoreError::NotFound));
    assert!(bench.has("a").await);
    assert!(bench.records.get(&path("a")).await.is_ok());
}

#[tokio::test]
async fn a_late_effect_follows_a_call_to_any_store() {
    let bench = Bench::new(Injector::nth(0, Fault::LateEffect));
    assert!(is_unknown(&bench.create("a").await));
    bench.log.text(document(1)).await.unwrap();
    assert!(bench.has("a").await);
}

#[tokio::test]
async fn a_late_effect_follows_the_retry_of_its_caller() {
    let bench = Bench::new(Injector::nth(0, Fault::LateEffect));
    assert!(is_unknown(&bench.records.create(&record("a", "first"), AT).await));
    bench.records.create(&record("a", "second"), AT).await.unwrap();
    assert_eq!(bench.real_records.get(&path("a")).await.unwrap().data, data("second"));
}

#[tokio::test]
async fn a_late_effect_can_be_released() {
    let bench = Bench::new(Injector::nth(0, Fault::LateEffect));
    assert!(is_unknown(&bench.create("a").await));
    bench.injector.release().await;
    assert!(bench.has("a").await);
}

#[tokio::test]
async fn a_hanging_call_is_answered_when_released() {
    let bench = Arc::new(Bench::new(Injector::nth(0, Fault::Hang)));
    let caller = tokio::spawn({
        let bench = bench.clone();
        async move { bench.create("a").await }
    });
    assert_eq!(bench.injector.until_fired().await.method, "create");
    bench.log.text(document(1)).await.unwrap();
    assert!(!caller.is_finished() && !bench.has("a").await);
    bench.injector.release().await;
    assert_eq!(caller.await.unwrap(), Ok(()));
    assert!(bench.has("a").await);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_write_executes_even_if_its_caller_is_gone() {
    let bench = Bench::new(Injector::nth(0, Fault::Hang));
    assert!(timeout(Duration::from_secs(60), bench.create("a")).await.is_err());
    assert!(!bench.has("a").await);
    bench.injector.release().await;
    assert!(bench.has("a").await);
}

#[tokio::test(start_paused = true)]
async fn reads_hang_too() {
    let bench = Bench::new(Injector::nth(0, Fault::Hang));
    assert!(timeout(Duration::from_secs(60), bench.log.text(document(1))).await.is_err());
    assert!(bench.fault_fired());
}

#[tokio::test]
async fn a_repeat_returns_the_second_answer() {
    let bench = Bench::new(Injector::nth(0, Fault::Repeat));
    let answer = bench.create("a").await;
    assert_eq!(answer, Err(StoreError::Conflict(Constraint::RecordExists)));
    assert!(bench.has("a").await && bench.fault_fired());
}

#[rstest]
#[case::two_halves("ab cd", "ab")]
#[case::within_a_batch("a bcde", "ab")]
#[case::one_of_three("abc", "a")]
#[case::one_is_no_batch("a", "a")]
#[tokio::test]
async fn a_partial_batch_executes_its_first_half(#[case] batches: &str, #[case] expected: &str) {
    let bench = Bench::new(Injector::nth(0, Fault::PartialBatch));
    let batches: Vec<_> =
        (1..).zip(batches.split(' ')).map(|(number, op_ids)| batch(number, op_ids)).collect();
    assert!(is_unknown(&bench.log.append(&batches).await));
    let done: String = bench.real_log.ops.lock().iter().map(|(_, op_id)| op_id.as_str()).collect();
    assert_eq!(done, expected);
    assert!(bench.fault_fired());
}

#[tokio::test]
async fn a_single_write_is_executed_completely() {
    let bench = Bench::new(Injector::nth(0, Fault::PartialBatch));
    assert!(is_unknown(&bench.create("a").await));
    assert!(bench.has("a").await && bench.fault_fired());
}

#[tokio::test]
async fn a_stale_read_returns_the_last_answer_of_the_same_call() {
    let bench = Bench::new(Injector::nth(4, Fault::StaleRead));
    bench.create("a").await.unwrap();
    let before = bench.records.get(&path("a")).await.unwrap();
    assert_eq!(bench.records.get(&path("b")).await, Err(StoreError::NotFound));
    bench.records.update(&path("a"), 1, &data("newer"), AT).await.unwrap();
    assert_eq!(bench.records.get(&path("a")).await, Ok(before.clone()));
    assert!(bench.fault_fired());
    assert_ne!(bench.records.get(&path("a")).await, Ok(before));
}

#[tokio::test]
async fn a_first_stale_read_is_empty() {
    let one = Bench::new(Injector::nth(1, Fault::StaleRead));
    one.create("a").await.unwrap();
    assert_eq!(one.records.get(&path("a")).await, Err(StoreError::NotFound));
    assert!(one.fault_fired());

    let many = Bench::new(Injector::nth(1, Fault::StaleRead));
    many.create("a").await.unwrap();
    assert_eq!(
        many.records.query(RecordIndex::CollectionId, "notes", None, 9, false).await,
        Ok(Vec::new())
    );
    assert!(many.fault_fired());
}

#[tokio::test]
async fn an_up_to_date_stale_read_has_not_fired() {
    let bench = Bench::new(Injector::nth(2, Fault::StaleRead));
    bench.create("a").await.unwrap();
    let before = bench.records.get(&path("a")).await;
    assert_eq!(bench.records.get(&path("a")).await, before);
    assert!(!bench.fault_fired());
}

#[tokio::test]
async fn corruption_changes_the_answer_but_not_the_store() {
    let bench = Bench::new(Injector::nth(1, Fault::CorruptByte));
    bench.create("a").await.unwrap();
    let read = bench.records.get(&path("a")).await.unwrap();
    assert_ne!(read.data, data("content"));
    assert_eq!(read.data["content"].as_text().map(str::len), Some("content".len()));
    assert!(bench.fault_fired());
    assert_eq!(bench.records.get(&path("a")).await.unwrap().data, data("content"));
}

#[tokio::test]
async fn states_and_texts_are_corrupted() {
    let bench = Bench::new(Injector::seeded_among(1, 1.0, &[Fault::CorruptByte]));
    let state = bench.log.load(document(1)).await.unwrap().snapshot.state;
    let content = bench.log.text(document(1)).await.unwrap().content;
    assert!(state != STATE && state.len() == STATE.len(), "{state:?}");
    assert!(content != TEXT && content.len() == TEXT.len(), "{content:?}");
    assert_eq!(bench.injector.faults().len(), 2);
}

#[tokio::test]
async fn an_answer_without_content_is_not_corrupted() {
    let bench = Bench::new(Injector::seeded_among(1, 1.0, &[Fault::CorruptByte]));
    assert_eq!(bench.records.get(&path("a")).await, Err(StoreError::NotFound));
    assert_eq!(
        bench.records.query(RecordIndex::CollectionId, "notes", None, 9, false).await,
        Ok(Vec::new())
    );
    assert!(bench.log.known_op(document(1), ActorId(Uuid::nil()), "op").await.is_err());
    assert!(!bench.fault_fired());
}

#[rstest]
#[case::before_the_effect(Fault::KillBefore, false)]
#[case::after_the_effect(Fault::KillAfter, true)]
#[tokio::test]
async fn a_killed_process_does_nothing_until_revived(#[case] kill: Fault, #[case] effect: bool) {
    let bench = Bench::new(Injector::nth(0, kill));
    assert!(is_unknown(&bench.create("a").await));
    assert_eq!(bench.has("a").await, effect);
    assert!(is_unavailable(&bench.create("b").await));
    assert!(is_unavailable(&bench.log.append(&[batch(1, "a")]).await));
    assert!(is_unavailable(&bench.log.text(document(1)).await));
    assert!(!bench.has("b").await && bench.real_log.ops.lock().is_empty());
    assert_eq!(bench.injector.faults().len(), 1);

    bench.injector.revive();
    bench.create("b").await.unwrap();
    assert!(bench.has("b").await);
}

#[tokio::test]
async fn a_kill_discards_late_and_hanging_effects() {
    let kinds = [Fault::LateEffect, Fault::Hang, Fault::KillBefore];
    let mut met = Vec::new();
    for seed in 0..20 {
        let bench = Arc::new(Bench::new(Injector::seeded_among(seed, 1.0, &kinds)));
        let mut callers = Vec::new();
        let mut before_death = Ok(Vec::new());
        while !bench.injector.faults().iter().any(|(_, fault)| *fault == Fault::KillBefore) {
            before_death = bench.all_records().await;
            let (bench, id) = (bench.clone(), callers.len().to_string());
            callers.push(tokio::spawn(async move { bench.create(&id).await }));
            tokio::task::yield_now().await;
        }
        bench.injector.release().await;
        assert_eq!(bench.all_records().await, before_death, "seed {seed}");
        for caller in callers {
            let answer = caller.await.unwrap();
            assert!(is_unknown(&answer) || is_unavailable(&answer), "seed {seed}: {answer:?}");
        }
        met.extend(bench.injector.faults().into_iter().map(|(_, fault)| fault));
    }
    assert!(kinds.iter().all(|kind| met.contains(kind)), "{met:?}");
}

#[rstest]
#[tokio::test]
async fn an_inapplicable_fault_does_not_fire(
    #[values(
        Fault::LostReply,
        Fault::LateEffect,
        Fault::Repeat,
        Fault::PartialBatch,
        Fault::KillAfter
    )]
    only_for_writes: Fault,
    #[values(Fault::StaleRead, Fault::CorruptByte)] only_for_reads: Fault,
) {
    let read = Bench::new(Injector::nth(0, only_for_writes));
    assert_eq!(read.log.text(document(1)).await.unwrap().content, TEXT);
    assert!(!read.fault_fired());

    let write = Bench::new(Injector::nth(0, only_for_reads));
    assert_eq!(write.create("a").await, Ok(()));
    assert!(write.has("a").await && !write.fault_fired());
}

#[tokio::test]
async fn the_same_seed_injects_the_same_faults() {
    let kinds = [Fault::ErrorBefore, Fault::LostReply, Fault::Repeat];
    let run = async |seed| {
        let bench = Bench::new(Injector::seeded_among(seed, 0.5, &kinds));
        for id in 0..40 {
            // Some calls fail and some succeed; the injector reports which.
            drop(bench.create(&id.to_string()).await);
        }
        bench.injector.faults()
    };
    let faults = run(1).await;
    assert!(kinds.iter().all(|kind| faults.iter().any(|(_, fault)| fault == kind)), "{faults:?}");
    assert_eq!(run(1).await, faults);
    assert_ne!(run(2).await, faults);
}
