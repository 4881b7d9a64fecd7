//! An event for people: one line.

use super::{index::Index, words::words};
use stackwave_domain::{Entry, Event};

/// The longest line's words, in characters; what outsiders wrote may be long.
const MAX_WORDS: usize = 400;

/// Time, place, repository, subject's kind, event and what it says.
pub(super) fn render(index: &Index, entry: &Entry, event: &Event, with_repository: bool) -> String {
    let at = entry.record.at;
    let place = format!("{}:{}", entry.subject.stream(), entry.position);
    let repository = match entry.subject.repository() {
        Some(id) if with_repository => {
            let name = index.config().repository(id).map(|known| known.name.to_string());
            format!("{}  ", name.unwrap_or_else(|| id.to_string()))
        }
        Some(_) | None => String::new(),
    };
    let words = clean(&words(index.links(entry.subject.repository()), event));
    format!("{at:.3}  {place:10}  {repository}{}  {}  {words}\n", entry.subject.kind(), event.name())
}

/// One line of bounded length, without anything that a terminal obeys.
pub(super) fn clean(text: &str) -> String {
    let mut clean: String =
        text.chars().take(MAX_WORDS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_WORDS).is_some() {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outsiders_wrote_stays_on_its_line() {
        assert_eq!(clean("a\nb\u{1b}[2J"), "a b [2J");
        assert_eq!(clean(&"x".repeat(500)).chars().count(), MAX_WORDS + 1);
    }
}
