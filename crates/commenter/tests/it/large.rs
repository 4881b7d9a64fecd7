//! Pages that would be too long.

use crate::{
    gfm::parse,
    scenario::{Story, affected},
};
use stackwave_commenter::render::MAX_UNITS;
use stackwave_domain::{Fragment, StackKey, fragment::FragmentBuilder, workflow::Conclusion};

/// `environments` copies of a chain of layers, `width` stacks a layer, each depending on all of the layer before.
fn layers(layers: usize, width: usize) -> Fragment {
    let name = |layer: usize, place: usize| {
        StackKey::new(format!("plat-ue2-env{place:03}"), format!("component-{layer:03}"))
    };
    let mut builder = FragmentBuilder::default();
    for layer in 0..layers {
        for place in 0..width {
            builder.add(affected(name(layer, place)));
            if layer > 0 {
                builder.edge(&name(layer - 1, place), &name(layer, place));
                builder.edge(&name(layer - 1, (place + 1) % width), &name(layer, place));
            }
        }
    }
    builder.build()
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[test]
fn a_graph_with_too_many_edges_becomes_a_graph_of_waves_below_the_whole_table() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &layers(6, 50));
    story.finish(&run, "component-000@plat-ue2-env000", Conclusion::Failure);
    let comment = story.comment();
    let page = parse(&comment);
    assert_eq!(page.rows.len(), 300);
    assert!(units(&comment) <= MAX_UNITS);
    insta::assert_snapshot!(page.fences.concat());
}

#[test]
fn five_thousand_stacks_show_what_fails_and_runs_and_count_the_rest() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &layers(10, 500));
    story.finish(&run, "component-000@plat-ue2-env003", Conclusion::Failure);
    story.finish(&run, "component-000@plat-ue2-env200", Conclusion::Success);
    story.start(&run, "component-000@plat-ue2-env201");
    let comment = story.comment();
    assert!(units(&comment) <= MAX_UNITS, "{}", units(&comment));
    let page = parse(&comment);
    let status = |word: &str| page.rows.iter().filter(|row| row[1].contains(word)).count();
    assert_eq!((status("failed"), status("running")), (1, 1));
    // Released roots and blocked descendants all fit; the 5,000 do not.
    let told = comment.lines().find(|line| line.starts_with("The run is too large")).unwrap();
    insta::assert_snapshot!(told);
}

#[test]
fn rows_that_do_not_fit_leave_the_most_urgent() {
    let mut story = Story::default();
    let run = story.open("opened", "abc1234", &layers(4, 1200));
    for place in 0..700 {
        story.start(&run, &format!("component-000@plat-ue2-env{place:03}"));
    }
    story.finish(&run, "component-000@plat-ue2-env999", Conclusion::Failure);
    let comment = story.comment();
    assert!(units(&comment) <= MAX_UNITS, "{}", units(&comment));
    let page = parse(&comment);
    assert!(page.rows.iter().any(|row| row[1].contains("failed")), "the last one, and the worst");
    assert!(page.rows.iter().all(|row| !row[1].contains("blocked")), "running ones go first");
    assert!(page.rows.len() > 100);
}
