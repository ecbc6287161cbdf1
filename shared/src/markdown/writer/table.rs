//! Tables.

use std::mem;
use std::ops::Range;

use pulldown_cmark::Alignment;

use super::Writer;

/// A table being written.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    column: usize,
    in_body: bool,
    cell_end: &'static str,
}

impl Writer<'_, '_> {
    /// Opens a table in a labelled, focusable region, so that keyboard users can scroll a wide one.
    pub(super) fn start_table(&mut self, alignments: Vec<Alignment>, range: &Range<usize>) {
        self.tables += 1;
        self.open_tag("div", range);
        self.out.push(" class=\"table-scroll\" role=\"region\"");
        self.out.push_attribute(
            "aria-label",
            &format!("{} {}", self.options.labels.table, self.tables),
        );
        self.out.push(" tabindex=\"0\">\n<table");
        let has_direction = self.direction.starts_leaf();
        self.push_direction(has_direction);
        self.out.push(">\n");
        self.table = Some(Table { alignments, column: 0, in_body: false, cell_end: "" });
    }

    pub(super) fn start_table_head(&mut self) {
        self.out.push("<thead>\n<tr>\n");
    }

    pub(super) fn start_table_row(&mut self) {
        let Some(table) = &mut self.table else { return };
        table.column = 0;
        if !mem::replace(&mut table.in_body, true) {
            self.out.push("<tbody>\n");
        }
        self.out.push("<tr>\n");
    }

    pub(super) fn start_table_cell(&mut self, is_empty: bool) {
        let Some(table) = &mut self.table else { return };
        let is_header = !table.in_body && !is_empty;
        self.out.push(if is_header { "<th scope=\"col\"" } else { "<td" });
        table.cell_end = if is_header { "</th>\n" } else { "</td>\n" };
        // Classes, because inline styles are blocked by the content security policy.
        self.out.push(match table.alignments.get(table.column) {
            Some(Alignment::Left) => " class=\"align-left\">",
            Some(Alignment::Center) => " class=\"align-center\">",
            Some(Alignment::Right) => " class=\"align-right\">",
            Some(Alignment::None) | None => ">",
        });
        table.column += 1;
    }

    pub(super) fn end_table_cell(&mut self) {
        if let Some(table) = &self.table {
            self.out.push(table.cell_end);
        }
    }

    pub(super) fn end_table(&mut self) {
        if self.table.take().is_some_and(|table| table.in_body) {
            self.out.push("</tbody>\n");
        }
        self.out.push("</table>\n</div>\n");
    }
}
