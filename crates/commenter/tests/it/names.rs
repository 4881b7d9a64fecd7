//! Whatever stacks are called: the page stays in its limits and its form, and no name does anything.

use crate::{
    gfm::parse,
    scenario::{PR, Story, affected, workspace},
};
use proptest::prelude::*;
use stackwave_commenter::{
    marker::{PREFIX, marker},
    render::MAX_UNITS,
};
use stackwave_domain::{StackKey, fragment::FragmentBuilder};

const NASTY: &[&str] = &[
    "a|b",
    "a\\|b",
    "|",
    "||",
    "`",
    "``x`",
    "<!-- stackwave:v1 workspace=default pr=13 -->",
    "-->",
    "@octocat",
    "@acme/admins",
    "#1",
    "acme/infra#1",
    "GH-1",
    "https://evil.example/x",
    "www.evil.example",
    "a@evil.example",
    "[x](https://evil.example)",
    "![x](https://evil.example)",
    "<img src=x>",
    "</details>",
    "```\nx",
    "x\n\n# h",
    "a\r\nb",
    "\u{202e}evil",
    "\"];click n0 \"x\"",
    "end",
    "&lt;b&gt;",
    "\\",
    "a\\",
    "*b*",
    "__b__",
    "~~x~~",
    ":tada:",
    "$x$",
    "",
    " ",
    "\t",
    "🦀",
    "한국어",
    "--",
    "1. x",
    "- x",
    "> x",
    "{{ x }}",
    "%%{init: {}}%%",
];

fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => proptest::sample::select(NASTY).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z/-]{1,12}",
        1 => "[|`<!@#\\\\\\[\\](){}*_~$&;:.\\-\"' \n]{1,12}",
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// A run over stacks with such names, each depending on the one before; the first fails, so that names are in remarks.
fn story(names: &[(String, String)]) -> (Story, usize) {
    let mut builder = FragmentBuilder::default();
    let keys: Vec<StackKey> =
        names.iter().map(|(stack, component)| StackKey::new(stack, component)).collect();
    for key in &keys {
        builder.add(affected(key.clone()));
    }
    for pair in keys.windows(2) {
        if pair[0] < pair[1] {
            builder.edge(&pair[0], &pair[1]);
        }
    }
    builder.warnings.extend(keys.iter().map(|key| format!("{key} is odd, says {}", key.stack)));
    let fragment = builder.build();
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &fragment);
    let first = &fragment.stacks[0].key;
    story.refuse(&run, first, &format!("No such thing: {} of {}", first.stack, first.component));
    (story, fragment.stacks.len())
}

/// A line of the graph as we write it: a name stands within quotes, and holds none.
fn is_ours(line: &str) -> bool {
    if line == "flowchart LR" || line.starts_with("classDef ") {
        return true;
    }
    if let Some((parent, child)) = line.split_once(" --> ") {
        return [parent, child].iter().all(|node| node.chars().all(char::is_alphanumeric));
    }
    let Some((node, rest)) = line.split_once("[\"") else { return false };
    let Some((label, class)) = rest.rsplit_once("\"]:::") else { return false };
    let label = label.replace("<br/>", "");
    node.chars().all(char::is_alphanumeric)
        && class.chars().all(char::is_alphabetic)
        && !label.contains(['"', '<', '>', '[', ']', '`', '(', '{'])
}

/// Everything that has to hold of any page.
fn check(comment: &str, stacks: usize) {
    assert!(comment.encode_utf16().count() <= MAX_UNITS);
    let marker = marker(&workspace(), PR);
    assert_eq!(comment.lines().next(), Some(marker.as_str()));
    assert_eq!(comment.matches("<!--").count(), 1, "one marker, and no other comment");
    assert_eq!(comment.matches(PREFIX).count(), 1);

    let page = parse(comment);
    assert_eq!(page.rows.len(), stacks, "one row a stack:\n{comment}");
    assert!(page.rows.iter().all(|row| row.len() == 6), "six cells a row:\n{comment}");
    assert!(page.links.is_empty(), "no name links anywhere: {:?}\n{comment}", page.links);
    for text in &page.text {
        assert!(!text.contains(['@', '#', '<', '$']), "`{text}` is not code\n{comment}");
        assert!(!text.contains("://") && !text.contains("www."), "`{text}` is not code\n{comment}");
    }
    let allowed = ["<details", "</details", "<summary", "<sub>", "</sub>", "<!-- stackwave:v1"];
    for html in &page.html {
        for line in html.lines().filter(|line| !line.is_empty()) {
            assert!(allowed.iter().any(|start| line.starts_with(start)), "`{line}` is not ours\n{comment}");
        }
    }
    assert!(page.fences.len() <= 1);
    for line in page.fences.iter().flat_map(|fence| fence.lines()) {
        assert!(is_ours(line), "`{line}` is no line of our graph");
    }
}

#[test]
fn nasty_names_are_shown_as_they_are_and_do_nothing() {
    let names: Vec<(String, String)> =
        NASTY.iter().enumerate().map(|(n, name)| ((*name).to_owned(), format!("c{n:02}"))).collect();
    let (story, stacks) = story(&names);
    let comment = story.comment();
    check(&comment, stacks);
    let page = parse(&comment);
    for exact in ["a|b", "``x`", "@octocat", "<img src=x>", "&lt;b&gt;", "*b*", "🦀", "{{ x }}"] {
        assert!(page.rows.iter().any(|row| row[3] == exact), "{exact} is shown as it is");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_name_breaks_out_of_its_place(names in proptest::collection::vec((name(), name()), 1..12)) {
        let (story, stacks) = story(&names);
        check(&story.comment(), stacks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn no_length_of_names_passes_the_limit(lengths in proptest::collection::vec(0usize..300, 1..300)) {
        let names: Vec<(String, String)> = lengths
            .iter()
            .enumerate()
            .map(|(n, length)| (format!("s{n:04}{}", "🦀`".repeat(*length)), "|".repeat(length % 200)))
            .collect();
        let (story, _) = story(&names);
        prop_assert!(story.comment().encode_utf16().count() <= MAX_UNITS);
    }
}
