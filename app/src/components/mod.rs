//! Server-only components; `parts` has those shared with islands. Class names are documented in
//! `style/README.md`.

mod compare;
mod confirm;
mod document_row;
mod footer;
mod form;
mod header;
mod in_trash;
mod load;
mod main;
mod meta;
mod pagination;
mod problem;
mod rendered;
mod signs;
mod time;
mod toc;

pub(crate) use compare::DiffView;
pub(crate) use confirm::Confirm;
pub(crate) use document_row::{DocumentRow, export_path};
pub(crate) use footer::SiteFooter;
pub(crate) use form::{Choice, Foot, Form, FormSpec, FormStart, Line, Part};
pub(crate) use header::SiteHeader;
pub(crate) use in_trash::InTrash;
pub(crate) use load::{Load, LoadPart};
pub(crate) use main::{Bundle, Main, Scripts};
pub(crate) use meta::{Counts, Crumbs};
pub(crate) use pagination::{Pagination, PastEnd};
pub(crate) use problem::{ProblemView, Words};
pub(crate) use rendered::RenderedText;
pub(crate) use signs::count as count_signs;
pub(crate) use time::{LocalTimes, When};
pub(crate) use toc::Contents;
