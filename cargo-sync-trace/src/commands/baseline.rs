//! `baseline`: accepts what there is today, in a file that the library reads as well.

use super::load;
use crate::baseline::{Baseline, Entry};
use crate::cli::BaselineArgs;
use crate::cli::options::Judging;
use crate::exit::{Exit, Failure};
use crate::level::Deny;
use crate::report::accepted::{BASELINE, nearest};
use crate::words::count;
use crate::workspace::{Workspace, timestamp};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

pub(super) fn run(args: &BaselineArgs) -> Result<Exit, Failure> {
    let workspace = Workspace::find(&args.place)?;
    let dirs = match &args.runs[..] {
        [] => vec![workspace.last_run()?],
        dirs => dirs.to_owned(),
    };
    let path: PathBuf = match &args.baseline {
        Some(path) => std::path::absolute(path)?,
        None => {
            nearest(workspace.root(), BASELINE).unwrap_or_else(|| workspace.root().join(BASELINE))
        }
    };
    let judging = Judging { deny: Deny::default(), baseline: Some(path.clone()) };
    let mut baseline = Baseline::read(&path)?;
    // Where there is none yet, the library would say that it cannot be read.
    let judging = if path.exists() { judging } else { Judging { baseline: None, ..judging } };
    let report = load::report(dirs, workspace.root(), &judging)?;
    let mut pruned = 0;
    if args.prune {
        let found =
            |entry: &Entry| report.items.iter().any(|item| item.fingerprint == entry.fingerprint);
        pruned = baseline.retain(found);
    }
    let reason = match &args.reason {
        Some(reason) => reason.clone(),
        None => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let day = &timestamp(now.as_secs())[..8];
            format!("found on {day}, when the baseline was made; nobody has looked at it yet")
        }
    };
    let (mut added, mut refused) = (0, Vec::new());
    for item in report.open() {
        let entry = Entry {
            code: item.code.clone(),
            fingerprint: item.fingerprint.clone(),
            reason: reason.clone(),
            title: item.title.clone(),
            site: item.main_site().map(ToString::to_string),
        };
        match entry.may_be_accepted() {
            true => added += usize::from(baseline.add(entry)),
            false => refused.push(item),
        }
    }
    baseline.write(&path)?;
    for item in &refused {
        eprintln!("warning: {} cannot be accepted, as it has happened: {}", item.code, item.title);
    }
    eprintln!(
        "sync-trace: {} new, {pruned} taken out, {} in all in {}",
        count(added, "finding"),
        baseline.len(),
        path.display()
    );
    Ok(if refused.is_empty() { Exit::Success } else { Exit::Findings })
}
