//! The states of all clients, as one client knows them.

use super::Presence;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A client that does not renew its state for this long is gone (y-protocols).
pub(super) const GONE_AFTER: Duration = Duration::from_secs(30);
/// The most other clients.
const MAX_OTHERS: usize = 1_024;

/// The own state and those of the other clients.
#[derive(Debug, Clone)]
pub struct Presences {
    own: Presence,
    others: BTreeMap<u64, Other>,
}

#[derive(Debug, Clone)]
struct Other {
    presence: Presence,
    heard: Duration,
}

impl Presences {
    /// Starts without other clients. `client` must be random: 32 bits, as Yjs draws them.
    #[must_use]
    pub const fn new(client: u64) -> Self {
        let own = Presence { client, clock: 0, state: None };
        Self { own, others: BTreeMap::new() }
    }

    /// The own client id.
    #[must_use]
    pub const fn client(&self) -> u64 {
        self.own.client
    }

    /// The own state.
    #[must_use]
    pub fn own_state(&self) -> Option<&Arc<str>> {
        self.own.state.as_ref()
    }

    /// The other clients and their states (JSON).
    pub fn others(&self) -> impl Iterator<Item = (u64, &Arc<str>)> {
        let states = self.others.values().map(|other| &other.presence);
        states.filter_map(|presence| Some((presence.client, presence.state.as_ref()?)))
    }

    /// Changes the own state. It has to be announced then.
    pub(super) fn set(&mut self, state: Option<Arc<str>>) {
        self.own.state = state;
    }

    /// The own state under a new clock, to announce or renew it.
    pub(super) fn announce(&mut self) -> Presence {
        self.own.clock = self.own.clock.saturating_add(1);
        self.own.clone()
    }

    /// Takes announcements. Appends the clients whose states have changed to `changed`. Returns
    /// whether the own state must be announced again, because others believe something else.
    pub(super) fn take(
        &mut self,
        now: Duration,
        announced: Vec<Presence>,
        changed: &mut Vec<u64>,
    ) -> bool {
        let mut must_announce = false;
        for presence in announced {
            if presence.client == self.own.client {
                // The server, or a client that missed renewals, says something newer.
                let echo = presence.clock == self.own.clock && presence.state == self.own.state;
                if presence.clock >= self.own.clock && !echo {
                    self.own.clock = presence.clock;
                    must_announce = true;
                }
                continue;
            }
            let has_room = self.others.len() < MAX_OTHERS;
            match self.others.get_mut(&presence.client) {
                Some(known) if !presence.replaces(&known.presence) => {}
                Some(known) => {
                    if known.presence.state != presence.state {
                        changed.push(presence.client);
                    }
                    *known = Other { presence, heard: now };
                }
                None if !has_room => {}
                None => {
                    if presence.state.is_some() {
                        changed.push(presence.client);
                    }
                    self.others.insert(presence.client, Other { presence, heard: now });
                }
            }
        }
        must_announce
    }

    /// Removes clients that were not heard of for 30 seconds. Appends those that were shown to
    /// `changed`.
    pub(super) fn expire(&mut self, now: Duration, changed: &mut Vec<u64>) {
        self.others.retain(|client, other| {
            let stays = now.saturating_sub(other.heard) < GONE_AFTER;
            if !stays && other.presence.state.is_some() {
                changed.push(*client);
            }
            stays
        });
    }

    /// When [`Self::expire`] will remove one.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.others.values().map(|other| other.heard + GONE_AFTER).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn presence(client: u64, clock: u32, state: Option<&str>) -> Presence {
        Presence { client, clock, state: state.map(Into::into) }
    }

    fn take(presences: &mut Presences, seconds: u64, new: Presence) -> Vec<u64> {
        let mut changed = Vec::new();
        assert!(!presences.take(at(seconds), vec![new], &mut changed));
        changed
    }

    #[test]
    fn others_are_shown_until_they_leave_or_fall_silent() {
        let mut presences = Presences::new(1);
        assert_eq!(take(&mut presences, 0, presence(2, 1, Some("{}"))), [2]);
        assert_eq!(take(&mut presences, 0, presence(3, 1, Some("{}"))), [3]);
        // A renewal is not a change.
        assert_eq!(take(&mut presences, 20, presence(2, 2, Some("{}"))), [0; 0]);
        let mut changed = Vec::new();
        presences.expire(at(30), &mut changed);
        assert_eq!(changed, [3]);
        assert_eq!(take(&mut presences, 31, presence(2, 2, None)), [2]);
        assert_eq!(presences.others().count(), 0);
        // An older announcement that was delayed does not bring it back.
        assert_eq!(take(&mut presences, 32, presence(2, 2, Some("{}"))), [0; 0]);
    }

    #[test]
    fn the_own_state_is_announced_again_when_another_one_is_told() {
        let mut presences = Presences::new(1);
        presences.set(Some("{}".into()));
        let own = presences.announce();
        assert_eq!(own.clock, 1);
        let mut changed = Vec::new();
        assert!(!presences.take(at(0), vec![own], &mut changed));
        assert!(presences.take(at(0), vec![presence(1, 1, None)], &mut changed));
        assert_eq!(presences.announce().clock, 2);
        assert!(presences.take(at(0), vec![presence(1, 9, Some("{}"))], &mut changed));
        assert_eq!(presences.announce().clock, 10);
        assert!(changed.is_empty());
    }

    #[test]
    fn the_number_of_others_is_limited() {
        let mut presences = Presences::new(1);
        let many = (2..5_000).map(|client| presence(client, 1, Some("{}"))).collect();
        presences.take(at(0), many, &mut Vec::new());
        assert_eq!(presences.others().count(), MAX_OTHERS);
    }
}
