//! A repository's workflows: whether they can be started with what its stacks send.

use crate::Finding;
use stackwave_domain::{Fragment, WorkflowFile};
use stackwave_github::port::{CallError, WorkflowDefinition};
use std::collections::{BTreeMap, BTreeSet};

/// The input that carries the dispatch id, so that a run whose start was not answered is found again.
const DISPATCH_ID: &str = "atmos_pro_run_id";
/// What Stackwave adds where the workflow declares it.
const ADDED: &[&str] = &[DISPATCH_ID, "sha", "traceparent"];

/// A workflow as the stacks of an upload would start it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The inputs that some call of it sends, each with a stack that does.
    pub sent: BTreeMap<String, String>,
    /// The inputs that every call of it sends.
    pub always: BTreeSet<String>,
    /// How many calls there are.
    pub calls: usize,
}

/// What was found of a workflow at GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether GitHub would start it: `active`, `disabled_manually`, ….
    pub state: Result<String, CallError>,
    /// The file on the default branch.
    pub definition: Result<WorkflowDefinition, CallError>,
}

/// The workflows that an upload's stacks call, by file.
#[must_use]
pub fn wanted(upload: &Fragment) -> BTreeMap<WorkflowFile, Wanted> {
    let mut workflows: BTreeMap<WorkflowFile, Wanted> = BTreeMap::new();
    for stack in &upload.stacks {
        let Some(pro) = stack.pro.as_ref().filter(|pro| pro.enabled) else { continue };
        for call in &pro.calls {
            let wanted = workflows.entry(call.workflow.clone()).or_default();
            let names: BTreeSet<String> = call.inputs.iter().map(|(name, _)| name.to_owned()).collect();
            wanted.always =
                if wanted.calls == 0 { names } else { wanted.always.intersection(&names).cloned().collect() };
            wanted.calls += 1;
            for (input, _) in call.inputs.iter() {
                wanted.sent.entry(input.to_owned()).or_insert_with(|| stack.key.to_string());
            }
        }
    }
    workflows
}

/// Judges one workflow of a repository.
#[must_use]
pub fn judge(repository: &str, file: &WorkflowFile, wanted: &Wanted, found: &Found) -> Vec<Finding> {
    let about = format!("{repository} {file}");
    let findings = findings(file, wanted, found);
    findings.into_iter().map(|finding| finding.about(about.clone())).collect()
}

fn findings(file: &WorkflowFile, wanted: &Wanted, found: &Found) -> Vec<Finding> {
    const CHECK: &str = "repository.workflow";
    match &found.state {
        Err(CallError::NotFound(_)) => {
            return vec![Finding::problem(
                CHECK,
                "there is no such workflow on the default branch, so that GitHub starts it on no branch",
                format!(
                    "merge `.github/workflows/{file}` into the default branch, or correct the name in \
                     `settings.pro`"
                ),
            )];
        }
        Err(error) => return vec![crate::app::unreachable_repository(CHECK, error)],
        Ok(state) if state != "active" => {
            return vec![Finding::problem(
                CHECK,
                format!("GitHub has it as `{state}` and starts no run of it"),
                format!("enable it on the repository's Actions page, or with `gh workflow enable {file}`"),
            )];
        }
        Ok(_) => {}
    }
    let definition = match &found.definition {
        Ok(definition) => definition,
        Err(CallError::NotFound(why)) => {
            return vec![Finding::warning(
                CHECK,
                format!("its file cannot be read ({why})"),
                "grant the App `contents: read`: without it nobody sees which inputs the workflow declares",
            )];
        }
        Err(error) => return vec![crate::app::unreachable_repository(CHECK, error)],
    };
    let Some(declared) = &definition.declared else {
        return vec![Finding::problem(
            CHECK,
            "it has no `workflow_dispatch` trigger, or is not valid YAML",
            "add `on: workflow_dispatch:` with the inputs that its stacks send",
        )];
    };
    let mut findings: Vec<Finding> = inputs(wanted, declared, &definition.required);
    findings.extend(correlation(definition, declared));
    if findings.is_empty() {
        let calls = match wanted.calls {
            1 => "the one call".to_owned(),
            more => format!("{more} calls"),
        };
        findings.push(Finding::ok(CHECK, format!("it takes what {calls} of the upload would send")));
    }
    findings
}

fn inputs(wanted: &Wanted, declared: &BTreeSet<String>, required: &BTreeSet<String>) -> Vec<Finding> {
    const CHECK: &str = "repository.inputs";
    let mut findings = Vec::new();
    let undeclared: Vec<String> = wanted
        .sent
        .iter()
        .filter(|(input, _)| !declared.contains(*input))
        .map(|(input, stack)| format!("`{input}` (by {stack})"))
        .collect();
    if !undeclared.is_empty() {
        findings.push(Finding::problem(
            CHECK,
            format!(
                "stacks send {}, which it does not declare: GitHub refuses the dispatch",
                undeclared.join(", ")
            ),
            "declare them under `on.workflow_dispatch.inputs`, or remove them from `settings.pro`",
        ));
    }
    let unsent: Vec<String> = required
        .iter()
        .filter(|input| !wanted.always.contains(*input) && !ADDED.contains(&input.as_str()))
        .map(|input| format!("`{input}`"))
        .collect();
    if wanted.calls > 0 && !unsent.is_empty() {
        findings.push(Finding::problem(
            CHECK,
            format!(
                "it requires {}, which not every stack sends: GitHub refuses the dispatch",
                unsent.join(", ")
            ),
            "send them from `settings.pro`, give them a default, or make them optional",
        ));
    }
    findings
}

/// Whether a run whose start was not answered can be told from others.
fn correlation(definition: &WorkflowDefinition, declared: &BTreeSet<String>) -> Option<Finding> {
    const CHECK: &str = "repository.run-name";
    if !declared.contains(DISPATCH_ID) {
        return Some(Finding::warning(
            CHECK,
            format!(
                "it declares no input `{DISPATCH_ID}`: a dispatch whose answer is lost may be undecidable"
            ),
            format!("declare the input and show it: `run-name: … ${{{{ inputs.{DISPATCH_ID} }}}}`"),
        ));
    }
    let shows = definition.run_name.as_ref().is_some_and(|name| name.contains(DISPATCH_ID));
    (!shows).then(|| {
        Finding::warning(
            CHECK,
            format!("its `run-name` does not show `{DISPATCH_ID}`: a dispatch whose answer is lost may be undecidable"),
            format!("add `${{{{ inputs.{DISPATCH_ID} }}}}` to its `run-name`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use stackwave_domain::fragment::{AffectedStack, ProSettings, WorkflowCall};
    use stackwave_github::definition;

    const GOOD: &str = "run-name: plan ${{ inputs.stack }} ${{ inputs.atmos_pro_run_id }}\non:\n  workflow_dispatch:\n    \
                        inputs:\n      stack: {required: true}\n      component: {required: true}\n      atmos_pro_run_id: {}\n";

    fn upload(inputs: &[&str]) -> Fragment {
        let mut pro = ProSettings { enabled: true, ..ProSettings::default() };
        pro.add_call(
            "pull_request.opened",
            WorkflowCall {
                workflow: WorkflowFile::new("plan.yaml"),
                inputs: inputs.iter().map(|input| ((*input).to_owned(), "x".to_owned())).collect(),
            },
        );
        let stack = AffectedStack {
            key: stackwave_domain::StackKey::new("vpc", "prod"),
            directly_affected: true,
            deleted: None,
            pro: Some(pro),
        };
        Fragment { stacks: vec![stack], ..Fragment::default() }
    }

    fn judged(inputs: &[&str], yaml: &str) -> Vec<Finding> {
        let wanted = wanted(&upload(inputs));
        let found = Found { state: Ok("active".to_owned()), definition: Ok(definition::parse(yaml)) };
        let (file, wanted) = wanted.iter().next().unwrap();
        judge("acme/infra", file, wanted, &found)
    }

    fn said(findings: &[Finding]) -> String {
        findings.iter().map(|finding| format!("{} {}\n", finding.level, finding.found)).collect()
    }

    #[test]
    fn a_workflow_that_takes_what_is_sent_is_well() {
        let findings = judged(&["stack", "component"], GOOD);
        assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{}", said(&findings));
    }

    #[test]
    fn an_undeclared_input_names_the_stack_that_sends_it() {
        let findings = judged(&["stack", "component", "region"], GOOD);
        assert!(said(&findings).contains("problem stacks send `region` (by "), "{}", said(&findings));
    }

    #[test]
    fn a_required_input_that_nobody_sends_is_a_problem() {
        let findings = judged(&["stack"], GOOD);
        assert!(said(&findings).contains("problem it requires `component`"), "{}", said(&findings));
    }

    #[test]
    fn a_workflow_that_tells_nothing_of_its_dispatch_is_a_warning() {
        let findings = judged(&["stack"], "on: {workflow_dispatch: {inputs: {stack: {}}}}");
        assert!(
            said(&findings).contains("warning it declares no input `atmos_pro_run_id`"),
            "{}",
            said(&findings)
        );
    }

    #[test]
    fn a_workflow_that_is_not_there_or_is_disabled_is_a_problem() {
        let definition = || Ok(definition::parse(GOOD));
        let file = WorkflowFile::new("plan.yaml");
        for state in [Err(CallError::NotFound("x".to_owned())), Ok("disabled_manually".to_owned())] {
            let found = Found { state, definition: definition() };
            let findings = judge("acme/infra", &file, &Wanted::default(), &found);
            assert_eq!(findings[0].level, Level::Problem, "{}", said(&findings));
        }
    }

    #[test]
    fn a_workflow_without_the_trigger_is_a_problem() {
        let findings = judged(&["stack"], "on: push");
        assert!(said(&findings).contains("no `workflow_dispatch` trigger"), "{}", said(&findings));
    }
}
