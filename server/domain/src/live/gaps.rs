//! Detects missing rows of a document's log. A row that is gone would otherwise be served as a
//! correct text without it, and the next snapshot would remove the evidence.

use crate::storage::LoadedLog;
use std::collections::BTreeSet;

/// Returns what is missing in a log whose snapshot could not absorb the updates `waiting`. Each of
/// them, and each update from the snapshot to the newest, must be in the log or quarantined.
pub(crate) fn missing_rows(log: &LoadedLog, waiting: &[u64]) -> Option<String> {
    let LoadedLog { live_seq, snapshot, updates, quarantined, .. } = log;
    if snapshot.seq > *live_seq {
        return Some(format!("snapshot {} is newer than {live_seq}", snapshot.seq));
    }
    let known: BTreeSet<u64> =
        updates.iter().map(|update| update.seq).chain(quarantined.iter().copied()).collect();
    if let Some(beyond) = known.last().filter(|seq| *seq > live_seq) {
        return Some(format!("update {beyond} is newer than {live_seq}"));
    }
    // Compared with what is there, because a damaged number could name very many updates.
    let after: Vec<u64> = known.range(snapshot.seq + 1..).copied().collect();
    let expected = snapshot.seq + 1..=*live_seq;
    let gap = expected.clone().zip(&after).find(|(seq, found)| seq != *found).map(|(seq, _)| seq);
    let end = snapshot.seq + 1 + after.len() as u64;
    let gap = gap.or_else(|| expected.contains(&end).then_some(end));
    let gap = gap.or_else(|| waiting.iter().copied().find(|seq| !known.contains(seq)))?;
    Some(format!("update {gap} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{LoggedUpdate, StoredSnapshot};
    use izanagi_shared::{id::ActorId, time::Timestamp};
    use rstest::rstest;
    use uuid::Uuid;

    #[rstest]
    #[case::empty(4, &[], &[], &[], None)]
    #[case::all_there(6, &[5, 6], &[], &[], None)]
    #[case::one_is_quarantined(7, &[5, 7], &[6], &[], None)]
    #[case::one_waits(5, &[2, 5], &[], &[2], None)]
    #[case::one_that_waited_is_quarantined(5, &[5], &[2], &[2], None)]
    #[case::in_the_middle(7, &[5, 7], &[], &[], Some("update 6 is missing"))]
    #[case::the_first(6, &[6], &[], &[], Some("update 5 is missing"))]
    #[case::the_last(6, &[5], &[], &[], Some("update 6 is missing"))]
    #[case::the_only_one(5, &[], &[], &[], Some("update 5 is missing"))]
    #[case::one_that_waited(5, &[5], &[], &[2], Some("update 2 is missing"))]
    #[case::too_many(5, &[5, 6], &[], &[], Some("update 6 is newer than 5"))]
    #[case::an_old_head(3, &[], &[], &[], Some("snapshot 4 is newer than 3"))]
    #[case::a_huge_head(u64::MAX, &[5], &[], &[], Some("update 6 is missing"))]
    fn finds_missing_rows(
        #[case] live_seq: u64,
        #[case] rows: &[u64],
        #[case] quarantined: &[u64],
        #[case] waiting: &[u64],
        #[case] missing: Option<&str>,
    ) {
        let update = |seq: &u64| LoggedUpdate {
            seq: *seq,
            actor: ActorId(Uuid::nil()),
            delta: Vec::new(),
            at: Timestamp::default(),
        };
        let log = LoadedLog {
            live_seq,
            head_is_damaged: false,
            lineage: [0; 16],
            snapshot: StoredSnapshot { seq: 4, state: Vec::new() },
            updates: rows.iter().map(update).collect(),
            quarantined: quarantined.to_vec(),
            full: Vec::new(),
        };
        assert_eq!(missing_rows(&log, waiting).as_deref(), missing);
    }
}
