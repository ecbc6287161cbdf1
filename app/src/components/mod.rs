//! What pages are made of. Class names are those of the style sheets (`style/README.md`).

mod commit;
mod compare;
mod confirm;
mod document_row;
mod field;
mod footer;
mod form_state;
mod header;
mod icon;
mod load;
mod meta;
mod pagination;
mod problem;
mod time;
mod toasts;
mod toc;
mod trouble;
mod upload;

pub(crate) use commit::{CommitDialog, CommitWithoutScript};
pub(crate) use compare::DiffView;
pub(crate) use confirm::Confirm;
pub(crate) use document_row::{DocumentRow, check_title, export_path};
pub(crate) use field::{ErrorSummary, Field, SubmitButton};
pub(crate) use footer::SiteFooter;
pub(crate) use form_state::FormState;
pub(crate) use header::SiteHeader;
pub(crate) use icon::Icon;
pub(crate) use load::{Alert, Load, LoadPart, Main};
pub(crate) use meta::{Counts, Crumbs, counted};
pub(crate) use pagination::Pagination;
pub(crate) use problem::ProblemView;
pub(crate) use time::When;
pub(crate) use toasts::Toasts;
pub(crate) use toc::Contents;
pub(crate) use trouble::TroubleAlert;
pub(crate) use upload::UploadZone;
