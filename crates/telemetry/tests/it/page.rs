//! `docs/observability.md` lists what is exposed. `UPDATE_DOCS=1` writes the list anew.

use stackwave_telemetry::{Metrics, metrics::Build};
use std::{env, fmt::Write as _, fs, path::PathBuf};

#[test]
fn the_page_lists_every_metric() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- metrics -->\n").unwrap();
    let (listed, after) = rest.split_once("<!-- /metrics -->").unwrap();
    let mut list = String::from("| metric | kind | labels | what it tells |\n|---|---|---|---|\n");
    for metric in Metrics::new(&Build::default()).described() {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
        let kind = metric.kind.as_str();
        writeln!(list, "| `{}` | {kind} | {labels} | {} |", metric.name, metric.help.replace('|', "\\|"))
            .unwrap();
    }
    if env::var_os("UPDATE_DOCS").is_some() {
        let page = format!("{before}<!-- metrics -->\n{list}<!-- /metrics -->{after}");
        fs::write(path, page).unwrap();
        return;
    }
    assert_eq!(listed, list, "run `UPDATE_DOCS=1 cargo test -p stackwave-telemetry`");
}
