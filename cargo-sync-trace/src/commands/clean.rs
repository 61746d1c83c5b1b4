//! `clean`: removes recorded runs, and nothing else.

use crate::cli::CleanArgs;
use crate::exit::{Exit, Failure};
use crate::words::count;
use crate::workspace::Workspace;

pub(super) fn run(args: &CleanArgs) -> Result<Exit, Failure> {
    let workspace = Workspace::find(&args.place)?;
    let mut runs = workspace.runs();
    runs.truncate(runs.len().saturating_sub(args.keep));
    for run in &runs {
        let failure = |error| Failure(format!("{} cannot be removed: {error}", run.display()));
        std::fs::remove_dir_all(run).map_err(failure)?;
    }
    eprintln!(
        "sync-trace: {} removed from {}",
        count(runs.len(), "run"),
        workspace.runs_dir().display()
    );
    Ok(Exit::Success)
}
