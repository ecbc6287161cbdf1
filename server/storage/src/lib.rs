//! Implementations of the domain's storage traits, one folder per provider. Driver types never
//! leave this crate (DESIGN §1, §4).

pub mod faulty;

mod config;
pub mod doctor;
mod error;
mod frame;
mod lock;
mod mongo;
mod redis;
mod registry;
mod relocation;
mod routing;
mod sql;
mod url;

/// Bytes of values in memory that can be computed again.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

pub use config::{DocumentsConfig, DocumentsRouting, RelationalOptions, StorageConfig};
pub use error::OpenError;
pub use redis::{RedisConfig, RedisPlace};
pub use registry::{Opened, migrate, open, open_existing};
pub use routing::Reads;
pub use url::StoreUrl;
