//! Checks an encoded state vector before yrs sees it: yrs allocates as many entries as the first
//! number claims.

use super::varint::Reader;
use std::collections::BTreeMap;

/// Whether the bytes are a state vector (v1), and nothing else.
pub(super) fn is_state_vector(bytes: &[u8]) -> bool {
    entries(bytes, |_, _| ()).is_some()
}

/// The next clock of each client that a state vector (v1) lists; `None` if the bytes are none.
#[must_use]
pub fn read_state_vector(bytes: &[u8]) -> Option<BTreeMap<u64, u32>> {
    let mut clocks = BTreeMap::new();
    entries(bytes, |client, clock| {
        clocks.insert(client, clock);
    })?;
    Some(clocks)
}

fn entries(bytes: &[u8], mut entry: impl FnMut(u64, u32)) -> Option<()> {
    let mut reader = Reader::new(bytes);
    for _ in 0..reader.uint().ok()? {
        entry(reader.uint().ok()?, reader.clock().ok()?);
    }
    reader.is_at_end().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{MAX_CLIENT_ID, TextDoc};
    use rstest::rstest;

    #[test]
    fn admits_what_replicas_tell_of_themselves() {
        assert!(is_state_vector(&TextDoc::new(1).state_vector()));
        let (mut doc, _) = TextDoc::from_text(MAX_CLIENT_ID, &"long ".repeat(1_000));
        for client in 1..50 {
            let (_, update) = TextDoc::from_text(client, "x");
            doc.apply(&update).unwrap();
        }
        assert!(is_state_vector(&doc.state_vector()));
    }

    #[test]
    fn names_its_clients() {
        assert_eq!(read_state_vector(&[2, 7, 1, 9, 4]), Some(BTreeMap::from([(7, 1), (9, 4)])));
        assert_eq!(read_state_vector(&[2, 7, 1]), None);
    }

    #[rstest]
    #[case::nothing(&[])]
    #[case::billions_of_entries(&[0xff, 0xff, 0xff, 0xff, 0x0f])]
    #[case::more_than_there_are(&[2, 1, 1])]
    #[case::an_entry_cut_short(&[2, 1, 1, 0x80, 0x80])]
    #[case::a_client_beyond_53_bits(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1])]
    #[case::a_clock_beyond_31_bits(&[1, 1, 0x80, 0x80, 0x80, 0x80, 0x08])]
    #[case::something_after_the_end(&[1, 1, 1, 0])]
    fn refuses(#[case] bytes: &[u8]) {
        assert!(!is_state_vector(bytes));
        assert!(TextDoc::new(1).missing_from(bytes).is_err());
    }
}
