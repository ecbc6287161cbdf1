//! One module per page.

mod address;
mod compare;

mod documents;
mod editor;
mod history;
mod home;
mod login;
mod not_found;
mod read;
mod sessions;
mod signup;
mod trash;
mod version;

pub(crate) use compare::ComparePage;
pub(crate) use documents::DocumentsPage;
pub(crate) use editor::EditorPage;
pub(crate) use history::HistoryPage;
pub(crate) use home::HomePage;
pub(crate) use login::LoginPage;
pub(crate) use not_found::NotFoundPage;
pub(crate) use read::ReadPage;
pub(crate) use sessions::SessionsPage;
pub(crate) use signup::SignupPage;
pub(crate) use trash::TrashPage;
pub(crate) use version::VersionPage;
