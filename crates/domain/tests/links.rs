//! Relative links in the repository's Markdown files lead somewhere: the file exists, and so does the heading.

#![expect(clippy::unwrap_used, reason = "a page that cannot be read is a failed test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folders of which nothing is ours, or nothing is committed.
const LEFT_OUT: [&str; 5] = ["target", ".git", ".tools", "node_modules", "fixtures"];

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut pages = Vec::new();
    collect(&root, &mut pages);
    assert!(pages.iter().any(|page| page.ends_with("README.md")), "no page was found below {root:?}");
    let mut broken = Vec::new();
    for page in &pages {
        for link in links(&fs::read_to_string(page).unwrap()) {
            if let Some(why) = why_broken(page, &link) {
                let page = page.strip_prefix(&root).unwrap().display();
                broken.push(format!("{page}: `{link}` {why}"));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !LEFT_OUT.contains(&name.as_str()) {
                collect(&path, pages);
            }
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
}

/// The targets of inline links, outside code.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.trim().to_owned())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

fn why_broken(page: &Path, link: &str) -> Option<String> {
    let (path, heading) = link.split_once('#').map_or((link, None), |(path, heading)| (path, Some(heading)));
    let target = if path.is_empty() { page.to_owned() } else { page.parent()?.join(path) };
    if !target.exists() {
        return Some("leads to no file".to_owned());
    }
    let heading = heading?;
    let headings = headings(&fs::read_to_string(&target).unwrap_or_default());
    (!headings.contains(heading)).then(|| format!("leads to no heading; there are {headings:?}"))
}

/// The anchors that GitHub gives to the headings of a page.
fn headings(text: &str) -> BTreeSet<String> {
    outside_fences(text)
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(anchor)
        .collect()
}

fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn prose(text: &str) -> String {
    let lines: Vec<String> = outside_fences(text)
        // Every other part between backticks is code.
        .map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join("code"))
        .collect();
    lines.join("\n")
}

fn outside_fences(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

#[test]
fn links_in_code_are_none_and_anchors_are_those_of_github() {
    let text =
        "[a](x.md) `[b](y.md)` [`c`](z.md#what-it-means)\n```\n[d](w.md)\n```\n[e](https://example.com)\n";
    assert_eq!(links(text), ["x.md", "z.md#what-it-means"]);
    assert_eq!(anchor("A dispatch, and one whose answer is lost"), "a-dispatch-and-one-whose-answer-is-lost");
    assert_eq!(
        headings("# One\n```\n# two\n```\n## `Three`!\n"),
        BTreeSet::from(["one".into(), "three".into()])
    );
}
