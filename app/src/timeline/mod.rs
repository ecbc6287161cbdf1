//! The timeline page: one island that plays the history of a text. What needs no browser is apart
//! from what does.

mod blocks;
mod compare;
mod controls;
mod fetch;
mod lanes;
mod pace;
mod page;
mod screen;
mod sessions;
mod show;
mod spans;
mod view;
mod wording;

pub use blocks::{Blocks, Replaced};
pub use compare::{Shown, differences};
pub use lanes::{Lane, lanes};
pub use pace::{Pace, SPEEDS};
pub use page::{OpenedTimeline, Timeline, TimelineHtml};
pub use sessions::{next_session, previous_session};
pub use spans::{SPAN_EDITS, Spans};
