//! Tests of the limits of documents and rooms.

use super::*;
use crate::{live::waiting::MAX_OF_SENDER, storage::LiveLog};
use std::{sync::atomic::Ordering, time::Duration};

#[tokio::test]
async fn updates_of_a_batch_share_the_remaining_space() {
    let bench = Bench::new(&"x".repeat(MAX_CONTENT_BYTES - 10));
    let deltas = [7, 8, 9].map(|client| bench.replica(client).edit(&insert("12345678")));
    bench.text().await;
    let [a, b, c] = deltas;
    let answers = futures::join!(bench.submit("a", a), bench.submit("b", b), bench.submit("c", c));
    assert_eq!(answers.0.unwrap(), 1);
    for refused in [answers.1, answers.2] {
        assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    }
    assert_eq!(bench.text().await.len(), MAX_CONTENT_BYTES - 2);
}

#[tokio::test]
async fn a_deletion_frees_space_within_its_batch() {
    let bench = Bench::new(&"x".repeat(MAX_CONTENT_BYTES));
    let mut replica = bench.replica(7);
    let emptied = replica.replace_with("").unwrap();
    let filled = replica.edit(&insert("new"));
    let answers = futures::join!(bench.submit("a", emptied), bench.submit("b", filled));
    assert_eq!((answers.0.unwrap(), answers.1.unwrap()), (1, 2));
    assert_eq!(bench.text().await, "new");
}

#[rstest]
#[case::a_release_that_certainly_fits(0, 0)]
#[case::a_release_that_fits_because_text_is_deleted(4, 2)]
#[tokio::test]
async fn what_a_batch_releases_counts_for_its_later_updates(
    #[case] added: usize,
    #[case] deleted: usize,
) {
    const PART: usize = MAX_CONTENT_BYTES / 20;
    let bench = Bench::new(&"x".repeat(10 * PART));
    let mut replica = bench.replica(7);
    let to = u32::try_from(deleted * PART).unwrap();
    let first = replica.edit(&[Change { from: 0, to, insert: "1".to_owned() }]);
    let second = replica.edit(&insert(&"2".repeat(7 * PART)));
    let more = bench.replica(8).edit(&insert(&"3".repeat(added * PART + 1)));
    let other = bench.replica(9).edit(&insert(&"4".repeat(4 * PART)));
    assert!(bench.send(ANN, "second", second).await.unwrap().pending);
    bench.submit("more", more).await.unwrap();
    let answers = futures::join!(bench.submit("first", first), bench.submit("other", other));
    assert_eq!(answers.0.unwrap(), 3);
    assert!(matches!(answers.1, Err(Error::TooLarge(_))), "{:?}", answers.1);
    assert_eq!(bench.text().await.len(), (10 + added - deleted + 7) * PART + 2);
}

#[tokio::test]
async fn a_merge_into_a_long_text_does_not_reload_it() {
    let text = "a long line\n".repeat(MAX_CONTENT_BYTES * 6 / 10 / 12);
    let bench = Bench::new(&text);
    bench.text().await;
    let loads = bench.log.loads.load(Ordering::Relaxed);
    let merged = format!("{text}the end\n");
    let kind = EditKind::Merge { base: text, content: merged.clone() };
    let (op_id, request_hash) = ("op".to_owned(), kind.request_hash());
    let edit = ServerEdit { actor: ANN, op_id, request_hash, kind };
    bench.rooms.edit(DOCUMENT, edit).await.unwrap();
    assert_eq!(bench.text().await, merged);
    assert_eq!(bench.log.loads.load(Ordering::Relaxed), loads);
}

#[rstest]
#[case::one_cut_is_late(1, true)]
#[case::every_cut_is_late(9, false)]
#[tokio::test]
async fn no_room_is_made_by_a_lapse_that_did_not_happen(
    #[case] late_cuts: u32,
    #[case] fits: bool,
) {
    let text = "x".repeat(MAX_CONTENT_BYTES - 3_000_000);
    let bench = Bench::new(&text);
    let mut replica = bench.replica(7);
    let half = "y".repeat(2_000_000);
    let (first, second) = (replica.edit(&insert(&half)), replica.edit(&insert(&half)));
    assert!(bench.send(ANN, "second", second).await.unwrap().pending);
    bench.trouble(Trouble { late_cuts, ..Trouble::default() });
    let answer = bench.submit("first", first).await;
    if fits {
        assert_eq!(answer.unwrap(), 2);
        assert_eq!(bench.text().await, half + &text);
    } else {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
        assert_eq!(bench.text().await, text);
    }
}

#[tokio::test]
async fn what_an_update_releases_lapses_if_there_is_no_room_for_it() {
    let text = "x".repeat(MAX_CONTENT_BYTES - 3_000_000);
    let bench = Bench::new(&text);
    let mut replica = bench.replica(7);
    let half = "y".repeat(2_000_000);
    let (first, second) = (replica.edit(&insert(&half)), replica.edit(&insert(&half)));
    let pending = bench.send(ANN, "second", second.clone()).await.unwrap();
    assert_eq!(pending, Receipt { seq: 1, pending: true });
    assert_eq!(bench.text().await, text);
    assert_eq!(bench.submit("first", first).await.unwrap(), 2);
    assert_eq!(bench.text().await, half + &text);
    let lapsed = bench.submit("second", second.clone()).await;
    assert!(is_quarantined(&lapsed), "{lapsed:?}");
    // Sent anew, it is refused like any other that is too long.
    let refused = bench.submit("again", second).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
}

#[tokio::test]
async fn a_pending_deletion_frees_space() {
    let bench = Bench::new("");
    let mut replica = bench.replica(7);
    let half = "x".repeat(MAX_CONTENT_BYTES / 2 + 1);
    let (first, second) = (replica.edit(&insert(&half)), replica.edit(&insert(&half)));
    let (from, to) = (0, u32::try_from(half.len()).unwrap());
    let deletion = replica.edit(&[Change { from, to, insert: String::new() }]);
    bench.submit("deletion", deletion).await.unwrap();
    bench.submit("first", first).await.unwrap();
    bench.submit("second", second).await.unwrap();
    assert_eq!(bench.text().await.len(), half.len());
}

#[tokio::test]
async fn the_number_of_pending_updates_is_limited() {
    let bench = Bench::new("kept");
    let mut replica = bench.replica(7);
    let mut updates: Vec<_> = (0..=MAX_OF_SENDER + 1).map(|_| replica.edit(&insert("x"))).collect();
    let last = updates.pop().unwrap();
    let first = updates.remove(0);
    for (number, update) in updates.into_iter().enumerate() {
        bench.submit(&number.to_string(), update).await.unwrap();
    }
    assert_eq!(bench.text().await, "kept");
    let refused = bench.submit("last", last.clone()).await;
    assert!(matches!(refused, Err(Error::BadUpdate(_))), "{refused:?}");
    bench.submit("first", first).await.unwrap();
    bench.submit("last", last).await.unwrap();
    assert_eq!(bench.text().await, replica.text());
}

/// Creates single-letter items that cannot merge: each is inserted before the previous one.
fn letters(replica: &mut TextDoc, count: usize) -> Vec<u8> {
    let from = replica.state_vector();
    (0..count).for_each(|_| drop(replica.edit(&insert("x"))));
    replica.missing_from(&from).unwrap()
}

#[tokio::test]
async fn the_number_of_items_is_limited() {
    let budget = BudgetSettings { document_items: 300, ..BudgetSettings::default() };
    let bench = Bench::with("", budget);
    let mut replica = bench.replica(7);
    let (some, more) = (letters(&mut replica, 200), letters(&mut replica, 200));
    bench.submit("some", some).await.unwrap();
    let refused = bench.submit("more", more).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    // The document can still be emptied and edited by the server.
    let mut other =
        TextDoc::load(8, &bench.rooms.missing(DOCUMENT, vec![0]).await.unwrap().delta).unwrap();
    bench.submit("empty", other.replace_with("").unwrap()).await.unwrap();
    assert_eq!(bench.text().await, "");
    let long: String = (0..500).map(|n| format!("{n} ")).collect();
    bench.edit("long", &long).await.unwrap();
    bench.edit("other", &long.replace(' ', "-")).await.unwrap();
    assert_eq!(bench.text().await, long.replace(' ', "-"));
}

#[tokio::test]
async fn the_size_of_the_state_is_limited() {
    let budget = BudgetSettings { document_bytes: 4_000, ..BudgetSettings::default() };
    let bench = Bench::with("", budget);
    let text = "x".repeat(1_500);
    for client in 7..9 {
        let mut replica = bench.replica(client);
        bench.submit(&client.to_string(), replica.edit(&insert(&text))).await.unwrap();
    }
    let refused = bench.submit("more", bench.replica(9).edit(&insert(&text))).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    // Deleted text is removed from the state.
    bench.edit("empty", "").await.unwrap();
    bench.submit("again", bench.replica(10).edit(&insert(&text))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn idle_rooms_are_evicted_when_memory_is_short() {
    let budget = BudgetSettings { rooms: 2, ..BudgetSettings::default() };
    let bench = Bench::with("kept", budget);
    let documents = [1, 2, 3].map(|number| DocumentId(Uuid::from_u128(number)));
    for document in documents {
        bench.rooms.read(document).await.unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    let open = documents.map(|document| bench.rooms.is_open(document));
    assert_eq!(open, [false, true, true]);
    // Rooms in use stay, so opening another one times out.
    for document in documents {
        drop(bench.rooms.read(document).await);
    }
    assert!(bench.rooms.size().0 <= 2, "{:?}", bench.rooms.size());
}

#[tokio::test(start_paused = true)]
async fn the_total_memory_of_rooms_is_limited() {
    let budget = BudgetSettings { room_bytes: 300_000, ..BudgetSettings::default() };
    let bench = Bench::with(&"x".repeat(100_000), budget);
    for number in 1..=10 {
        bench.rooms.read(DocumentId(Uuid::from_u128(number))).await.unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        let (open, bytes) = bench.rooms.size();
        assert!(open <= 3 && bytes < 500_000, "{open} rooms, {bytes} bytes");
    }
}

#[tokio::test]
async fn a_load_stops_after_a_few_quarantines() {
    let bench = Bench::new("kept");
    let row =
        |seq| LoggedUpdate { seq, actor: ANN, delta: seal(b"no update"), at: Timestamp::default() };
    {
        let mut kept = bench.log.kept.lock();
        kept.rows = (1..=10).map(row).collect();
        kept.live_seq = 10;
    }
    let stopped = bench.rooms.read(DOCUMENT).await;
    assert!(matches!(stopped, Err(Error::Unavailable(_))), "{stopped:?}");
    assert_eq!(bench.quarantined(), Vec::from_iter(1..=8));
    // The next command goes on.
    assert_eq!(bench.text().await, "kept");
    assert_eq!(bench.quarantined(), Vec::from_iter(1..=10));
}

#[tokio::test]
async fn only_a_writer_of_many_quarantined_updates_is_refused() {
    const BEN: ActorId = ActorId(Uuid::from_u128(3));
    let bench = Bench::new("kept");
    let known = bench.replica(6).edit(&insert("known "));
    let seq = bench.submit("known", known.clone()).await.unwrap();
    bench.log.kept.lock().full = vec![ANN];
    bench.close().await;
    let bench = Bench::over(bench.log);
    let by_ann = bench.replica(7).edit(&insert("a"));
    let refused = bench.submit("op", by_ann).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    let refused = bench.edit("edit", "other").await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    // What is durable is confirmed again, and other writers are not affected.
    assert_eq!(bench.submit("known", known).await.unwrap(), seq);
    let by_ben = bench.replica(8).edit(&insert("b"));
    let update = ClientUpdate { actor: BEN, op_id: "ben".to_owned(), delta: by_ben };
    bench.rooms.submit(DOCUMENT, update).await.unwrap();
    assert_eq!(bench.text().await, "bknown kept");
}

#[tokio::test]
async fn a_snapshot_passes_quarantined_updates() {
    let bench = Bench::new("kept");
    bench.trouble(Trouble { spoils_rows: true, loses_a_reply: true, ..Trouble::default() });
    let update = bench.replica(7).edit(&insert("a"));
    let answer = bench.submit("op", update.clone()).await;
    assert!(is_quarantined(&answer), "{answer:?}");
    bench.close().await;
    assert_eq!(bench.log.kept.lock().newest().seq, 1);
    let bench = Bench::over(bench.log);
    assert!(bench.log.load(DOCUMENT).await.unwrap().quarantined.is_empty());
    let again = bench.submit("op", update).await;
    assert!(is_quarantined(&again), "{again:?}");
    assert_eq!(bench.text().await, "kept");
}

/// A pool with one place, and no patience.
fn small_pool() -> BudgetSettings {
    let wait = Duration::from_millis(50);
    BudgetSettings { threads: 1, queue: 0, wait, ..BudgetSettings::default() }
}

#[tokio::test]
async fn a_batch_is_still_checked_when_the_pool_is_full() {
    let bench = Bench::with("abcdef", small_pool());
    bench.text().await;
    let place = bench.budget.place().await.unwrap();
    let first = vec![1, 1, 2, 0, 0xc4, 1, 1, 1, 2, 1, b'X', 0];
    let long = bench.replica(7).edit(&insert(&"x".repeat(100_000)));
    // It depends on the first and declares wrong neighbours.
    let last = vec![1, 1, 2, 1, 0xc4, 2, 0, 1, 1, 1, b'Y', 0];
    let answers =
        futures::join!(bench.submit("a", first), bench.submit("b", long), bench.submit("c", last));
    assert_eq!(answers.0.unwrap(), 1);
    assert!(matches!(answers.1, Err(Error::Overloaded(_))), "{:?}", answers.1);
    let Err(Error::BadUpdate(why)) = &answers.2 else { panic!("{:?}", answers.2) };
    assert!(why.contains("side by side"), "{why}");
    // Nothing wrong has reached the log.
    assert!(bench.quarantined().is_empty());
    drop(place);
    assert_eq!(bench.text().await, "abXcdef");
}

#[tokio::test]
async fn a_large_checker_is_copied_by_the_pool() {
    let bench = Bench::with(&"🦀".repeat(20_000), small_pool());
    bench.text().await;
    let place = bench.budget.place().await.unwrap();
    let [a, b] = [7, 8].map(|client| bench.replica(client).edit(&insert("x")));
    let refused = futures::join!(bench.submit("a", a), bench.submit("b", b.clone()));
    for refused in [refused.0, refused.1] {
        assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
    }
    drop(place);
    assert_eq!(bench.submit("b", b).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_document_is_served_while_it_waits_for_memory_to_persist() {
    let bench = Bench::new(&"x".repeat(100_000));
    let new = "y".repeat(100_000);
    let held = bench.budget.persist(usize::MAX).await.unwrap();
    bench.edit("one", &new).await.unwrap();
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(bench.text().await, new);
    }
    assert_ne!(bench.log.kept.lock().text, new, "there is no memory to persist it");
    drop(held);
    while bench.log.kept.lock().text != new {
        tokio::task::yield_now().await;
    }
}
