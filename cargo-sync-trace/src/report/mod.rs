//! What a run comes to, as data: what every format shows.
//!
//! In reading order: [`item`] (one thing that was found), `told` (from what a process found), `split` (from a circle
//! that no process saw whole), [`accepted`] (what the files accept).

pub mod accepted;
pub mod item;
mod split;
mod told;

use crate::level::Deny;
use crate::merge::Run;
use crate::source::Sources;
use accepted::{Accepted, Files};
use item::{Item, Severity};
use std::path::PathBuf;

/// What a run comes to.
#[derive(Debug)]
pub struct Report {
    /// Where the run is.
    pub dirs: Vec<PathBuf>,
    /// What was found, the surest first.
    pub items: Vec<Item>,
    /// Entries of `sync-trace.toml` that were of no use.
    pub unused: Vec<String>,
    /// Entries of the baseline that were of no use.
    pub unused_baseline: Vec<String>,
    /// Mistakes in these files.
    pub mistakes: Vec<String>,
    /// From which level on a finding fails the run.
    pub deny: Deny,
    /// The run itself.
    pub run: Run,
}

impl Report {
    /// Judges a run by the files that hold for it.
    pub fn new(dirs: Vec<PathBuf>, run: Run, files: Files, deny: Deny) -> Self {
        let sources = Sources::of(&run);
        let told = run.findings.iter().map(|finding| told::item(finding, &run));
        let split = run.inversions.inversions.iter();
        let split = split.map(|inversion| split::item(inversion, &run, &sources));
        let mut items: Vec<Item> = told.chain(split).collect();
        items.sort_by_key(|item| item.level);
        for item in &mut items {
            // What the files say now goes over what they said then.
            let now = files.permit(item);
            item.accepted = now.or(item.accepted.take());
        }
        let accepted = run.findings.iter().filter_map(|finding| finding.accepted.as_ref());
        let used = accepted.flat_map(|(_, by)| by.clone()).collect();
        let (unused, unused_baseline) = files.unused(&used);
        let mistakes = files.mistakes;
        Self { dirs, items, unused, unused_baseline, mistakes, deny, run }
    }

    /// Whether the run fails because of a finding.
    pub fn fails(&self) -> bool {
        self.items.iter().any(|item| self.is_denied(item))
    }

    /// Whether it fails because of this one.
    pub fn is_denied(&self, item: &Item) -> bool {
        item.accepted.is_none() && self.deny.denies(item.level)
    }

    /// What is not accepted.
    pub fn open(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.accepted.is_none())
    }

    /// What is, with the reason.
    pub fn accepted(&self) -> impl Iterator<Item = (&Item, &Accepted)> {
        self.items.iter().filter_map(|item| Some((item, item.accepted.as_ref()?)))
    }

    /// As what an item is shown: a warning that fails the run is an error.
    pub fn severity(&self, item: &Item) -> Severity {
        if self.is_denied(item) { Severity::Error } else { item.severity }
    }
}
