//! In-process providers.

mod bus;

pub(crate) use bus::ProcessBus;
