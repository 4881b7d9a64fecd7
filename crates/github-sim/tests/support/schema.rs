//! GitHub's own schemas, from the npm packages `@octokit/openapi` and `@octokit/openapi-webhooks` (both MIT).
//! They are a test tool: `npm install --prefix .tools/schemas @octokit/openapi@23.0.2 @octokit/openapi-webhooks@12.1.0`.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};

/// Folder of the packages; another one in `STACKWAVE_SCHEMAS`.
fn folder() -> PathBuf {
    std::env::var_os("STACKWAVE_SCHEMAS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/schemas"), PathBuf::from)
}

/// Both descriptions.
pub(crate) struct Schemas {
    api: Value,
    webhooks: Value,
    compiled: HashMap<String, jsonschema::Validator>,
    mismatches: Vec<String>,
}

impl Schemas {
    /// `None`, with a word about it, when they are not there and nobody insists (`STACKWAVE_REQUIRE_SCHEMAS=1`).
    pub(crate) fn load() -> Option<Self> {
        let octokit = folder().join("node_modules/@octokit");
        if !octokit.is_dir() {
            let required = std::env::var_os("STACKWAVE_REQUIRE_SCHEMAS").is_some_and(|value| value == "1");
            let message = format!(
                "GitHub's schemas are not in {}: `cargo xtask test` fetches them",
                folder().display()
            );
            assert!(!required, "{message}");
            eprintln!("skipped: {message}");
            return None;
        }
        let read = |package: &str| -> Value {
            let file = octokit.join(package).join("generated/api.github.com.json");
            serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
        };
        Some(Self {
            api: read("openapi"),
            webhooks: read("openapi-webhooks"),
            compiled: HashMap::new(),
            mismatches: Vec::new(),
        })
    }

    /// Holds a response against the schema of its operation and status.
    pub(crate) fn check_response(&mut self, operation: &str, status: u16, body: &Value) {
        let found = self.operation(operation);
        let response = resolve(&self.api, &found["responses"][status.to_string()]);
        assert!(response.is_object(), "{operation} has no answer {status}");
        let schema = response["content"]["application/json"]["schema"].clone();
        self.check(&format!("{operation} → {status}"), false, &schema, body);
    }

    /// Holds a request body against the schema of its operation.
    pub(crate) fn check_request(&mut self, operation: &str, body: &Value) {
        let found = self.operation(operation);
        let schema =
            resolve(&self.api, &found["requestBody"])["content"]["application/json"]["schema"].clone();
        self.check(&format!("{operation} request"), false, &schema, body);
    }

    /// Holds a webhook against the schema of its event and action.
    pub(crate) fn check_webhook(&mut self, kind: &str, body: &Value) {
        let name = kind.replace(['_', '.'], "-");
        let schema =
            self.webhooks["webhooks"][&name]["post"]["requestBody"]["content"]["application/json"]["schema"]
                .clone();
        assert!(schema.is_object(), "GitHub has no webhook `{name}`");
        self.check(&format!("webhook {kind}"), true, &schema, body);
    }

    /// Fails if anything that was checked does not match.
    pub(crate) fn assert_all_match(&self) {
        assert!(self.mismatches.is_empty(), "not as GitHub describes it:\n{}", self.mismatches.join("\n"));
    }

    /// What was found so far.
    pub(crate) fn mismatches(&self) -> &[String] {
        &self.mismatches
    }

    fn operation(&self, id: &str) -> Value {
        let paths = self.api["paths"].as_object().unwrap();
        let methods = paths.values().filter_map(Value::as_object).flat_map(Map::values);
        methods
            .into_iter()
            .find(|operation| operation["operationId"] == id)
            .unwrap_or_else(|| panic!("no operation {id}"))
            .clone()
    }

    fn check(&mut self, name: &str, is_webhook: bool, schema: &Value, body: &Value) {
        assert!(schema.is_object(), "{name} has no schema");
        let document = if is_webhook { &self.webhooks } else { &self.api };
        let validator =
            self.compiled.entry(name.to_owned()).or_insert_with(|| compile(document, schema, !is_webhook));
        let errors: Vec<_> = validator
            .iter_errors(body)
            .map(|error| format!("  {}: {error}", error.instance_path()))
            .collect();
        if !errors.is_empty() {
            self.mismatches.push(format!("{name}\n{}", errors.join("\n")));
        }
    }
}

/// The schema with all that it refers to, as JSON Schema 2020-12.
fn compile(document: &Value, schema: &Value, is_openapi_30: bool) -> jsonschema::Validator {
    let mut wanted = BTreeSet::new();
    collect(schema, &mut wanted);
    let mut schemas = Map::new();
    while let Some(name) = wanted.pop_first() {
        if !schemas.contains_key(&name) {
            let component = document["components"]["schemas"][&name].clone();
            collect(&component, &mut wanted);
            schemas.insert(name, component);
        }
    }
    let mut root = json!({ "allOf": [schema], "components": { "schemas": schemas } });
    if is_openapi_30 {
        convert_nullable(&mut root);
    }
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&root)
        .unwrap()
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|path| path.strip_prefix("#/components/schemas/"))
            {
                names.insert(name.to_owned());
            }
            fields.values().for_each(|field| collect(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// OpenAPI 3.0 writes "or null" as `nullable: true`, which JSON Schema does not know.
fn convert_nullable(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(convert_nullable);
            if fields.get("nullable") == Some(&Value::Bool(true)) {
                fields.remove("nullable");
                let strict = Value::Object(std::mem::take(fields));
                fields.insert("anyOf".into(), json!([strict, { "type": "null" }]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(convert_nullable),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => document.pointer(pointer).unwrap(),
        None => value,
    }
}
