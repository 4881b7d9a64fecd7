//! Defaults, file, environment and flags, one over the other. Every value is a text here; what it means is read later.

use super::{
    error::Problem,
    remote,
    table::{ENV_PREFIX, SETTINGS, Setting},
};
use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format as _, Toml},
    value::{Dict, Map, Value},
};
use std::{collections::BTreeMap, path::PathBuf};

/// Names the file, unless a flag does.
const FILE_VARIABLE: &str = "STACKWAVE_CONFIG";
/// Variables that begin like settings and are none: where the file is, and what builds and tests use.
const OTHER_VARIABLES: &[&str] = &[FILE_VARIABLE, "STACKWAVE_NATS_SERVER", "STACKWAVE_SCHEMAS"];
/// Beginnings of more such variables.
const OTHER_PREFIXES: &[&str] = &["STACKWAVE_BUILD_", "STACKWAVE_REQUIRE_", "STACKWAVE_TEST_"];

/// Where settings come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// The file, if there is one.
    pub(crate) file: Option<PathBuf>,
    /// The environment; only what begins with `STACKWAVE_` is looked at.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags, by the setting's key.
    pub(crate) flags: BTreeMap<&'static str, String>,
}

impl Sources {
    /// The process's own environment, with flags and the file that is given or that `STACKWAVE_CONFIG` names.
    pub(crate) fn of_process(file: Option<PathBuf>, flags: BTreeMap<&'static str, String>) -> Self {
        let named = || std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let file = file.or_else(named);
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                let name = name.into_string().ok()?;
                name.starts_with(ENV_PREFIX).then(|| (name, value.to_string_lossy().into_owned()))
            })
            .collect();
        Self { file, environment, flags }
    }
}

/// The layer that a value comes from. The later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    Default,
    File,
    Environment,
    Flag,
}

impl Origin {
    /// How the setting is named there.
    pub(super) fn name(self, setting: &Setting) -> String {
        match self {
            Self::Flag => setting.flag().map_or_else(|| setting.env(), |flag| format!("--{flag}")),
            Self::File => format!("{} in the configuration file", setting.key),
            Self::Default | Self::Environment => setting.env(),
        }
    }
}

/// A value with the layer that it comes from.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// All layers, merged.
pub(super) struct Layers(Figment);

impl Layers {
    /// Reads the file and merges; names that are no setting are problems.
    pub(super) fn read(sources: &Sources, problems: &mut Vec<Problem>) -> Self {
        let mut figment = Figment::from(Layer::of(
            Origin::Default,
            SETTINGS.iter().filter_map(|setting| Some((setting.key, Value::from(setting.default?)))),
        ));
        if let Some(path) = &sources.file {
            match read_file(path) {
                Ok(values) => {
                    figment = figment.merge(Layer::of(Origin::File, known_keys(values, path, problems)));
                }
                Err(error) => problems.push(Problem::File { path: path.clone(), error }),
            }
        }
        figment = figment
            .merge(Layer::of(Origin::Environment, known_variables(&sources.environment, problems)))
            .merge(Layer::of(
                Origin::Flag,
                sources.flags.iter().map(|(key, text)| (*key, Value::from(text.as_str()))),
            ));
        Self(figment)
    }

    /// What a setting was given as; an error when it is neither a text nor a number.
    pub(super) fn get(&self, setting: &Setting) -> Result<Option<Given>, Origin> {
        let Ok(value) = self.0.find_value(setting.key) else { return Ok(None) };
        let origin = self.0.get_metadata(value.tag()).map_or(Origin::Default, origin_of);
        let text = match &value {
            Value::String(_, text) => text.clone(),
            Value::Bool(_, value) => value.to_string(),
            Value::Num(_, number) => match (number.to_u128(), number.to_i128()) {
                (Some(number), _) => number.to_string(),
                (None, Some(number)) => number.to_string(),
                (None, None) => return Err(origin),
            },
            Value::Char(..) | Value::Empty(..) | Value::Dict(..) | Value::Array(..) => return Err(origin),
        };
        Ok(Some(Given { text, origin }))
    }
}

fn read_file(path: &std::path::Path) -> Result<Dict, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let values = Toml::string(&text).data().map_err(|error| error.to_string())?;
    Ok(values.into_values().next().unwrap_or_default())
}

fn known_keys(
    values: Dict,
    path: &std::path::Path,
    problems: &mut Vec<Problem>,
) -> Vec<(&'static str, Value)> {
    let mut known = Vec::new();
    for (key, value) in values {
        match Setting::of_key(&key) {
            Some(setting) => known.push((setting.key, value)),
            None => problems.push(Problem::UnknownKey { key, path: path.to_owned() }),
        }
    }
    known
}

/// An empty variable counts as none: that is how Compose files and CI pass what is not set.
fn known_variables(
    environment: &[(String, String)],
    problems: &mut Vec<Problem>,
) -> Vec<(&'static str, Value)> {
    let mut known = Vec::new();
    for (name, text) in environment.iter().filter(|(name, _)| name.starts_with(ENV_PREFIX)) {
        match Setting::of_env(name) {
            Some(_) if text.is_empty() => {}
            Some(setting) => known.push((setting.key, Value::from(text.as_str()))),
            None if OTHER_VARIABLES.contains(&name.as_str())
                || remote::VARIABLES.contains(&name.as_str())
                || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => {}
            None => problems.push(Problem::UnknownVariable { name: name.clone() }),
        }
    }
    known
}

/// One layer, as figment merges it.
struct Layer {
    origin: Origin,
    values: Dict,
}

impl Layer {
    fn of<'a>(origin: Origin, values: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self { origin, values: values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(match self.origin {
            Origin::Default => "default",
            Origin::File => "file",
            Origin::Environment => "environment",
            Origin::Flag => "flag",
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn origin_of(metadata: &Metadata) -> Origin {
    match metadata.name.as_ref() {
        "flag" => Origin::Flag,
        "environment" => Origin::Environment,
        "file" => Origin::File,
        _ => Origin::Default,
    }
}
