//! Runs the fuzz targets with all inputs that were ever of interest: those in `shared/tests/corpus`,
//! in a folder for each target. `make fuzz` starts from them, and finds go there.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use rstest::rstest;
use std::{fs, path::Path};

#[rstest]
#[case("gate", targets::gate)]
#[case("yjs_frame", targets::yjs_frame)]
#[case("json_frame", targets::json_frame)]
#[case("connection", targets::connection)]
#[case("text_delta", targets::text_delta)]
fn inputs_of_interest_keep_the_promises(#[case] name: &str, #[case] target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        target(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "{}", folder.display());
}
