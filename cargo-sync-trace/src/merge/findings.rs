//! What processes found, the same finding of several once.

use super::processes::ProcessId;
use crate::level::Level;
use crate::read::record::{Accepted, Finding, Taken, Told};
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
    pub sightings: BTreeSet<Sighting>,
    /// Which of them the program knows of.
    pub taken: BTreeSet<Sighting>,
    /// Why processes have accepted it, and by which entries, if any has.
    pub accepted: Option<(String, Vec<String>)>,
}

/// The root threads of a process that take part.
pub type Sighting = (ProcessId, Vec<String>);

impl MergedFinding {
    /// How often it was found.
    pub fn times(&self) -> usize {
        self.sightings.len()
    }

    /// Whether the program knows of all of them: it has taken them, or a test expects them.
    pub fn is_taken(&self) -> bool {
        self.sightings.is_subset(&self.taken)
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
        let new = |finding: &Finding| MergedFinding {
            level,
            finding: finding.clone(),
            report: report.clone(),
            process,
            sightings: BTreeSet::new(),
            taken: BTreeSet::new(),
            accepted: None,
        };
        let key = (finding.code.clone(), finding.fingerprint.clone());
        let known = self.0.entry(key).or_insert_with(|| new(&finding));
        known.sightings.insert(sighting);
        let rank = |level, outcome: &str| (level, outcome == "noted");
        if rank(level, &finding.outcome) < rank(known.level, &known.finding.outcome) {
            (known.level, known.finding, known.report) = (level, finding, report);
            known.process = process;
        }
    }

    /// Adds what a process has accepted, by the entries that stand there.
    pub fn accept(&mut self, process: ProcessId, accepted: Accepted, by: Vec<String>) {
        let Accepted { finding, reason, .. } = accepted;
        let key = (finding.code.clone(), finding.fingerprint.clone());
        // Who has not accepted it, as it has another list, has told it with its report.
        let report = format!("note[{}]: {}", finding.code, finding.title);
        self.add(process, Told { finding, report });
        if let Some(known) = self.0.get_mut(&key) {
            let (_, all) = known.accepted.get_or_insert_with(|| (reason, Vec::new()));
            all.extend(by);
        }
    }

    /// The program has taken a finding that it has told before.
    pub fn take(&mut self, process: ProcessId, taken: Taken) {
        if let Some(known) = self.0.get_mut(&(taken.code, taken.fingerprint)) {
            known.taken.insert((process, taken.roots));
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
