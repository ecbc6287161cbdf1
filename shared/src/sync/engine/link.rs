//! The life of sockets.

use super::{Effect, Moment, Phase, Stop, SyncEngine};
use crate::{
    crdt::{TextDoc, read_state_vector},
    sync::{
        CloseCode, EMPTY_UPDATE, Limits, retry_delay,
        yjs::{Frame, RefusedFrame, decode},
    },
};
use std::time::Duration;

/// How long a socket may take to open.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// How long the server may take to tell what it has.
const SHAKE_LIMIT: Duration = Duration::from_secs(30);
/// Interval of heartbeats.
const BEAT_EVERY: Duration = Duration::from_secs(15);
/// After this time without an answer, the server is asked directly.
const QUERY_AFTER: Duration = Duration::from_secs(10);
/// After this time without an answer, the socket is given up.
const DEAD_AFTER: Duration = Duration::from_secs(20);
/// How often that time is doubled at most.
const MOST_PATIENCE: u32 = 4;
/// After this time without an answer, it is given up if the browser says that there is no network.
const DOUBTED_FOR: Duration = Duration::from_secs(5);
/// Interval at which a damaged document is tried.
const TRY_DAMAGED_EVERY: Duration = Duration::from_secs(30);
/// After this time on one socket the patience ends.
const PATIENCE_ENDS_AFTER: Duration = Duration::from_secs(60);
/// After this time without an acknowledgement, another socket is tried.
const STALLED_AFTER: Duration = Duration::from_secs(60);
/// Sockets in a row that do not come up before HTTP is used.
const MOST_FAILURES: u32 = 3;
/// Interval at which sockets are tried while HTTP is used.
const TRY_SOCKET_EVERY: Duration = Duration::from_secs(60);
/// A socket that lasted for this long was not lost because of what was sent over it.
const STABLE_AFTER: Duration = Duration::from_secs(5);
/// Delay after the server closed the socket because of too many messages.
const AFTER_RATE_LIMIT: Duration = Duration::from_secs(5);
/// Minimum interval of announced presences.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(100);

impl SyncEngine {
    /// Opens the first socket.
    pub fn start(&mut self, at: Moment, out: &mut Vec<Effect>) {
        if self.phase == Phase::Idle && self.halted.is_none() {
            self.open(at, out);
        }
    }

    pub(super) fn open(&mut self, at: Moment, out: &mut Vec<Effect>) {
        self.socket = self.socket.wrapping_add(1);
        self.phase = Phase::Opening { since: at.now };
        self.acknowledged.clear();
        out.push(Effect::Open { socket: self.socket });
    }

    /// Takes over a socket that is open now. `replica` is the owner's replica.
    pub fn opened(&mut self, at: Moment, socket: u32, replica: &TextDoc, out: &mut Vec<Effect>) {
        if socket != self.socket || !matches!(self.phase, Phase::Opening { .. }) {
            return;
        }
        self.phase = Phase::Shaking { since: at.now };
        self.beat = at.now;
        self.probe = Some(at.now);
        self.has_queried = false;
        out.push(Effect::Send(Frame::Step1(&replica.state_vector()).encode()));
        if self.presences.own_state().is_some() {
            self.announced = at.now;
            self.announce(out);
        }
    }

    /// Takes a binary message from a socket.
    pub fn received(
        &mut self,
        at: Moment,
        socket: u32,
        message: &[u8],
        replica: &TextDoc,
        out: &mut Vec<Effect>,
    ) {
        let is_open = matches!(self.phase, Phase::Shaking { .. } | Phase::Ready { .. });
        if socket != self.socket || !is_open {
            return;
        }
        self.probe = None;
        self.has_queried = false;
        if self.doubted.take().is_some() {
            // The browser was wrong.
            self.is_offline = false;
        }
        if matches!(self.phase, Phase::Ready { since } if at.now >= since + PATIENCE_ENDS_AFTER) {
            self.patience = 0;
        }
        // The server limits what it sends itself.
        let limits = Limits { update: usize::MAX, yjs_frame: usize::MAX, ..Limits::default() };
        let Ok(frame) = decode(message, &limits) else {
            out.push(Effect::Close);
            return self.lost(at, out);
        };
        match frame {
            Frame::Step1(state_vector) => self.shake(at, state_vector, replica, out),
            Frame::Step2(update) | Frame::Update(update) => {
                if update != EMPTY_UPDATE {
                    out.push(Effect::Apply(update.to_vec()));
                }
            }
            Frame::Awareness(states) => {
                let mut changed = Vec::new();
                if self.presences.take(at.now, states, &mut changed) {
                    self.must_announce = true;
                    self.announce_if_due(at, out);
                }
                tell_presence(changed, out);
            }
            Frame::QueryAwareness => self.announce(out),
            Frame::Durable(count) => self.acknowledged(at, count, out),
            Frame::Document(json) => out.push(Effect::Document(json.to_owned())),
            Frame::Refused(json) => self.refused = serde_json::from_str::<RefusedFrame>(json).ok(),
            Frame::Unknown(_) => {}
        }
    }

    /// The server's state vector has arrived: sends what it lacks.
    fn shake(&mut self, at: Moment, state_vector: &[u8], replica: &TextDoc, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Ready { .. }) {
            return;
        }
        let Some(known) = read_state_vector(state_vector) else {
            out.push(Effect::Close);
            return self.lost(at, out);
        };
        self.known = known;
        // The state vector may be older than what was acknowledged meanwhile.
        for (client, clock) in &self.acknowledged {
            let known = self.known.entry(*client).or_default();
            *known = (*known).max(*clock);
        }
        self.phase = Phase::Ready { since: at.now };
        self.failures = 0;
        self.is_offline = false;
        self.is_signed_in_again = false;
        if std::mem::take(&mut self.is_on_http) {
            out.push(Effect::Http(false));
        }
        self.repaired(out);
        self.send_step_2(at, state_vector, replica, out);
    }

    /// Reports that a socket closed or could not be opened. `code` is that of the browser's event.
    pub fn closed(&mut self, at: Moment, socket: u32, code: u16, out: &mut Vec<Effect>) {
        if socket != self.socket || matches!(self.phase, Phase::Idle | Phase::Waiting { .. }) {
            return;
        }
        match (CloseCode::from_code(code), self.refused.take()) {
            (Some(CloseCode::SignedOut), _) => {
                self.forget_socket();
                self.is_offline = true;
                if self.is_signed_in_again {
                    self.stop(Stop::SignedOut, out);
                } else {
                    out.push(Effect::RenewSignIn);
                }
            }
            (Some(CloseCode::Forbidden), _) => self.stop(Stop::Forbidden, out),
            (Some(CloseCode::Gone), _) => self.stop(Stop::Gone, out),
            (Some(CloseCode::Resync), _) => self.rebase(out),
            (_, Some(refused)) => self.handle_refusal(at, refused, out),
            (Some(CloseCode::GoingAway | CloseCode::TryLater | CloseCode::TooSlow), _) => {
                self.wait(at);
            }
            (Some(CloseCode::RateLimited), _) => {
                self.wait(at);
                if let Phase::Waiting { until } = &mut self.phase {
                    *until = (*until).max(at.now + AFTER_RATE_LIMIT);
                }
            }
            (Some(code @ (CloseCode::BadFrame | CloseCode::TooLarge)), None) => {
                self.handle_bad_frame(at, code, out);
            }
            (None, _) => self.lost(at, out),
        }
    }

    /// Does what is due. Call it at [`Self::wake_at`], or every second.
    pub fn tick(&mut self, at: Moment, out: &mut Vec<Effect>) {
        match self.phase {
            Phase::Waiting { until } if at.now >= until => self.open(at, out),
            Phase::Opening { since } if at.now >= since + OPEN_LIMIT => {
                out.push(Effect::Close);
                self.lost(at, out);
            }
            Phase::Shaking { .. } | Phase::Ready { .. } => self.tick_open(at, out),
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } => {}
        }
        let mut changed = Vec::new();
        self.presences.expire(at.now, &mut changed);
        tell_presence(changed, out);
    }

    fn tick_open(&mut self, at: Moment, out: &mut Vec<Effect>) {
        let is_dead = self.dead_at().is_some_and(|dead| at.now >= dead);
        let mut limits = [self.stalled_at(), self.shaken_by()].into_iter().flatten();
        if is_dead || limits.any(|limit| at.now >= limit) {
            self.patience = (self.patience + 1).min(MOST_PATIENCE);
            out.push(Effect::Close);
            return self.lost(at, out);
        }
        if !self.has_queried && self.probe.is_some_and(|since| at.now >= since + QUERY_AFTER) {
            self.query(at, out);
        }
        if at.now >= self.beat + BEAT_EVERY {
            self.beat = at.now;
            if self.presences.own_state().is_some() {
                self.announced = at.now;
                self.announce(out);
                self.probe = self.probe.or(Some(at.now));
            } else {
                self.query(at, out);
            }
        }
        self.announce_if_due(at, out);
        self.flush(at, out);
    }

    /// When [`Self::tick`] has something to do; `None` while nothing is planned.
    #[must_use]
    pub fn wake_at(&self, now: Duration) -> Option<Duration> {
        let own = match self.phase {
            Phase::Idle => None,
            Phase::Waiting { until } => Some(until),
            Phase::Opening { since } => Some(since + OPEN_LIMIT),
            Phase::Shaking { .. } | Phase::Ready { .. } => {
                let query = self.probe.filter(|_| !self.has_queried).map(|it| it + QUERY_AFTER);
                let announce = self.must_announce.then_some(self.announced + ANNOUNCE_EVERY);
                let beat = Some(self.beat + BEAT_EVERY);
                let own = [self.dead_at(), query, announce, beat];
                let others = [self.stalled_at(), self.shaken_by(), self.flush_at()];
                own.into_iter().chain(others).flatten().min()
            }
        };
        [own, self.presences.next_expiry(), self.late_at(now)].into_iter().flatten().min()
    }

    fn dead_at(&self) -> Option<Duration> {
        let dead = self.probe.map(|since| since + DEAD_AFTER * (1 << self.patience));
        let doubted = self.doubted.map(|since| since + DOUBTED_FOR);
        [dead, doubted].into_iter().flatten().min()
    }

    /// Frames are on their way, but none has been acknowledged for long, though the server answers.
    fn stalled_at(&self) -> Option<Duration> {
        (!self.in_flight.is_empty()).then_some(self.progress + STALLED_AFTER * (1 << self.patience))
    }

    fn shaken_by(&self) -> Option<Duration> {
        match self.phase {
            Phase::Shaking { since } => Some(since + SHAKE_LIMIT * (1 << self.patience)),
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } | Phase::Ready { .. } => {
                None
            }
        }
    }

    /// Asks for the presences, as a probe.
    pub(super) fn query(&mut self, at: Moment, out: &mut Vec<Effect>) {
        self.has_queried = true;
        self.probe = self.probe.or(Some(at.now));
        out.push(Effect::Send(Frame::QueryAwareness.encode()));
    }

    pub(super) fn announce(&mut self, out: &mut Vec<Effect>) {
        self.must_announce = false;
        if matches!(self.phase, Phase::Shaking { .. } | Phase::Ready { .. }) {
            let own = self.presences.announce();
            out.push(Effect::Send(Frame::Awareness(vec![own]).encode()));
        }
    }

    pub(super) fn announce_if_due(&mut self, at: Moment, out: &mut Vec<Effect>) {
        if self.must_announce && at.now >= self.announced + ANNOUNCE_EVERY {
            self.announced = at.now;
            self.announce(out);
        }
    }

    /// The socket failed: tries another one later, or HTTP if none has come up for long.
    pub(super) fn lost(&mut self, at: Moment, out: &mut Vec<Effect>) {
        if !matches!(self.phase, Phase::Ready { .. }) {
            self.failures = self.failures.saturating_add(1);
        }
        if self.failures >= MOST_FAILURES && !std::mem::replace(&mut self.is_on_http, true) {
            out.push(Effect::Http(true));
        }
        self.wait(at);
    }

    /// Tries another socket later.
    pub(super) fn wait(&mut self, at: Moment) {
        if matches!(self.phase, Phase::Ready { since } if at.now >= since + STABLE_AFTER) {
            self.attempt = 0;
        }
        self.forget_socket();
        self.is_offline |= !self.is_on_http;
        let delay = retry_delay(self.attempt, at.jitter);
        self.attempt = self.attempt.saturating_add(1);
        let delay = if self.is_on_http { TRY_SOCKET_EVERY } else { delay };
        self.phase = Phase::Waiting { until: at.now + delay };
    }

    pub(super) fn rebase(&mut self, out: &mut Vec<Effect>) {
        self.forget_socket();
        out.push(Effect::Rebase);
    }

    pub(super) fn stop(&mut self, stop: Stop, out: &mut Vec<Effect>) {
        self.forget_socket();
        self.halted = Some(stop.clone());
        out.push(Effect::Stopped(stop));
    }

    /// Stops because the document is damaged, until a later socket or request finds that it is not.
    pub(super) fn damaged(&mut self, at: Moment, stop: Stop, out: &mut Vec<Effect>) {
        self.stop(stop, out);
        self.phase = Phase::Waiting { until: at.now + TRY_DAMAGED_EVERY };
    }

    /// The server has the document: goes on if it was damaged.
    pub(super) fn repaired(&mut self, out: &mut Vec<Effect>) {
        if self.halted.as_ref().is_some_and(Stop::is_damage) {
            self.halted = None;
            self.reason = None;
            out.push(Effect::Repaired);
        }
    }

    /// Forgets what belongs to a socket. Frames without acknowledgement are queued again.
    pub(super) fn forget_socket(&mut self) {
        self.phase = Phase::Idle;
        self.frames = 0;
        self.in_flight.clear();
        self.parts.clear();
        self.outbox.unframe();
        self.refused = None;
        self.probe = None;
        self.doubted = None;
    }
}

fn tell_presence(changed: Vec<u64>, out: &mut Vec<Effect>) {
    if !changed.is_empty() {
        out.push(Effect::Presence(changed));
    }
}
