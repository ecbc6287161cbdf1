//! Writes that meet a copy, a removal or themselves.

use super::*;
use crate::faulty::Fault;
use crate::routing::route::Pass;
use izanagi_domain::storage::{Constraint, StoreError};

/// A driver sends a write twice; the second answer is a conflict, and the record is there.
#[tokio::test]
async fn a_write_that_was_sent_twice_reaches_the_second_place() {
    let two = Two::new().await;
    let twice = Injector::nth(0, Fault::Repeat);
    let first = Arc::new(Faulty::new(Arc::clone(&two.first), &twice));
    let routed = two.over(first, Arc::clone(&two.second), of_move(Truth::Source));
    let created = write(&routed, Write::Create(new("words"), at(1))).await;
    assert!(twice.fired().is_some());
    assert_eq!(created, Err(StoreError::Conflict(Constraint::RecordExists)));
    let [first, second] = two.both().await;
    assert!(first.is_some() && first == second, "{second:?}");
    assert_eq!(two.all().await, []);
}

/// The copying of before arrives between a removal and the record that comes after it.
#[tokio::test]
async fn a_copy_of_an_earlier_record_of_the_same_version_does_not_remain() {
    let two = Two::new().await;
    let beside = Arc::clone(&two.second);
    let second = before(&two.second, "replicate", async move {
        create(&beside, "of before").await;
    });
    let routed = two.over(Arc::clone(&two.first), second, of_move(Truth::Source));
    assert_eq!(write(&routed, Write::Create(new("words"), at(9))).await, Ok(1));
    let [first, second] = two.both().await;
    assert!(first.is_some() && first == second, "{second:?}");
    assert_eq!(two.all().await, []);
}

/// Another node removes the record from both places between its creation and its copy.
#[tokio::test]
async fn a_removed_record_does_not_come_back_with_its_copy() {
    let two = Two::new().await;
    let (one, other) = (Arc::clone(&two.first), Arc::clone(&two.second));
    let second = before(&two.second, "replicate", async move {
        one.purge(&path()).await.unwrap();
        other.purge(&path()).await.unwrap();
    });
    let routed = two.over(Arc::clone(&two.first), second, BY_SETTINGS);
    assert_eq!(write(&routed, Write::Create(new("words"), at(1))).await, Ok(1));
    assert_eq!(two.both().await, [None, None]);
    assert_eq!(two.all().await, []);
}

/// The node of the creation ends before it can look again: others must know of the removal.
#[tokio::test]
async fn a_removal_is_remembered_while_the_record_has_another_mark() {
    let two = Two::new().await;
    let routed = two.routed(BY_SETTINGS);
    two.marks.add(&path(), BY_SETTINGS, false).await.unwrap();
    assert_eq!(write(&routed, Write::Purge(path())).await, Ok(0));
    assert_eq!(two.all().await.iter().filter(|mark| mark.purges).count(), 1);
    // Its last copy arrives late.
    create(&two.second, "removed").await;
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    assert_eq!(two.both().await, [None, None]);
    assert_eq!(two.all().await, []);
}

/// What was sent to the second place must arrive before the gate closes, and not after a switch.
#[tokio::test]
async fn writes_are_not_held_before_what_was_sent_has_arrived() {
    let two = Two::new().await;
    create(&two.first, "words").await;
    create(&two.second, "words").await;
    let (go_on, wait) = tokio::sync::oneshot::channel::<()>();
    let second = before(&two.second, "purge", async move {
        wait.await.unwrap();
    });
    let routed = two.over(Arc::clone(&two.first), second, of_move(Truth::Source));
    assert_eq!(write(&routed, Write::Purge(path())).await, Ok(0), "the first place decides");
    assert_eq!(two.all().await.len(), 1, "the second place has not answered");
    let held = tokio::time::timeout(Duration::from_millis(200), routed.hold()).await.is_ok();
    assert!(!held, "the removal is on its way");
    go_on.send(()).unwrap();
    drop(routed.hold().await);
    assert_eq!(two.both().await, [None, None]);
}

/// While the process stood still, somebody took it for dead and removed its mark.
#[tokio::test]
async fn a_write_whose_mark_is_gone_is_marked_again_and_not_acknowledged() {
    let two = Two::new().await;
    let marks = Arc::clone(&two.marks);
    let first = before(&two.first, "create", async move {
        marks.clear(None).await.unwrap();
    });
    let routed = two.over(first, Arc::clone(&two.second), BY_SETTINGS);
    let created = write(&routed, Write::Create(new("words"), at(1))).await;
    assert!(matches!(created, Err(StoreError::Unknown(_))), "{created:?}");
    assert_eq!(two.all().await.len(), 1);
}
