//! One thing with what is known of it, a line a fact.

use crate::{
    screen::Tone,
    table::{Cell, Column, Table, column},
};
use std::io;

const COLUMNS: &[Column] = &[column(""), column("")];

/// Facts in two columns; those that are empty are left out. Nothing is cut: that is for lists.
pub(crate) fn facts(facts: Vec<(&'static str, Cell)>) -> Vec<Vec<Cell>> {
    facts
        .into_iter()
        .filter(|(_, fact)| !fact.text.is_empty())
        .map(|(name, fact)| vec![Cell::new(name, Tone::Quiet), fact])
        .collect()
}

/// Prints facts below each other.
pub(crate) fn print(
    screen: &mut crate::screen::Screen<'_>,
    rows: Vec<(&'static str, Cell)>,
) -> io::Result<()> {
    Table::bare(COLUMNS).print(screen, &facts(rows))
}

/// Says facts beside the answer, on standard error, where the answer itself has to stand alone.
pub(crate) fn note(
    screen: &mut crate::screen::Screen<'_>,
    rows: Vec<(&'static str, Cell)>,
) -> io::Result<()> {
    rows.into_iter()
        .filter(|(_, fact)| !fact.text.is_empty())
        .try_for_each(|(name, fact)| screen.note(&format!("{name}: {}", crate::screen::clean(&fact.text))))
}

/// `yes` or `no`.
pub(crate) fn yes(yes: bool) -> Cell {
    if yes { Cell::new("yes", Tone::Good) } else { Cell::new("no", Tone::Attention) }
}
