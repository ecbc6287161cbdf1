//! Random stories: whatever happens to a document, those who listen to it end with its text.

use super::{seated::Listener, *};
use crate::live::testing::BadSnapshot;
use std::time::Duration;

const STORIES: u64 = 300;
const STEPS: u64 = 40;

/// A sequence of numbers that look random (xorshift).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    pub(super) fn throw(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// Writers who send late and in any order, over two processes with rooms of their own.
struct Story {
    dice: Dice,
    here: Bench,
    there: Bench,
    writers: Vec<TextDoc>,
    /// Updates that were made and not sent yet.
    unsent: Vec<Vec<u8>>,
    listeners: Vec<Listener>,
    sent: u64,
}

impl Story {
    async fn of(seed: u64) -> Self {
        let here = Bench::new("some text");
        let there = Bench::over(Arc::clone(&here.log));
        let writers = (0..3).map(|number| here.replica(50 + number)).collect();
        let listeners = vec![here.join(ANN).await.unwrap()];
        let (dice, unsent) = (Dice::of(seed), Vec::new());
        Self { dice, here, there, writers, unsent, listeners, sent: 0 }
    }

    fn write(&mut self) {
        let writer = self.dice.below(3) as usize;
        let text = self.writers[writer].text();
        let length = text.len() as u64;
        let from = self.dice.below(length + 1) as u32;
        let to = from + self.dice.below(3.min(length - u64::from(from) + 1)) as u32;
        let insert = ["", "x", "yz"][self.dice.below(3) as usize].to_owned();
        let update = self.writers[writer].edit(&[Change { from, to, insert }]);
        self.unsent.push(update);
    }

    async fn send(&mut self) {
        if self.unsent.is_empty() {
            return;
        }
        let at = self.dice.below(self.unsent.len() as u64) as usize;
        let update = self.unsent.swap_remove(at);
        self.sent += 1;
        let bench = if self.dice.below(4) == 0 { &self.there } else { &self.here };
        // One that waits, and lapses, is refused later.
        drop(bench.send(ANN, &format!("op{}", self.sent), update.clone()).await);
        let receiver = self.dice.below(3) as usize;
        self.writers[receiver].apply(&update).unwrap();
    }

    async fn step(&mut self) {
        match self.dice.below(16) {
            0..=4 => self.write(),
            5..=9 => self.send().await,
            10 => {
                let listener = self.here.join(ANN).await.unwrap();
                self.listeners.push(listener);
            }
            11 => {
                let bench = if self.dice.throw() { &self.here } else { &self.there };
                drop(bench.rooms.persist(DOCUMENT).await);
            }
            12 => {
                let snapshot = self.dice.throw().then_some(BadSnapshot::ReplyLost);
                let loses_a_reply = self.dice.throw();
                self.here.trouble(Trouble { loses_a_reply, snapshot, ..Trouble::default() });
            }
            13 => {
                let bench = if self.dice.below(4) == 0 { &self.there } else { &self.here };
                self.sent += 1;
                let content = format!("{} s{}", bench.text().await, self.sent);
                drop(bench.edit(&format!("edit{}", self.sent), &content).await);
            }
            14 => tokio::time::advance(Duration::from_secs(self.dice.below(400))).await,
            _ => {
                let at = self.dice.below(self.listeners.len() as u64) as usize;
                self.listeners[at].catch_up();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_listen_end_with_the_text() {
    for seed in 1..=STORIES {
        let mut story = Story::of(seed).await;
        for _ in 0..STEPS {
            story.step().await;
        }
        story.here.trouble(Trouble::default());
        // The room here learns of what the other one has written with its next update.
        let last = story.here.replica(99).edit(&insert("!"));
        story.here.submit("last", last).await.unwrap();
        let text = story.here.text().await;
        let reloaded = Bench::over(Arc::clone(&story.here.log));
        assert_eq!(reloaded.text().await, text, "seed {seed}");
        reloaded.stop.cancel();
        for listener in &mut story.listeners {
            assert_eq!(listener.catch_up(), text, "seed {seed}");
            assert_eq!(listener.closing, None, "seed {seed}");
        }
        story.here.stop.cancel();
        story.there.stop.cancel();
    }
}
