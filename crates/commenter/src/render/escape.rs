//! Names and other people's words, so that they are shown as they are and do nothing.
//!
//! Code spans are the safe place: GitHub neither parses Markdown nor links mentions, issues or addresses in them. What
//! is not a plain word therefore goes into one. Source: GitHub Flavored Markdown, "Code spans" and "Tables".

use std::borrow::Cow;

/// Breaks a sequence that would mean something, without being seen.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// The longest name that is shown whole, in characters.
const MAX_NAME: usize = 120;

/// The longest label of a node, in characters.
const MAX_LABEL: usize = 60;

/// A name as a code span.
pub(super) fn code(name: &str) -> String {
    code_span(&clean(name, MAX_NAME))
}

fn code_span(text: &str) -> String {
    // A code span shows entities as they are written, so a comment can only be broken, not escaped.
    let text = text.replace("<!--", &format!("<{ZERO_WIDTH_SPACE}!--"));
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence with names in it: what stands in backticks, and every word that is more than a word, becomes a code span.
pub(super) fn prose(sentence: &str, max: usize) -> String {
    let sentence = clean(sentence, max);
    let mut parts = Vec::new();
    let mut rest = sentence.as_ref();
    while let Some((before, after)) = rest.split_once('`') {
        let Some((quoted, behind)) = after.split_once('`') else { break };
        words(before, &mut parts);
        if !quoted.trim().is_empty() {
            // What follows without a blank is usually punctuation and belongs to it.
            let glued = behind.find(char::is_whitespace).map_or(behind, |end| &behind[..end]);
            let glued = if is_punctuation(glued) { glued } else { "" };
            parts.push(format!("{}{glued}", code_span(quoted)));
            rest = &behind[glued.len()..];
        } else {
            rest = behind;
        }
    }
    words(rest, &mut parts);
    parts.join(" ")
}

fn words(text: &str, parts: &mut Vec<String>) {
    parts.extend(text.split_whitespace().map(word));
}

fn word(word: &str) -> String {
    if matches!(word, "→" | "–") {
        return word.to_owned();
    }
    let opened = word.strip_prefix('(').unwrap_or(word);
    let core = opened.trim_end_matches(is_trailing);
    let open = &word[..word.len() - opened.len()];
    let close = &opened[core.len()..];
    if is_plain(core) {
        word.to_owned()
    } else if core.is_empty() {
        code_span(word)
    } else {
        format!("{open}{}{close}", code_span(core))
    }
}

const fn is_trailing(c: char) -> bool {
    matches!(c, ',' | '.' | ';' | ':' | ')' | '?' | '…')
}

fn is_punctuation(text: &str) -> bool {
    text.chars().all(is_trailing)
}

/// Letters, digits and inner apostrophes; hyphens only between letters, since `GH-1` is a link.
fn is_plain(word: &str) -> bool {
    let parts_are = |separator: char, check: &dyn Fn(&str) -> bool| word.split(separator).all(check);
    let letters = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let alphanumeric = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
    parts_are('\'', &alphanumeric) || parts_are('-', &letters)
}

/// A cell of a table. Cells are split before anything else is read, so this comes last.
pub(super) fn cell(markdown: &str) -> String {
    let mut cell = String::with_capacity(markdown.len() + 2);
    let mut before = ' ';
    for c in markdown.chars() {
        if c == '|' {
            if before == '\\' {
                cell.push(ZERO_WIDTH_SPACE);
            }
            cell.push('\\');
        }
        cell.push(c);
        before = c;
    }
    cell
}

/// A Mermaid label's line, for use within double quotes. Source: Mermaid, "Entity codes to escape characters".
pub(super) fn label(name: &str) -> String {
    let mut label = String::new();
    for c in clean(name, MAX_LABEL).chars() {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ' ' | '…') {
            label.push(c);
        } else {
            label.push_str(&format!("#{};", u32::from(c)));
        }
    }
    label
}

/// A link's target; none when it is not a plain web address.
pub(super) fn url(address: &str) -> Option<String> {
    const MAX: usize = 512;
    let web = address.starts_with("https://") || address.starts_with("http://");
    if !web || address.len() > MAX {
        return None;
    }
    let mut url = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#@!$*+,;=%".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(url)
}

/// One line, without characters that cannot be seen or that turn the reading direction, and not too long.
fn clean(text: &str, max: usize) -> Cow<'_, str> {
    let is_odd = |c: char| c.is_control() || is_invisible(c);
    let mut chars = text.char_indices();
    let cut = chars.nth(max).map(|(at, _)| at);
    if cut.is_none() && !text.contains(is_odd) {
        return Cow::Borrowed(text);
    }
    let shown = cut.map_or(text, |cut| &text[..cut]);
    let mut clean: String = shown
        .chars()
        .map(|c| {
            if c.is_control() {
                ' '
            } else if is_invisible(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    if cut.is_some() {
        clean.push('…');
    }
    Cow::Owned(clean)
}

/// Zero-width and direction marks (Unicode's `Default_Ignorable_Code_Point` and `Bidi_Control`, as far as they occur),
/// and the two line separators.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_code_spans_with_a_fence_of_their_own() {
        assert_eq!(code("eks/cluster"), "`eks/cluster`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "` `");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(code("<!-- x"), "`<\u{200b}!-- x`");
        assert_eq!(code("a\u{202e}b"), "`a\u{fffd}b`");
    }

    #[test]
    fn words_stay_words_and_the_rest_becomes_code() {
        assert_eq!(
            prose("waits for vpc/plat-ue2-dev, dns/plat and 2 more", 300),
            "waits for `vpc/plat-ue2-dev`, `dns/plat` and 2 more"
        );
        assert_eq!(
            prose("GitHub answered 422 to `tf-plan.yaml`: No such ref. Don't.", 300),
            "GitHub answered 422 to `tf-plan.yaml`: No such ref. Don't."
        );
        assert_eq!(
            prose("@me #1 GH-1 <b> www.x.org :tada: a_b * ", 300),
            "`@me` `#1` `GH-1` `<b>` `www.x.org` `:tada`: `a_b` `*`"
        );
        assert_eq!(prose("an odd ` tick", 300), "an odd `` ` `` tick");
        assert_eq!(prose("long", 2), "lo…");
    }

    #[test]
    fn a_pipe_in_a_cell_is_escaped_whatever_stands_before_it() {
        assert_eq!(cell("a|b"), "a\\|b");
        assert_eq!(cell("a\\|b"), "a\\\u{200b}\\|b");
    }

    #[test]
    fn labels_hold_no_character_that_mermaid_reads() {
        assert_eq!(label("a\"]b; <i>"), "a#34;#93;b#59; #60;i#62;");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(url("javascript:alert(1)"), None);
        assert_eq!(url("https://x.org/a)b<!--|c").as_deref(), Some("https://x.org/a%29b%3C!--%7Cc"));
    }
}
