//! Where a verb prints to.

use crate::{failure::Failure, json::Document};
use jiff::Timestamp;
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// Standard output and standard error, and what is known of them.
pub struct Screen<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    width: Option<usize>,
    colour: bool,
    now: Timestamp,
}

impl<'a> Screen<'a> {
    /// Neither a terminal nor colours. `now` is the moment that "4 min ago" counts from.
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, now: Timestamp) -> Self {
        Self { out, err, width: None, colour: false, now }
    }

    /// A terminal that is so many columns wide; none is no terminal, and nothing is cut.
    #[must_use]
    pub fn with_width(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Whether colours may be used.
    #[must_use]
    pub fn with_colour(self, colour: bool) -> Self {
        Self { colour, ..self }
    }

    /// How wide the terminal is, if it is one.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// The moment of the call.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// Prints without an end of line.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Lets what was printed be seen.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Says something beside the answer, on standard error.
    pub(crate) fn note(&mut self, note: &str) -> io::Result<()> {
        self.err.write_all(note.as_bytes())?;
        self.err.write_all(b"\n")
    }

    /// Prints an answer for programs.
    pub(crate) fn document(&mut self, document: &impl Document) -> Result<(), Failure> {
        let text = document.pretty()?;
        Ok(self.line(&text)?)
    }

    /// The text in its tone, where colours may be used.
    pub(crate) fn paint<'t>(&self, text: &'t str, tone: Tone) -> Cow<'t, str> {
        match tone.code().filter(|_| self.colour) {
            Some(code) => Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m")),
            None => Cow::Borrowed(text),
        }
    }
}

/// What a word means for the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Bold,
    Good,
    Bad,
    /// Somebody has to do something.
    Attention,
    Active,
    Quiet,
}

impl Tone {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Attention => Some("33"),
            Self::Active => Some("36"),
            Self::Quiet => Some("2"),
        }
    }
}

/// A text that outsiders may have written, on one line and without anything that a terminal obeys.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(obeyed) {
        Cow::Owned(text.chars().map(|c| if obeyed(c) { ' ' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outsiders_wrote_stays_on_its_line() {
        assert_eq!(clean("a\nb\u{1b}[2J\u{202e}c"), "a b [2J c");
        assert_eq!(clean("plain ✓"), "plain ✓");
    }

    #[test]
    fn colours_are_used_only_where_they_may_be() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let screen = Screen::new(&mut out, &mut err, Timestamp::UNIX_EPOCH);
        assert_eq!(screen.paint("failed", Tone::Bad), "failed");
        assert_eq!(screen.with_colour(true).paint("failed", Tone::Bad), "\u{1b}[31mfailed\u{1b}[0m");
    }
}
