//! Tables for people: aligned columns, and on a terminal no wider than it is.

use crate::screen::{Screen, Tone, clean};
use std::io;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands between two columns.
const GAP: usize = 2;
/// A column is never made narrower than this.
const NARROWEST: usize = 16;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    name: &'static str,
    right: bool,
    shrinks: bool,
}

/// A column of names or words; never cut, since people copy from it.
pub(crate) const fn column(name: &'static str) -> Column {
    Column { name, right: false, shrinks: false }
}

/// A column of numbers.
pub(crate) const fn number(name: &'static str) -> Column {
    Column { name, right: true, shrinks: false }
}

/// A column of prose, which is cut where the terminal is too narrow.
pub(crate) const fn prose(name: &'static str) -> Column {
    Column { name, right: false, shrinks: true }
}

/// What stands in one row of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table that is printed in parts; columns only get wider from part to part.
pub(crate) struct Table {
    columns: Vec<Column>,
    widths: Vec<usize>,
    indent: usize,
    headed: bool,
}

impl Table {
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), widths: vec![0; columns.len()], indent: 0, headed: true }
    }

    /// One without a line that names the columns.
    pub(crate) fn bare(columns: &[Column]) -> Self {
        Self { headed: false, ..Self::new(columns) }
    }

    /// One below a headline of its own: indented, and without a line that names the columns.
    pub(crate) fn below(columns: &[Column]) -> Self {
        Self { indent: 2, ..Self::bare(columns) }
    }

    /// Makes columns as wide as these rows need them, for a table whose parts shall stand below each other.
    pub(crate) fn measure(&mut self, rows: &[Vec<Cell>]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(clean(&cell.text).width());
            }
        }
    }

    /// Prints rows, and before the first of them the names of the columns.
    pub(crate) fn print(&mut self, screen: &mut Screen<'_>, rows: &[Vec<Cell>]) -> io::Result<()> {
        if self.headed {
            for (width, column) in self.widths.iter_mut().zip(&self.columns) {
                *width = (*width).max(column.name.width());
            }
        }
        self.measure(rows);
        let widths = self.fitted(screen.width());
        if self.headed {
            self.headed = false;
            let heads: Vec<Cell> =
                self.columns.iter().map(|column| Cell::new(column.name, Tone::Bold)).collect();
            self.line(screen, &widths, &heads)?;
        }
        rows.iter().try_for_each(|row| self.line(screen, &widths, row))
    }

    fn line(&self, screen: &mut Screen<'_>, widths: &[usize], row: &[Cell]) -> io::Result<()> {
        let mut line = " ".repeat(self.indent);
        let mut owed = 0;
        for ((column, width), cell) in self.columns.iter().zip(widths).zip(row) {
            let text = clean(&cell.text);
            let text = if column.shrinks { cut(&text, *width) } else { text.into_owned() };
            let blank = width.saturating_sub(text.width());
            if column.right {
                owed += blank;
            }
            if !text.is_empty() {
                // Blanks are written once something follows: no line ends in one.
                line.push_str(&" ".repeat(owed));
                owed = 0;
                line.push_str(&screen.paint(&text, cell.tone));
            }
            owed += GAP + if column.right { 0 } else { blank };
        }
        screen.line(&line)
    }

    /// The widths with which a line fits the terminal, as far as prose can give way.
    fn fitted(&self, terminal: Option<usize>) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let Some(terminal) = terminal else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1) + self.indent;
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(terminal);
        for (width, _) in widths.iter_mut().zip(&self.columns).rev().filter(|(_, column)| column.shrinks) {
            let given = excess.min(width.saturating_sub(NARROWEST));
            *width -= given;
            excess -= given;
        }
        widths
    }
}

/// The beginning of a text, with a sign that it goes on.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let wide = c.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    text.chars().take_while(fits).collect::<String>() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[column("NAME"), number("COUNT"), prose("REASON")];

    fn print(width: Option<usize>, rows: &[[&str; 3]]) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut screen = Screen::new(&mut out, &mut err, jiff::Timestamp::UNIX_EPOCH).with_width(width);
        let rows: Vec<Vec<Cell>> = rows.iter().map(|row| row.map(Cell::from).to_vec()).collect();
        Table::new(COLUMNS).print(&mut screen, &rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_numbers_to_the_right_and_no_line_ends_in_blanks() {
        let text = print(None, &[["vpc/prod", "7", ""], ["eks", "1234", "because"], ["", "", ""]]);
        assert_eq!(text, "NAME      COUNT  REASON\nvpc/prod      7\neks        1234  because\n\n");
    }

    #[test]
    fn prose_gives_way_to_a_narrow_terminal_and_names_do_not() {
        let row = ["a-name-that-people-copy", "1", "a reason that is longer than the line has room for"];
        let text = print(Some(60), &[row]);
        let line = text.lines().nth(1).unwrap();
        assert!(line.starts_with("a-name-that-people-copy") && line.ends_with('…'), "{line}");
        assert_eq!(line.width(), 60);
        assert!(print(None, &[row]).contains("room for"));
    }

    #[test]
    fn wide_signs_count_as_what_they_take() {
        assert_eq!(cut("日本語日本語", 7), "日本語…");
        assert_eq!(cut("short", 7), "short");
    }
}
