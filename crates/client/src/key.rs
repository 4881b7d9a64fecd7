//! Stacks, as people name them.

use stackwave_admin_proto::v1::StackKey;

/// Reads `COMPONENT/STACK`, as it is printed everywhere, or `COMPONENT@STACK`. A component may hold slashes: the last
/// one ends it.
pub(crate) fn parse(text: &str) -> Result<StackKey, String> {
    let (component, stack) = text
        .rsplit_once('@')
        .or_else(|| text.rsplit_once('/'))
        .filter(|(component, stack)| !component.is_empty() && !stack.is_empty())
        .ok_or_else(|| "expected COMPONENT/STACK, such as `vpc/prod`".to_owned())?;
    Ok(StackKey { component: component.to_owned(), stack: stack.to_owned() })
}

/// As it is printed; empty without one.
pub(crate) fn text(key: Option<&StackKey>) -> String {
    key.map(|key| format!("{}/{}", key.component, key.stack)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_reads_back_as_it_is_printed() {
        for (given, component, stack) in [
            ("vpc/prod", "vpc", "prod"),
            ("eks/cluster/prod", "eks/cluster", "prod"),
            ("eks/cluster@plat/ue2-prod", "eks/cluster", "plat/ue2-prod"),
        ] {
            let key = parse(given).unwrap();
            assert_eq!((key.component.as_str(), key.stack.as_str()), (component, stack));
        }
        assert_eq!(text(parse("eks/cluster/prod").ok().as_ref()), "eks/cluster/prod");
    }

    #[test]
    fn half_a_name_is_refused_with_the_form() {
        for given in ["vpc", "/prod", "vpc/", "@", ""] {
            assert!(parse(given).unwrap_err().contains("COMPONENT/STACK"), "{given}");
        }
    }
}
