//! Request and response bodies of API.md, also used by the page's server functions. Field names are
//! camelCase; requests with unknown fields are rejected.

mod account;
mod document;
mod edits;
mod list;
mod version;

pub use account::{
    AuthAnswer, LoginRequest, RefreshAnswer, RefreshRequest, SessionView, SignupRequest,
    UpdateMeRequest, UserView,
};
pub use document::{
    CreateDocumentRequest, DocumentView, OpAnswer, OpRequest, PatchDocumentRequest, Person,
    ReplaceDocumentRequest, UpdatesView, UploadAnswer,
};
pub use edits::{CheckpointView, EditSessionView, EditView, EditsView};
pub use list::{DEFAULT_PAGE_SIZE, DocumentSort, MAX_PAGE_SIZE, Page};
pub use version::{CommitRequest, NameVersionRequest, RestoreRequest, StoredAs, VersionView};
