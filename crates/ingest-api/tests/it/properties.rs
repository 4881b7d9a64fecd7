//! Whatever the body: no panic, and the union is what a naive reader finds.

use proptest::prelude::*;
use serde_json::{Value, json};
use stackwave_domain::{
    Fragment, StackKey,
    fragment::{AffectedStack, FragmentBuilder, ProSettings, WorkflowCall},
};
use stackwave_ingest_api::parse::{Limits, parse_affected, parse_upload};

/// Any JSON, leaning towards the names that the reader knows.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "component",
        "stack",
        "stacks",
        "dependents",
        "settings",
        "pro",
        "pull_request",
        "opened",
        "merged",
        "workflows",
        "inputs",
        "deleted",
        "head_sha",
        "repo_url",
        "batch_id",
        "batch_index",
        "x.y",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

/// An affected tree as an upload has it, over few names so that they repeat.
fn affected() -> impl Strategy<Value = Value> {
    let entry = || {
        let pro = prop_oneof![
            Just(Value::Null),
            Just(json!({})),
            (any::<bool>(), "[ab]").prop_map(|(enabled, input)| json!({
                "enabled": enabled,
                "pull_request": { "opened": { "workflows": { "w.yaml": { "inputs": { "i": input } } } } }
            })),
        ];
        (0..4_u8, 0..2_u8, pro, any::<bool>(), any::<bool>())
    };
    let build = |(component, stack, pro, beside, deleted): (u8, u8, Value, bool, bool),
                 dependents: Vec<Value>| {
        let mut entry = json!({ "component": format!("c{component}"), "stack": format!("s{stack}") });
        entry["dependents"] = if dependents.is_empty() { Value::Null } else { json!(dependents) };
        if beside {
            entry["pro"] = pro;
        } else {
            entry["settings"] = json!({ "pro": pro, "other": 7 });
        }
        if deleted {
            entry["deleted"] = json!(true);
            entry["deletion_type"] = json!("stack");
        }
        entry
    };
    let leaf = entry().prop_map(move |fields| build(fields, Vec::new()));
    let tree = leaf.prop_recursive(5, 60, 4, move |inner| {
        (entry(), prop::collection::vec(inner, 0..4))
            .prop_map(move |(fields, dependents)| build(fields, dependents))
    });
    prop::collection::vec(tree, 0..5).prop_map(Value::from)
}

/// Reads the tree by recursion over `serde_json`'s values.
fn naive(stacks: &Value) -> Fragment {
    fn key(entry: &Value) -> StackKey {
        StackKey::new(entry["stack"].as_str().unwrap(), entry["component"].as_str().unwrap())
    }
    fn pro(entry: &Value) -> Option<ProSettings> {
        let pro = [&entry["pro"], &entry["settings"]["pro"]].into_iter().find(|pro| pro.is_object())?;
        let mut settings = ProSettings { enabled: pro["enabled"] != false, ..ProSettings::default() };
        if let Some(input) = pro["pull_request"]["opened"]["workflows"]["w.yaml"]["inputs"]["i"].as_str() {
            let inputs = [("i", input)].into();
            settings.add_call("pull_request.opened", WorkflowCall { workflow: "w.yaml".into(), inputs });
        }
        Some(settings)
    }
    fn visit(builder: &mut FragmentBuilder, entry: &Value, top: bool) {
        // Dependents come before their parent in the text, since an entry is known once it has been read whole.
        for child in entry["dependents"].as_array().into_iter().flatten() {
            visit(builder, child, false);
        }
        let deleted = entry["deletion_type"].as_str().map(str::to_owned);
        builder.add(AffectedStack { key: key(entry), directly_affected: top, deleted, pro: pro(entry) });
        for child in entry["dependents"].as_array().into_iter().flatten() {
            builder.edge(&key(entry), &key(child));
        }
    }
    let mut builder = FragmentBuilder::default();
    for entry in stacks.as_array().unwrap() {
        visit(&mut builder, entry, true);
    }
    builder.build()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_makes_the_reader_panic(value in any_json()) {
        let text = value.to_string();
        let _ = parse_upload(text.as_bytes(), Limits::default());
        let _ = parse_affected(text.as_bytes(), Limits::default());
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_upload(&bytes, Limits::default());
    }

    #[test]
    fn no_broken_upload_makes_the_reader_panic(stacks in affected(), cut in 0.0..1.0_f64, junk in any::<char>()) {
        let text = crate::support::body(stacks).to_string();
        let mut at = (text.len() as f64 * cut) as usize;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = text.split_at(at);
        prop_assert!(parse_upload(before.as_bytes(), Limits::default()).is_err());
        let _ = parse_upload(format!("{before}{junk}{after}").as_bytes(), Limits::default());
    }

    #[test]
    fn the_union_is_what_a_naive_reader_finds(stacks in affected()) {
        let mut read = parse_affected(stacks.to_string().as_bytes(), Limits::default()).unwrap();
        let mut expected = naive(&stacks);
        read.warnings.sort();
        expected.warnings.sort();
        prop_assert_eq!(read, expected);
    }
}
