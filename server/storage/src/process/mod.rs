//! Providers that live in the memory of this process.

mod bus;

pub(crate) use bus::ProcessBus;
