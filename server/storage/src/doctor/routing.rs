//! What the relational database knows about stores in two places, and about their moves.

use super::Examined;

/// Moves of stores.
pub(crate) const MOVES: &str = "SELECT store, phase, note FROM store_moves ORDER BY store";
/// Records that the second place of the documents may lack.
pub(crate) const MARKS: &str = "SELECT COUNT(*) FROM shadow_marks";
/// What servers have counted about it: failures, differences, repaired records.
pub(crate) const COUNTS: &str =
    "SELECT shadow_failures, differences, repaired FROM routing_counts WHERE store = 'documents'";
/// The step of the schema from which on these tables exist.
pub(crate) const SINCE: i64 = 2;

/// The answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Routing {
    /// Store, phase and note of each move.
    pub(crate) moves: Vec<(String, String, String)>,
    pub(crate) marks: i64,
    pub(crate) counts: Option<(i64, i64, i64)>,
}

impl Examined {
    /// Reports moves and what the second place lacks; nothing where there was never a second one.
    pub(crate) fn routing(&mut self, Routing { moves, marks, counts }: &Routing) {
        for (store, phase, note) in moves {
            let note = if note.is_empty() { String::new() } else { format!(" ({note})") };
            let found = format!("the store {store} is {phase}{note}");
            match phase.as_str() {
                "moved" => self.good("move", format!("the store {store} has moved")),
                _ => self.note("move", found, "see “izanagi migrate-store --status”"),
            }
        }
        let Some((failures, differences, repaired)) = *counts else {
            if *marks > 0 {
                self.good("second place", format!("{marks} records are being written"));
            }
            return;
        };
        let found = format!(
            "{marks} records wait for it; so far {failures} failures, {differences} differences, \
             {repaired} repaired"
        );
        let mend = "run “izanagi fsck”, which names records whose copies differ";
        match differences {
            0 => self.good("second place", found),
            _ => self.note("second place", found, mend),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_difference_is_worth_a_note() {
        let seen = |counts| {
            let mut examined = Examined::new("users", String::new());
            examined.routing(&Routing { moves: Vec::new(), marks: 3, counts: Some(counts) });
            (examined.verdict(), examined.checks[0].found.clone())
        };
        assert_eq!(seen((2, 0, 1)).0, Verdict::Good);
        let (verdict, found) = seen((2, 1, 0));
        assert_eq!(verdict, Verdict::Note);
        assert!(found.starts_with("3 records wait") && found.contains("1 differences"), "{found}");
    }
}
