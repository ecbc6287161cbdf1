//! The bodies of API.md: what programs send and get, and what the page's server functions carry.
//! Names are camelCase; unknown fields in a request are refused.

mod account;
mod document;
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
pub use list::{DEFAULT_PAGE_SIZE, DocumentSort, MAX_PAGE_SIZE, Page};
pub use version::{CommitRequest, NameVersionRequest, RestoreRequest, StoredAs, VersionView};
