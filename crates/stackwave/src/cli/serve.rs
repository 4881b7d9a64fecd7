//! `stackwave serve`.

use super::Role;
use crate::config::{SETTINGS, Setting, Sources};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Serves all roles in this process, or only those that are named.
///
/// A SQLite log is served by one process; with NATS JetStream each role may have processes of its own.
///
/// The first SIGTERM or Ctrl-C lets what is under way come to its end; the second one cuts.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ServeOptions {
    /// What this process does; everything when none is named.
    #[arg(value_name = "ROLE")]
    roles: Vec<Role>,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    #[command(flatten)]
    flags: SettingFlags,
}

const AFTER_HELP: &str = "\
Configuration:
  Every setting has one name in three places: `--http-addr` here, `STACKWAVE_HTTP_ADDR` in the environment and
  `http_addr` in the file, which is TOML. Flags win over the environment, the environment over the file. An unknown
  setting is an error, and an empty variable counts as none. Secrets have no flag; each can be read from a file:

    STACKWAVE_ADMIN_TOKEN            or STACKWAVE_ADMIN_TOKEN_FILE
    STACKWAVE_GITHUB_WEBHOOK_SECRET  or STACKWAVE_GITHUB_WEBHOOK_SECRET_FILE
    STACKWAVE_BOOTSTRAP_API_KEY      or STACKWAVE_BOOTSTRAP_API_KEY_FILE
    STACKWAVE_METRICS_TOKEN          or STACKWAVE_METRICS_TOKEN_FILE

Examples:
  stackwave serve --config stackwave.toml
  STACKWAVE_LOG=nats://nats:4222 stackwave serve orchestrator dispatcher

Exit codes:
  0  stopped by a signal, with everything that was under way at its end
  1  it could not start, or had to stop: the log or an address cannot be used
  2  wrong use: an unknown argument, or a configuration that cannot be used";

impl ServeOptions {
    /// The roles of this process.
    pub(crate) fn roles(&self) -> BTreeSet<Role> {
        if self.roles.is_empty() { Role::ALL.into() } else { self.roles.iter().copied().collect() }
    }

    /// Where its settings come from.
    pub(crate) fn sources(&self) -> Sources {
        Sources::of_process(self.config.config.clone(), self.flags.0.clone())
    }
}

/// Where the configuration file is.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConfigFile {
    /// A TOML file with settings; by default the one that STACKWAVE_CONFIG names, if any.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// One flag for each setting of the table that has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct SettingFlags(BTreeMap<&'static str, String>);

impl Args for SettingFlags {
    fn augment_args(mut command: Command) -> Command {
        for setting in SETTINGS {
            if let Some(flag) = setting.flag() {
                command = command.arg(flag_of(setting, flag));
            }
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag_of(setting: &Setting, flag: String) -> Arg {
    let default = setting.default.map(|default| format!(" [default: {default}]")).unwrap_or_default();
    Arg::new(setting.key)
        .long(flag)
        .value_name("VALUE")
        .help_heading("Settings")
        .help(format!("{} Takes {}.{default}", setting.about, setting.accepts))
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in SETTINGS.iter().filter(|setting| setting.flag().is_some()) {
            if let Some(text) = matches.get_one::<String>(setting.key) {
                self.0.insert(setting.key, text.clone());
            }
        }
        Ok(())
    }
}
