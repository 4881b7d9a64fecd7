//! The verbs, as people type them.

use crate::{
    common::{Common, Defaults, Output},
    failure::Failure,
    json::Document,
    list::{self, List, Paging},
    screen::Screen,
    server::Server,
    verbs::{
        commands::CommandsVerb,
        deliveries::DeliveriesVerb,
        dispatches::DispatchesVerb,
        events::Events,
        explain::Explain,
        installations::InstallationsVerb,
        keys::KeysVerb,
        order::{Cancel, Resolve, Resync, Retry},
        pulls::PullsVerb,
        read_model::ReadModelVerb,
        repositories::RepositoriesVerb,
        runs::RunsVerb,
        stacks::StacksVerb,
        system::SystemVerb,
        tokens::TokensVerb,
        uploads::UploadsVerb,
        whoami::WhoAmI,
        workspaces::WorkspacesVerb,
    },
};
use clap::{Args, Subcommand};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tonic::{Response, Status};

/// A noun with several verbs, such as `runs`. Without a verb its default is meant, which lists.
#[derive(Clone, Debug, Args)]
pub struct Nouns<V: Subcommand + Default> {
    /// What to do.
    #[command(subcommand)]
    verb: Option<V>,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl<V: Subcommand + Default> Nouns<V> {
    fn verb(self) -> V {
        self.verb.unwrap_or_default()
    }
}

/// A verb that stands alone, such as `explain`.
#[derive(Clone, Debug, Args)]
pub struct Asking<A: Args> {
    #[command(flatten)]
    pub(crate) what: A,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What a running server answers.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List and show runs
    ///
    /// A run is one ordered deployment: one trigger at one commit with its graph of stacks.
    #[command(visible_alias = "run", after_help = RUNS)]
    Runs(Nouns<RunsVerb>),
    /// List stacks: where each was deployed, and how that went
    #[command(visible_alias = "stack", after_help = STACKS)]
    Stacks(Nouns<StacksVerb>),
    /// List pull requests, as far as they are known
    #[command(visible_alias = "pull-requests", alias = "pr")]
    Prs(Nouns<PullsVerb>),
    /// List uploads of the Atmos CLI
    #[command(alias = "upload")]
    Uploads(Nouns<UploadsVerb>),
    /// List and show dispatches: each start of a workflow for a stack
    #[command(alias = "dispatch")]
    Dispatches(Nouns<DispatchesVerb>),
    /// List deliveries of GitHub's webhooks
    #[command(alias = "delivery")]
    Deliveries(Nouns<DeliveriesVerb>),
    /// Say why a run, or one of its stacks, stands as it does
    ///
    /// One sentence a cause, from the stack down to the root of what keeps it, each with the record that proves it.
    /// With --dispatch the evidence that the stack's workflow was started once: claim, request, answer, GitHub's run,
    /// the first webhook, and that no other run carries its id.
    #[command(alias = "why", after_help = EXPLAIN)]
    Explain(Asking<Explain>),
    /// Dispatch stacks again that failed, were cancelled or were refused
    #[command(after_help = RETRY)]
    Retry(Asking<Retry>),
    /// Stop a run, or keep one stack of it from going
    ///
    /// Nothing more is dispatched, and what is queued at GitHub is cancelled. A workflow run of an apply that has begun
    /// goes on, unless --force is given.
    Cancel(Asking<Cancel>),
    /// Look at GitHub at once: at pull requests, workflow runs and parked uploads
    Resync(Asking<Resync>),
    /// Decide whether an undecidable dispatch happened
    #[command(after_help = RESOLVE)]
    Resolve(Asking<Resolve>),
    /// List and show commands: retry, cancel, resync and resolve, and what became of them
    #[command(alias = "command")]
    Commands(Nouns<CommandsVerb>),
    /// Print what happens to a run or a repository, from the past and as it happens
    ///
    /// A run is told from its first record on. Of a repository or a stream everything that is there is printed, or with
    /// --follow what is appended from then on, unless --from or --since says where to begin. A stream that breaks is
    /// taken up again where it ended: nothing is lost, and nothing comes twice.
    #[command(alias = "event", after_help = EVENTS)]
    Events(Asking<Events>),
    /// Create, list and revoke API keys, with which workflows upload
    #[command(visible_alias = "api-keys", alias = "key", after_help = KEYS)]
    Keys(Nouns<KeysVerb>),
    /// Create, list and revoke tokens for the admin API
    #[command(alias = "token", after_help = TOKENS)]
    Tokens(Nouns<TokensVerb>),
    /// Print whose token this is, and what it may do
    #[command(name = "whoami", alias = "who-am-i")]
    WhoAmI(Asking<WhoAmI>),
    /// List and create workspaces: repositories and API keys that only see each other
    #[command(alias = "workspace")]
    Workspaces(Nouns<WorkspacesVerb>),
    /// List and show repositories, and move them to another workspace
    #[command(visible_alias = "repos", aliases = ["repository", "repo"])]
    Repositories(Nouns<RepositoriesVerb>),
    /// List where the GitHub App is installed
    #[command(alias = "installation")]
    Installations(Nouns<InstallationsVerb>),
    /// Show how the service itself does
    System(Nouns<SystemVerb>),
    /// Show the read model behind the lists, and build it anew
    ReadModel(Nouns<ReadModelVerb>),
}

const RUNS: &str = "\
Examples:
  stackwave runs                                            the same as `stackwave runs list`
  stackwave runs list --repository acme/infra --status failed
  stackwave runs show pr7-opened-9f2c1d7-5e1b9a04c2d3
  stackwave runs show pr7-opened-9f2c1d7-5e1b9a04c2d3 --at 118
  stackwave runs list --all -o json | jq -r '.runs[] | select(.mutating) | .id'";

const STACKS: &str = "\
Examples:
  stackwave stacks list --stack prod --latest
  stackwave stacks list --run pr7-opened-9f2c1d7-5e1b9a04c2d3 --status failed";

const EXPLAIN: &str = "\
Examples:
  stackwave explain pr7-opened-9f2c1d7-5e1b9a04c2d3
  stackwave explain pr7-opened-9f2c1d7-5e1b9a04c2d3 eks/cluster/prod
  stackwave explain pr7-opened-9f2c1d7-5e1b9a04c2d3 eks/cluster/prod --dispatch

Without a server, from the log or from an exported file: `stackwave replay --explain`.";

const RETRY: &str = "\
Examples:
  stackwave retry pr7-merged-9f2c1d7-5e1b9a04c2d3
  stackwave retry pr7-merged-9f2c1d7-5e1b9a04c2d3 rds/prod --reason 'quota was raised' --wait";

const RESOLVE: &str = "\
Examples:
  stackwave dispatches list --status undecidable
  stackwave resolve DISPATCH --workflow-run 16801234567 --reason 'its log shows our inputs'
  stackwave resolve DISPATCH --not-happened";

const EVENTS: &str = "\
Examples:
  stackwave events --run pr7-opened-9f2c1d7-5e1b9a04c2d3
  stackwave events --repository acme/infra --follow --since 15m
  stackwave events --stream SW_00 --from 118 --limit 20 -o json
  stackwave events --repository acme/infra --name dispatch_refused --name run_ended
  stackwave events show SW_00:118";

const KEYS: &str = "\
The key is printed on standard output, once; the server keeps a hash of it.

Examples:
  stackwave keys create 'infra repository' --valid-for 90d
  stackwave keys create ci --quiet | gh secret set ATMOS_PRO_TOKEN --repo acme/infra
  stackwave keys list --valid
  stackwave keys revoke KEY --reason 'left the team'";

const TOKENS: &str = "\
The token is printed on standard output, once; the server keeps a hash of it.

Examples:
  stackwave tokens create alice --role operator --valid-for 30d
  stackwave tokens list --valid
  stackwave tokens revoke TOKEN";

impl Command {
    /// The configuration file that is named, for the server's address and token.
    #[must_use]
    pub fn config(&self) -> Option<&Path> {
        self.common().config.as_deref()
    }

    /// Whether an option names the server.
    #[must_use]
    pub fn names_server(&self) -> bool {
        self.common().server.is_some()
    }

    /// Whether an option names a file with the token.
    #[must_use]
    pub fn names_token(&self) -> bool {
        self.common().token_file.is_some()
    }

    fn common(&self) -> &Common {
        match self {
            Self::Runs(Nouns { common, .. })
            | Self::Stacks(Nouns { common, .. })
            | Self::Prs(Nouns { common, .. })
            | Self::Uploads(Nouns { common, .. })
            | Self::Dispatches(Nouns { common, .. })
            | Self::Deliveries(Nouns { common, .. })
            | Self::Explain(Asking { common, .. })
            | Self::Retry(Asking { common, .. })
            | Self::Cancel(Asking { common, .. })
            | Self::Resync(Asking { common, .. })
            | Self::Resolve(Asking { common, .. })
            | Self::Commands(Nouns { common, .. })
            | Self::Events(Asking { common, .. })
            | Self::Keys(Nouns { common, .. })
            | Self::Tokens(Nouns { common, .. })
            | Self::WhoAmI(Asking { common, .. })
            | Self::Workspaces(Nouns { common, .. })
            | Self::Repositories(Nouns { common, .. })
            | Self::Installations(Nouns { common, .. })
            | Self::System(Nouns { common, .. })
            | Self::ReadModel(Nouns { common, .. }) => common,
        }
    }
}

/// Asks the server, and prints what it answers.
///
/// # Errors
/// See [`Failure`].
pub async fn run(command: Command, defaults: Defaults, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let common = command.common().clone();
    let begun = Instant::now();
    let server = Server::connect(&common, defaults).await?;
    let mut session = Session {
        server: &server,
        output: common.output,
        screen,
        wait: common.timeout.map(|most| (begun, most)),
    };
    let session = &mut session;
    match command {
        Command::Runs(runs) => runs.verb().run(session).await,
        Command::Stacks(stacks) => stacks.verb().run(session).await,
        Command::Prs(pulls) => pulls.verb().run(session).await,
        Command::Uploads(uploads) => uploads.verb().run(session).await,
        Command::Dispatches(dispatches) => dispatches.verb().run(session).await,
        Command::Deliveries(deliveries) => deliveries.verb().run(session).await,
        Command::Explain(explain) => explain.what.run(session).await,
        Command::Retry(retry) => retry.what.run(session).await,
        Command::Cancel(cancel) => cancel.what.run(session).await,
        Command::Resync(resync) => resync.what.run(session).await,
        Command::Resolve(resolve) => resolve.what.run(session).await,
        Command::Commands(commands) => commands.verb().run(session).await,
        Command::Events(events) => events.what.run(session).await,
        Command::Keys(keys) => keys.verb().run(session).await,
        Command::Tokens(tokens) => tokens.verb().run(session).await,
        Command::WhoAmI(whoami) => whoami.what.run(session).await,
        Command::Workspaces(workspaces) => workspaces.verb().run(session).await,
        Command::Repositories(repositories) => repositories.verb().run(session).await,
        Command::Installations(installations) => installations.verb().run(session).await,
        Command::System(system) => system.verb().run(session).await,
        Command::ReadModel(read_model) => read_model.verb().run(session).await,
    }
}

/// A server that was reached, and where its answers are printed.
pub(crate) struct Session<'s, 'out> {
    pub(crate) server: &'s Server,
    pub(crate) output: Output,
    pub(crate) screen: &'s mut Screen<'out>,
    /// Since when and for how long may be waited; as long as it takes without it.
    pub(crate) wait: Option<(Instant, Duration)>,
}

impl<'out> Session<'_, 'out> {
    /// The answer, or what its refusal means.
    pub(crate) fn answered<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, Failure> {
        answer.map(Response::into_inner).map_err(|status| self.server.refused(&status))
    }

    /// Prints a list.
    pub(crate) async fn list(&mut self, list: impl List, paging: &Paging) -> Result<(), Failure> {
        list::print(list, paging, self.output, self.server, self.screen).await
    }

    /// Prints an answer: as it is for programs, else as `for_people` says.
    pub(crate) fn print<D: Document>(
        &mut self,
        answer: &D,
        for_people: impl FnOnce(&D, &mut Screen<'out>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.output {
            Output::Table => for_people(answer, self.screen)?,
            Output::Json => self.screen.document(answer)?,
        }
        Ok(self.screen.flush()?)
    }
}
