//! The queries of the dashboard and of the alerts, read as PromQL and held against what a process exposes.

use super::exposition::Exposition;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What Prometheus itself adds to every series.
const ADDED: [&str; 2] = ["instance", "job"];

/// Where a query stands, and the query.
type Query = (String, String);

/// Every name and label of every query is one that is exposed.
pub(super) fn all_have_answers(root: &Path, exposition: &Exposition) {
    let mut queries = of_dashboard(&root.join("deploy/grafana/stackwave.json"));
    assert!(queries.len() > 40, "{} queries on the dashboard", queries.len());
    queries.extend(of_alerts(&root.join("deploy/prometheus/alerts.yaml")));
    let exposed = exposition.labels();
    let mut asked = BTreeSet::new();
    for (place, query) in &queries {
        let mut check = Check { place, exposed: &exposed, asked: &mut asked };
        check.query(query);
    }
    // A metric that nobody looks at may as well not be there, but for those that are context only.
    assert!(asked.len() > 40, "{asked:?}");
}

fn of_dashboard(path: &Path) -> Vec<Query> {
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(dashboard["schemaVersion"], 39);
    let panels = dashboard["panels"].as_array().unwrap();
    let rows: Vec<&str> = panels
        .iter()
        .filter(|panel| panel["type"] == "row")
        .filter_map(|row| row["title"].as_str())
        .collect();
    assert_eq!(rows, ["Overview", "Hops", "Lag", "GitHub budget", "Dispatch health", "Log growth"]);
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "two panels have one id");
    let mut queries = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let place = &panel["gridPos"];
        let width = place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap();
        assert!(width <= 24 && place["h"].as_u64() > Some(0), "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            // What Grafana puts in.
            let query = query.replace("$__rate_interval", "1m").replace("$instance", ".*");
            queries.push((format!("panel {}", panel["title"]), query));
        }
    }
    queries
}

fn of_alerts(path: &Path) -> Vec<Query> {
    let alerts: Value = serde_norway::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut queries = Vec::new();
    let mut names = BTreeSet::new();
    for rule in
        alerts["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap())
    {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} twice");
        assert!(
            ["critical", "warning", "info"].contains(&rule["labels"]["severity"].as_str().unwrap()),
            "{name}"
        );
        for annotation in ["summary", "description"] {
            assert!(rule["annotations"][annotation].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        }
        let runbook = rule["annotations"]["runbook_url"].as_str().unwrap();
        assert!(runbook.ends_with(&format!("docs/operations.md#{}", name.to_lowercase())), "{runbook}");
        queries.push((format!("alert {name}"), rule["expr"].as_str().unwrap().to_owned()));
    }
    queries
}

/// Holds one query against what is exposed.
struct Check<'a> {
    place: &'a str,
    exposed: &'a BTreeMap<&'a str, BTreeSet<&'a str>>,
    asked: &'a mut BTreeSet<String>,
}

impl Check<'_> {
    fn query(&mut self, query: &str) {
        let expr = parser::parse(query).unwrap_or_else(|error| panic!("{}: `{query}`: {error}", self.place));
        self.expr(&expr);
    }

    /// Checks an expression, and returns the labels that its result may have.
    fn expr(&mut self, expr: &Expr) -> BTreeSet<String> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(selector) => self.selector(&selector.vs),
            Expr::Subquery(subquery) => self.expr(&subquery.expr),
            Expr::Paren(paren) => self.expr(&paren.expr),
            Expr::Unary(unary) => self.expr(&unary.expr),
            Expr::Call(call) => call.args.args.iter().flat_map(|arg| self.expr(arg)).collect(),
            Expr::Binary(binary) => {
                let mut labels = self.expr(&binary.lhs);
                labels.extend(self.expr(&binary.rhs));
                labels
            }
            Expr::Aggregate(aggregate) => {
                let labels = self.expr(&aggregate.expr);
                match &aggregate.modifier {
                    Some(LabelModifier::Include(by)) => {
                        let by: BTreeSet<String> = by.labels.iter().cloned().collect();
                        let unknown: Vec<_> = by.difference(&labels).collect();
                        assert!(unknown.is_empty(), "{}: no label {unknown:?} in `{expr}`", self.place);
                        by
                    }
                    Some(LabelModifier::Exclude(without)) => {
                        labels.into_iter().filter(|label| !without.labels.contains(label)).collect()
                    }
                    None => BTreeSet::new(),
                }
            }
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => BTreeSet::new(),
        }
    }

    fn selector(&mut self, selector: &VectorSelector) -> BTreeSet<String> {
        let name =
            selector.name.as_deref().unwrap_or_else(|| panic!("{}: a query without a name", self.place));
        let mut labels: BTreeSet<String> = ADDED.map(str::to_owned).into();
        // What Prometheus says of the scrape itself.
        if name != "up" {
            let exposed = self.exposed.get(name);
            let exposed = exposed.unwrap_or_else(|| panic!("{}: nothing exposes `{name}`", self.place));
            labels.extend(exposed.iter().map(|label| (*label).to_owned()));
            self.asked.insert(name.to_owned());
        }
        for matcher in &selector.matchers.matchers {
            assert!(
                labels.contains(&matcher.name),
                "{}: `{name}` has no label `{}`",
                self.place,
                matcher.name
            );
        }
        labels
    }
}
