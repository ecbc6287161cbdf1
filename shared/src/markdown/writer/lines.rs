//! Converts byte offsets to line numbers, for scrolling source and preview together.

/// Counts lines for increasing byte offsets.
#[derive(Debug)]
pub(super) struct LineCounter<'s> {
    source: &'s [u8],
    offset: usize,
    line: usize,
    reported: usize,
}

impl<'s> LineCounter<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source: source.as_bytes(), offset: 0, line: 1, reported: 0 }
    }

    /// Returns the line of `offset`, starting at 1, if it is after every line returned before.
    pub(super) fn advance_to(&mut self, offset: usize) -> Option<usize> {
        if let Some(passed) = self.source.get(self.offset..offset) {
            self.line += passed.iter().filter(|&&byte| byte == b'\n').count();
            self.offset = offset;
        }
        if self.line > self.reported {
            self.reported = self.line;
            Some(self.line)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_each_line_at_most_once() {
        let mut lines = LineCounter::new("a\nb\r\n\nc");
        let reported: Vec<_> = [0, 1, 2, 2, 0, 6].map(|offset| lines.advance_to(offset)).into();
        assert_eq!(reported, [Some(1), None, Some(2), None, None, Some(4)]);
    }
}
