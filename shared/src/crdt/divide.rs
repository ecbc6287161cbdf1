//! What of an update can be integrated now.
//!
//! Yjs integrates a struct once its client's earlier ones are there and both items that it stands
//! between; the rest waits. yrs does not ask for the earlier ones of the same client: it would show
//! words that no Yjs client shows yet, and keep a hole that its own encoding does not survive. So an
//! update is divided here, and yrs gets only what is ready; deletions of what is not there yet wait
//! with the rest, so that what waits is kept, counted and bounded in one place.

use super::{
    gate::ClientRange,
    varint::write_uint,
    walk::{Need, Section, Walked},
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The parts of an update.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Division {
    /// All of it can be integrated.
    Ready,
    /// Some of it must wait.
    Divided {
        /// What can be integrated: an update.
        ready: Vec<u8>,
        /// The rest: an update.
        rest: Vec<u8>,
        /// The next that each of its clients waits for.
        needs: Vec<Need>,
    },
}

/// Divides an update. `clock_of` gives the next clock of a client in the document.
pub(super) fn divide(update: &[u8], walked: &Walked, clock_of: impl Fn(u64) -> u32) -> Division {
    let mut progress = Progress { reached: HashMap::new(), clock_of, waiting: BTreeMap::new() };
    let sections = &walked.sections;
    // How many steps of each section are ready.
    let mut ready = vec![0; sections.len()];
    let mut turns: Vec<usize> = (0..sections.len()).rev().collect();
    while let Some(turn) = turns.pop() {
        turns.extend(progress.advance(turn, &sections[turn], &mut ready[turn]));
    }
    let (now, later) = progress.divide_deletes(&walked.deletes);
    if progress.waiting.is_empty() && later.is_empty() {
        return Division::Ready;
    }
    let stuck =
        sections.iter().zip(&ready).filter(|(section, ready)| **ready < section.steps.len());
    let stuck = stuck.map(|(section, _)| section.client);
    let awaited: BTreeSet<u64> = later.iter().map(|range| range.client).chain(stuck).collect();
    // Whenever one of these clients moves on it is worth a look. That goes for those of structs that
    // wait, too: another update may bring the same clocks, which then need nothing any more.
    let moves = awaited.into_iter().map(|client| {
        let clock = progress.reached(client).saturating_add(1);
        Need { client, clock }
    });
    let needs: Vec<Need> = moves.collect();
    Division::Divided {
        ready: encode(update, sections, &ready, Part::Ready, &now),
        rest: encode(update, sections, &ready, Part::Rest, &later),
        needs: needs.into_iter().chain(progress.waiting.into_keys()).collect(),
    }
}

struct Progress<F> {
    /// The next clock of each client that was asked for or moved on.
    reached: HashMap<u64, u32>,
    clock_of: F,
    /// The sections that cannot go on before something is there.
    waiting: BTreeMap<Need, Vec<usize>>,
}

impl<F: Fn(u64) -> u32> Progress<F> {
    fn reached(&mut self, client: u64) -> u32 {
        *self.reached.entry(client).or_insert_with(|| (self.clock_of)(client))
    }

    /// Goes on in a section as far as possible; gives the sections that can go on because of it.
    fn advance(&mut self, turn: usize, section: &Section, ready: &mut usize) -> Vec<usize> {
        for step in &section.steps[*ready..] {
            let own = self.reached(section.client);
            // What the document has already is not asked what it builds on.
            let is_known = own >= step.reaches;
            let mut needs = step.needs.into_iter().flatten();
            let unmet = needs.find(|need| !is_known && self.reached(need.client) < need.clock);
            if let Some(need) = unmet {
                self.waiting.entry(need).or_default().push(turn);
                break;
            }
            self.reached.insert(section.client, own.max(step.reaches));
            *ready += 1;
        }
        let client = section.client;
        let reached = self.reached(client);
        let met = Need { client, clock: 0 }..=Need { client, clock: reached };
        self.waiting.extract_if(met, |_, _| true).flat_map(|(_, turns)| turns).collect()
    }

    /// Deletions of what is there, and those of what is not there yet.
    fn divide_deletes(&mut self, deletes: &[ClientRange]) -> (Vec<ClientRange>, Vec<ClientRange>) {
        let (mut now, mut later) = (Vec::new(), Vec::new());
        for range in deletes {
            let reached = self.reached(range.client).clamp(range.start, range.end);
            if range.start < reached {
                now.push(ClientRange { end: reached, ..*range });
            }
            if reached < range.end {
                later.push(ClientRange { start: reached, ..*range });
            }
        }
        (now, later)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Ready,
    Rest,
}

/// Puts an update together from one part of each section.
fn encode(
    update: &[u8],
    sections: &[Section],
    ready: &[usize],
    part: Part,
    deletes: &[ClientRange],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(update.len());
    let mut count = 0;
    for (section, ready) in sections.iter().zip(ready) {
        // What is ready ends where the first step begins that is not.
        let end = section.steps.get(*ready).map(|step| (step.index, step.at, step.clock));
        let (structs, clock, range) = match (part, end) {
            (Part::Ready, Some((index, at, _))) => (index, section.clock, section.bytes.start..at),
            (Part::Ready, None) => (section.count, section.clock, section.bytes.clone()),
            (Part::Rest, Some((index, at, clock))) => {
                (section.count - index, clock, at..section.bytes.end)
            }
            (Part::Rest, None) => continue,
        };
        if structs > 0 {
            count += 1;
            write_uint(&mut bytes, structs);
            write_uint(&mut bytes, section.client);
            write_uint(&mut bytes, u64::from(clock));
            bytes.extend_from_slice(&update[range]);
        }
    }
    let mut whole = Vec::with_capacity(bytes.len() + 4);
    write_uint(&mut whole, count);
    whole.append(&mut bytes);
    encode_deletes(&mut whole, deletes);
    whole
}

/// Writes deletions, which stand together by client as they were read.
pub(super) fn encode_deletes(bytes: &mut Vec<u8>, deletes: &[ClientRange]) {
    let by_client = || deletes.chunk_by(|a, b| a.client == b.client);
    write_uint(bytes, by_client().count() as u64);
    for ranges in by_client() {
        write_uint(bytes, ranges[0].client);
        write_uint(bytes, ranges.len() as u64);
        for range in ranges {
            write_uint(bytes, u64::from(range.start));
            write_uint(bytes, u64::from(range.end - range.start));
        }
    }
}
