//! The allow list: findings that a team knows about and accepts, each with a reason.
//!
//! It is a file `sync-trace.toml` in the folder where the process starts, or in the nearest of those
//! around it:
//!
//! ```toml
//! # Each entry silences the findings that it fits, and has to say why.
//! [[allow]]
//! code = "ST0101"
//! locks = ["Cache.index", "Cache.stats"]   # every lock of the cycle has to be named; `*` is fine
//! reason = "both are only ever taken under the registry's lock, see #123"
//!
//! [[allow]]
//! code = "ST0101"
//! sites = ["src/cache.rs:88", "cache.rs"]  # each has to fit a wait or hold of the finding
//! reason = "the two threads never run at one time"
//!
//! [[allow]]
//! fingerprint = "1f2e3d4c5b6a7988"         # as the report prints it; needs no code
//! reason = "see #124"
//! ```
//!
//! What is given together has to fit together. Only what could happen may be allowed, not what has
//! happened. An entry with a mistake is left out, so that it silences less, never more, than it should.
//!
//! Beside it there may be a `sync-trace-baseline.toml`, which `cargo sync-trace baseline` writes: entries of
//! the same form for what was found on the day when sync-trace came into the code base.
//!
//! In reading order: `builder` (entries that a program makes), `read` (entries of a file) with `error`,
//! `entry` (when one fits a finding) with `pattern`, `told` (the same for findings that another process has
//! written down). Nothing here prints.

mod builder;
mod entry;
mod error;
mod pattern;
mod read;
#[cfg(test)]
mod tests;
#[cfg(not(loom))]
mod told;

pub use builder::Allow;
pub(crate) use error::AllowError;
#[cfg(not(loom))]
pub use told::{Mode as ToldMode, Rules, Told, ToldLock, Wait as ToldWait, fingerprint};

use crate::finding::{Finding, Lock};
use entry::{Entry, Facts};
use std::path::{Path, PathBuf};

/// Why a finding is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// As the first entry says that fits.
    pub reason: String,
    /// Where the entries stand that fit: `file:line`.
    pub by: Vec<String>,
}

/// The entries, those of the file first.
#[derive(Debug, Default)]
pub(crate) struct AllowList {
    entries: Vec<Entry>,
    /// Those of the baseline: what was found once and has not been looked at since. Where they are of no
    /// use is not for one process to say.
    baseline: Vec<Entry>,
}

impl AllowList {
    /// What the file is called.
    const FILE: &str = "sync-trace.toml";
    /// What the baseline is called.
    const BASELINE: &str = "sync-trace-baseline.toml";
    /// The environment variable that names another baseline.
    const BASELINE_VARIABLE: &str = "SYNC_TRACE_BASELINE";

    /// Reads the nearest `sync-trace.toml` and the nearest baseline; without any, the list is empty.
    pub(crate) fn find() -> (Self, Vec<AllowError>) {
        let named = std::env::var_os(Self::BASELINE_VARIABLE).filter(|path| !path.is_empty());
        let dir = std::env::current_dir().unwrap_or_default();
        Self::find_from(&dir, named.as_deref().map(Path::new))
    }

    /// Reads the `sync-trace.toml` in `dir`, or in the nearest folder around it that has one, and the
    /// baseline, which is `named` or looked for in the same way.
    fn find_from(dir: &Path, named: Option<&Path>) -> (Self, Vec<AllowError>) {
        let nearest = |name| {
            let mut paths = dir.ancestors().map(|dir| dir.join(name));
            // What is in a folder that may not be looked into is nobody's concern.
            paths.find(|path| path.symlink_metadata().is_ok())
        };
        let (file, mut errors) = Self::read(dir, nearest(Self::FILE));
        let baseline = named.map(|path| dir.join(path)).or_else(|| nearest(Self::BASELINE));
        let (baseline, more) = Self::read(dir, baseline);
        errors.extend(more);
        (Self { baseline: baseline.entries, ..file }, errors)
    }

    /// Reads a file, if there is one; mistakes are told relative to `dir`.
    fn read(dir: &Path, path: Option<PathBuf>) -> (Self, Vec<AllowError>) {
        let Some(path) = path else { return Default::default() };
        let shown = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy();
        match bytes_of(&path) {
            Ok(bytes) => Self::parse_bytes(&bytes, &shown),
            Err(error) => (Self::default(), vec![AllowError::unreadable(&shown, &error)]),
        }
    }

    fn parse_bytes(bytes: &[u8], file: &str) -> (Self, Vec<AllowError>) {
        match str::from_utf8(bytes) {
            Ok(text) => Self::parse(text, file),
            Err(error) => {
                let text = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
                (Self::default(), vec![read::not_unicode(text, file)])
            }
        }
    }

    /// Reads the text of a file. An entry with a mistake is left out; the others hold.
    pub(crate) fn parse(text: &str, file: &str) -> (Self, Vec<AllowError>) {
        let (entries, errors) = read::read(text, file);
        (Self { entries, baseline: Vec::new() }, errors)
    }

    /// Adds an entry that the program made.
    ///
    /// # Panics
    ///
    /// If it names neither locks nor sites; then the list has not changed.
    #[track_caller]
    pub(crate) fn push(&mut self, allow: Allow) {
        let entry = allow.into_entry();
        assert!(
            entry.names_something(),
            "the `Allow` of {} names neither locks nor sites, so it would allow everything",
            entry.origin
        );
        self.entries.push(entry);
    }

    /// Why this finding is accepted, if it is. Every entry that fits counts as used.
    ///
    /// `names` says what the report calls a lock. It is asked only if an entry's locks matter, once for
    /// each lock.
    pub(crate) fn permits(
        &self,
        finding: &Finding,
        names: &dyn Fn(&Lock) -> String,
    ) -> Option<Acceptance> {
        self.acceptance(&Facts::of(finding, names))
    }

    fn acceptance(&self, facts: &Facts<'_>) -> Option<Acceptance> {
        let all = self.entries.iter().chain(&self.baseline);
        let fitting: Vec<_> = all.filter(|entry| entry.fits(facts)).collect();
        fitting.iter().for_each(|entry| entry.used.mark());
        let reason = fitting.first()?.reason.clone();
        let by = fitting.iter().map(|entry| entry.origin.to_string()).collect();
        Some(Acceptance { reason, by })
    }

    /// Where the entries stand that have silenced nothing so far, but for those of the baseline: `file:line`.
    pub(crate) fn unused(&self) -> impl Iterator<Item = String> {
        unused(&self.entries)
    }
}

fn unused(entries: &[Entry]) -> impl Iterator<Item = String> {
    entries.iter().filter(|entry| !entry.used.get()).map(|entry| entry.origin.to_string())
}

fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    // Anything but a regular file, such as a pipe, could block us.
    match std::fs::metadata(path)?.is_file() {
        true => std::fs::read(path),
        false => Err(std::io::Error::other("it is not a regular file")),
    }
}
