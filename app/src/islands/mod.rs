//! Islands of every page except the editor: uploads and navigation between changes.

mod send_files;
mod steps;
mod upload;
mod uploads;

pub use steps::{Place, Steps};
pub use upload::UploadZone;
