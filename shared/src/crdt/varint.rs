//! Reading lib0's variable-length integers and buffers, without trusting a length before its bytes
//! are there.

use super::gate::Refusal::{self, Malformed};

/// The largest clock.
pub(crate) const MAX_CLOCK: u32 = i32::MAX as u32;

/// A cursor over the bytes of an update. At the end of the bytes, every read is `Malformed`.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Refusal> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    /// Seven bits a byte, lowest first; at most 53 bits, the integers that JavaScript has.
    pub(crate) fn uint(&mut self) -> Result<u64, Refusal> {
        let mut value = 0_u64;
        for shift in (0..).step_by(7).take(8) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if value < 1 << 53 { Ok(value) } else { Err(Malformed) };
            }
        }
        Err(Malformed)
    }

    /// A clock or a length. yrs keeps them in 32 bits and subtracts them with a sign.
    pub(crate) fn clock(&mut self) -> Result<u32, Refusal> {
        let clock = u32::try_from(self.uint()?).ok().filter(|clock| *clock <= MAX_CLOCK);
        clock.ok_or(Malformed)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Refusal> {
        std::str::from_utf8(self.buffer()?).map_err(|_| Malformed)
    }

    /// Bytes with their length in front.
    pub(crate) fn buffer(&mut self) -> Result<&'a [u8], Refusal> {
        let length = usize::try_from(self.uint()?).map_err(|_| Malformed)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }
}

/// The clock after a run of clocks.
pub(crate) fn end_of(start: u32, length: u32) -> Result<u32, Refusal> {
    start.checked_add(length).filter(|end| *end <= MAX_CLOCK).ok_or(Malformed)
}

/// Writes a number as [`Reader::uint`] reads it.
pub(crate) fn write_uint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Writes bytes as [`Reader::buffer`] reads them.
pub(crate) fn write_buffer(bytes: &mut Vec<u8>, buffer: &[u8]) {
    write_uint(bytes, buffer.len() as u64);
    bytes.extend_from_slice(buffer);
}
