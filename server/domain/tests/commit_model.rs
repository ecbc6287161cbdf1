//! Model of the commit protocol of DESIGN §5. A model checker explores every order of steps within
//! bounds, with crashes, lost replies, and delayed or duplicated statements at any point.
//!
//! **Processes.** Two clients, each with a request and its `request_key`. The saver of the first
//! request takes any head and rebases; the caller of the second named the version it is based on. A
//! client without an answer retries with the same key and a new commit id, so up to four savers
//! work at once. Two collectors. Demoters with at most two updates in flight. A reader that reads
//! record by record. The document starts with version 1.
//!
//! **Modelled.** The SQL side (versions, intents, outbox) and the content side (a record is absent,
//! a snapshot, a snapshot with a patch, a delta with a base, or deleted; and its record version)
//! are separate. A statement is a message: it executes at any time after it was sent, even if its
//! sender has given up or died, or never. Step 4 may execute twice, with the sender receiving the
//! second reply. Time is arbitrary: a collector may consider an open intent expired at any moment,
//! and step 4 may disagree, so no property relies on clocks. The document store may damage one
//! patch. If both stores are one SQLite file, steps 2 to 4 are one transaction in the queue of the
//! single writer, without an intent.
//!
//! **Not modelled.** A text is a number and a patch a pair of numbers; keyframes, hash chain,
//! chunks and trash are left out. Reads are atomic and from the primary; the room (step 1) is one
//! read of the head. A crash before a step and a lost request equal the step not happening; a crash
//! after it and a lost reply equal the sender not continuing. Two reductions merge equivalent
//! states: a step 4 on a closed intent and an update on an outdated record version are dropped once
//! no process waits for them.
//!
//! **Bounds.** A request has one or two attempts, shared by retry and rebase, or three in one case,
//! which gives at most four commit ids and three versions. Each test asserts its number of states,
//! 0.03 to 1.43 million. Wider bounds, too slow for every run, were checked once with the same
//! result, before intents could be forgotten: two attempts each with impatient clients (17.8 million
//! states), two attempts each with demoters (9.9 million), and the first case without the two
//! reductions.
//!
//! **Rules** that the protocol needs (each has a [`Flaw`] that omits it, with the property it
//! violates):
//! - Before answering "not committed" (lost reply, 412, nothing to commit), a saver *settles* the
//!   request: it closes every open intent of the `request_key`, its own and older ones, then looks
//!   up the key in `versions`.
//! - "No row" does not imply that the head has moved; a rejection checks the key and the head
//!   first.
//! - "Not committed" is final only if no other saver of the request is alive; otherwise the answer
//!   is "retry with the same key".
//! - With one file, fence and lookup go through the writer's queue, behind the transaction in
//!   question.
//! - Step 4 is sent only after step 3 is known to have succeeded; a commit id is used for one
//!   attempt.
//! - Step 4 closes the intent only together with inserting the version.
//! - Collectors delete the content of every closed intent, whichever process closed it, and close
//!   before they delete.
//! - Committed intents may be forgotten at any time, so step 2 refuses a commit id that is a version,
//!   and collectors look for a version before they delete.
//! - Both updates of a demotion carry the record version that was read and verified.

#[path = "commit_model/attempt.rs"]
mod attempt;
#[path = "commit_model/flaw.rs"]
mod flaw;
#[path = "commit_model/model.rs"]
mod model;
#[path = "commit_model/properties.rs"]
mod properties;
#[path = "commit_model/saver.rs"]
mod saver;
#[path = "commit_model/stores.rs"]
mod stores;
#[path = "commit_model/upkeep.rs"]
mod upkeep;

use rstest::rstest;
use stateright::{Checker, HasDiscoveries, Model};

use flaw::Flaw;
use model::{Bounds, CommitModel};
use properties::{KEPT, NEVER, NUMBERS, ONCE, READABLE, READER, REFUSED, SAVED, TIDY, WHOLE};

/// Two requests; the first may be retried, after its saver is gone.
const RETRY: Bounds =
    Bounds { attempts: [2, 1], impatient: false, one_file: false, demotes: false };
/// The second request, which names its base, may be retried.
const NAMED_RETRY: Bounds = Bounds { attempts: [1, 2], ..RETRY };
/// The client retries while its saver is alive.
const IMPATIENT: Bounds = Bounds { impatient: true, ..RETRY };
/// Both stores share one file, and both clients are impatient.
const ONE_FILE: Bounds = Bounds { attempts: [2, 2], one_file: true, ..IMPATIENT };
/// One attempt each, with demoters and the reader.
const DEMOTION: Bounds = Bounds { attempts: [1, 1], demotes: true, ..RETRY };

#[rstest]
#[case::with_all_processes(Bounds { demotes: true, ..RETRY }, 1_426_640)]
#[case::with_a_retry_of_each_request(Bounds { attempts: [2, 2], ..RETRY }, 1_047_622)]
#[case::with_a_retry_and_a_rebase(Bounds { attempts: [3, 1], ..RETRY }, 1_023_020)]
#[case::with_an_impatient_client(IMPATIENT, 372_122)]
#[case::with_both_stores_in_one_file(ONE_FILE, 31_099)]
fn the_protocol_satisfies_its_properties(#[case] bounds: Bounds, #[case] states: usize) {
    let model = CommitModel { bounds, flaw: None };
    let checker = model.checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), states, "unexpected number of states");
}

#[rstest]
#[case::no_fence(Flaw::NoFence, RETRY, &[NEVER, REFUSED])]
#[case::fence_own_attempt_only(Flaw::FenceOwnAttemptOnly, RETRY, &[REFUSED])]
#[case::fence_beside_queue(Flaw::FenceBesideQueue, ONE_FILE, &[NEVER, REFUSED])]
#[case::refuse_without_look(Flaw::RefuseWithoutLook, NAMED_RETRY, &[NEVER, REFUSED])]
#[case::refuse_while_others_work(Flaw::RefuseWhileOthersWork, IMPATIENT, &[REFUSED])]
#[case::reuse_commit_id(Flaw::ReuseCommitId, RETRY, &[READABLE, SAVED, KEPT])]
#[case::commit_after_unknown_create(Flaw::CommitAfterUnknownCreate, RETRY, &[READABLE, SAVED, WHOLE])]
#[case::no_head_check(Flaw::NoHeadCheck, RETRY, &[NUMBERS])]
#[case::no_intent_check(Flaw::NoIntentCheck, RETRY, &[NEVER, REFUSED, KEPT])]
#[case::intent_closed_without_version(Flaw::IntentClosedWithoutVersion, RETRY, &[TIDY])]
#[case::key_not_unique(Flaw::KeyNotUnique, RETRY, &[ONCE])]
#[case::gc_without_mark(Flaw::GcWithoutMark, RETRY, &[READABLE, SAVED, KEPT])]
#[case::gc_only_own_marks(Flaw::GcOnlyOwnMarks, RETRY, &[TIDY])]
#[case::versions_unchecked(Flaw::VersionsUnchecked, RETRY, &[READABLE, SAVED, KEPT])]
#[case::drop_unverified(Flaw::DropUnverified, DEMOTION, &[READABLE, SAVED, READER])]
#[case::update_unchecked(Flaw::UpdateUnchecked, DEMOTION, &[READABLE, SAVED, READER])]
fn the_checker_detects_every_single_flaw(
    #[case] flaw: Flaw,
    #[case] bounds: Bounds,
    #[case] broken: &[&'static str],
) {
    let model = CommitModel { bounds, flaw: Some(flaw) };
    let found = HasDiscoveries::AllOf(broken.iter().copied().collect());
    let checker = model.checker().finish_when(found).spawn_bfs().join();
    for promise in broken {
        checker.assert_any_discovery(promise);
    }
}
