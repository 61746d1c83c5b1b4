//! `report`: the last run, or others, again.

use super::load::{self, Stream};
use crate::cli::ReportArgs;
use crate::exit::{Exit, Failure};
use crate::workspace::Workspace;

pub(super) fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let (dirs, root) = match &args.runs[..] {
        [] => {
            let workspace = Workspace::find(&args.place)?;
            (vec![workspace.last_run()?], workspace.root().to_owned())
        }
        // Runs may be looked at where there is no workspace.
        dirs => (dirs.to_owned(), std::env::current_dir()?),
    };
    let report = load::report(dirs, &root, &args.judging)?;
    load::show(&report, &args.showing, Stream::Out)
}
