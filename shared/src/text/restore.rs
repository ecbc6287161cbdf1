//! Reverting single hunks of a comparison (PRODUCT V6).

use thiserror::Error;

use super::delta::{DeltaBuilder, TextDelta};
use super::diff::HunkId;
use super::lines::{byte_range, line_starts};

/// A hunk that does not belong to the two texts, usually because one of them has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("hunk {id} does not match these texts")]
pub struct HunkMoved {
    /// The id of the hunk.
    pub id: HunkId,
}

/// The delta that restores the lines of `old` in the given hunks of `new`, and changes nothing
/// else. To restore hunks in a text that has changed since `new`, merge the result into it.
///
/// # Errors
/// When a hunk does not match the two texts, or overlaps another of the given hunks.
pub fn restore_hunks(old: &str, new: &str, ids: &[HunkId]) -> Result<TextDelta, HunkMoved> {
    let old_lines: Vec<_> = old.split_inclusive('\n').collect();
    let new_lines: Vec<_> = new.split_inclusive('\n').collect();
    let found = ids.iter().map(|id| match id.find(&old_lines, &new_lines) {
        Some((in_old, in_new)) => Ok((in_new, in_old, id)),
        None => Err(HunkMoved { id: id.clone() }),
    });
    let mut hunks: Vec<_> = found.collect::<Result<_, _>>()?;
    hunks.sort_by_key(|(in_new, in_old, _)| (in_new.start, in_old.start));
    hunks.dedup_by_key(|(.., id)| *id);

    let (old_starts, new_starts) = (line_starts(0, &old_lines), line_starts(0, &new_lines));
    let mut delta = DeltaBuilder::default();
    let (mut at_new, mut at_old) = (0, 0);
    for (in_new, in_old, id) in hunks {
        let in_new = byte_range(&new_starts, &in_new);
        let in_old = byte_range(&old_starts, &in_old);
        if in_new.start < at_new || in_old.start < at_old {
            return Err(HunkMoved { id: id.clone() });
        }
        delta.retain(in_new.start - at_new);
        delta.append(&TextDelta::between(&new[in_new.clone()], &old[in_old.clone()]));
        (at_new, at_old) = (in_new.end, in_old.end);
    }
    delta.retain(new.len() - at_new);
    Ok(delta.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::diff::{DiffOptions, diff_lines};
    use crate::text::testing;
    use proptest::prelude::*;

    const OLD: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    const NEW: &str = "one\n2\n3\n4\n5\n6\n7\n8\nnine\nten";

    fn ids(old: &str, new: &str, context: usize) -> Vec<HunkId> {
        let options = DiffOptions { context, ..DiffOptions::default() };
        let hunks = diff_lines(old, new, &options).hunks.into_iter();
        hunks.map(|hunk| hunk.id).collect()
    }

    #[test]
    fn restores_one_hunk() {
        let ids = ids(OLD, NEW, 3);
        let first = restore_hunks(OLD, NEW, &ids[..1]).unwrap();
        assert_eq!(first.apply(NEW).unwrap(), "1\n2\n3\n4\n5\n6\n7\n8\nnine\nten");
        let last = restore_hunks(OLD, NEW, &ids[1..]).unwrap();
        assert_eq!(last.apply(NEW).unwrap(), "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    }

    #[test]
    fn a_hunk_given_twice_is_restored_once() {
        let mut ids = ids(OLD, NEW, 3);
        ids.extend(ids.clone());
        let delta = restore_hunks(OLD, NEW, &ids).unwrap();
        assert_eq!(delta.apply(NEW).unwrap(), OLD);
    }

    #[test]
    fn rejects_a_hunk_of_other_texts() {
        let ids = ids(OLD, NEW, 3);
        let moved = format!("{NEW}, eleven");
        let result = restore_hunks(OLD, &moved, &ids);
        assert_eq!(result, Err(HunkMoved { id: ids[1].clone() }));
    }

    #[test]
    fn rejects_hunks_that_overlap() {
        let (both, one) = (ids(OLD, NEW, 9), ids(OLD, NEW, 0));
        let result = restore_hunks(OLD, NEW, &[both[0].clone(), one[1].clone()]);
        assert_eq!(result, Err(HunkMoved { id: one[1].clone() }));
    }

    proptest! {
        #[test]
        fn restoring_all_hunks_gives_the_old_text(
            (old, new) in testing::text_pair(),
            context in 0..4_usize,
        ) {
            let delta = restore_hunks(&old, &new, &ids(&old, &new, context)).unwrap();
            prop_assert_eq!(delta.apply(&new).unwrap(), old);
        }
    }
}
