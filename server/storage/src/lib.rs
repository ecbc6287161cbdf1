//! Implementations of the domain's storage traits, one folder per provider. Driver types never
//! leave this crate (DESIGN §1, §4).

pub mod faulty;

mod config;
mod error;
mod lock;
mod process;
mod registry;
mod sql;

pub use config::{RelationalOptions, StorageConfig};
pub use error::OpenError;
pub use registry::{Opened, migrate, open, open_existing};
