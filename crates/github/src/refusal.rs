//! What GitHub's answers to a dispatch mean.
//!
//! GitHub's OpenAPI lists only the good answers of "Create a workflow dispatch event"; the texts below are those seen in
//! the field, so they are matched loosely, without regard to case.

use stackwave_domain::event::RefusalReason;

/// What a bad answer to a dispatch means for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A definite no; asking again will not help.
    Refused(RefusalReason),
    /// It was not taken because of a limit; send again after the wait.
    Limited,
    /// It was not taken because the token was not accepted; renew it and send again.
    Unauthorized,
    /// It may have been taken: look before sending again.
    Unknown,
}

/// The meaning of an answer that is not a success. `message` is GitHub's `message`, with its `errors` when there are any.
#[must_use]
pub fn classify(status: u16, message: &str) -> Meaning {
    let text = message.to_lowercase();
    match status {
        401 => Meaning::Unauthorized,
        403 | 429 if status == 429 || speaks_of_limit(&text) => Meaning::Limited,
        408 | 500.. => Meaning::Unknown,
        400..500 => Meaning::Refused(reason(status, &text)),
        // Anything else is no answer that this call has; nothing says that it was not taken.
        _ => Meaning::Unknown,
    }
}

/// Whether a message speaks of a limit (primary, secondary or "abuse detection") and not of a permission.
#[must_use]
pub fn speaks_of_limit(message: &str) -> bool {
    let text = message.to_lowercase();
    ["rate limit", "secondary", "abuse"].iter().any(|word| text.contains(word))
}

fn reason(status: u16, text: &str) -> RefusalReason {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match status {
        404 => RefusalReason::WorkflowNotFound,
        403 | 422 if says(&["disabled"]) => RefusalReason::WorkflowDisabled,
        403 if says(&["not accessible", "permission"]) => RefusalReason::PermissionMissing,
        400 | 422
            if says(&[
                "'workflow_dispatch' trigger",
                "workflow_dispatch trigger",
                "workflow_dispatch\" trigger",
            ]) =>
        {
            RefusalReason::NotDispatchable
        }
        400 | 422 if says(&["no ref found"]) => RefusalReason::RefNotFound,
        400 | 422 if says(&["unexpected input"]) => RefusalReason::InputNotDeclared,
        400 | 422 if says(&["inputs are too large"]) => RefusalReason::InputsTooLarge,
        400 | 422 if says(&["failed to parse workflow", "invalid workflow file"]) => {
            RefusalReason::WorkflowInvalid
        }
        400 | 422 if says(&["required input", "list of allowed values", "not provided"]) => {
            RefusalReason::InputInvalid
        }
        _ => RefusalReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RefusalReason as R;

    #[test]
    fn every_known_answer_has_its_meaning() {
        for (status, message, meaning) in [
            (404, "Not Found", Meaning::Refused(R::WorkflowNotFound)),
            (422, "Workflow does not have 'workflow_dispatch' trigger", Meaning::Refused(R::NotDispatchable)),
            (422, "No ref found for: refs/heads/gone", Meaning::Refused(R::RefNotFound)),
            (422, r#"Unexpected inputs provided: ["sha"]"#, Meaning::Refused(R::InputNotDeclared)),
            (422, "Required input 'stack' not provided", Meaning::Refused(R::InputInvalid)),
            (
                422,
                "Provided value 'x' for input 'env' not in the list of allowed values",
                Meaning::Refused(R::InputInvalid),
            ),
            (422, "inputs are too large.", Meaning::Refused(R::InputsTooLarge)),
            (422, "failed to parse workflow: (Line: 3, Col: 1): boom", Meaning::Refused(R::WorkflowInvalid)),
            (
                422,
                "Cannot trigger a 'workflow_dispatch' on a disabled workflow",
                Meaning::Refused(R::WorkflowDisabled),
            ),
            (403, "This workflow was disabled", Meaning::Refused(R::WorkflowDisabled)),
            (403, "Resource not accessible by integration", Meaning::Refused(R::PermissionMissing)),
            (403, "Repository was archived so is read-only.", Meaning::Refused(R::Other)),
            (403, "You have exceeded a secondary rate limit", Meaning::Limited),
            (403, "API rate limit exceeded for installation ID 7.", Meaning::Limited),
            (403, "You have triggered an abuse detection mechanism", Meaning::Limited),
            (429, "Too Many Requests", Meaning::Limited),
            (401, "Bad credentials", Meaning::Unauthorized),
            (410, "This API version is no longer supported", Meaning::Refused(R::Other)),
            (400, r#""return_run_details" is not a permitted key"#, Meaning::Refused(R::Other)),
            (422, "something new", Meaning::Refused(R::Other)),
            (500, "", Meaning::Unknown),
            (502, "Server Error", Meaning::Unknown),
            (503, "", Meaning::Unknown),
            (408, "", Meaning::Unknown),
            (304, "", Meaning::Unknown),
        ] {
            assert_eq!(classify(status, message), meaning, "{status} {message}");
        }
    }
}
