//! Safety properties, and reachability examples that show the safety properties are not vacuous.

use stateright::Property;

use super::attempt::{Answer, Attempt, Learned, Phase};
use super::model::{CommitModel, REQUESTS, State};
use super::stores::{Intent, Record};
use super::upkeep::UpkeepAction;

pub(crate) const READABLE: &str = "a listed version reads as what was committed";
pub(crate) const NUMBERS: &str = "version numbers have no gaps and one commit each";
pub(crate) const ONCE: &str = "a request key commits at most once";
pub(crate) const SAVED: &str = "an acknowledged version exists with its text";
pub(crate) const NEVER: &str = "an attempt reported as never committed is not committed";
pub(crate) const REFUSED: &str = "a rejected request is not committed";
pub(crate) const KEPT: &str = "committed content is never deleted";
pub(crate) const WHOLE: &str = "the newest version is a snapshot";
pub(crate) const READER: &str = "the reader gets what was committed";
pub(crate) const TIDY: &str = "a quiescent state has no leftovers";

/// Returns the properties of a model: safety properties, and examples reachable within its bounds.
pub(crate) fn of(model: &CommitModel) -> Vec<Property<CommitModel>> {
    let mut properties = vec![
        Property::always(READABLE, |_, state: &State| {
            let mut versions = state.sql.versions();
            versions.all(|version| state.contents.text(version.commit) == Some(version.text))
        }),
        Property::always(NUMBERS, |_, state: &State| {
            (1..).zip(state.sql.versions()).all(|(number, version)| version.number == number)
                && distinct(state.sql.versions().map(|version| version.commit))
        }),
        Property::always(ONCE, |_, state: &State| {
            distinct(state.sql.versions().map(|version| version.request))
        }),
        Property::always(SAVED, |_, state: &State| every_request(state, saved_means_saved)),
        Property::always(NEVER, |model: &CommitModel, state: &State| {
            (0..).zip(&state.attempts).all(|(attempt, at)| {
                !matches!(at.phase, Phase::Never { .. })
                    || !state.sql.is_listed(model.commit_id(attempt))
            })
        }),
        Property::always(REFUSED, |_, state: &State| {
            every_request(state, |state, request, answer| {
                answer != Answer::Refused || state.sql.by_request(request).is_none()
            })
        }),
        Property::always(KEPT, |_, state: &State| {
            let mut versions = state.sql.versions();
            versions.all(|version| *state.contents.record(version.commit) != Record::Deleted)
        }),
        Property::always(WHOLE, |_, state: &State| {
            state.contents.record(state.sql.head().commit).content().is_some()
        }),
        Property::always(READER, |_, state: &State| !state.misread),
        Property::always(TIDY, is_tidy),
    ];
    properties.extend(examples(model));
    properties
}

fn examples(model: &CommitModel) -> Vec<Property<CommitModel>> {
    let mut examples = vec![
        Property::sometimes("both savers are acknowledged", |_, state: &State| {
            every_request(state, |_, _, answer| matches!(answer, Answer::Committed { .. }))
        }),
        Property::sometimes("a lost reply was a commit: the fence loses", |_, state: &State| {
            learned(state, Learned::LostFence)
        }),
        Property::sometimes("a retried request finds its key", |_, state: &State| {
            learned(state, Learned::Key)
        }),
        Property::sometimes("step 4 violates the unique key", |_, state: &State| {
            learned(state, Learned::UniqueViolation)
        }),
        Property::sometimes("a request is finally rejected", |_, state: &State| {
            !every_request(state, |_, _, answer| answer != Answer::Refused)
        }),
        Property::sometimes("a statement commits after its saver is gone", |_, state: &State| {
            let gone = |at: &Attempt| at.phase == Phase::Gone;
            (1..).zip(&state.attempts).any(|(commit, at)| gone(at) && state.sql.is_listed(commit))
                && every_request(state, |_, _, answer| answer == Answer::Pending)
        }),
    ];
    if !model.bounds.one_file {
        examples.push(Property::sometimes(
            "a lost reply was a commit whose intent is forgotten",
            |_, state: &State| {
                (1..).zip(&state.attempts).any(|(commit, at)| {
                    at.phase == Phase::Unsettled && state.sql.is_forgotten(commit)
                })
            },
        ));
        examples.push(Property::sometimes("a fence wins", |_, state: &State| {
            state.attempts.iter().any(|at| at.phase == Phase::Never { fenced: true })
        }));
        examples.push(Property::sometimes("a collector deletes an orphan", |_, state: &State| {
            (0..).zip(&state.sql.intents).any(|(commit, intent)| {
                *intent == Intent::Gc && *state.contents.record(commit) == Record::Deleted
            })
        }));
    }
    if model.bounds.demotes {
        examples.push(Property::sometimes("a demotion completes", |_, state: &State| {
            is_delta(state, 1) && !state.sql.demotions[1]
        }));
        examples.push(Property::sometimes(
            "version 1 is read through two deltas",
            |_, state: &State| is_delta(state, 1) && is_delta(state, 2) && state.reading.is_some(),
        ));
        examples.push(Property::sometimes(
            "a damaged patch is detected in time",
            |_, state: &State| !state.damage_left && is_delta(state, 1),
        ));
    }
    examples
}

fn every_request(state: &State, holds: fn(&State, u8, Answer) -> bool) -> bool {
    (0..REQUESTS).zip(&state.requests).all(|(request, at)| holds(state, request, at.answer))
}

fn saved_means_saved(state: &State, request: u8, answer: Answer) -> bool {
    let Answer::Committed { text, .. } = answer else {
        return true;
    };
    state.sql.by_request(request).is_some_and(|version| {
        version.text == text && state.contents.text(version.commit) == Some(text)
    })
}

fn learned(state: &State, from: Learned) -> bool {
    state.requests.iter().any(
        |request| matches!(request.answer, Answer::Committed { learned, .. } if learned == from),
    )
}

fn is_delta(state: &State, number: u8) -> bool {
    state.sql.by_number(number).is_some_and(|version| {
        let record = state.contents.record(version.commit);
        record.content().is_none() && record.patch().is_some()
    })
}

fn distinct(values: impl Iterator<Item = u8> + Clone) -> bool {
    let mut rest = values;
    while let Some(value) = rest.next() {
        if rest.clone().any(|other| other == value) {
            return false;
        }
    }
    true
}

/// Returns whether only the reader can make progress, and committed intents be forgotten: no open
/// intent, no content of a closed one,
/// no pending demotion, and no unanswered client that could still send its request.
fn is_tidy(model: &CommitModel, state: &State) -> bool {
    let busy = state.attempts.iter().any(|at| at.is_alive() || at.sent.is_some())
        || (0..REQUESTS).any(|request| model.may_ask(state, request));
    if busy {
        return true;
    }
    let mut upkeep = Vec::with_capacity(16);
    model.upkeep_actions(state, &mut upkeep);
    let idle = |action: &UpkeepAction| {
        matches!(action, UpkeepAction::Open | UpkeepAction::Follow | UpkeepAction::Forget(_))
    };
    if !upkeep.iter().all(idle) {
        return true;
    }
    let head = state.sql.head().number;
    state.sql.intents.iter().zip(0..).all(|(intent, commit)| match intent {
        Intent::Open => false,
        Intent::Gc => !state.contents.record(commit).is_present(),
        Intent::Missing | Intent::Committed => {
            state.sql.is_listed(commit) || !state.contents.record(commit).is_present()
        }
    }) && (!model.bounds.demotes || (1..head).all(|number| is_delta(state, number)))
}
