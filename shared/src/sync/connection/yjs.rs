//! The Yjs protocol.

use super::{Connection, Effect, MOST_PRESENTED, Post, Posted, QUESTION_COST, Refusal, send_frame};
use crate::{
    crdt::split_update,
    sync::{
        BadFrame, CloseCode, EMPTY_UPDATE, Presence,
        presence::identify,
        yjs::{Frame, RefusedFrame, decode},
    },
};
use std::time::Duration;

impl Connection {
    pub(super) fn received_yjs(
        &mut self,
        now: Duration,
        message: &[u8],
        acks: bool,
        right: Result<(), Refusal>,
        out: &mut Vec<Effect>,
    ) {
        let frame = match decode(message, &self.options.limits) {
            Ok(frame) => frame,
            Err(cause) => return self.bad_frame(&cause, out),
        };
        match frame {
            Frame::Step1(state_vector) => {
                if !self.bucket.take(now, QUESTION_COST) {
                    return self.close(CloseCode::RateLimited, "too many messages", out);
                }
                self.ask(state_vector.to_vec(), out);
            }
            Frame::Step2(update) => self.take_update(update, true, acks, right, out),
            Frame::Update(update) => self.take_update(update, false, acks, right, out),
            Frame::Awareness(states) => {
                for mut presence in states {
                    if self.is_own(&presence) {
                        let user = self.options.user_id.as_deref();
                        let state = presence.state.map(|state| identify(&state, user));
                        match state.transpose() {
                            Ok(state) => presence.state = state,
                            Err(cause) => return self.bad_frame(&cause, out),
                        }
                        out.push(Effect::Present(presence));
                    }
                }
            }
            Frame::QueryAwareness => {
                let known = self.known.values().map(|(presence, _)| presence.clone()).collect();
                send_frame(&Frame::Awareness(known), out);
            }
            Frame::Durable(_) | Frame::Document(_) | Frame::Refused(_) | Frame::Unknown(_) => {
                self.bad_frame(&BadFrame::Malformed("its type is unknown"), out);
            }
        }
    }

    fn take_update(
        &mut self,
        update: &[u8],
        is_step_2: bool,
        acks: bool,
        right: Result<(), Refusal>,
        out: &mut Vec<Effect>,
    ) {
        // A client without edits answers a step 1 too. A plain client repeats all deletions that it
        // knows, those of others too.
        let is_nothing = update == EMPTY_UPDATE || (is_step_2 && !acks && right.is_err());
        let result = if is_nothing {
            Ok(Posted { seq: 0, pending: false })
        } else if let Err(refusal) = right {
            Err(refusal)
        } else {
            match split_if_long(update, self.options.limits.update) {
                Ok(parts) => return self.post_parts(parts, out),
                Err(refused) => Err(Refusal {
                    close: CloseCode::BadFrame,
                    code: "bad_update".to_owned(),
                    message: format!("The update was refused: {refused}."),
                }),
            }
        };
        let number = self.answers.number();
        self.answers.end_frame();
        self.posted(number, result, out);
    }

    fn post_parts(&mut self, parts: Vec<Vec<u8>>, out: &mut Vec<Effect>) {
        for delta in parts {
            let number = self.answers.number();
            out.push(Effect::Post(Post { number, op_id: None, delta }));
        }
        self.answers.end_frame();
    }

    /// Closes the connection, because without this update its later ones would wait for ever.
    pub(super) fn refuse_yjs(
        &mut self,
        post: u64,
        refusal: &Refusal,
        acks: bool,
        out: &mut Vec<Effect>,
    ) {
        let Refusal { close, code, message } = refusal;
        // What is durable so far must not be sent again.
        self.acknowledge(out);
        let frame = self.answers.frame_of(post);
        let is_final = matches!(close, CloseCode::BadFrame | CloseCode::TooLarge);
        if acks && is_final {
            let refused = RefusedFrame { frame, code: code.clone(), message: message.clone() };
            if let Ok(json) = serde_json::to_string(&refused) {
                send_frame(&Frame::Refused(&json), out);
            }
        }
        self.close(*close, message, out);
    }

    /// Whether the client speaks of itself. Plain clients repeat what they hear of others, and tell
    /// that others have left when they have not heard of them.
    fn is_own(&mut self, presence: &Presence) -> bool {
        let known = self.known.get(&presence.client);
        let is_news = known.is_none_or(|(known, _)| presence.replaces(known));
        if presence.state.is_none() {
            return self.presented.remove(&presence.client) && is_news;
        }
        let has_room = self.presented.len() < MOST_PRESENTED;
        let is_own = self.presented.contains(&presence.client) || (is_news && has_room);
        is_own && is_news && {
            self.presented.insert(presence.client);
            true
        }
    }
}

/// Splits the absence of an offline client into updates as they are allowed.
fn split_if_long(update: &[u8], most: usize) -> Result<Vec<Vec<u8>>, crate::crdt::Refusal> {
    if update.len() <= most {
        return Ok(vec![update.to_vec()]);
    }
    // A part may be somewhat larger than asked for.
    split_update(update, most / 2, usize::MAX)
}
