//! Server functions of the pages, under `/fn`. Each is a public endpoint: it authenticates the
//! caller itself, makes one service call, and returns wire types.

pub(crate) mod accounts;
pub(crate) mod documents;
pub(crate) mod edits;
pub(crate) mod language;
pub(crate) mod versions;
