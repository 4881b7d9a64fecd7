/// Plans a stack; says in its title which dispatch it is.
pub const PLAN: &str = "\
name: plan
run-name: plan ${{ inputs.component }}/${{ inputs.stack }}/${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      stack: { required: true, type: string }
      sha: { required: true, type: string }
      atmos_pro_run_id: { required: true, type: string }
jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - run: atmos terraform plan
";

/// Applies a stack; says in its title which dispatch it is.
pub const APPLY: &str = "\
name: apply
run-name: apply ${{ inputs.component }}/${{ inputs.stack }}/${{ inputs.atmos_pro_run_id }}
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      stack: { required: true, type: string }
      github_environment: { required: true, type: string }
      sha: { required: true, type: string }
      atmos_pro_run_id: { required: true, type: string }
jobs:
  apply:
    runs-on: ubuntu-latest
    environment: ${{ inputs.github_environment }}
    steps:
      - run: atmos terraform deploy
";

/// Plans a stack as newer templates do: it declares `sha`, but not our id, and has no title of its own.
pub const PLAN_WITHOUT_ID: &str = "\
name: plan
on:
  workflow_dispatch:
    inputs:
      component: { required: true, type: string }
      stack: { required: true, type: string }
      sha: { required: false, type: string }
jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - run: atmos terraform plan
";
