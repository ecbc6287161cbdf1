//! The storage traits of the domain, implemented. One folder a provider; nothing above this crate
//! ever sees a driver's type (DESIGN §1, §4).

pub mod faulty;

mod config;
mod error;
mod process;
mod registry;
mod sql;

pub use config::StorageConfig;
pub use error::OpenError;
pub use registry::{Opened, migrate, open, open_existing};
