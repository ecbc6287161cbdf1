use super::{Posted, Refusal};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The room's answers to the posts of a connection, in the order of the posts. A frame is one or more
/// posts.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// The number of posts so far.
    posts: u64,
    /// The first so many have been answered.
    answered: u64,
    /// Answers that came before that of an earlier post.
    early: BTreeMap<u64, Result<Posted, Refusal>>,
    /// Answers that change an earlier one: the post is no longer pending.
    late: Vec<(u64, Result<Posted, Refusal>)>,
    /// Posts that are pending.
    pending: BTreeSet<u64>,
    /// The first post that was refused.
    refused: Option<u64>,
    /// The last post of each frame that is not durable.
    ends: VecDeque<u64>,
    /// The first so many frames are durable.
    durable_frames: u64,
}

impl Answers {
    /// Numbers a post.
    pub(super) const fn number(&mut self) -> u64 {
        self.posts += 1;
        self.posts
    }

    /// Ends a frame with the last post.
    pub(super) fn end_frame(&mut self) {
        self.ends.push_back(self.posts);
    }

    pub(super) fn unanswered(&self) -> usize {
        usize::try_from(self.posts - self.answered).unwrap_or(usize::MAX)
    }

    /// How many frames are not durable.
    pub(super) fn open_frames(&self) -> usize {
        self.ends.len()
    }

    /// The number of the frame of a post that is not durable.
    pub(super) fn frame_of(&self, post: u64) -> u64 {
        let before = self.ends.iter().take_while(|end| **end < post).count();
        self.durable_frames + before as u64 + 1
    }

    pub(super) fn insert(&mut self, post: u64, result: Result<Posted, Refusal>) {
        if post > self.answered {
            self.early.insert(post, result);
        } else if self.pending.contains(&post) {
            self.late.push((post, result));
        }
    }

    /// Removes and returns the next answer in order.
    pub(super) fn next(&mut self) -> Option<(u64, Result<Posted, Refusal>)> {
        if let Some((post, result)) = self.late.pop() {
            self.note(post, &result);
            return Some((post, result));
        }
        let post = self.answered + 1;
        let result = self.early.remove(&post)?;
        self.answered = post;
        self.note(post, &result);
        Some((post, result))
    }

    fn note(&mut self, post: u64, result: &Result<Posted, Refusal>) {
        match result {
            Ok(Posted { pending: true, .. }) => {
                self.pending.insert(post);
            }
            Ok(Posted { pending: false, .. }) => {
                self.pending.remove(&post);
            }
            Err(_) => {
                self.pending.remove(&post);
                self.refused = Some(self.refused.map_or(post, |first| first.min(post)));
            }
        }
    }

    /// The number of frames from the first that are durable, if it has grown.
    pub(super) fn newly_durable(&mut self) -> Option<u64> {
        let not_durable = self.pending.first().into_iter().chain(&self.refused).min();
        let durable = not_durable.map_or(self.answered, |first| first - 1);
        let before = self.durable_frames;
        while self.ends.pop_front_if(|end| *end <= durable).is_some() {
            self.durable_frames += 1;
        }
        (self.durable_frames > before).then_some(self.durable_frames)
    }
}
