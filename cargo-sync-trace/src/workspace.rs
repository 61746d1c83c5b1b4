//! The workspace: where it is, where its runs are, and whether tracing can be switched on in it.

use crate::cli::options::Place;
use crate::cli::split::Seen;
use crate::exit::Failure;
use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A workspace of cargo's.
#[derive(Debug)]
pub struct Workspace {
    metadata: Metadata,
    target_dir: PathBuf,
}

/// The cargo that called us.
pub fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Workspace {
    /// The one that is meant.
    pub fn find(place: &Place) -> Result<Self, Failure> {
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo()).no_deps();
        if let Some(path) = &place.manifest_path {
            command.manifest_path(path);
        }
        let metadata = command.exec().map_err(|error| {
            let text = error.to_string();
            Failure(format!("cargo does not know the workspace: {}", text.trim_end()))
        })?;
        let target_dir = match &place.target_dir {
            Some(dir) => std::path::absolute(dir)?,
            None => metadata.target_directory.clone().into(),
        };
        Ok(Self { metadata, target_dir })
    }

    /// Its root.
    pub fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where its runs are.
    pub fn runs_dir(&self) -> PathBuf {
        self.target_dir.join("sync-trace")
    }

    /// Its runs, the oldest first.
    pub fn runs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.runs_dir()).into_iter().flatten().flatten();
        let is_run = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            path.is_dir() && name.is_some_and(|name| name.starts_with("run-"))
        };
        let mut runs: Vec<_> = entries.map(|entry| entry.path()).filter(is_run).collect();
        runs.sort();
        runs
    }

    /// Its last run.
    pub fn last_run(&self) -> Result<PathBuf, Failure> {
        self.runs().pop().ok_or_else(|| {
            Failure(format!(
                "there is no run in {}; `cargo sync-trace test` makes one",
                self.runs_dir().display()
            ))
        })
    }

    /// Makes a directory for a new run.
    pub fn new_run(&self) -> Result<PathBuf, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("run-{}-{}", timestamp(now.as_secs()), std::process::id());
        let dir = self.runs_dir().join(name);
        let failure = |error| Failure(format!("{} cannot be made: {error}", dir.display()));
        std::fs::create_dir_all(&dir).map_err(failure)?;
        Ok(dir)
    }

    /// How to switch on tracing in every profile, for what is built; `None` if none of the packages depends on sync-trace
    /// itself.
    pub fn always(&self, seen: &Seen) -> Option<String> {
        let features: BTreeSet<_> = self.selected(seen).into_iter().filter_map(always).collect();
        let features: Vec<_> = features.into_iter().collect();
        (!features.is_empty()).then(|| features.join(","))
    }

    /// The packages that are built, by name.
    pub fn selected(&self, seen: &Seen) -> Vec<&Package> {
        let members = self.metadata.workspace_packages();
        let chosen = |package: &Package| {
            if !seen.packages.is_empty() {
                // It may be a pattern or an identifier.
                let name = package.name.as_str();
                return seen.packages.iter().any(|spec| {
                    spec == name
                        || spec.split(['#', '@']).any(|part| part == name)
                        || spec.contains(['*', '?', '['])
                });
            }
            !seen.excluded.iter().any(|name| *name == *package.name)
        };
        let all = seen.workspace || !seen.packages.is_empty();
        let current = || {
            let here = match &seen.manifest_path {
                Some(path) => std::path::absolute(path).ok()?,
                None => nearest_manifest()?,
            };
            members.iter().copied().find(|package| package.manifest_path.as_std_path() == here)
        };
        if all {
            return members.into_iter().filter(|package| chosen(package)).collect();
        }
        match current() {
            Some(package) => vec![package],
            None => self.metadata.workspace_default_packages(),
        }
    }
}

fn nearest_manifest() -> Option<PathBuf> {
    let dir = std::env::current_dir().ok()?;
    dir.ancestors().map(|dir| dir.join("Cargo.toml")).find(|path| path.is_file())
}

/// The feature of this package, or of what it depends on, that keeps tracing on.
fn always(package: &Package) -> Option<String> {
    const LIBRARY: &str = "sync-trace";
    if *package.name == LIBRARY {
        return Some(format!("{LIBRARY}/always"));
    }
    let dependency = package.dependencies.iter().find(|it| it.name == LIBRARY)?;
    let name = dependency.rename.as_deref().unwrap_or(LIBRARY);
    let optional = if dependency.optional { "?" } else { "" };
    Some(format!("{name}{optional}/always"))
}

/// A moment in the civil calendar, in UTC, such that names sort by time.
pub fn timestamp(unix_seconds: u64) -> String {
    let (days, seconds) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

/// Year, month and day of the day with this number since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that a leap day is the last of its year; 719 468 days are from March of year 0 to 1970.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_by_the_calendar() {
        for (seconds, expected) in [
            (0, "19700101-000000"),
            (951_782_399, "20000228-235959"),
            (951_782_400, "20000229-000000"),
            (1_709_251_200, "20240301-000000"),
            (1_796_000_000, "20261130-005320"),
        ] {
            assert_eq!(timestamp(seconds), expected);
        }
    }
}
