//! Templates that Atmos left in an input: three can be filled here, anything else must not reach GitHub (contract §6).

use stackwave_domain::{CommitSha, StackKey};

/// Fills `.atmos_component`, `.atmos_stack` and `.sha`.
///
/// # Errors
/// The first expression, braces included, that is none of these.
pub(crate) fn fill(value: &str, key: &StackKey, sha: &CommitSha) -> Result<String, String> {
    let mut filled = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find("{{") {
        let (before, from) = rest.split_at(start);
        let Some(end) = from.find("}}") else { return Err(from.to_owned()) };
        let (expression, after) = from.split_at(end + 2);
        filled.push_str(before);
        let name = expression.trim_start_matches("{{").trim_end_matches("}}");
        filled.push_str(match name.trim_matches('-').trim() {
            ".atmos_component" => key.component.as_str(),
            ".atmos_stack" => key.stack.as_str(),
            ".sha" => sha.as_str(),
            _ => return Err(expression.to_owned()),
        });
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_expressions_are_filled_and_others_are_named() {
        let key = StackKey::new("dev", "vpc");
        let sha = CommitSha::new("abc");
        assert_eq!(
            fill("{{ .atmos_component }}-{{.atmos_stack}}@{{- .sha -}}", &key, &sha),
            Ok("vpc-dev@abc".into())
        );
        assert_eq!(fill("plain", &key, &sha), Ok("plain".into()));
        assert_eq!(fill("x {{ .vars.region }}", &key, &sha), Err("{{ .vars.region }}".into()));
        assert_eq!(fill("x {{ .sha", &key, &sha), Err("{{ .sha".into()));
    }
}
