//! Which repository an upload names, and how its remote URL is read without keeping the credentials in it.

use stackwave_domain::RepositoryName;

/// What stands in place of credentials.
const SCRUBBED: &str = "***";

/// The longest owner or name, in bytes; GitHub's end at 39 and 100, GitLab's groups may nest.
const MAX_NAME_BYTES: usize = 256;

/// Owner and name from a remote URL: `https://host/owner/name.git`, `ssh://git@host:22/owner/name`,
/// `git@host:owner/name.git`. With GitLab's subgroups everything after the first group is the name, as Atmos has it.
pub(super) fn from_url(url: &str) -> Option<RepositoryName> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => url.split_once(':')?.1,
    };
    let path = path.split(['?', '#']).next()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (owner, name) = path.split_once('/')?;
    checked(owner, name)
}

/// The name, if both parts are what a Git host can have.
pub(super) fn checked(owner: &str, name: &str) -> Option<RepositoryName> {
    let part_ok = |part: &str| {
        !part.is_empty()
            && part.len() <= MAX_NAME_BYTES
            && !matches!(part, "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let ok = part_ok(owner) && name.len() <= MAX_NAME_BYTES && name.split('/').all(part_ok);
    ok.then(|| RepositoryName::new(owner, name))
}

/// The URL with its credentials replaced; none when it holds none. The plain user `git` is no credential.
///
/// Everything up to the *last* `@` goes: a password may hold `@` or `/` unescaped, and no Git host has `@` in names.
pub(super) fn scrub(url: &str) -> Option<String> {
    let start = url.find("://").map_or(0, |found| found + 3);
    let end = url.rfind('@').filter(|end| *end > start)?;
    if url.get(start..end)? == "git" {
        return None;
    }
    Some(format!("{}{SCRUBBED}{}", url.get(..start)?, url.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_remote_names_its_repository() {
        for url in [
            "https://github.com/acme/infra",
            "https://github.com/acme/infra.git",
            "https://github.com/acme/infra/",
            "https://token@github.com/acme/infra.git",
            "https://user:p@ss@ghe.example.com:8443/acme/infra.git?x#y",
            "ssh://git@github.com/acme/infra.git",
            "ssh://git@ghe.example.com:2222/acme/infra",
            "git@github.com:acme/infra.git",
            "git@github.com:/acme/infra.git",
            "github.com:acme/infra",
        ] {
            assert_eq!(from_url(url).map(|name| name.to_string()).as_deref(), Some("acme/infra"), "{url}");
        }
        assert_eq!(
            from_url("https://gitlab.com/acme/platform/infra.git"),
            Some(RepositoryName::new("acme", "platform/infra"))
        );
    }

    #[test]
    fn what_names_no_repository_is_none() {
        for url in [
            "",
            "infra",
            "https://github.com",
            "https://github.com/acme",
            "/srv/git/infra.git",
            "https://github.com/acme/../x",
            "https://github.com/ac me/infra",
            "git@github.com:infra.git",
        ] {
            assert_eq!(from_url(url), None, "{url}");
        }
    }

    #[test]
    fn credentials_are_replaced_and_nothing_else() {
        for (url, scrubbed) in [
            ("https://ghs_1@github.com/acme/infra", Some("https://***@github.com/acme/infra")),
            (
                "https://x-access-token:ghs_1@github.com/acme/infra.git",
                Some("https://***@github.com/acme/infra.git"),
            ),
            ("https://user:p@ss@host/a/b", Some("https://***@host/a/b")),
            ("ssh://git:pw@host/a/b", Some("ssh://***@host/a/b")),
            ("tok@host:a/b.git", Some("***@host:a/b.git")),
            ("user:pw@host:a/b.git", Some("***@host:a/b.git")),
            ("https://tok@host", Some("https://***@host")),
            ("https://github.com/acme/infra", None),
            ("https://user:p/w@host/a/b", Some("https://***@host/a/b")),
            ("git@github.com:acme/infra.git", None),
            ("ssh://git@github.com/acme/infra.git", None),
            ("", None),
        ] {
            assert_eq!(scrub(url).as_deref(), scrubbed, "{url}");
        }
    }
}
