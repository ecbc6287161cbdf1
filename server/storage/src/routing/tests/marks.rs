//! What marks mean to those who mend.

use super::*;
use crate::routing::{RoutedDocuments, route::Pass};
use izanagi_domain::storage::{Differences, DocumentRouting as _, StoreError};
use std::time::Instant;

/// A node wrote to the place that the documents have left; its record is nowhere else.
#[tokio::test]
async fn a_mark_of_the_other_direction_removes_nothing() {
    let two = Two::new().await;
    let late = of_move(Truth::Source);
    two.marks.add(&path(), late, false).await.unwrap();
    two.marks.add(&path(), late, true).await.unwrap();
    // Since the switch, the first place is the target.
    create(&two.second, "late").await;
    let routed = two.routed(of_move(Truth::Target));
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    let [first, second] = two.both().await;
    assert!(first.is_some() && first == second, "{first:?} {second:?}");
    assert_eq!(two.all().await, []);
}

#[tokio::test]
async fn a_mark_of_the_other_direction_replaces_nothing() {
    let two = Two::new().await;
    two.marks.add(&path(), of_move(Truth::Source), false).await.unwrap();
    create(&two.first, "of now").await;
    create(&two.second, "late").await;
    let before = two.both().await;
    let routed = two.routed(of_move(Truth::Target));
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    assert_eq!(two.both().await, before);
}

#[tokio::test]
async fn marks_of_another_move_are_left_alone() {
    let two = Two::new().await;
    let other = Origin { move_id: Some(Uuid::from_u128(8)), truth: Truth::Target };
    for origin in [other, BY_SETTINGS] {
        two.marks.add(&path(), origin, true).await.unwrap();
    }
    create(&two.second, "words").await;
    let routed = two.routed(of_move(Truth::Source));
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    assert!(stored(&two.second).await.is_some());
    assert_eq!(two.all().await.len(), 2);
    assert_eq!(two.marks.clear_others(Uuid::from_u128(8)).await, Ok(1));
    assert_eq!(two.marks.clear(other.move_id).await, Ok(1));
}

/// Only the mark of a removal says that a record was removed. Without it, the last copy stays.
#[tokio::test]
async fn the_last_copy_goes_only_with_the_mark_of_a_removal() {
    let two = Two::new().await;
    let routed = two.routed(BY_SETTINGS);
    create(&two.second, "words").await;
    two.marks.add(&path(), BY_SETTINGS, false).await.unwrap();
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    assert!(stored(&two.second).await.is_some());
    assert_eq!((two.all().await.len(), routed.counters().differences), (0, 1), "it is reported");
    two.marks.add(&path(), BY_SETTINGS, true).await.unwrap();
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    assert_eq!(stored(&two.second).await, None);
}

/// In a move, the new place has nothing of its own before the switch.
#[tokio::test]
async fn a_place_that_is_only_a_copy_keeps_nothing_of_its_own() {
    let two = Two::new().await;
    create(&two.second, "words").await;
    two.marks.add(&path(), of_move(Truth::Source), false).await.unwrap();
    let routed = two.routed(of_move(Truth::Source));
    routed.mend_marked(&two.all().await, Pass::Gate, None).await.unwrap();
    assert_eq!(two.both().await, [None, None]);
}

#[tokio::test]
async fn nothing_is_begun_after_the_pause() {
    let two = Two::new().await;
    create(&two.first, "words").await;
    two.marks.add(&path(), of_move(Truth::Source), false).await.unwrap();
    let routed = two.routed(of_move(Truth::Source));
    let past = Instant::now() - Duration::from_millis(1);
    assert!(routed.mend_all_marked(past).await.is_err());
    assert_eq!((two.all().await.len(), stored(&two.second).await), (1, None));
    routed.mend_all_marked(Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!(two.all().await, []);
    assert!(stored(&two.second).await.is_some());
}

/// One record that cannot be read must not keep the others from being mended.
#[tokio::test]
async fn a_record_that_cannot_be_mended_does_not_keep_the_others() {
    let two = Two::new().await;
    create(&two.first, "words").await;
    let other = RecordPath::from_parts("documents/7/contents", "b");
    let record = NewRecord { path: other.clone(), data: data("more") };
    two.first.create(&record, at(1)).await.unwrap();
    let broken = Injector::hooked(Arc::new(Refuse(other.clone())));
    let first = Arc::new(Faulty::new(Arc::clone(&two.first), &broken));
    let routed = two.over(first, Arc::clone(&two.second), BY_SETTINGS);
    for path in [&other, &path()] {
        two.marks.add(path, BY_SETTINGS, false).await.unwrap();
    }
    assert!(routed.mend_marked(&two.all().await, Pass::Gate, None).await.is_err());
    assert!(stored(&two.second).await.is_some());
    let left: Vec<_> = two.all().await.into_iter().map(|mark| mark.path).collect();
    assert_eq!(left, [other]);
}

/// Every call that names a record finds it damaged.
struct Refuse(RecordPath);

#[async_trait]
impl Hook for Refuse {
    async fn before(&self, _: &'static str, args: &(dyn Debug + Sync)) -> StoreResult<()> {
        let named = format!("{:?}", self.0);
        if format!("{args:?}").contains(&named) {
            return Err(StoreError::Corrupt("damaged".to_owned()));
        }
        Ok(())
    }
}

/// What a move has not copied yet is no damage, and only its leader mends.
#[tokio::test]
async fn nobody_but_the_leader_compares_or_mends_before_the_switch() {
    let two = Two::new().await;
    create(&two.first, "words").await;
    for (truth, differences) in [(Truth::Source, None), (Truth::Target, Some(1))] {
        let routed = RoutedDocuments(two.routed(of_move(truth)));
        let found = routed.compare(false).await.unwrap();
        assert_eq!(found.map(|found| found.count), differences);
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_compared_record_by_record() {
    let two = Two::new().await;
    create(&two.first, "words").await;
    let broken = Injector::hooked(Arc::new(NoPages));
    let first = Arc::new(Faulty::new(Arc::clone(&two.first), &broken));
    let routed = RoutedDocuments(two.over(first, Arc::clone(&two.second), BY_SETTINGS));
    let expected = Differences { paths: vec![path()], count: 1 };
    assert_eq!(routed.compare(false).await, Ok(Some(expected)));
}

/// Each page has a damaged record.
struct NoPages;

#[async_trait]
impl Hook for NoPages {
    async fn before(&self, method: &'static str, _: &(dyn Debug + Sync)) -> StoreResult<()> {
        match method {
            "query" => Err(StoreError::Corrupt("damaged".to_owned())),
            _ => Ok(()),
        }
    }
}
