//! Checks an encoded state vector before yrs sees it: yrs allocates as many entries as the first
//! number claims.

use super::{Refusal, varint::Reader};

/// Whether the bytes are a state vector (v1), and nothing else.
pub(super) fn is_state_vector(bytes: &[u8]) -> bool {
    let check = || {
        let mut reader = Reader::new(bytes);
        let entries = reader.uint()?;
        for _ in 0..entries {
            let (_client, _clock) = (reader.uint()?, reader.clock()?);
        }
        Ok::<bool, Refusal>(reader.is_at_end())
    };
    check().unwrap_or(false)
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
