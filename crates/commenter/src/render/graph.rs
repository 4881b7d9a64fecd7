//! The dependency graph, drawn by Mermaid. Within Mermaid's own limits on GitHub: 500 edges and 50,000 characters, which
//! no directive raises.

use super::{
    escape::label,
    head::{stacks as count_of, totals},
    style::{CLASSES, class},
};
use stackwave_engine::view::{RunView, Status};
use std::collections::{BTreeMap, BTreeSet};

const MAX_EDGES: usize = 450;
const MAX_CHARACTERS: usize = 45_000;

/// More waves than this make no picture.
const MAX_WAVES: usize = 60;

/// The graph of stacks; empty when nothing depends on anything, none when it is too large.
pub(super) fn stacks(view: &RunView<'_>) -> Option<String> {
    let edges = &view.run.plan.edges;
    if edges.is_empty() {
        return Some(String::new());
    }
    if edges.len() > MAX_EDGES {
        return None;
    }
    let linked: BTreeSet<usize> =
        edges.iter().flat_map(|(parent, child)| [*parent as usize, *child as usize]).collect();
    let mut lines = Vec::with_capacity(linked.len() + edges.len());
    let mut classes = BTreeSet::new();
    for index in &linked {
        let Some(stack) = view.stacks.get(*index) else { continue };
        let (component, name) = (label(stack.key.component.as_str()), label(stack.key.stack.as_str()));
        let class = class(stack.status);
        classes.insert(class);
        lines.push(format!("n{index}[\"{component}<br/>{name}\"]:::{class}"));
    }
    lines.extend(edges.iter().map(|(parent, child)| format!("n{parent} --> n{child}")));
    let graph = flowchart("Dependency graph", &lines, &classes);
    let alone = view.stacks.len() - linked.len();
    let note = match alone {
        0 => String::new(),
        1 => "1 stack without dependencies is left out of the graph.\n\n".to_owned(),
        _ => format!("{alone} stacks without dependencies are left out of the graph.\n\n"),
    };
    (graph.chars().count() <= MAX_CHARACTERS).then(|| graph + &note)
}

/// The graph of waves, one node a wave; empty when there is nothing to draw.
pub(super) fn waves(view: &RunView<'_>) -> String {
    let mut waves: BTreeMap<u32, BTreeMap<Status, usize>> = BTreeMap::new();
    for stack in &view.stacks {
        *waves.entry(stack.wave.unwrap_or(u32::MAX)).or_default().entry(stack.status).or_insert(0) += 1;
    }
    if waves.len() < 2 || waves.len() > MAX_WAVES {
        return String::new();
    }
    let mut lines = Vec::new();
    let mut classes = BTreeSet::new();
    for (wave, counts) in &waves {
        let title = match wave {
            &u32::MAX => "on or below a cycle".to_owned(),
            wave => format!("wave {}", wave + 1),
        };
        let worst = counts.keys().next().map_or("waiting", |status| class(*status));
        classes.insert(worst);
        let size = count_of(counts.values().sum());
        lines.push(format!("w{wave}[\"{title}: {size}<br/>{}\"]:::{worst}", totals(counts, "<br/>")));
    }
    let chain: Vec<&u32> = waves.keys().filter(|wave| **wave != u32::MAX).collect();
    lines.extend(chain.windows(2).map(|pair| format!("w{} --> w{}", pair[0], pair[1])));
    flowchart("Waves (the graph of stacks is too large to be drawn)", &lines, &classes)
}

fn flowchart(title: &str, lines: &[String], classes: &BTreeSet<&str>) -> String {
    let classes: Vec<String> = CLASSES
        .iter()
        .filter(|(class, _)| classes.contains(class))
        .map(|(class, style)| format!("classDef {class} {style}"))
        .collect();
    format!(
        "<details open>\n<summary>{title}</summary>\n\n```mermaid\nflowchart LR\n{}\n{}\n```\n\n</details>\n\n",
        lines.join("\n"),
        classes.join("\n")
    )
}
