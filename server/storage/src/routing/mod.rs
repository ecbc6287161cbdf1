//! Routing of the document store (DESIGN §4): one place, or two of which the first decides and the
//! second follows. The same mechanism moves the store from one place to another while people work.

mod atomic;
mod comparison;
mod counters;
mod follow;
mod marks;
mod mirror;
mod mover;
mod open;
mod places;
mod reads;
mod repair;
mod route;
mod steps;
mod writes;

pub(crate) use atomic::RoutedCommits;
pub(crate) use marks::{Mark, ShadowMarks};
pub(crate) use mover::DocumentsMover;
pub(crate) use open::open;
pub(crate) use places::{DocumentsPlace, OpenPlace, Places};
pub(crate) use reads::RoutedDocuments;
pub use route::Reads;
pub(crate) use route::{Route, Routed};
