//! The printed report.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
};

/// Target of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// At most this value.
    AtMost(f64),
    /// At least this value.
    AtLeast(f64),
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// Measured result.
    pub(crate) measured: String,
    /// Result of the peer, if there is one.
    pub(crate) peer: String,
    /// Value compared with the target, and its unit.
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) target: Target,
}

impl Figure {
    /// Returns whether the target was met.
    fn is_met(&self) -> bool {
        match self.target {
            Target::AtMost(limit) => self.value <= limit,
            Target::AtLeast(limit) => self.value >= limit,
        }
    }

    fn cells(&self) -> [String; 6] {
        let with_unit = |number: f64| format!("{} {}", Number(number), self.unit);
        let target = match self.target {
            Target::AtMost(limit) => format!("≤ {}", with_unit(limit)),
            Target::AtLeast(limit) => format!("≥ {}", with_unit(limit)),
        };
        let verdict = if self.is_met() { "ok" } else { "MISSED" };
        [
            self.what.clone(),
            self.measured.clone(),
            self.peer.clone(),
            with_unit(self.value),
            target,
            verdict.to_owned(),
        ]
    }
}

/// Formats a number with three significant digits, or all digits before the decimal point.
pub(crate) struct Number(pub(crate) f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        let size = number.abs();
        if number.fract() == 0.0 || size >= 99.95 {
            let digits = format!("{:.0}", size);
            let sign = if number < 0.0 { "-" } else { "" };
            return write!(f, "{sign}{}", group_thousands(&digits));
        }
        match size {
            10.0.. => write!(f, "{number:.1}"),
            0.1.. => write!(f, "{number:.2}"),
            _ => write!(f, "{number:.4}"),
        }
    }
}

fn group_thousands(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Results of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    notes: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Adds a line below the table.
    pub(crate) fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// Adds a line below the table, unless it is there already.
    pub(crate) fn note_once(&mut self, line: String) {
        if !self.notes.contains(&line) {
            self.notes.push(line);
        }
    }

    /// Records that a measurement failed.
    pub(crate) fn failed(&mut self, what: &str, error: &anyhow::Error) {
        self.failures.push(format!("{what}: {error:#}"));
    }

    /// Returns whether every requested measurement succeeded, even if a target was missed.
    pub(crate) fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Prints the description of the machine, then the report.
    pub(crate) fn print(&self, machine: &str) -> io::Result<()> {
        io::stdout().lock().write_all(self.text(machine).as_bytes())
    }

    fn text(&self, machine: &str) -> String {
        let heads = ["what", "measured", "peer", "ratio or figure", "target", ""];
        let mut rows = vec![heads.map(str::to_owned)];
        rows.extend(self.figures.iter().map(Figure::cells));
        let widths: [usize; 6] = std::array::from_fn(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        });
        rows.insert(1, widths.map(|width| "-".repeat(width)));

        let mut text = format!("{machine}\n\n");
        for row in &rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:width$} |"));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "|{}", cells.collect::<String>());
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        for failure in &self.failures {
            let _ = writeln!(text, "- NOT MEASURED: {failure}");
        }
        text
    }
}

/// Prints progress to standard error.
pub(crate) fn progress(line: impl fmt::Display) {
    // Ignore a closed pipe.
    let _ = writeln!(io::stderr(), "    {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64, target: Target) -> Figure {
        let (what, measured, peer) = ("Größe".to_owned(), "1".to_owned(), String::new());
        Figure { what, measured, peer, value, unit: "×", target }
    }

    #[test]
    fn marks_the_targets_that_were_missed() {
        let mut report = Report::default();
        report.add(figure(3.0, Target::AtMost(3.0)));
        report.add(figure(3.01, Target::AtMost(3.0)));
        report.add(figure(4.5, Target::AtLeast(5.0)));
        let text = report.text("a machine");
        let ends: Vec<&str> =
            text.lines().filter_map(|line| line.rsplit('|').nth(1)).map(str::trim).collect();
        assert_eq!(ends, ["", "------", "ok", "MISSED", "MISSED"]);
        let widths: Vec<usize> =
            text.lines().filter(|line| line.starts_with('|')).map(|l| l.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
    }

    #[test]
    fn formats_numbers_for_human_readers() {
        let shown = [1_234_567.8, 100.0, 12.34, 2.5, 0.012, 5.0].map(|n| Number(n).to_string());
        assert_eq!(shown, ["1,234,568", "100", "12.3", "2.50", "0.0120", "5"]);
    }
}
