//! `test`, `nextest`, `run` and `bench`: the inner command with tracing on, then the report.

use super::load::{self, Stream};
use crate::cli::Inner;
use crate::cli::options::Place;
use crate::cli::split::Seen;
use crate::exit::{self, Exit, Failure};
use crate::format::Format;
use crate::interrupt;
use crate::read;
use crate::workspace::{Workspace, cargo};
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Which inner command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Test,
    Nextest,
    Run,
    Bench,
}

/// What nextest can do that has tests run, or nothing to do with it.
const NEXTEST_COMMANDS: [&str; 9] =
    ["run", "r", "bench", "list", "archive", "show-config", "self", "debug", "replay"];

impl Kind {
    /// What cargo is called with.
    fn words(self, rest: &[OsString]) -> &'static [&'static str] {
        match self {
            Self::Test => &["test"],
            Self::Run => &["run"],
            Self::Bench => &["bench"],
            Self::Nextest => {
                let first = rest.first().and_then(|arg| arg.to_str()).unwrap_or_default();
                if NEXTEST_COMMANDS.contains(&first) { &["nextest"] } else { &["nextest", "run"] }
            }
        }
    }

    /// Whether what is built has no debug assertions, and so no tracing unless that is switched on.
    fn is_optimised(self, seen: &Seen) -> bool {
        match seen.profile.as_deref() {
            Some(profile) => !matches!(profile, "dev" | "test"),
            None => self == Self::Bench,
        }
    }
}

pub(super) fn run(kind: Kind, inner: Inner) -> Result<Exit, Failure> {
    let Inner { no_report, judging, showing, mut rest } = inner;
    let seen = Seen::of(&rest, kind == Kind::Nextest);
    let place =
        Place { manifest_path: seen.manifest_path.clone(), target_dir: seen.target_dir.clone() };
    let workspace = Workspace::find(&place)?;
    let words = kind.words(&rest);
    if kind.is_optimised(&seen) {
        switch_on(&workspace, &seen, &mut rest);
    }
    if std::env::var_os("SYNC_TRACE").is_some_and(|value| value == "off") {
        eprintln!("warning: SYNC_TRACE=off is set, so nothing is traced");
    }
    let dir = workspace.new_run()?;
    let mut command = Command::new(cargo());
    command.args(words).args(&rest).env("SYNC_TRACE_DIR", &dir);
    if let Some(baseline) = &judging.baseline {
        command.env("SYNC_TRACE_BASELINE", std::path::absolute(baseline)?);
    }
    let failure = |error| Failure(format!("{} cannot be run: {error}", cargo().display()));
    let (status, was_interrupted) = interrupt::leave_to(&mut command).map_err(failure)?;
    let inner = exit::of(status);
    if no_report {
        eprintln!("sync-trace: run: {}", dir.display());
        return Ok(if inner == 0 { Exit::Success } else { Exit::Inner(inner) });
    }
    let is_empty = is_empty(&dir);
    match (was_interrupted, is_empty) {
        (false, _) => {}
        (true, false) => eprintln!("note: interrupted; this is what was seen until then"),
        (true, true) => eprintln!(
            "note: interrupted; nothing was recorded until then, as no lock was taken while another one was held\n  \
             = help: with `SYNC_TRACE=stall=2s` the tests themselves tell of waits that last so long"
        ),
    }
    let found = match is_empty {
        true => {
            without_records(&workspace, &dir, inner);
            Exit::Success
        }
        false => {
            let report = load::report(vec![dir], workspace.root(), &judging)?;
            let stream = if showing.format == Format::Term { Stream::Err } else { Stream::Out };
            load::show(&report, &showing, stream)?
        }
    };
    Ok(if inner == 0 { found } else { Exit::Inner(inner) })
}

/// Switches tracing on where it is compiled out, or says why it cannot.
fn switch_on(workspace: &Workspace, seen: &Seen, rest: &mut Vec<OsString>) {
    match workspace.always(seen) {
        Some(features) => {
            let at = rest.iter().position(|arg| arg == "--").unwrap_or(rest.len());
            rest.splice(at..at, [OsString::from("--features"), OsString::from(&features)]);
            eprintln!(
                "note: tracing is compiled out of this profile, so `--features {features}` is added"
            );
        }
        None => {
            let names: Vec<_> = workspace
                .selected(seen)
                .iter()
                .map(|package| format!("`{}`", package.name))
                .collect();
            eprintln!(
                "warning: tracing is compiled out of this profile, and cannot be switched on from here: {} \
                 has no dependency on sync-trace of its own\n  \
                 = help: name a package that has one, with `-p`; or set `debug-assertions = true` in the profile",
                names.join(", ")
            );
        }
    }
}

fn is_empty(dir: &Path) -> bool {
    read::files(dir).is_ok_and(|files| files.is_empty())
}

/// Says that no process has recorded anything, and that this may have a reason.
fn without_records(workspace: &Workspace, dir: &Path, inner: u8) {
    // An empty run would only hide the one before.
    let _ = std::fs::remove_dir(dir);
    if inner == 0 {
        eprintln!(
            "sync-trace: no process has recorded anything\n  = note: that is so where no lock is taken while \
             another one is held\n  = help: if there should be some, look whether `{}` depends on sync-trace, and \
             whether tracing is compiled in (with debug assertions, or the feature `always`)",
            workspace.root().display()
        );
    }
}
