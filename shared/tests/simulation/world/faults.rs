//! What goes wrong.

use super::{ABNORMAL, Event, World};
use crate::client::Message;
use izanagi_shared::sync::{CloseCode, connection::Event as RoomEvent};

impl World {
    /// Something goes wrong.
    pub(super) fn go_wrong(&mut self) {
        let open: Vec<usize> = (0..self.links.len())
            .filter(|link| self.links[*link].server.is_some() && !self.links[*link].is_cut)
            .collect();
        match self.random.below(8) {
            0 => self.restart(),
            1 => {
                self.room.snapshot();
                self.restart();
            }
            _ if open.is_empty() => {}
            kind => {
                let link = open[self.random.below(open.len())];
                match kind {
                    // Too slow: updates that were queued for it are lost.
                    2 => {
                        let kept = self.random.below(self.links[link].down.len() + 1);
                        self.links[link].down.truncate(kept);
                        self.tell(link, RoomEvent::Closed(CloseCode::TooSlow, "too slow"));
                    }
                    3 => self.tell(link, RoomEvent::Closed(CloseCode::TryLater, "busy")),
                    // Lost: each side notices at some time, or has to find out.
                    _ => {
                        self.links[link].is_cut = true;
                        if self.random.chance(50) {
                            let at = self.now + self.random.between(0, 10_000);
                            self.links[link].down_due = at;
                            self.send_down(link, Message::Closed(ABNORMAL));
                        }
                        if self.random.chance(50) {
                            let at = self.now + self.random.between(0, 10_000);
                            self.schedule(at, Event::ServerNotices(link));
                        }
                    }
                }
            }
        }
    }

    pub(super) fn restart(&mut self) {
        self.down_until = self.now + self.random.between(0, 6_000);
        self.room.restart();
        self.is_writing = false;
        for link in 0..self.links.len() {
            if self.links[link].server.take().is_some() {
                self.links[link].is_cut = true;
                let code =
                    if self.random.chance(50) { ABNORMAL } else { CloseCode::GoingAway.code() };
                self.send_down(link, Message::Closed(code));
            }
        }
    }
}
