//! Tests of updates that wait for others, and of their lapse.

use super::*;
use crate::edits::EditStore;
use izanagi_shared::crdt::Validation;
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

const BEN: ActorId = ActorId(Uuid::from_u128(3));
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Lets time pass: tokio's paused clock advances when all tasks are idle.
async fn pass(duration: Duration) {
    let _ = timeout(duration, std::future::pending::<()>()).await;
}

fn pending(seq: u64) -> Receipt {
    Receipt { seq, pending: true }
}

fn saved(seq: u64) -> Receipt {
    Receipt { seq, pending: false }
}

impl Bench {
    /// Waits for what the pool does, whose threads do not follow the paused time.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..1_000 {
            for _ in 0..10_000 {
                if is_so(self) {
                    return;
                }
                tokio::task::yield_now().await;
            }
            pass(Duration::from_secs(1)).await;
        }
        panic!("it never comes: {:?}", self.seqs_in_log());
    }

    fn seqs_in_log(&self) -> Vec<u64> {
        self.log.kept.lock().rows.iter().map(|row| row.seq).collect()
    }

    /// Replays edit history and the log; returns the text.
    async fn replayed(&self) -> String {
        let state = self.first_state();
        let mut doc = TextDoc::load(1, &state).unwrap();
        let mut edits = BTreeMap::new();
        let segments = self.log.history.segments.lock().clone();
        let (records, rows) = (Arc::clone(&self.log.history), Arc::clone(&self.log.history));
        let store = EditStore::new(records, rows, Arc::new(SystemIds), self.budget.clone());
        for row in segments {
            for edit in store.read(&row).await.unwrap().edits {
                edits.insert(edit.seq, edit.delta);
            }
        }
        for row in self.log.kept.lock().rows.iter() {
            edits.insert(row.seq, unseal(&row.delta).unwrap().to_vec());
        }
        // Every number is accounted for.
        let live_seq = self.log.kept.lock().live_seq;
        assert_eq!(edits.keys().copied().collect::<Vec<_>>(), Vec::from_iter(1..=live_seq));
        for (seq, delta) in &edits {
            doc.apply_checked(*seq, delta, Validation::Replayed).unwrap();
        }
        doc.text()
    }

    fn first_state(&self) -> Vec<u8> {
        self.log.first.clone()
    }
}

/// Updates that never complete: of each client the second edit, without the first.
fn incomplete(client: u64, text: &str) -> Vec<u8> {
    let mut replica = TextDoc::new(client);
    replica.edit(&insert("first"));
    replica.edit(&insert(text))
}

#[tokio::test]
async fn an_update_is_pending_until_what_it_needs_arrives() {
    let bench = Bench::new("");
    let mut replica = bench.replica(7);
    let [first, second, third] = ["1", "2", "3"].map(|text| replica.edit(&insert(text)));
    assert_eq!(bench.send(ANN, "third", third.clone()).await.unwrap(), pending(1));
    assert_eq!(bench.send(ANN, "third", third.clone()).await.unwrap(), pending(1));
    assert_eq!(bench.send(ANN, "first", first).await.unwrap(), saved(2));
    assert_eq!(bench.send(ANN, "third", third.clone()).await.unwrap(), pending(1));
    // In another room, too.
    bench.close().await;
    let bench = Bench::over(bench.log);
    assert_eq!(bench.send(ANN, "third", third.clone()).await.unwrap(), pending(1));
    assert_eq!(bench.send(ANN, "second", second).await.unwrap(), saved(3));
    assert_eq!(bench.send(ANN, "third", third.clone()).await.unwrap(), saved(1));
    bench.rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(bench.send(ANN, "third", third).await.unwrap(), saved(1));
    assert_eq!(bench.text().await, "321");
    assert!(bench.seqs_in_log().is_empty());
}

#[tokio::test]
async fn an_update_completed_in_its_batch_is_saved() {
    let bench = Bench::new("");
    bench.text().await;
    let mut replica = bench.replica(7);
    let [first, second] = ["1", "2"].map(|text| replica.edit(&insert(text)));
    let answers = futures::join!(bench.send(ANN, "b", second), bench.send(ANN, "a", first));
    assert_eq!((answers.0.unwrap(), answers.1.unwrap()), (saved(1), saved(2)));
}

#[tokio::test(start_paused = true)]
async fn senders_of_incomplete_updates_do_not_keep_others_from_editing() {
    let bench = Bench::new("");
    let mut ben = bench.replica(7);
    let long = "x".repeat(1024 * 1024);
    let mut refused = 0;
    for number in 0..20_u64 {
        // Ten updates of one sender, then ten senders.
        let sender = ActorId(Uuid::from_u128(100 + u128::from(number.saturating_sub(10))));
        let answer = bench.send(sender, &number.to_string(), incomplete(100 + number, &long)).await;
        match answer {
            Ok(receipt) => assert!(receipt.pending),
            Err(Error::BadUpdate(why)) => {
                assert!(why.contains("too many"), "{why}");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
        let edit = ben.edit(&insert("b"));
        let answer = bench.send(BEN, &number.to_string(), edit).await.unwrap();
        assert!(!answer.pending, "{number}");
    }
    assert!((1..20).contains(&refused), "{refused}");
    // A long text of another person still fits.
    let edit = ben.edit(&insert(&long));
    bench.send(BEN, "long", edit).await.unwrap();
    assert_eq!(bench.text().await, ben.text());
    bench.rooms.persist(DOCUMENT).await.unwrap();
    let waiting = 20 - refused;
    assert_eq!(bench.seqs_in_log().len(), waiting);
    let snapshot = decoded(bench.log.kept.lock().newest());
    assert_eq!(TextDoc::load(9, &snapshot).unwrap().text(), ben.text());
    // The room stays, until they have lapsed and the next snapshot has passed them.
    pass(TEN_MINUTES - Duration::from_secs(5)).await;
    assert_eq!(bench.seqs_in_log().len(), waiting);
    bench.until(|bench| bench.seqs_in_log().is_empty()).await;
    assert_eq!(bench.text().await, ben.text());
    assert_eq!(bench.replayed().await, ben.text());
    assert!(bench.quarantined().is_empty());
    bench.until(|bench| !bench.rooms.is_open(DOCUMENT)).await;
}

#[tokio::test(start_paused = true)]
async fn a_lapsed_update_is_refused_and_can_be_sent_anew() {
    let bench = Bench::new("");
    let mut replica = bench.replica(7);
    let [first, second] = ["1", "2"].map(|text| replica.edit(&insert(text)));
    assert_eq!(bench.send(ANN, "second", second.clone()).await.unwrap(), pending(1));
    pass(TEN_MINUTES - Duration::from_secs(1)).await;
    assert_eq!(bench.send(ANN, "second", second.clone()).await.unwrap(), pending(1));
    pass(Duration::from_secs(20)).await;
    let lapsed = bench.send(ANN, "second", second.clone()).await;
    assert!(is_quarantined(&lapsed), "{lapsed:?}");
    assert_eq!(bench.send(ANN, "first", first).await.unwrap(), saved(2));
    assert_eq!(bench.text().await, "1");
    let lapsed = bench.send(ANN, "second", second.clone()).await;
    assert!(is_quarantined(&lapsed), "{lapsed:?}");
    assert_eq!(bench.send(ANN, "anew", second).await.unwrap(), saved(3));
    assert_eq!(bench.text().await, "21");
    assert_eq!(bench.replayed().await, "21");
}

#[tokio::test]
async fn what_waited_before_a_restart_lapses_in_its_turn() {
    let bench = Bench::new("kept");
    let update = incomplete(7, "x");
    bench.send(ANN, "op", update.clone()).await.unwrap();
    bench.close().await;
    let ago = |duration| crate::storage::Clock::now(&crate::storage::SystemClock).minus(duration);
    bench.log.kept.lock().rows[0].at = ago(TEN_MINUTES - Duration::from_secs(60));
    let bench = Bench::over(bench.log);
    assert_eq!(bench.send(ANN, "op", update.clone()).await.unwrap(), pending(1));
    bench.close().await;
    bench.log.kept.lock().rows[0].at = ago(TEN_MINUTES);
    let bench = Bench::over(bench.log);
    let lapsed = bench.send(ANN, "op", update).await;
    assert!(is_quarantined(&lapsed), "{lapsed:?}");
    bench.rooms.persist(DOCUMENT).await.unwrap();
    assert!(bench.seqs_in_log().is_empty());
    assert_eq!(bench.replayed().await, "kept");
}

#[tokio::test(start_paused = true)]
async fn what_others_build_on_does_not_lapse() {
    let bench = Bench::new("");
    let (mut ann, mut other) = (bench.replica(7), bench.replica(8));
    let here = ann.edit(&insert("here"));
    other.edit(&insert("lost"));
    let lost = other.edit(&insert("never "));
    let merged = yrs::merge_updates_v1([&*here, &*lost]).unwrap();
    assert_eq!(bench.send(ANN, "merged", merged.clone()).await.unwrap(), pending(1));
    assert_eq!(bench.text().await, "here");
    let mut ben = TextDoc::load(9, &here).unwrap();
    let edit = ben.edit(&[Change { from: 4, to: 4, insert: " and there".to_owned() }]);
    assert_eq!(bench.send(BEN, "ben", edit).await.unwrap(), saved(2));
    pass(TEN_MINUTES + Duration::from_secs(1)).await;
    let lapsed = bench.send(ANN, "merged", merged).await;
    assert!(is_quarantined(&lapsed), "{lapsed:?}");
    for _ in 0..2 {
        assert_eq!(bench.text().await, "here and there");
        assert_eq!(bench.replayed().await, "here and there");
        bench.rooms.persist(DOCUMENT).await.unwrap();
        assert!(bench.seqs_in_log().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lapse_that_fails_is_tried_again() {
    let bench = Bench::new("kept");
    bench.send(ANN, "op", incomplete(7, "x")).await.unwrap();
    bench.trouble(Trouble { refuses_cuts: true, ..Trouble::default() });
    pass(TEN_MINUTES + Duration::from_secs(60)).await;
    assert_eq!(bench.send(BEN, "b", bench.replica(9).edit(&insert("b"))).await.unwrap(), saved(2));
    assert_eq!(bench.seqs_in_log().first(), Some(&1));
    bench.trouble(Trouble::default());
    bench.until(|bench| bench.seqs_in_log().is_empty()).await;
    assert_eq!(bench.replayed().await, "bkept");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_update_that_waits_does_not_keep_its_room_open() {
    let bench = Bench::new("kept");
    bench.send(ANN, "op", incomplete(7, "x")).await.unwrap();
    *bench.log.kept.lock().rows[0].delta.last_mut().unwrap() ^= 1;
    pass(TEN_MINUTES + Duration::from_secs(1)).await;
    bench.until(|bench| !bench.rooms.is_open(DOCUMENT)).await;
}

/// What happens in a sequence of updates.
#[derive(Debug, Clone)]
struct Plan {
    /// Who writes, what, and whether the writer has heard of all others before.
    edits: Vec<(usize, String, bool)>,
    order: Vec<usize>,
    /// Whether each update arrives; whether it is merged with the one before; whether waiting ones
    /// lapse after it; whether a snapshot follows.
    fates: Vec<(bool, bool, bool, bool)>,
}

fn a_plan() -> impl Strategy<Value = Plan> {
    const MOST: usize = 16;
    let edits = proptest::collection::vec((0..3_usize, "[a-d🦀]{0,6}", any::<bool>()), 1..MOST);
    let order = Just((0..MOST).collect::<Vec<_>>()).prop_shuffle();
    let rarely = || proptest::bool::weighted(0.15);
    let fate = (proptest::bool::weighted(0.8), any::<bool>(), rarely(), rarely());
    let fates = proptest::collection::vec(fate, MOST);
    (edits, order, fates).prop_map(|(edits, order, fates)| Plan { edits, order, fates })
}

async fn run(plan: Plan) {
    let bench = Bench::new("kept");
    let mut writers: Vec<TextDoc> = (7..10).map(|client| bench.replica(client)).collect();
    let mut updates: Vec<Vec<u8>> = Vec::new();
    for (writer, text, hears) in plan.edits {
        if hears {
            updates.iter().for_each(|update| writers[writer].apply(update).unwrap());
        }
        updates.extend(writers[writer].replace_with(&text));
    }
    let mut sent = Vec::new();
    let mut before: Option<Vec<u8>> = None;
    for at in plan.order.into_iter().filter(|at| *at < updates.len()) {
        let (arrives, merged, lapse, snapshot) = plan.fates[at];
        let update = match before.take().filter(|_| merged) {
            Some(other) => yrs::merge_updates_v1([&other, &updates[at]]).unwrap(),
            None => updates[at].clone(),
        };
        before = Some(updates[at].clone());
        if arrives {
            bench.send(ANN, &at.to_string(), update.clone()).await.unwrap();
            sent.push((at, update));
        }
        if lapse {
            pass(TEN_MINUTES + Duration::from_secs(20)).await;
        }
        if snapshot {
            bench.rooms.persist(DOCUMENT).await.unwrap();
        }
    }
    let text = bench.text().await;
    pass(TEN_MINUTES + Duration::from_secs(20)).await;
    assert_eq!(bench.text().await, text);
    bench.rooms.persist(DOCUMENT).await.unwrap();
    assert!(bench.seqs_in_log().is_empty());
    assert_eq!(bench.replayed().await, text);
    let state = bench.rooms.missing(DOCUMENT, vec![0]).await.unwrap().delta;
    let doc = TextDoc::load(1, &state).unwrap();
    for (at, update) in sent {
        let is_whole = inspect_update(&update).unwrap().is_within(|client| doc.clock_of(client));
        match bench.send(ANN, &at.to_string(), update).await {
            Ok(receipt) => assert!(!receipt.pending && is_whole, "{at}: {receipt:?}"),
            lapsed => assert!(is_quarantined(&lapsed), "{at}: {lapsed:?}"),
        }
    }
    // Another room, which reads the log, comes to the same.
    bench.close().await;
    assert_eq!(Bench::over(bench.log).text().await, text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_counts_as_saved_is_lost_and_nothing_waits_for_ever(plan in a_plan()) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(plan));
    }
}
