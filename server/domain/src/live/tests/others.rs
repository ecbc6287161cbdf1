//! Rooms of two processes that write into one document: each update is checked against everything
//! before it in the log, including what the other process has written.

use super::*;

/// Of client 5, behind an item of client 9, who is not there.
fn waits(letter: u8) -> Vec<u8> {
    vec![1, 1, 5, 0, 0xc4, 9, 0, 1, 0, 1, letter, 0]
}

/// Two rooms that have loaded the document.
async fn two(text: &str) -> (Bench, Bench) {
    let here = Bench::new(text);
    let there = Bench::over(Arc::clone(&here.log));
    assert_eq!((here.text().await.as_str(), there.text().await.as_str()), (text, text));
    (here, there)
}

fn is_bad<T: std::fmt::Debug>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::BadUpdate(_)))
}

#[tokio::test(start_paused = true)]
async fn an_update_may_not_contradict_one_that_waits_elsewhere() {
    let (here, there) = two("a").await;
    assert!(here.send(ANN, "one", waits(b'x')).await.unwrap().pending);
    let refused = there.send(ANN, "two", waits(b'y')).await;
    assert!(is_bad(&refused), "{refused:?}");
    assert_eq!(here.log.kept.lock().rows.len(), 1);
    // The same update, sent to another process, is known.
    assert_eq!(there.send(ANN, "one", waits(b'x')).await.unwrap().seq, 1);
    assert_eq!(here.text().await, there.text().await);
}

// In real time: paused time passes while a job runs on another thread, and the room would be unloaded.
#[tokio::test]
async fn a_document_does_not_grow_beyond_its_limit_in_two_processes() {
    let half = MAX_CONTENT_BYTES / 2 + 1;
    let (here, there) = two("").await;
    let (mut one, mut two) = (here.replica(7), here.replica(8));
    here.submit("one", one.edit(&insert(&"x".repeat(half)))).await.unwrap();
    let refused = there.submit("two", two.edit(&insert(&"y".repeat(half)))).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
    let edited = there.edit("edit", "short").await;
    assert!(matches!(edited, Ok(EditOutcome::Done(_))), "{edited:?}");
    assert_eq!(there.text().await, "short");
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_the_server_is_based_on_what_others_have_written() {
    let (here, there) = two("base").await;
    let hash = crate::hash::sha256("base");
    here.submit("one", here.replica(7).edit(&insert("more "))).await.unwrap();
    // Its room believes that the text is still this one.
    let kind = EditKind::Replace { content: "new".to_owned(), expected: Some(vec![hash]) };
    let (op_id, request_hash) = ("edit".to_owned(), kind.request_hash());
    let edit = ServerEdit { actor: ANN, op_id, request_hash, kind };
    let edited = there.rooms.edit(DOCUMENT, edit).await;
    assert!(matches!(edited, Ok(EditOutcome::Stale(_))), "{edited:?}");
    assert_eq!(
        (here.text().await.as_str(), there.text().await.as_str()),
        ("more base", "more base")
    );
}

#[tokio::test(start_paused = true)]
async fn updates_of_a_batch_are_written_once_and_in_order_behind_others() {
    let (here, there) = two("").await;
    let (mut one, mut two) = (here.replica(7), here.replica(8));
    here.submit("other", two.edit(&insert("o"))).await.unwrap();
    let submitted = (0..5).map(|number| {
        let (op_id, delta) = (number.to_string(), one.edit(&insert("x")));
        there.rooms.submit(DOCUMENT, ClientUpdate { actor: ANN, op_id, delta })
    });
    let receipts = futures::future::join_all(submitted.collect::<Vec<_>>()).await;
    let seqs: Vec<_> = receipts.into_iter().map(|receipt| receipt.unwrap().seq).collect();
    assert_eq!(seqs, [2, 3, 4, 5, 6]);
    assert_eq!(there.text().await, "xxxxxo");
}
