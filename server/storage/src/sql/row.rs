//! Database-independent rows.

use izanagi_domain::storage::{StoreError, StoreResult};
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, SessionId, UserId},
    time::Timestamp,
};
use std::sync::Arc;
use uuid::Uuid;

/// A column value. Booleans are 0 or 1, ids are 16 bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Cell {
    /// NULL.
    #[default]
    Null,
    /// An integer.
    Number(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A row.
#[derive(Debug)]
pub(crate) struct Row {
    names: Arc<[String]>,
    cells: Vec<Cell>,
}

/// Types that a column can be read as.
pub(crate) trait Column: Sized {
    /// Converts a value; the error describes the mismatch.
    fn read(cell: &Cell) -> Result<Self, String>;
}

impl Row {
    /// Creates a row from column names, shared by all rows of a result, and values.
    pub(crate) fn new(names: &Arc<[String]>, cells: Vec<Cell>) -> Self {
        Self { names: Arc::clone(names), cells }
    }

    /// Returns the values, in the order of the columns.
    pub(crate) fn into_cells(self) -> Vec<Cell> {
        self.cells
    }

    /// Reads a column.
    ///
    /// # Errors
    /// `Corrupt` if the value has another type.
    pub(crate) fn get<T: Column>(&self, name: &str) -> StoreResult<T> {
        let place = self.place(name)?;
        let cell = self.cells.get(place).unwrap_or(&Cell::Null);
        T::read(cell).map_err(|why| StoreError::Corrupt(format!("column {name}: {why}")))
    }

    /// Takes bytes or text out of a column without copying. The column is NULL afterwards.
    ///
    /// # Errors
    /// `Corrupt` if the value has another type.
    pub(crate) fn take<T: TryFrom<Cell, Error = String>>(&mut self, name: &str) -> StoreResult<T> {
        let place = self.place(name)?;
        let cell = self.cells.get_mut(place).map_or(Cell::Null, std::mem::take);
        T::try_from(cell).map_err(|why| StoreError::Corrupt(format!("column {name}: {why}")))
    }

    /// Reads a column that contains a name, such as a topic or role.
    ///
    /// # Errors
    /// `Corrupt` if the name is unknown.
    pub(crate) fn named<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> StoreResult<T> {
        let null = || StoreError::Corrupt(format!("column {name}: NULL"));
        self.named_or_null(name, parse)?.ok_or_else(null)
    }

    /// Reads a column that contains a name or NULL.
    ///
    /// # Errors
    /// `Corrupt` if the name is unknown.
    pub(crate) fn named_or_null<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> StoreResult<Option<T>> {
        let Some(text) = self.get::<Option<String>>(name)? else { return Ok(None) };
        let parsed = parse(&text);
        let unknown = || StoreError::Corrupt(format!("column {name}: “{text}”"));
        parsed.ok_or_else(unknown).map(Some)
    }

    fn place(&self, name: &str) -> StoreResult<usize> {
        let place = self.names.iter().position(|known| known == name);
        place.ok_or_else(|| StoreError::Corrupt(format!("there is no column {name}")))
    }
}

impl Cell {
    /// Describes the value, for errors.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        }
    }

    fn bytes(&self) -> Result<&[u8], String> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(self.is_not("bytes")) }
    }

    fn is_not(&self, expected: &str) -> String {
        format!("{} instead of {expected}", self.kind())
    }
}

impl TryFrom<Cell> for String {
    type Error = String;

    fn try_from(cell: Cell) -> Result<Self, String> {
        if let Cell::Text(text) = cell { Ok(text) } else { Err(cell.is_not("text")) }
    }
}

impl TryFrom<Cell> for Option<Vec<u8>> {
    type Error = String;

    fn try_from(cell: Cell) -> Result<Self, String> {
        if cell == Cell::Null { Ok(None) } else { cell.try_into().map(Some) }
    }
}

impl TryFrom<Cell> for Vec<u8> {
    type Error = String;

    fn try_from(cell: Cell) -> Result<Self, String> {
        if let Cell::Bytes(bytes) = cell { Ok(bytes) } else { Err(cell.is_not("bytes")) }
    }
}

impl Column for i64 {
    fn read(cell: &Cell) -> Result<Self, String> {
        if let Cell::Number(number) = cell { Ok(*number) } else { Err(cell.is_not("a number")) }
    }
}

impl Column for u64 {
    fn read(cell: &Cell) -> Result<Self, String> {
        let number = i64::read(cell)?;
        number.try_into().map_err(|_| format!("{number} is below zero"))
    }
}

impl Column for bool {
    fn read(cell: &Cell) -> Result<Self, String> {
        match i64::read(cell)? {
            0 => Ok(false),
            1 => Ok(true),
            number => Err(format!("{number} instead of 0 or 1")),
        }
    }
}

impl Column for String {
    fn read(cell: &Cell) -> Result<Self, String> {
        if let Cell::Text(text) = cell { Ok(text.clone()) } else { Err(cell.is_not("text")) }
    }
}

impl Column for Vec<u8> {
    fn read(cell: &Cell) -> Result<Self, String> {
        cell.bytes().map(<[u8]>::to_vec)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(cell: &Cell) -> Result<Self, String> {
        let bytes = cell.bytes()?;
        bytes.try_into().map_err(|_| format!("{} bytes instead of {N}", bytes.len()))
    }
}

impl Column for Uuid {
    fn read(cell: &Cell) -> Result<Self, String> {
        <[u8; 16]>::read(cell).map(Self::from_bytes)
    }
}

impl Column for Timestamp {
    fn read(cell: &Cell) -> Result<Self, String> {
        i64::read(cell).map(Self::from_micros)
    }
}

macro_rules! ids {
    ($($type:ident),*) => {$(
        impl Column for $type {
            fn read(cell: &Cell) -> Result<Self, String> {
                Uuid::read(cell).map(Self)
            }
        }
    )*};
}

ids!(ActorId, UserId, SessionId, DocumentId, CommitId);

impl<T: Column> Column for Option<T> {
    fn read(cell: &Cell) -> Result<Self, String> {
        if *cell == Cell::Null { Ok(None) } else { T::read(cell).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let names: Arc<[String]> = ["n", "t", "b", "none"].map(str::to_owned).into();
        let cells =
            vec![Cell::Number(-1), Cell::Text("x".into()), Cell::Bytes(vec![7; 16]), Cell::Null];
        Row::new(&names, cells)
    }

    #[test]
    fn reads_columns_by_name() {
        let mut row = row();
        assert_eq!(row.get::<i64>("n"), Ok(-1));
        assert_eq!(row.get::<Option<String>>("t"), Ok(Some("x".to_owned())));
        assert_eq!(row.get::<Option<u64>>("none"), Ok(None));
        assert_eq!(row.get::<UserId>("b"), Ok(UserId(Uuid::from_bytes([7; 16]))));
        assert_eq!(row.take::<Vec<u8>>("b"), Ok(vec![7; 16]));
        assert_eq!(row.take::<String>("t"), Ok("x".to_owned()));
    }

    #[test]
    fn anything_else_is_corrupt() {
        let row = row();
        let wrong = [
            row.get::<u64>("n").err(),
            row.get::<bool>("n").err(),
            row.get::<i64>("t").err(),
            row.get::<String>("none").err(),
            row.get::<[u8; 32]>("b").err(),
            row.get::<i64>("absent").err(),
        ];
        for error in wrong {
            assert!(matches!(error, Some(StoreError::Corrupt(_))), "{error:?}");
        }
    }
}
