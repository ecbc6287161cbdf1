//! Extractors for handlers. Handlers read the body themselves, last, because checks run in the
//! order of DESIGN §8: rate, sign-in, right, precondition, body.

mod body;
mod identity;
mod object;
mod path;
mod precondition;
mod query;

pub(crate) use body::LazyBody;
pub(crate) use identity::{
    AskingUser, BadToken, Editable, FromDevice, HistoryReadable, Owned, Readable, SignedInCaller,
};
pub(crate) use path::{DocumentPath, Path, VersionPath, id, optional_id};
pub(crate) use precondition::{if_match, if_none_match_hits, quoted};
pub(crate) use query::{Paging, Query, flag, positive, seq};
