//! What each subcommand does, a file for each.

mod baseline;
mod clean;
mod diff;
mod explain;
mod inner;
mod load;
mod merge;
mod report;
mod show_env;

use crate::cli::{Cli, Command, split};
use crate::exit::{Exit, Failure};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;

/// Does what the arguments say, which are those behind the program's name. Without `sync-trace`, that cargo puts
/// there, they mean the same.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<Exit, Stop> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.first().is_some_and(|arg| arg == "sync-trace") {
        args.remove(0);
    }
    match parse(args)?.command {
        Command::Test(inner) => inner::run(inner::Kind::Test, inner),
        Command::Nextest(inner) => inner::run(inner::Kind::Nextest, inner),
        Command::Run(inner) => inner::run(inner::Kind::Run, inner),
        Command::Bench(inner) => inner::run(inner::Kind::Bench, inner),
        Command::Report(args) => report::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Baseline(args) => baseline::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Clean(args) => clean::run(&args),
        Command::ShowEnv(args) => show_env::run(&args),
    }
    .map_err(Stop::Failed)
}

/// Why nothing more is done.
#[derive(Debug)]
pub enum Stop {
    /// Clap has something to say: help, or what is wrong with the arguments.
    Clap(clap::Error),
    /// It could not be done.
    Failed(Failure),
}

fn parse(args: Vec<OsString>) -> Result<Cli, Stop> {
    let command = Cli::command();
    let mut args = args;
    let mut rest = Vec::new();
    let name = args.first().and_then(|name| name.to_str()).unwrap_or_default();
    if matches!(name, "test" | "nextest" | "run" | "bench") {
        let inner = command.find_subcommand(name).cloned().unwrap_or_default();
        let tail = args.split_off(1);
        let (mine, others) = split::split(tail, &inner);
        args.extend(mine);
        rest = others;
    }
    let args = std::iter::once(OsString::from("cargo sync-trace")).chain(args);
    let matches = command.try_get_matches_from(args).map_err(Stop::Clap)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(Stop::Clap)?;
    if let Command::Test(inner)
    | Command::Nextest(inner)
    | Command::Run(inner)
    | Command::Bench(inner) = &mut cli.command
    {
        inner.rest = rest;
    }
    Ok(cli)
}
