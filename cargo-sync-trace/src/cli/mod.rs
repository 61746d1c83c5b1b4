//! What can be asked for on the command line.
//!
//! [`options`] has the options that several subcommands share; [`split`] parts what is ours from what goes to the inner
//! command.

pub mod options;
pub mod split;

use clap::{Args, Parser, Subcommand};
use options::{Judging, Place, Showing};
use std::ffi::OsString;
use std::path::PathBuf;

const TOP_EXAMPLES: &str = "\
Examples:
  cargo sync-trace test                      run the tests; report what all of them saw together
  cargo sync-trace nextest run               the same, with a process for each test
  cargo sync-trace report --notes            the last run again, also what fails nothing
  cargo sync-trace explain ST0101            what a code means, and what to do
  cargo sync-trace baseline                  accept what there is today; only what is new fails

Exit status:
   0  all went well
   1  it cannot be done
   2  the arguments make no sense
  66  findings reach the level of --deny
  or that of the inner command, if it fails
";

/// Runs tests with sync-trace, merges what all processes saw, and reports it.
#[derive(Debug, Parser)]
#[command(
    name = "cargo sync-trace",
    bin_name = "cargo sync-trace",
    version,
    before_help = TOP_EXAMPLES,
    subcommand_required = true,
    arg_required_else_help = true,
    propagate_version = false
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run `cargo test` and report
    #[command(before_help = TEST_EXAMPLES, after_help = REST, override_usage = "cargo sync-trace test [OPTIONS] [ARGS OF CARGO TEST]... [-- ARGS...]")]
    Test(Inner),
    /// Run `cargo nextest run` and report
    #[command(before_help = NEXTEST_EXAMPLES, after_help = REST, override_usage = "cargo sync-trace nextest [OPTIONS] [run] [ARGS OF NEXTEST]... [-- ARGS...]")]
    Nextest(Inner),
    /// Run `cargo run` and report
    #[command(before_help = RUN_EXAMPLES, after_help = REST, override_usage = "cargo sync-trace run [OPTIONS] [ARGS OF CARGO RUN]... [-- ARGS...]")]
    Run(Inner),
    /// Run `cargo bench` with tracing on, and report
    #[command(before_help = BENCH_EXAMPLES, after_help = REST, override_usage = "cargo sync-trace bench [OPTIONS] [ARGS OF CARGO BENCH]... [-- ARGS...]")]
    Bench(Inner),
    /// Report on the last run, or on others
    #[command(before_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Put several runs into one directory
    #[command(before_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// Compare two runs
    #[command(before_help = DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Accept what there is today, so that only what is new fails
    #[command(before_help = BASELINE_EXAMPLES)]
    Baseline(BaselineArgs),
    /// Say what a code means
    #[command(before_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Remove recorded runs
    #[command(before_help = CLEAN_EXAMPLES)]
    Clean(CleanArgs),
    /// Print the environment in which any command records a run
    #[command(before_help = SHOW_ENV_EXAMPLES)]
    ShowEnv(ShowEnvArgs),
}

const REST: &str = "\
Everything else goes to the inner command. Of that, --manifest-path, --target-dir, -p, --workspace, --exclude,
--release and --profile (of nextest: --cargo-profile) are heeded here as well: where runs are kept, and whether
tracing has to be switched on.";
const TEST_EXAMPLES: &str = "\
Examples:
  cargo sync-trace test                            all tests of this package
  cargo sync-trace test --workspace -- --nocapture what cargo test takes, it takes too
  cargo sync-trace test --deny order               orders that are only inconsistent fail as well
  cargo sync-trace test --format sarif --output-path sync-trace.sarif
  cargo sync-trace test --release                  switches on sync-trace's feature `always`
";
const NEXTEST_EXAMPLES: &str = "\
Examples:
  cargo sync-trace nextest run                     all tests, a process for each
  cargo sync-trace nextest                         the same
  cargo sync-trace nextest run --workspace -E 'test(bank)'
  cargo sync-trace nextest run --profile ci --format github
";
const RUN_EXAMPLES: &str = "\
Examples:
  cargo sync-trace run                             run the program, then report
  cargo sync-trace run --bin server -- --port 8080
  cargo sync-trace run --release                   switches on sync-trace's feature `always`
";
const BENCH_EXAMPLES: &str = "\
Examples:
  cargo sync-trace bench                           switches on sync-trace's feature `always`
  cargo sync-trace bench --bench queue -- --quick
";
const REPORT_EXAMPLES: &str = "\
Examples:
  cargo sync-trace report                          the last run
  cargo sync-trace report --notes                  with the whole of what fails nothing
  cargo sync-trace report --format json | jq .code
  cargo sync-trace report --format dot | dot -Tsvg > orders.svg
  cargo sync-trace report ci/run-a ci/run-b        two runs as one
";
const MERGE_EXAMPLES: &str = "\
Examples:
  cargo sync-trace merge shard-1 shard-2 --output-path target/sync-trace/all
  cargo sync-trace report target/sync-trace/all
";
const DIFF_EXAMPLES: &str = "\
Examples:
  cargo sync-trace diff main-run target/sync-trace/run-20261129-101500-4711
  cargo sync-trace diff A B --format json
";
const BASELINE_EXAMPLES: &str = "\
Examples:
  cargo sync-trace baseline                        accept what the last run found
  cargo sync-trace baseline --reason 'see #123'
  cargo sync-trace baseline --prune                take out what is not found any more
";
const EXPLAIN_EXAMPLES: &str = "\
Examples:
  cargo sync-trace explain ST0101
  cargo sync-trace explain                         all codes, a line for each
";
const CLEAN_EXAMPLES: &str = "\
Examples:
  cargo sync-trace clean                           remove all runs
  cargo sync-trace clean --keep 5                  but for the last five
";
const SHOW_ENV_EXAMPLES: &str = "\
Examples:
  eval \"$(cargo sync-trace show-env --sh)\"         then run anything, then:
  cargo sync-trace report
  cargo sync-trace show-env --fish | source
";

/// Of `test`, `nextest`, `run` and `bench`.
#[derive(Debug, Args)]
pub struct Inner {
    /// Do not report; `report` does it later
    #[arg(long, conflicts_with_all = ["format", "output_path", "deny"])]
    pub no_report: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub judging: Judging,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub showing: Showing,
    /// What goes to the inner command.
    #[arg(skip)]
    pub rest: Vec<OsString>,
}

/// Of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Directories of runs [default: the last run]
    #[arg(value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub judging: Judging,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub showing: Showing,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub place: Place,
}

/// Of `merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Directories of runs
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,
    /// The directory to make
    #[arg(long, short = 'o', value_name = "DIR")]
    pub output_path: PathBuf,
}

/// Of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The run before
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// The run after
    #[arg(value_name = "B")]
    pub after: PathBuf,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub judging: Judging,
    /// In which form
    #[arg(long, value_enum, default_value_t)]
    pub format: DiffFormat,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub place: Place,
}

/// The forms of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DiffFormat {
    /// For people
    #[default]
    Term,
    /// One JSON object a line
    Json,
}

/// Of `baseline`.
#[derive(Debug, Args)]
pub struct BaselineArgs {
    /// Directories of runs [default: the last run]
    #[arg(value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// Why it is accepted
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Take out entries that were of no use in the run
    #[arg(long)]
    pub prune: bool,
    /// The file [default: sync-trace-baseline.toml in the root of the workspace]
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub place: Place,
}

/// Of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Such as ST0101 [default: a list of all]
    pub code: Option<String>,
}

/// Of `clean`.
#[derive(Debug, Args)]
pub struct CleanArgs {
    /// How many runs to keep, the last ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub keep: usize,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub place: Place,
}

/// Of `show-env`.
#[derive(Debug, Args)]
pub struct ShowEnvArgs {
    /// For sh, bash and zsh
    #[arg(long, conflicts_with_all = ["pwsh", "fish"])]
    pub sh: bool,
    /// For PowerShell
    #[arg(long, conflicts_with = "fish")]
    pub pwsh: bool,
    /// For fish
    #[arg(long)]
    pub fish: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a group of options")]
    pub place: Place,
}
