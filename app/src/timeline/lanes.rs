//! Who edited when: a lane of ticks for each author.

use izanagi_shared::replay::Replay;

/// Width of a lane, in ticks.
pub const TICKS: usize = 1_000;
/// The authors with the most edits have a lane of their own.
pub const MOST_LANES: usize = 8;

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Id of the author; `None` for all others together.
    pub author: Option<String>,
    /// Name of the author.
    pub name: String,
    /// Number of loaded edits.
    pub edits: u64,
    /// The ticks as a path of SVG, 1,000 wide and 10 high.
    pub path: String,
}

/// Returns the lanes of these replays, between two sequence numbers; the author with the most edits
/// comes first. `name` names an author.
pub fn lanes<'a>(
    replays: impl Iterator<Item = &'a Replay>,
    (first, last): (u64, u64),
    name: impl Fn(&izanagi_shared::wire::Person) -> String,
) -> Vec<Lane> {
    let mut all: Vec<(Lane, Vec<bool>)> = Vec::new();
    let edits = last.saturating_sub(first) + 1;
    for replay in replays {
        let of_person: Vec<usize> = replay
            .people
            .iter()
            .map(|person| {
                let id = person.id.to_string();
                let at = all.iter().position(|(lane, _)| lane.author.as_ref() == Some(&id));
                at.unwrap_or_else(|| {
                    let (name, path) = (name(person), String::new());
                    all.push((Lane { author: Some(id), name, edits: 0, path }, vec![false; TICKS]));
                    all.len() - 1
                })
            })
            .collect();
        for position in 1..=replay.len() {
            let author = replay.author(position).and_then(|author| of_person.get(author));
            let Some((lane, ticks)) = author.and_then(|at| all.get_mut(*at)) else { continue };
            lane.edits += 1;
            // As wide as its share of the lane, so that few edits can be seen too.
            let nth = replay.seq(position).saturating_sub(first);
            let tick = |nth: u64| usize::try_from(nth * TICKS as u64 / edits).unwrap_or(TICKS);
            let (from, to) = (tick(nth), tick(nth + 1).max(tick(nth) + 1).min(TICKS));
            ticks.get_mut(from..to).into_iter().flatten().for_each(|tick| *tick = true);
        }
    }
    all.sort_by_key(|(lane, _)| std::cmp::Reverse(lane.edits));
    let rest = all.split_off(all.len().min(MOST_LANES));
    let mut lanes: Vec<Lane> =
        all.into_iter().map(|(lane, ticks)| Lane { path: path(&ticks), ..lane }).collect();
    if !rest.is_empty() {
        let mut ticks = vec![false; TICKS];
        rest.iter()
            .for_each(|(_, own)| ticks.iter_mut().zip(own).for_each(|(tick, own)| *tick |= own));
        let edits = rest.iter().map(|(lane, _)| lane.edits).sum();
        lanes.push(Lane { author: None, name: String::new(), edits, path: path(&ticks) });
    }
    lanes
}

/// Draws neighbouring ticks as one rectangle.
fn path(ticks: &[bool]) -> String {
    let (mut path, mut at) = (String::new(), 0);
    for run in ticks.chunk_by(|a, b| a == b) {
        if run[0] {
            path.push_str(&format!("M{at} 0h{}v10h-{}z", run.len(), run.len()));
        }
        at += run.len();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::{
        id::UserId,
        wire::{Person, ReplayEdits, ReplayView},
    };

    fn people(count: u128) -> Vec<Person> {
        let person = |id: u128| {
            let id = UserId(uuid_of(id));
            Person { id, username: format!("u{id}"), display_name: format!("Person {id}") }
        };
        (0..count).map(person).collect()
    }

    fn uuid_of(id: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(id)
    }

    fn replay(authors: Vec<u32>, count: u128) -> Replay {
        let edits = ReplayEdits {
            seqs: vec![1; authors.len()],
            times: vec![0; authors.len()],
            authors,
            ..ReplayEdits::default()
        };
        Replay::new(ReplayView { edits, people: people(count), ..ReplayView::default() }).unwrap()
    }

    #[test]
    fn each_author_has_ticks_where_they_edited() {
        let replay = replay(vec![1, 1, 2, 0], 2);
        let lanes = lanes([&replay].into_iter(), (1, 4), |person| person.display_name.clone());
        let drawn: Vec<(u64, &str)> =
            lanes.iter().map(|lane| (lane.edits, lane.path.as_str())).collect();
        assert_eq!(drawn, [(2, "M0 0h500v10h-500z"), (1, "M500 0h250v10h-250z")]);
    }

    #[test]
    fn authors_of_few_edits_share_a_lane() {
        let replay = replay((1..=12).chain(1..=4).collect(), 12);
        let lanes = lanes([&replay].into_iter(), (1, 16), |person| person.display_name.clone());
        assert_eq!(lanes.len(), MOST_LANES + 1);
        assert_eq!(lanes.last().map(|lane| (lane.author.clone(), lane.edits)), Some((None, 4)));
    }
}
