//! The islands of every page but the editor's: upload, and the way through a comparison.

mod send_files;
mod steps;
mod upload;
mod uploads;

pub use steps::{Place, Steps};
pub use upload::UploadZone;
