//! The comment as GitHub parses it.

use comrak::{
    Arena, Options,
    nodes::{AstNode, NodeValue},
    parse_document,
};

/// What a parsed comment holds.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Every body row of every table: the text of its cells.
    pub(crate) rows: Vec<Vec<String>>,
    /// Where its links lead.
    pub(crate) links: Vec<String>,
    /// Its raw HTML, block or inline.
    pub(crate) html: Vec<String>,
    /// Text that is not code, in which GitHub links mentions and issues.
    pub(crate) text: Vec<String>,
    /// The fenced blocks.
    pub(crate) fences: Vec<String>,
}

pub(crate) fn parse(markdown: &str) -> Page {
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    let root = parse_document(&arena, markdown, &options);
    let mut page = Page::default();
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::TableRow(false) => page.rows.push(node.children().map(cell).collect()),
            NodeValue::Link(link) | NodeValue::Image(link) => page.links.push(link.url.clone()),
            NodeValue::HtmlBlock(html) => page.html.push(html.literal.clone()),
            NodeValue::HtmlInline(html) => page.html.push(html.clone()),
            NodeValue::Text(text) => page.text.push(text.to_string()),
            NodeValue::CodeBlock(block) => page.fences.push(block.literal.clone()),
            _ => {}
        }
    }
    page
}

fn cell<'a>(node: &'a AstNode<'a>) -> String {
    node.descendants()
        .filter_map(|inner| match &inner.data.borrow().value {
            NodeValue::Text(text) => Some(text.to_string()),
            NodeValue::Code(code) => Some(code.literal.clone()),
            _ => None,
        })
        .collect()
}
