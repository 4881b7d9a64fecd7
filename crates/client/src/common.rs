//! What every verb takes: how the server is reached, and how its answer is printed.

use clap::{Args, ValueEnum};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};

/// The heading of these options in the help.
const HEADING: &str = "Server and output";

/// How the server is reached, and how its answer is printed.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// How the answer is printed.
    #[arg(long, short, global = true, value_enum, default_value_t = Output::Table, help_heading = HEADING)]
    pub output: Output,

    /// Where the server's admin API is: http:// or https://, host and port.
    ///
    /// By default what STACKWAVE_SERVER names, else where `serve` of the same environment and configuration file would
    /// have it (STACKWAVE_GRPC_ADDR, which is http://127.0.0.1:8081 unless it is set).
    #[arg(long, global = true, value_name = "URL", help_heading = HEADING)]
    pub server: Option<String>,

    /// A file that holds the token.
    ///
    /// By default the token is what STACKWAVE_TOKEN holds, else the file that STACKWAVE_TOKEN_FILE names, else the
    /// server's own STACKWAVE_ADMIN_TOKEN or STACKWAVE_ADMIN_TOKEN_FILE, also from the configuration file. It is never
    /// an argument, since arguments are seen by every user of the machine.
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub token_file: Option<PathBuf>,

    /// Trust these certificate authorities (PEM) rather than the system's; also STACKWAVE_CA_FILE.
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub ca_file: Option<PathBuf>,

    /// Show this certificate (PEM) to a server that asks for one; also STACKWAVE_CLIENT_CERT_FILE.
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub client_cert_file: Option<PathBuf>,

    /// The certificate's private key (PEM); also STACKWAVE_CLIENT_KEY_FILE.
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub client_key_file: Option<PathBuf>,

    /// How long one call may take, 30s unless this says otherwise; a stream of events may go on for longer. With --wait
    /// also how long is waited in all, which has no end by default.
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        value_parser = humantime::parse_duration,
        help_heading = HEADING
    )]
    pub timeout: Option<Duration>,

    /// The server's configuration file, for its address and token; by default the one that STACKWAVE_CONFIG names.
    #[arg(long, global = true, value_name = "FILE", help_heading = HEADING)]
    pub config: Option<PathBuf>,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people: aligned columns, and colours on a terminal
    Table,
    /// For programs: the API's answer as JSON, with the field names of `proto/`
    Json,
}

/// What holds where no option says otherwise: the environment and the configuration file, read by who calls.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The server's URL.
    pub server: Option<Named<String>>,
    /// The token.
    pub token: Option<Named<SecretString>>,
    /// Certificate authorities, as PEM.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate, as PEM.
    pub client_cert_file: Option<PathBuf>,
    /// Its private key, as PEM.
    pub client_key_file: Option<PathBuf>,
}

/// A value, and where it was set, for messages: `STACKWAVE_SERVER`.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub origin: String,
}
