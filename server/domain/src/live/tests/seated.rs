//! Rooms with seats: what those who listen are told, and when.

use super::*;
use crate::live::{Permit, rooms::Joined, testing::BadSnapshot};
use futures::FutureExt as _;
use izanagi_shared::crdt::Checker;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

const BEN: ActorId = ActorId(Uuid::from_u128(3));
const SECRET: &str = "hunter2";

/// Someone who listens, with a replica that knows only what it was told.
pub(super) struct Listener {
    joined: Joined,
    replica: TextDoc,
    pub(super) updates: Vec<Arc<LiveUpdate>>,
    pub(super) closing: Option<Closing>,
}

impl Bench {
    pub(super) async fn join(&self, actor: ActorId) -> Result<Listener> {
        let sitter = Sitter { actor: Some(actor), sees_others: true };
        let joined = self.rooms.join(DOCUMENT, sitter).await?;
        let missing = joined.room.missing(vec![0]).await?;
        let replica = TextDoc::load(900, &missing.delta).unwrap();
        Ok(Listener { joined, replica, updates: Vec::new(), closing: None })
    }

    fn stored_seqs(&self) -> Vec<u64> {
        self.log.kept.lock().rows.iter().map(|row| row.seq).collect()
    }
}

/// A right to edit, until it is taken away.
#[derive(Default)]
struct MayEdit(AtomicBool);

impl Permit for MayEdit {
    fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Error::Forbidden) } else { Ok(()) }
    }
}

impl Listener {
    async fn post(&self, op_id: &str, delta: Vec<u8>) -> PostedUpdate {
        let update = ClientUpdate { actor: ANN, op_id: op_id.to_owned(), delta };
        self.post_with(Arc::new(MayEdit::default()), update).await
    }

    async fn post_with(&self, right: Arc<MayEdit>, update: ClientUpdate) -> PostedUpdate {
        let from = (self.joined.seat.id(), right as _);
        self.joined.room.post(from, update, false).await.unwrap()
    }

    /// Waits for events and takes them in.
    async fn listen(&mut self) {
        let mut events = Vec::new();
        self.joined.seat.events(&mut events).await;
        self.take_in(events);
    }

    /// Takes in what is queued; returns the text then.
    pub(super) fn catch_up(&mut self) -> String {
        let mut events = Vec::new();
        let _ = self.joined.seat.events(&mut events).now_or_never();
        self.take_in(events);
        self.replica.text()
    }

    fn take_in(&mut self, events: Vec<SeatEvent>) {
        for event in events {
            match event {
                SeatEvent::Update(update) => {
                    self.replica.apply(&update.delta).unwrap();
                    assert_eq!(self.replica.pending_updates(), 0, "it was told of what waits");
                    self.updates.push(update);
                }
                SeatEvent::Closed(why) => self.closing = Some(why),
                SeatEvent::Presence(_) | SeatEvent::Document(_) => {}
            }
        }
    }

    fn seqs(&self) -> Vec<u64> {
        self.updates.iter().map(|update| update.seq).collect()
    }

    fn was_told(&self, text: &str) -> bool {
        let holds = |update: &Arc<LiveUpdate>| {
            update.delta.windows(text.len()).any(|window| window == text.as_bytes())
        };
        self.updates.iter().any(holds)
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_is_durable_then_acknowledged_then_told() {
    let bench = Bench::new("");
    let (ann, mut ben) = (bench.join(ANN).await.unwrap(), bench.join(BEN).await.unwrap());
    let mut replica = bench.replica(7);
    let mut posted = Vec::new();
    for number in 0..100_u64 {
        let delta = replica.edit(&insert("x"));
        posted.push(ann.post(&format!("op{number}"), delta).await);
    }
    let mut seen = 0;
    while seen < 100 {
        ben.listen().await;
        let told = ben.updates.len();
        assert!(bench.stored_seqs().len() >= told);
        for posted in &mut posted[seen..told] {
            let receipt = tokio::task::unconstrained(posted)
                .now_or_never()
                .expect("it was told before it was acknowledged");
            seen += 1;
            assert_eq!(receipt.unwrap(), Receipt { seq: seen as u64, pending: false });
        }
    }
    assert_eq!(ben.seqs(), (1..=100).collect::<Vec<u64>>());
    assert_eq!(ben.replica.text(), "x".repeat(100));
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_told_of_others_alone() {
    let bench = Bench::new("");
    let (mut ann, mut ben) = (bench.join(ANN).await.unwrap(), bench.join(BEN).await.unwrap());
    ann.post("a", bench.replica(7).edit(&insert("a"))).await.await.unwrap();
    bench.submit("b", bench.replica(8).edit(&insert("b"))).await.unwrap();
    ben.listen().await;
    ben.catch_up();
    ann.catch_up();
    assert_eq!((ann.seqs(), ben.seqs()), (vec![2], vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_told_when_it_is_integrated() {
    let bench = Bench::new("a");
    let (mut ann, mut ben) = (bench.join(ANN).await.unwrap(), bench.join(BEN).await.unwrap());
    let mut replica = bench.replica(7);
    let first = replica.replace_with("ab").unwrap();
    let second = replica.replace_with("abc").unwrap();
    let receipt = ann.post("second", second).await.await.unwrap();
    assert_eq!(receipt, Receipt { seq: 1, pending: true });
    assert_eq!(ben.catch_up(), "a");
    assert!(ben.updates.is_empty());
    ann.post("first", first).await.await.unwrap();
    ben.listen().await;
    assert_eq!(ben.replica.text(), "abc");
    // Its sender gets it, because it also brings what has waited.
    assert_eq!(ann.catch_up(), "abc");
    assert_eq!((ann.seqs(), ben.seqs()), (vec![2], vec![2]));
}

#[tokio::test(start_paused = true)]
async fn no_byte_of_what_was_inserted_and_deleted_at_once_is_told() {
    let bench = Bench::new("kept");
    let mut ben = bench.join(BEN).await.unwrap();
    let mut replica = bench.replica(7);
    let before = replica.state_vector();
    replica.replace_with(&format!("kept {SECRET}")).unwrap();
    let insertion = replica.missing_from(&before).unwrap();
    let deletion = replica.replace_with("kept!").unwrap();
    let both = yrs::merge_updates_v1([&insertion, &deletion]).unwrap();
    assert!(both.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    bench.submit("both", both.clone()).await.unwrap();
    ben.listen().await;
    assert_eq!(ben.replica.text(), "kept!");
    // Nor after the document was loaded again.
    bench.trouble(Trouble { loses_a_reply: true, ..Trouble::default() });
    let mut other = bench.replica(8);
    other.replace_with(&format!("kept{SECRET}")).unwrap();
    let insertion = other.missing_from(&before).unwrap();
    let deletion = other.replace_with("kept").unwrap();
    let both = yrs::merge_updates_v1([&insertion, &deletion]).unwrap();
    bench.submit("again", both).await.unwrap();
    ben.listen().await;
    assert_eq!(ben.seqs(), [1, 2]);
    assert!(!ben.was_told(SECRET));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_alone_is_told() {
    let bench = Bench::new("one two");
    let mut ben = bench.join(BEN).await.unwrap();
    let mut replica = bench.replica(7);
    bench.submit("delete", replica.replace_with("one").unwrap()).await.unwrap();
    ben.listen().await;
    assert_eq!(ben.replica.text(), "one");
}

#[tokio::test(start_paused = true)]
async fn a_right_that_ends_while_an_update_waits_counts() {
    let bench = Bench::new("");
    let ann = bench.join(ANN).await.unwrap();
    let mut replica = bench.replica(7);
    let right = Arc::new(MayEdit::default());
    let mut posted = Vec::new();
    for op in ["a", "b"] {
        let (op_id, delta) = (op.to_owned(), replica.edit(&insert(op)));
        let update = ClientUpdate { actor: ANN, op_id, delta };
        posted.push(ann.post_with(Arc::clone(&right), update).await);
    }
    // On this thread, the room has not seen them yet.
    right.0.store(true, Ordering::Relaxed);
    for posted in posted {
        assert!(matches!(posted.await, Err(Error::Forbidden)));
    }
    assert_eq!(bench.stored_seqs(), [] as [u64; 0]);
}

#[tokio::test(start_paused = true)]
async fn edits_of_the_server_are_told() {
    let bench = Bench::new("one");
    let (mut ann, mut ben) = (bench.join(ANN).await.unwrap(), bench.join(BEN).await.unwrap());
    ann.post("a", bench.replica(7).edit(&insert("a "))).await.await.unwrap();
    bench.edit("edit", "a one two").await.unwrap();
    ben.listen().await;
    assert_eq!(ben.catch_up(), "a one two");
    assert_eq!(ann.catch_up(), "one two", "her own text is in her own replica");
    assert_eq!((ann.seqs(), ben.seqs()), (vec![2], vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn an_edit_during_a_snapshot_is_told_once() {
    let bench = Bench::new("");
    let mut ben = bench.join(BEN).await.unwrap();
    let mut replica = bench.replica(7);
    bench.submit("one", replica.edit(&insert("1"))).await.unwrap();
    bench.trouble(Trouble { snapshot: Some(BadSnapshot::ReplyLost), ..Trouble::default() });
    let update = update("two", replica.edit(&insert("2")));
    let (persisted, submitted) =
        tokio::join!(bench.rooms.persist(DOCUMENT), bench.rooms.submit(DOCUMENT, update));
    assert!(persisted.is_err());
    submitted.unwrap();
    // The log has changed for this room, which loads the document again.
    assert!(bench.rooms.persist(DOCUMENT).await.is_err());
    bench.rooms.persist(DOCUMENT).await.unwrap();
    bench.submit("three", replica.edit(&insert("3"))).await.unwrap();
    ben.listen().await;
    assert_eq!(ben.catch_up(), "321");
    assert_eq!(ben.seqs(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_answer_nothing_is_told_twice_or_left_out() {
    let bench = Bench::new("");
    let mut ben = bench.join(BEN).await.unwrap();
    let mut replica = bench.replica(7);
    for number in 1..=6 {
        let loses_a_reply = number % 2 == 0;
        bench.trouble(Trouble { loses_a_reply, ..Trouble::default() });
        bench.submit(&number.to_string(), replica.edit(&insert("x"))).await.unwrap();
    }
    ben.listen().await;
    assert_eq!(ben.catch_up(), "xxxxxx");
    assert_eq!(ben.seqs(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn what_another_room_has_written_is_told() {
    let bench = Bench::new("");
    let mut ben = bench.join(BEN).await.unwrap();
    let other = Bench::over(Arc::clone(&bench.log));
    let mut replica = bench.replica(7);
    other.submit("one", replica.edit(&insert("1"))).await.unwrap();
    bench.submit("two", replica.edit(&insert("2"))).await.unwrap();
    ben.listen().await;
    assert_eq!((ben.catch_up().as_str(), ben.seqs()), ("21", vec![1, 2]));
    // Without loading the document again.
    assert_eq!(bench.log.loads.load(std::sync::atomic::Ordering::Relaxed), 2, "one each");
    // With a snapshot of what has not been told.
    other.submit("three", replica.edit(&insert("3"))).await.unwrap();
    other.rooms.persist(DOCUMENT).await.unwrap();
    bench.submit("four", replica.edit(&insert("4"))).await.unwrap();
    ben.listen().await;
    assert_eq!((ben.catch_up().as_str(), ben.closing), ("4321", None));
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_the_server_behind_another_room_is_told() {
    let bench = Bench::new("");
    let mut ben = bench.join(BEN).await.unwrap();
    let other = Bench::over(Arc::clone(&bench.log));
    other.submit("one", bench.replica(7).edit(&insert("1"))).await.unwrap();
    bench.edit("edit", "2").await.unwrap();
    ben.listen().await;
    assert_eq!(ben.catch_up(), bench.text().await);
    assert_eq!(ben.seqs(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_quarantined_is_not_told() {
    let bench = Bench::new("kept");
    let mut ben = bench.join(BEN).await.unwrap();
    let mut replica = bench.replica(7);
    // The row is stored in another form, and the document is loaded from the rows.
    bench.trouble(Trouble { spoils_rows: true, loses_a_reply: true, ..Trouble::default() });
    assert!(is_quarantined(&bench.submit("bad", replica.edit(&insert("x"))).await));
    bench.trouble(Trouble::default());
    bench.submit("good", bench.replica(8).edit(&insert("y"))).await.unwrap();
    ben.listen().await;
    assert_eq!((ben.catch_up().as_str(), ben.seqs()), ("ykept", vec![2]));
    assert_eq!(ben.closing, None);
}

#[tokio::test(start_paused = true)]
async fn those_who_were_told_what_is_lost_start_anew() {
    let bench = Bench::new("kept");
    let mut ben = bench.join(BEN).await.unwrap();
    bench.submit("one", bench.replica(7).edit(&insert("x"))).await.unwrap();
    ben.listen().await;
    // Another room has quarantined it.
    bench.log.quarantine(DOCUMENT, 1, Timestamp::default()).await.unwrap();
    bench.trouble(Trouble { loses_a_reply: true, ..Trouble::default() });
    bench.submit("two", bench.replica(8).edit(&insert("y"))).await.unwrap();
    ben.listen().await;
    assert_eq!(ben.closing, Some(Closing::Resync));
    assert_eq!(bench.join(BEN).await.unwrap().replica.text(), "ykept");
}

/// Otherwise an editor could make everybody start anew.
#[tokio::test(start_paused = true)]
async fn nobody_starts_anew_for_an_update_whose_rest_is_invalid() {
    let bench = Bench::new("abc");
    let mut ben = bench.join(BEN).await.unwrap();
    // As below, beside a letter of client 6 before "a".
    let own = [1, 6, 0, 0x44, 1, 0, 1, b'w'];
    let waits = [1, 5, 0, 0xc4, 9, 0, 1, 0, 1, b'x'];
    let update = [[2].as_slice(), &own, &waits, &[0]].concat();
    assert!(bench.send(ANN, "waits", update.clone()).await.unwrap().pending);
    // Client 7 builds on that letter.
    bench.submit("built", vec![1, 1, 7, 0, 0xc4, 6, 0, 1, 0, 1, b'v', 0]).await.unwrap();
    ben.listen().await;
    assert_eq!(ben.catch_up(), "wvabc");
    let missing = vec![1, 1, 9, 0, 0xc4, 1, 0, 1, 1, 1, b'y', 0];
    bench.submit("missing", missing).await.unwrap();
    ben.listen().await;
    assert_eq!((ben.catch_up().as_str(), ben.closing), ("wvaybc", None));
    assert_eq!((bench.text().await.as_str(), bench.quarantined()), ("wvaybc", vec![]));
    let refused = bench.send(ANN, "waits", update).await;
    assert!(matches!(refused, Err(Error::BadUpdate(_))), "{refused:?}");
    bench.rooms.persist(DOCUMENT).await.unwrap();
    assert_eq!(Bench::over(Arc::clone(&bench.log)).text().await, "wvaybc");
}

/// As above.
#[tokio::test(start_paused = true)]
async fn nobody_starts_anew_for_what_was_never_told() {
    let bench = Bench::new("abc");
    let mut ben = bench.join(BEN).await.unwrap();
    // Client 5 stands between one of client 9, who is not there, and "a"; client 9 stands behind "a".
    let waits = vec![1, 1, 5, 0, 0xc4, 9, 0, 1, 0, 1, b'x', 0];
    assert!(bench.send(ANN, "waits", waits).await.unwrap().pending);
    let missing = vec![1, 1, 9, 0, 0xc4, 1, 0, 1, 1, 1, b'y', 0];
    bench.submit("missing", missing).await.unwrap();
    assert_eq!(bench.quarantined(), [1]);
    ben.listen().await;
    assert_eq!((ben.catch_up().as_str(), ben.closing), ("aybc", None));
}

#[tokio::test(start_paused = true)]
async fn those_of_a_former_lineage_start_anew() {
    let bench = Bench::new("kept");
    let mut ben = bench.join(BEN).await.unwrap();
    bench.log.kept.lock().lineage = [8; 16];
    bench.rooms.expect_lineage(DOCUMENT, [7; 16]).await;
    assert_eq!((ben.catch_up().as_str(), ben.closing), ("kept", None));
    bench.rooms.expect_lineage(DOCUMENT, [8; 16]).await;
    ben.listen().await;
    assert_eq!(ben.closing, Some(Closing::Resync));
    assert_eq!(bench.join(BEN).await.unwrap().joined.lineage, [8; 16]);
}

#[tokio::test(start_paused = true)]
async fn nobody_joins_a_document_that_does_not_load() {
    let bench = Bench::new("kept");
    let intact = bench.log.kept.lock().snapshots[0].clone();
    bench.log.kept.lock().snapshots[0].state[40] ^= 1;
    let refused = bench.join(BEN).await.err();
    assert!(matches!(refused, Some(Error::CorruptDocument(_))), "{refused:?}");
    assert_eq!(bench.rooms.seats(), 0);
    bench.log.kept.lock().snapshots[0] = intact;
    assert_eq!(bench.join(BEN).await.unwrap().replica.text(), "kept");
}

#[tokio::test(start_paused = true)]
async fn two_who_come_first_share_a_room() {
    let bench = Bench::new("kept");
    let (ann, ben) = tokio::join!(bench.join(ANN), bench.join(BEN));
    let (ann, mut ben) = (ann.unwrap(), ben.unwrap());
    ann.post("a", bench.replica(7).edit(&insert("a"))).await.await.unwrap();
    ben.listen().await;
    assert_eq!(ben.replica.text(), "akept");
    assert_eq!(bench.log.loads.load(std::sync::atomic::Ordering::Relaxed), 1);
}

/// Lets time pass. The paused clock stops at each timer on the way.
async fn pass(time: Duration) {
    sleep_until(Instant::now() + time).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_is_unloaded_when_the_last_one_has_left_and_it_is_quiet() {
    let bench = Bench::new("kept");
    let ben = bench.join(BEN).await.unwrap();
    pass(Duration::from_secs(2_000)).await;
    assert!(bench.rooms.is_open(DOCUMENT));
    drop(ben);
    pass(LiveSettings::default().idle_after * 2).await;
    assert!(!bench.rooms.is_open(DOCUMENT));
}

#[tokio::test(start_paused = true)]
async fn nobody_who_is_seated_is_dropped_for_others() {
    let bench = Bench::with("kept", BudgetSettings { rooms: 2, ..BudgetSettings::default() });
    let mut ben = bench.join(BEN).await.unwrap();
    let sitter = Sitter { actor: Some(ANN), sees_others: true };
    let document = |number| DocumentId(Uuid::from_u128(number));
    let other = bench.rooms.join(document(10), sitter).await.unwrap();
    let refused = bench.rooms.join(document(11), sitter).await.err();
    assert!(matches!(refused, Some(Error::Overloaded(_))), "{refused:?}");
    let refused = bench.rooms.read(document(11)).await;
    assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
    bench.submit("a", bench.replica(7).edit(&insert("a"))).await.unwrap();
    ben.listen().await;
    assert_eq!((ben.replica.text().as_str(), ben.closing), ("akept", None));
    // A room without seats makes room.
    drop(other);
    bench.rooms.join(document(11), sitter).await.unwrap();
    assert!(bench.rooms.is_open(DOCUMENT));
}

#[tokio::test(start_paused = true)]
async fn seats_count_as_memory_of_their_room() {
    let bench = Bench::new("kept");
    let seats: Vec<_> = futures::future::join_all((0..50).map(|_| bench.join(BEN))).await;
    pass(Duration::from_secs(2)).await;
    let with_seats = bench.rooms.size().1;
    assert_eq!(bench.rooms.seats(), 50);
    drop(seats);
    bench.text().await;
    pass(Duration::from_secs(2)).await;
    let without = bench.rooms.size().1;
    assert!(with_seats > without + 50 * 2_000, "{with_seats} {without}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_answers_what_was_posted_and_says_goodbye() {
    let bench = Bench::new("kept");
    let (ann, mut ben) = (bench.join(ANN).await.unwrap(), bench.join(BEN).await.unwrap());
    let posted = ann.post("a", bench.replica(7).edit(&insert("a"))).await;
    bench.close().await;
    assert_eq!(posted.await.unwrap().seq, 1);
    ben.listen().await;
    assert_eq!(ben.closing, Some(Closing::GoingAway));
    let refused = bench.join(BEN).await.err();
    assert!(matches!(refused, Some(Error::Unavailable(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_second_update_of_a_clock_that_waits_is_refused_in_a_batch_too() {
    let bench = Bench::new("kept");
    let ben = bench.join(BEN).await.unwrap();
    // Both are the first item of client 5; the first stands after one of client 9, who is not there.
    let waits = vec![1, 1, 5, 0, 0x84, 9, 0, 1, b'a', 0];
    let mut other = TextDoc::load(5, &bench.replica(7).encode()).unwrap();
    let contradicts = other.edit(&insert("b"));
    assert_eq!(Checker::default().admit_next(&waits), Ok(true));
    let first = ben.post("waits", waits).await;
    let second = ben.post("contradicts", contradicts.clone()).await;
    assert!(first.await.unwrap().pending);
    assert!(matches!(second.await, Err(Error::BadUpdate(_))));
    assert!(matches!(bench.submit("alone", contradicts).await, Err(Error::BadUpdate(_))));
    assert_eq!(bench.text().await, "kept");
}
