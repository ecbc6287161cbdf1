//! Which edits travel in which frames, and what their answers mean.
//!
//! Frames carry edits from the front of the outbox. The first is a step 2 with what the server's
//! state vector lacks; the others are updates. While frames are on their way, edits are combined, so
//! that a slow connection gets fewer and larger frames.

use super::{DAMAGED, Effect, Failure, Moment, Phase, Stop, SyncEngine};
use crate::{
    crdt::{ClientRange, TextDoc, combine_updates, inspect_update, split_update},
    sync::{
        Batch, CloseCode, EMPTY_UPDATE,
        yjs::{Frame, RefusedFrame},
    },
};
use std::{collections::BTreeMap, time::Duration};

/// The most frames without an acknowledgement.
const MOST_IN_FLIGHT: usize = 16;
/// Bytes on their way, above which nothing more is sent: at 8 KB/s they take less time than the server
/// has to answer.
const MOST_BYTES_IN_FLIGHT: usize = 128 * 1024;
/// Updates larger than this are split, unless the server accepts less.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// A server that accepts less than this is of no use.
const FEWEST_BYTES: usize = 4 * 1024;
/// How often in a row a server may fail to read a frame.
const MOST_REJECTIONS: u32 = 3;

/// A frame on its way.
#[derive(Debug)]
pub(super) struct InFlight {
    number: u64,
    /// The number after the last edit that is complete with this frame.
    end: Option<u64>,
    /// How many edits the frame carries.
    edits: usize,
    bytes: usize,
}

/// An update to send.
#[derive(Debug)]
pub(super) struct Part {
    update: Vec<u8>,
    end: Option<u64>,
    edits: usize,
}

/// How much one frame may carry. Reduced when the server refuses one, because several changes at one
/// place may be too many together, and to find the edit that is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grain {
    edits: usize,
    items: usize,
}

impl Default for Grain {
    fn default() -> Self {
        Self { edits: usize::MAX, items: usize::MAX }
    }
}

impl SyncEngine {
    /// Answers the server's step 1.
    pub(super) fn send_step_2(
        &mut self,
        at: Moment,
        state_vector: &[u8],
        replica: &TextDoc,
        out: &mut Vec<Effect>,
    ) {
        self.progress = at.now;
        let is_halted = self.halted.is_some();
        if !is_halted
            && !self.outbox_covers(replica)
            && let Ok(missing) = replica.missing_from(state_vector)
        {
            // The server lacks more than the edits that it has not acknowledged: it has lost some.
            let edits = self.outbox.unframed_len();
            let end = self.outbox.frame(edits);
            self.queue_parts(missing, end, edits);
        }
        let part = if is_halted { None } else { self.next_part() };
        let part = part.unwrap_or(Part { update: EMPTY_UPDATE.to_vec(), end: None, edits: 0 });
        // The bucket has more tokens than a handshake takes.
        let _ = self.bucket.take(at.now, 1);
        self.send_part(&part, |update| Frame::Step2(update), out);
        self.flush(at, out);
    }

    /// Whether all that the replica has and the server lacks is in the outbox.
    fn outbox_covers(&self, replica: &TextDoc) -> bool {
        let clocks = replica.state_vector_map();
        let known = |client: &u64| self.known.get(client).copied().unwrap_or(0);
        if clocks.iter().all(|(client, clock)| *clock <= known(client)) {
            return true;
        }
        let summaries = self.outbox.updates().filter_map(|update| inspect_update(update).ok());
        let mut ranges: Vec<ClientRange> = summaries.flat_map(|it| it.structs).collect();
        ranges.sort_unstable_by_key(|range| (range.client, range.start));
        let mut reached: BTreeMap<u64, u32> = BTreeMap::new();
        for range in ranges {
            let end = reached.entry(range.client).or_insert_with(|| known(&range.client));
            if range.start <= *end {
                *end = range.end.max(*end);
            }
        }
        clocks.iter().all(|(client, clock)| {
            *clock <= reached.get(client).copied().unwrap_or_else(|| known(client))
        })
    }

    /// Sends what may be sent now.
    pub(super) fn flush(&mut self, at: Moment, out: &mut Vec<Effect>) {
        while self.has_more_to_send() && self.bucket.take(at.now, 1) {
            if self.in_flight.is_empty() {
                self.progress = at.now;
            }
            let Some(part) = self.next_part() else { return };
            self.send_part(&part, |update| Frame::Update(update), out);
        }
    }

    fn has_more_to_send(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
            && self.halted.is_none()
            && self.in_flight.len() < MOST_IN_FLIGHT
            && self.in_flight.iter().map(|frame| frame.bytes).sum::<usize>() < MOST_BYTES_IN_FLIGHT
            && (!self.parts.is_empty() || self.outbox.unframed_len() > 0)
    }

    /// When [`Self::flush`] can send, if only the rate delays it.
    pub(super) fn flush_at(&self) -> Option<Duration> {
        self.has_more_to_send().then(|| self.bucket.ready_at(1))
    }

    fn send_part(
        &mut self,
        part: &Part,
        frame: impl FnOnce(&[u8]) -> Frame<'_>,
        out: &mut Vec<Effect>,
    ) {
        self.frames += 1;
        let (number, end, edits, bytes) = (self.frames, part.end, part.edits, part.update.len());
        self.in_flight.push_back(InFlight { number, end, edits, bytes });
        out.push(Effect::Send(frame(&part.update).encode()));
    }

    fn next_part(&mut self) -> Option<Part> {
        if self.parts.is_empty() {
            let updates = self.outbox.unframed(self.grain.edits, self.most_bytes);
            let first = updates.first()?;
            let known = |client| self.known.get(&client).copied().unwrap_or(0);
            // What cannot be combined is sent as it is, one by one.
            let (update, edits) = match combine_updates(&updates, known) {
                Ok(Some(combined)) => (combined, updates.len()),
                Ok(None) | Err(_) => (first.to_vec(), 1),
            };
            let end = self.outbox.frame(edits);
            self.queue_parts(update, end, edits);
        }
        self.parts.pop_front()
    }

    fn queue_parts(&mut self, update: Vec<u8>, end: u64, edits: usize) {
        let is_small = update.len() <= self.most_bytes && self.grain.items == usize::MAX;
        let parts = match is_small {
            true => vec![update],
            // What cannot be split is refused by the server, which says why.
            false => {
                split_update(&update, self.most_bytes, self.grain.items).unwrap_or(vec![update])
            }
        };
        self.parts.extend(parts.into_iter().map(|update| Part { update, end: None, edits }));
        if let Some(last) = self.parts.back_mut() {
            last.end = Some(end);
        }
    }

    /// The first `count` frames are durable.
    pub(super) fn acknowledged(&mut self, at: Moment, count: u64, out: &mut Vec<Effect>) {
        let mut end = None;
        while let Some(frame) = self.in_flight.pop_front_if(|frame| frame.number <= count) {
            end = frame.end.or(end);
            self.progress = at.now;
            self.rejections = 0;
            self.grain.edits = self.grain.edits.saturating_mul(2);
            self.grain.items = self.grain.items.saturating_mul(2);
        }
        if let Some(end) = end {
            let ids = self.outbox.acknowledged_before(end);
            tell_acknowledged(ids, out);
        }
        self.flush(at, out);
    }

    /// The server refused a frame and closed the socket.
    pub(super) fn handle_refusal(
        &mut self,
        at: Moment,
        refused: RefusedFrame,
        out: &mut Vec<Effect>,
    ) {
        let RefusedFrame { frame, code, message } = refused;
        let frame = self.in_flight.iter().find(|it| it.number == frame);
        let edits = frame.map_or(1, |frame| frame.edits);
        match code.as_str() {
            "lineage_changed" => self.rebase(out),
            "trashed" | "not_found" => self.stop(Stop::Gone, out),
            "forbidden" => self.stop(Stop::Forbidden, out),
            DAMAGED => {
                self.damaged(at, Stop::damaged(message), out);
            }
            "unavailable" | "overloaded" | "rate_limited" | "internal" => self.wait(at),
            _ => {
                self.forget_socket();
                if code == "too_large" && edits == 1 {
                    // What others write may make room.
                    self.stop(Stop::TooLong { code, message }, out);
                    return self.open(at, out);
                }
                if self.refine(edits) {
                    return self.open(at, out);
                }
                self.stop(Stop::Refused { code, message }, out);
            }
        }
    }

    /// The server closed the socket because of a frame that it did not read.
    pub(super) fn handle_bad_frame(&mut self, at: Moment, code: CloseCode, out: &mut Vec<Effect>) {
        let is_too_large = code == CloseCode::TooLarge && self.most_bytes > FEWEST_BYTES;
        self.rejections = self.rejections.saturating_add(1);
        if is_too_large {
            self.most_bytes /= 2;
        } else if self.rejections >= MOST_REJECTIONS {
            let message = "the server cannot read what this page sends".to_owned();
            return self.stop(Stop::Refused { code: "bad_frame".to_owned(), message }, out);
        }
        self.wait(at);
    }

    /// Sends less at once after a refusal of this many edits from the front. Returns whether that is
    /// possible.
    fn refine(&mut self, edits: usize) -> bool {
        if edits > 1 {
            self.grain.edits = edits / 2;
            return true;
        }
        self.grain.edits = 1;
        let first = self.outbox.updates().next();
        let summary = first.and_then(|update| inspect_update(update).ok()).unwrap_or_default();
        let items = (summary.items + summary.deletes.len()).min(self.grain.items);
        self.grain.items = (items / 2).max(1);
        items > 1
    }

    /// The batch to send over HTTP. It has the id and bytes of the one before unless that was
    /// answered.
    pub fn http_batch(&mut self, op_id: impl FnOnce() -> String) -> Option<Batch> {
        if self.halted.is_some() {
            return None;
        }
        let merge = |updates: &[&[u8]]| combine_updates(updates, |_| 0).ok().flatten();
        self.outbox.batch_of(self.grain.edits, op_id, merge)
    }

    /// The batch is durable.
    pub fn http_acknowledged(&mut self, out: &mut Vec<Effect>) {
        self.is_offline = false;
        self.grain.edits = self.grain.edits.saturating_mul(2);
        if matches!(self.phase, Phase::Opening { .. } | Phase::Shaking { .. }) {
            for update in self.outbox.batch_updates() {
                for range in inspect_update(update).unwrap_or_default().structs {
                    let clock = self.acknowledged.entry(range.client).or_default();
                    *clock = range.end.max(*clock);
                }
            }
        }
        tell_acknowledged(self.outbox.acknowledged(), out);
    }

    /// The server answered something else over HTTP, such as a poll, or that a batch is pending.
    pub fn http_answered(&mut self, at: Moment, out: &mut Vec<Effect>) {
        self.repaired(out);
        let is_back = std::mem::take(&mut self.is_offline);
        if is_back && matches!(self.phase, Phase::Waiting { .. }) {
            // It was not only sockets that failed.
            self.open(at, out);
        }
    }

    /// A request over HTTP failed. The delay of [`Failure::Later`] is up to the owner.
    pub fn http_failed(&mut self, at: Moment, failure: Failure, out: &mut Vec<Effect>) {
        match failure {
            Failure::Lost => self.is_offline = true,
            Failure::Later(_) => self.is_offline = false,
            Failure::OtherLineage => {
                out.push(Effect::Close);
                self.rebase(out);
            }
            Failure::Stopped(stop) if stop.is_damage() => {
                self.outbox.take_back();
                if !matches!(self.phase, Phase::Idle | Phase::Waiting { .. }) {
                    out.push(Effect::Close);
                }
                self.damaged(at, stop, out);
            }
            Failure::Stopped(stop) => {
                let edits = self.outbox.take_back();
                let is_refused = matches!(stop, Stop::Refused { .. } | Stop::TooLong { .. });
                if !is_refused || edits <= 1 {
                    return self.halt(at, stop, out);
                }
                self.grain.edits = edits / 2;
            }
        }
    }

    /// Stops after an answer over HTTP, which may come while a socket is open.
    fn halt(&mut self, at: Moment, stop: Stop, out: &mut Vec<Effect>) {
        let goes_on = matches!(stop, Stop::TooLong { .. });
        let phase = self.phase;
        if !matches!(phase, Phase::Idle | Phase::Waiting { .. }) {
            out.push(Effect::Close);
        }
        self.stop(stop, out);
        match phase {
            Phase::Waiting { .. } if goes_on => self.phase = phase,
            _ if goes_on => self.open(at, out),
            _ => {}
        }
    }
}

fn tell_acknowledged(ids: Vec<String>, out: &mut Vec<Effect>) {
    if !ids.is_empty() {
        out.push(Effect::Acknowledged(ids));
    }
}
