//! Where the verbs that ask a server find it, and what opens it: the client's own variables, else what `serve` of the
//! same environment and configuration file would use.

use super::{Reader, SettingsError, Sources, value};
use secrecy::SecretString;
use stackwave_client::{Defaults, Named};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

const SERVER: &str = "STACKWAVE_SERVER";
const TOKEN: &str = "STACKWAVE_TOKEN";
const TOKEN_FILE: &str = "STACKWAVE_TOKEN_FILE";
const CA_FILE: &str = "STACKWAVE_CA_FILE";
const CLIENT_CERT_FILE: &str = "STACKWAVE_CLIENT_CERT_FILE";
const CLIENT_KEY_FILE: &str = "STACKWAVE_CLIENT_KEY_FILE";

/// Variables of a client; a server in the same environment leaves them alone.
pub(super) const VARIABLES: &[&str] =
    &[SERVER, TOKEN, TOKEN_FILE, CA_FILE, CLIENT_CERT_FILE, CLIENT_KEY_FILE];

/// What a client uses where no option of its own says otherwise. `with_server` and `with_token` say whether options
/// name them: the server's own settings are not read for nothing, since a user may be kept from reading them.
///
/// # Errors
/// Everything that is wrong with what had to be read.
pub(crate) fn load(
    sources: &Sources,
    with_server: bool,
    with_token: bool,
) -> Result<Defaults, SettingsError> {
    let variable = |name: &str| {
        let mut named = sources.environment.iter().filter(|(given, text)| given == name && !text.is_empty());
        named.next().map(|(_, text)| text.clone())
    };
    let of = |name: &str| variable(name).map(|value| Named { value, origin: name.to_owned() });
    let path = |name: &str| variable(name).map(PathBuf::from);
    let (mut server, mut token) = (of(SERVER), None);
    if !with_token {
        token = match (of(TOKEN), path(TOKEN_FILE)) {
            (Some(token), _) => Some(Named { value: SecretString::from(token.value), origin: token.origin }),
            (None, Some(file)) => Some(Named { value: content(file)?, origin: TOKEN_FILE.to_owned() }),
            (None, None) => None,
        };
    }
    let (needs_server, needs_token) = (!with_server && server.is_none(), !with_token && token.is_none());
    if needs_server || needs_token {
        let serving = read(sources, needs_token)?;
        server = server.or(Some(serving.address));
        token = token.or(serving.token);
    }
    Ok(Defaults {
        server,
        token,
        ca_file: path(CA_FILE),
        client_cert_file: path(CLIENT_CERT_FILE),
        client_key_file: path(CLIENT_KEY_FILE),
    })
}

fn content(path: PathBuf) -> Result<SecretString, SettingsError> {
    let unusable = |error: String| SettingsError {
        problems: vec![super::error::Problem::Unreadable {
            name: TOKEN_FILE.to_owned(),
            path: path.clone(),
            error,
        }],
    };
    let text = std::fs::read_to_string(&path).map_err(|error| unusable(error.to_string()))?;
    value::bearer(text.trim()).ok_or_else(|| unusable("it should hold a token, and nothing else".to_owned()))
}

/// What `serve` would use.
struct Serving {
    address: Named<String>,
    token: Option<Named<SecretString>>,
}

fn read(sources: &Sources, with_token: bool) -> Result<Serving, SettingsError> {
    let mut reader = Reader::new(sources);
    let address = reader.value("grpc_addr", value::address);
    let scheme = if reader.value("grpc_tls_cert_file", |_| Some(())).is_some() { "https" } else { "http" };
    let token =
        if with_token { reader.secret("admin_token", "admin_token_file", value::bearer) } else { None };
    let serving = address.map(|address| Serving {
        address: Named {
            value: format!("{scheme}://{}", reachable(address)),
            origin: "STACKWAVE_GRPC_ADDR".to_owned(),
        },
        token: token.map(|value| Named { value, origin: "STACKWAVE_ADMIN_TOKEN".to_owned() }),
    });
    reader.conclude(serving)
}

/// Where a process of the same machine reaches what listens there: "everywhere" is no place to call.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::io::Write as _;

    fn sources(variables: &[(&str, &str)]) -> Sources {
        let environment =
            variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Sources { environment, ..Sources::default() }
    }

    fn found(variables: &[(&str, &str)]) -> (String, Option<(String, String)>) {
        let defaults = load(&sources(variables), false, false).unwrap();
        let token = defaults.token.map(|token| (token.value.expose_secret().to_owned(), token.origin));
        (defaults.server.unwrap().value, token)
    }

    fn some(token: &str, origin: &str) -> Option<(String, String)> {
        Some((token.to_owned(), origin.to_owned()))
    }

    #[test]
    fn without_anything_it_is_where_serve_listens_by_default() {
        assert_eq!(found(&[]), ("http://127.0.0.1:8081".to_owned(), None));
    }

    #[test]
    fn where_serve_listens_everywhere_it_is_called_on_this_machine() {
        assert_eq!(found(&[("STACKWAVE_GRPC_ADDR", "0.0.0.0:9090")]).0, "http://127.0.0.1:9090");
        assert_eq!(found(&[("STACKWAVE_GRPC_ADDR", "[::]:9090")]).0, "http://[::1]:9090");
        let tls = [("STACKWAVE_GRPC_ADDR", "10.0.0.7:9090"), ("STACKWAVE_GRPC_TLS_CERT_FILE", "x.pem")];
        assert_eq!(found(&tls).0, "https://10.0.0.7:9090");
    }

    #[test]
    fn the_clients_own_variables_win_over_the_servers() {
        let server = [("STACKWAVE_GRPC_ADDR", "10.0.0.7:9090"), ("STACKWAVE_ADMIN_TOKEN", "admins")];
        assert_eq!(
            found(&server),
            ("http://10.0.0.7:9090".to_owned(), some("admins", "STACKWAVE_ADMIN_TOKEN"))
        );
        let client = [("STACKWAVE_SERVER", "https://sw.acme.test"), ("STACKWAVE_TOKEN", "mine")];
        assert_eq!(
            found(&[server, client].concat()),
            ("https://sw.acme.test".to_owned(), some("mine", "STACKWAVE_TOKEN"))
        );
    }

    #[test]
    fn a_token_is_read_from_its_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "from-file").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(found(&[("STACKWAVE_TOKEN_FILE", path)]).1, some("from-file", "STACKWAVE_TOKEN_FILE"));
        assert_eq!(
            found(&[("STACKWAVE_ADMIN_TOKEN_FILE", path)]).1,
            some("from-file", "STACKWAVE_ADMIN_TOKEN")
        );
        let missing = sources(&[("STACKWAVE_TOKEN_FILE", "no/such/file")]);
        let message = load(&missing, false, false).unwrap_err().to_string();
        assert!(message.contains("STACKWAVE_TOKEN_FILE") && message.contains("no/such/file"), "{message}");
    }

    #[test]
    fn settings_of_the_server_that_are_not_needed_are_not_read() {
        let broken =
            sources(&[("STACKWAVE_GRPC_ADDR", "nonsense"), ("STACKWAVE_ADMIN_TOKEN_FILE", "no/such/file")]);
        assert!(load(&broken, true, true).unwrap().server.is_none());
        assert!(load(&broken, false, true).is_err());
    }
}
