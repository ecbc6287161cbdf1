//! A history as it is stored: the newest version as a text, each older version as a delta from its
//! successor (PRODUCT V2).
#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, reason = "each test file uses some of the generators")]
#[path = "../src/text/testing.rs"]
mod testing;

use izanagi_shared::text::delta::TextDelta;
use proptest::collection::vec;
use proptest::prelude::*;

/// The number of edits in a history.
const EDITS: usize = 300;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_version_of_a_reverse_chain_is_rebuilt_byte_for_byte(
        first in testing::text(),
        edits in vec(testing::edit(), EDITS),
    ) {
        let mut versions = vec![first];
        for edit in edits {
            let newest = &versions[versions.len() - 1];
            versions.push(edit.apply(newest));
        }
        // Stored as JSON, so that each delta is parsed again.
        let stored: Vec<String> = versions
            .windows(2)
            .map(|pair| serde_json::to_string(&TextDelta::between(&pair[1], &pair[0])).unwrap())
            .collect();

        let mut text = versions[EDITS].clone();
        for (number, json) in stored.iter().enumerate().rev() {
            let delta: TextDelta = serde_json::from_str(json).unwrap();
            text = delta.apply(&text).unwrap();
            prop_assert_eq!(&text, &versions[number], "version {}", number);
        }
    }

    #[test]
    fn deltas_of_a_chain_compose_into_one(
        first in testing::text(),
        edits in vec(testing::edit(), 40),
    ) {
        let mut text = first.clone();
        let mut all = TextDelta::identity(first.len());
        for edit in edits {
            let next = edit.apply(&text);
            all = all.compose(&TextDelta::between(&text, &next)).unwrap();
            text = next;
        }
        prop_assert_eq!(all.apply(&first).unwrap(), text.clone());
        prop_assert_eq!(all.invert(&first).unwrap().apply(&text).unwrap(), first);
    }
}
