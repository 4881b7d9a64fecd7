//! Which Stackwave this is.

/// Version, commit and the day of the commit: `0.1.0 (1a2b3c4d5 2026-01-31)`. `build.rs` asks Git for the last two.
pub(crate) const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("STACKWAVE_COMMIT"),
    " ",
    env!("STACKWAVE_COMMIT_DATE"),
    ")"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_version_commit_and_day() {
        let words: Vec<&str> = VERSION.split(' ').collect();
        assert_eq!(words.len(), 3, "{VERSION}");
        assert_eq!(words[0], env!("CARGO_PKG_VERSION"));
        assert!(words[1].starts_with('(') && words[1].len() > 1, "{VERSION}");
        assert!(words[2].ends_with(')') && words[2].len() > 1, "{VERSION}");
    }
}
