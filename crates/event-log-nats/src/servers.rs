//! URLs of servers: where they are, who they say we are, and how they may be shown.

use crate::{Credentials, NatsOptions};
use async_nats::ServerAddr;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use stackwave_event_log::LogError;

/// What the options say about the servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Without users and passwords: the client library does not look at them, but writes them to its log.
    pub(crate) addresses: Vec<ServerAddr>,
    /// Who we are: to all of them, also to those that the cluster tells of later.
    pub(crate) credentials: Credentials,
}

/// A user with a password, or a token alone: the convention of NATS clients (NATS Docs, "Connecting with a User/Password
/// in the URL" and "Connecting with a Token in the URL").
#[derive(PartialEq, Eq)]
struct UserInfo {
    user: String,
    password: Option<String>,
}

impl Servers {
    /// Takes the URL apart.
    ///
    /// # Errors
    /// [`LogError::Setup`] when it is no URL, or when it is not clear who we are. No secret stands in it.
    pub(crate) fn read(options: &NatsOptions) -> Result<Self, LogError> {
        let refused =
            |error: &str| LogError::Setup(format!("NATS at {}: {error}", without_secrets(&options.url)));
        let mut addresses = Vec::new();
        let mut who: Option<UserInfo> = None;
        for server in pieces(&options.url) {
            let (address, told) = read_one(server).map_err(|error| refused(&error))?;
            addresses.push(address);
            match (&who, told) {
                (Some(one), Some(other)) if *one != other => {
                    return Err(refused(
                        "the servers have different users or passwords; give all of them the same",
                    ));
                }
                (None, told) => who = told,
                (Some(_), _) => {}
            }
        }
        if addresses.is_empty() {
            return Err(refused("no server is named"));
        }
        let credentials = match (who, &options.credentials) {
            (None, credentials) => credentials.clone(),
            (Some(who), Credentials::None) => who.into(),
            (Some(_), _) => {
                return Err(refused(
                    "the URL has a user, and other credentials are given too; take one of them away",
                ));
            }
        };
        Ok(Self { addresses, credentials })
    }
}

impl From<UserInfo> for Credentials {
    fn from(UserInfo { user, password }: UserInfo) -> Self {
        match password {
            Some(password) => Self::Password { user, password: password.into() },
            None => Self::Token(SecretString::from(user)),
        }
    }
}

fn read_one(server: &str) -> Result<(ServerAddr, Option<UserInfo>), String> {
    let mut url = server.parse::<ServerAddr>().map_err(|error| error.to_string())?.into_inner();
    if url.username().is_empty() && url.password().is_none() {
        return ServerAddr::from_url(url).map(|address| (address, None)).map_err(|error| error.to_string());
    }
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("the user or the password is not UTF-8".to_owned()),
    };
    let who = UserInfo { user: decoded(url.username())?, password: url.password().map(decoded).transpose()? };
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return Err("a server with a user has no host".to_owned());
    }
    let address = ServerAddr::from_url(url).map_err(|error| error.to_string())?;
    Ok((address, Some(who)))
}

fn pieces(url: &str) -> impl DoubleEndedIterator<Item = &str> {
    url.split(',').map(str::trim).filter(|server| !server.is_empty())
}

/// A URL of servers as it may be shown: it can carry a password, or a token.
///
/// What stands in front of an `@` is hidden, also when the URL is none and a password with a comma falls apart.
#[must_use]
pub fn without_secrets(url: &str) -> String {
    let mut secret_follows = false;
    let mut shown: Vec<String> = pieces(url)
        .rev()
        .map(|server| match server.rsplit_once('@') {
            Some((before, host)) => {
                secret_follows = true;
                let scheme = before.split_once("://").map_or("nats", |(scheme, _)| scheme);
                format!("{scheme}://…@{host}")
            }
            None if secret_follows => "…".to_owned(),
            None => server.to_owned(),
        })
        .collect();
    shown.reverse();
    shown.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    fn read(url: &str) -> Result<Servers, LogError> {
        Servers::read(&NatsOptions::new(url))
    }

    #[test]
    fn a_password_or_token_in_the_url_is_never_shown() {
        for (url, shown) in [
            ("nats://me:hush@a:4222, tls://b:4222", "nats://…@a:4222,tls://b:4222"),
            ("hush@a:4222", "nats://…@a:4222"),
            ("nats://me:hu@sh@a:4222", "nats://…@a:4222"),
            ("nats://me:hush/hush@a:4222", "nats://…@a:4222"),
            ("nats://me:hush,hush@a:4222", "…,nats://…@a:4222"),
            ("nats://a:4222", "nats://a:4222"),
        ] {
            assert_eq!(without_secrets(url), shown);
            let text = format!("{:?} {:?}", NatsOptions::new(url), read(url));
            assert!(!text.contains("hush") && !text.contains("hu@sh"), "{text}");
        }
    }

    #[test]
    fn a_user_with_a_password_in_the_url_counts_for_all_servers() {
        let servers = read("nats://me:s%40crets@a:4222,b,tls://me:s%40crets@c:4333").unwrap();
        let shown: Vec<&str> = servers.addresses.iter().map(|address| address.as_url_str()).collect();
        assert_eq!(shown, ["nats://a:4222", "nats://b", "tls://c:4333"]);
        let Credentials::Password { user, password } = servers.credentials else { panic!("no password") };
        assert_eq!((user.as_str(), password.expose_secret()), ("me", "s@crets"));
    }

    #[test]
    fn a_user_alone_is_a_token() {
        let Credentials::Token(token) = read("nats://t0ken@a:4222").unwrap().credentials else {
            panic!("no token")
        };
        assert_eq!(token.expose_secret(), "t0ken");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_a_secret() {
        let twice = NatsOptions {
            credentials: Credentials::Token("hush".into()),
            ..NatsOptions::new("nats://me:hush@a:4222")
        };
        for (options, part) in [
            (twice, "take one of them away"),
            (NatsOptions::new("nats://me:hush@a,nats://me:other@b"), "different users or passwords"),
            (NatsOptions::new("nats://me:hush/@a:4222"), "invalid port"),
            (NatsOptions::new("nats://me:%ffhush@a:4222"), "not UTF-8"),
            (NatsOptions::new("http://me:hush@a:4222"), "invalid scheme"),
            (NatsOptions::new(" , "), "no server"),
        ] {
            let message = Servers::read(&options).unwrap_err().to_string();
            assert!(message.contains(part) && !message.contains("hush"), "{message}");
        }
    }
}
