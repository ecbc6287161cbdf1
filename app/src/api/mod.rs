//! The server functions of the pages, under `/fn`. Each is a public endpoint, so each finds out
//! for itself who is asking, makes one call, and answers in wire types.

pub(crate) mod accounts;
pub(crate) mod documents;
pub(crate) mod versions;
