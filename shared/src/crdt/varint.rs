//! Reading lib0's variable-length integers and buffers, without recursion and without trusting a
//! length before the bytes are there.

/// The largest clock.
pub(super) const MAX_CLOCK: u32 = i32::MAX as u32;

/// A cursor over the bytes of an update. Every read says `None` at the end of the bytes.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// Seven bits a byte, lowest first; at most 53 bits, as JavaScript counts safely.
    pub(super) fn uint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..).step_by(7).take(8) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (value < 1 << 53).then_some(value);
            }
        }
        None
    }

    /// A clock or a length. yrs keeps them in 32 bits and subtracts them with a sign.
    pub(super) fn clock(&mut self) -> Option<u32> {
        self.uint()?.try_into().ok().filter(|clock| *clock <= MAX_CLOCK)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.uint()?).ok()?;
        let (text, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
    }
}

/// Writes a number as [`Reader::uint`] reads it.
pub(super) fn write_uint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
