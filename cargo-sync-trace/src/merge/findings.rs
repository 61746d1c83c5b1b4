//! What processes found, the same finding of several once.

use super::processes::ProcessId;
use crate::level::Level;
use crate::read::record::{Finding, Told};
use std::collections::{BTreeMap, BTreeSet};

/// A finding that one or more processes have told.
#[derive(Clone, Debug)]
pub struct MergedFinding {
    /// How sure the surest of them was.
    pub level: Level,
    /// What the surest one says; of equals, the first one.
    pub finding: Finding,
    /// Its report.
    pub report: String,
    /// Who told it first.
    pub process: ProcessId,
    /// Which root threads of which processes told it. A finding that is told when it is put off, and again when it is
    /// raised, is told once.
    pub sightings: BTreeSet<(ProcessId, Vec<String>)>,
}

impl MergedFinding {
    /// How often it was found.
    pub fn times(&self) -> usize {
        self.sightings.len()
    }

    /// Whether it fails nothing by itself.
    pub fn is_note(&self) -> bool {
        self.finding.outcome == "noted"
    }
}

/// All findings of a run, by their fingerprints.
#[derive(Debug, Default)]
pub struct Findings(BTreeMap<(String, String), MergedFinding>);

impl Findings {
    /// Adds what a process tells.
    pub fn add(&mut self, process: ProcessId, told: Told) {
        let Told { finding, report } = told;
        let level = Level::of(&finding.level);
        let sighting = (process, finding.roots.clone());
        let key = (finding.code.clone(), finding.fingerprint.clone());
        match self.0.entry(key) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                let sightings = BTreeSet::from([sighting]);
                entry.insert(MergedFinding { level, finding, report, process, sightings });
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                known.sightings.insert(sighting);
                let rank = |level, is_note| (level, is_note);
                let is_surer =
                    rank(level, finding.outcome == "noted") < rank(known.level, known.is_note());
                if is_surer {
                    (known.level, known.finding, known.report) = (level, finding, report);
                    known.process = process;
                }
            }
        }
    }

    /// Whether one with this code and fingerprint is there.
    pub fn has(&self, code: &str, fingerprint: &str) -> bool {
        self.0.contains_key(&(code.to_owned(), fingerprint.to_owned()))
    }

    /// All of them, the surest ones first.
    pub fn into_sorted(self) -> Vec<MergedFinding> {
        let mut all: Vec<_> = self.0.into_values().collect();
        all.sort_by_key(|finding| finding.level);
        all
    }
}
