//! The protocol of DESIGN §5 (committing a version), walked by a model checker through every order of
//! steps within bounds, with a crash, a lost reply, a late or a repeated statement anywhere.
//!
//! **Who takes part.** Two clients, each with a request and its `request_key`; the first one's saver takes
//! whatever head it finds and rebases, the second one's caller named the version that it was based on. A
//! client that hears nothing asks again, with the same key and a fresh commit id, so that up to four
//! savers work at once. Two collectors. Demoters, at most two updates of theirs on the way at a time. A
//! reader, record by record. The document starts with version 1.
//!
//! **What is modelled.** The SQL side (versions, intents, outbox) and the content side (a record absent,
//! snapshot, snapshot and patch, delta with a base, deleted; its record version) apart from each other. A
//! statement is a message: it executes at any time after it was sent, also when its sender has given up or
//! is dead, or never; step 4 may execute twice, the sender hearing the second reply. Time is anybody's
//! guess: a collector may see an open intent as expired at any moment, step 4 may see it as expired or
//! not, and the two need not agree, so nothing here rests on clocks. The document store may damage one
//! patch that it is given. Where both stores are one SQLite file, steps 2 to 4 are one transaction in the
//! queue of the one writer.
//!
//! **What is left out.** Text is a number and a patch a pair of them; keyframes, hash chain, chunks and the
//! trash; reads are of the primary and atomic; the room (step 1) is one read of the head. A crash before a
//! step and a lost request are the step's not happening, a crash after it and a lost reply are its sender's
//! not going on. Two reductions merge states whose futures are equal: a step 4 on a closed intent and an
//! update on an outdated record version are forgotten once nobody waits for them.
//!
//! **Bounds.** A request has one or two attempts, shared by retry and rebase, three in one case; so there are
//! at most four commit ids and three versions. The number of states of each case stands in its test, which
//! fails when it is another: 0.03 to 0.75 million each. Wider bounds, too slow for every run, were walked once
//! with the same verdict: two attempts each with impatient clients (17.8 million states), two attempts
//! each with demoters (9.9 million), and the first case without the two reductions.
//!
//! **Rules that the checker asks for** (each has a [`Flaw`] that leaves it out, with the promise it breaks):
//! - Whoever is about to say "not committed" (a reply that did not come, 412, nothing to commit)
//!   *settles* the request first: closes every open intent of its `request_key`, own and older ones, then
//!   looks for the key in `versions`.
//! - "No row" does not say that the head moved; a refusal looks at the key and the head first.
//! - "Not committed" is the last word only if no other saver of the request is alive; else it is "ask again
//!   with the same key".
//! - In one file, fence and look go through the writer's queue, behind the transaction they ask about.
//! - Step 4 is not sent before step 3 is known to have happened; a commit id is used for one attempt.
//! - Step 4 closes the intent only together with inserting the version.
//! - Collectors delete for every closed intent, whoever closed it, and close before they delete.
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

/// Two requests, the first of which may be tried twice; its client waits until its saver is gone.
const RETRY: Bounds =
    Bounds { attempts: [2, 1], impatient: false, one_file: false, demotes: false };
/// The second request, which names its base, is the one that may be tried twice.
const NAMED_RETRY: Bounds = Bounds { attempts: [1, 2], ..RETRY };
/// The client asks again while its saver works.
const IMPATIENT: Bounds = Bounds { impatient: true, ..RETRY };
/// Both stores are one file, both clients impatient.
const ONE_FILE: Bounds = Bounds { attempts: [2, 2], one_file: true, ..IMPATIENT };
/// One attempt each, demoters and reader.
const DEMOTION: Bounds = Bounds { attempts: [1, 1], demotes: true, ..RETRY };

#[rstest]
#[case::with_everybody(Bounds { demotes: true, ..RETRY }, 538_060)]
#[case::with_a_retry_of_each_request(Bounds { attempts: [2, 2], ..RETRY }, 740_452)]
#[case::with_a_retry_and_a_rebase(Bounds { attempts: [3, 1], ..RETRY }, 718_161)]
#[case::with_an_impatient_client(IMPATIENT, 282_486)]
#[case::with_both_stores_in_one_file(ONE_FILE, 31_099)]
fn the_protocol_keeps_its_promises(#[case] bounds: Bounds, #[case] states: usize) {
    let model = CommitModel { bounds, flaw: None };
    let checker = model.checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), states, "the model walks another space than it says");
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
#[case::drop_unverified(Flaw::DropUnverified, DEMOTION, &[READABLE, SAVED, READER])]
#[case::update_unchecked(Flaw::UpdateUnchecked, DEMOTION, &[READABLE, SAVED, READER])]
fn the_checker_finds_what_a_flaw_breaks(
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
