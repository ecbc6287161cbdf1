//! A row that came back, and how its columns become domain types.

use izanagi_domain::storage::{StoreError, StoreResult};
use izanagi_shared::{
    id::{CommitId, DocumentId, SessionId, UserId},
    time::Timestamp,
};
use sqlx::{Decode, Row as _, Sqlite, Type, ValueRef as _, sqlite::SqliteRow};
use uuid::Uuid;

/// A row of one of the databases that there are.
pub(crate) enum Row {
    Sqlite(SqliteRow),
}

/// What can be read from a column.
pub(crate) trait Column: Sized {
    /// Reads it; the error says what is wrong with it.
    fn read(row: &Row, name: &str) -> Result<Self, String>;
}

impl Row {
    /// A column.
    ///
    /// # Errors
    /// `Corrupt` when it holds something else.
    pub(crate) fn get<T: Column>(&self, name: &str) -> StoreResult<T> {
        T::read(self, name).map_err(|why| StoreError::Corrupt(format!("column {name}: {why}")))
    }

    /// A column that holds a name of something.
    ///
    /// # Errors
    /// `Corrupt` when nothing has that name.
    pub(crate) fn named<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> StoreResult<T> {
        let text: String = self.get(name)?;
        parse(&text).ok_or_else(|| StoreError::Corrupt(format!("column {name}: “{text}”")))
    }

    fn driver<'r, T>(&'r self, name: &str) -> Result<T, String>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(name),
        }
        .map_err(|error| error.to_string())
    }

    fn is_null(&self, name: &str) -> Result<bool, String> {
        match self {
            Self::Sqlite(row) => row.try_get_raw(name).map(|value| value.is_null()),
        }
        .map_err(|error| error.to_string())
    }
}

macro_rules! by_driver {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &Row, name: &str) -> Result<Self, String> {
                row.driver(name)
            }
        }
    )*};
}

by_driver!(i64, bool, String, Vec<u8>);

impl Column for u64 {
    fn read(row: &Row, name: &str) -> Result<Self, String> {
        let number: i64 = row.driver(name)?;
        number.try_into().map_err(|_| format!("{number} is below zero"))
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row, name: &str) -> Result<Self, String> {
        let bytes: &[u8] = row.driver(name)?;
        bytes.try_into().map_err(|_| format!("{} bytes instead of {N}", bytes.len()))
    }
}

impl Column for Uuid {
    fn read(row: &Row, name: &str) -> Result<Self, String> {
        <[u8; 16]>::read(row, name).map(Self::from_bytes)
    }
}

impl Column for Timestamp {
    fn read(row: &Row, name: &str) -> Result<Self, String> {
        row.driver(name).map(Self::from_micros)
    }
}

macro_rules! ids {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &Row, name: &str) -> Result<Self, String> {
                <[u8; 16]>::read(row, name).map(|bytes| Self(Uuid::from_bytes(bytes)))
            }
        }
    )*};
}

ids!(UserId, SessionId, DocumentId, CommitId);

impl<T: Column> Column for Option<T> {
    fn read(row: &Row, name: &str) -> Result<Self, String> {
        if row.is_null(name)? { Ok(None) } else { T::read(row, name).map(Some) }
    }
}
