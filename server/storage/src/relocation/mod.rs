//! Moves the relational database to another place while the server runs (DESIGN §10).

mod claim;
mod mover;
mod opening;

pub(crate) use mover::RelationalMover;
pub(crate) use opening::{Lock, OpenDatabase, make_folder_of, open};

use crate::config::Place;
use parking_lot::Mutex;
use std::sync::Arc;

/// What the URL of the new place is sealed for.
const PURPOSE: &str = "store url";
const OWNER: &[u8] = b"relational";

/// The locks of the process, which it holds until its stores close.
pub(crate) type Locks = Arc<Mutex<Vec<(Place, Lock)>>>;
