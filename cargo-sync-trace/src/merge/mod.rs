//! One run out of the files of its processes.
//!
//! In reading order: [`processes`], [`classes`], [`orders`] and [`findings`] (what is kept), `gather` (how a file is
//! taken in), [`inversions`] (circles of orders of which no process has seen the whole).
//!
//! Files are read one by one, and memory is proportional to what differs between them: classes, orders with three
//! sightings each and one bit for each process, and findings.

pub mod classes;
pub mod findings;
mod gather;
pub mod inversions;
pub mod orders;
pub mod processes;
#[cfg(test)]
mod tests;

use crate::read::problem::Problem;
use crate::read::record::Declaration;
use classes::Classes;
use findings::{Findings, MergedFinding};
use inversions::Search;
use orders::Orders;
use processes::{Process, ProcessId};
use std::collections::{BTreeMap, HashMap};

/// What has been taken in so far.
#[derive(Debug, Default)]
pub struct Gathered {
    processes: Vec<Process>,
    classes: Classes,
    orders: Orders,
    findings: Findings,
    declarations: HashMap<Declaration, u64>,
    contention: BTreeMap<Vec<String>, u64>,
    limits: BTreeMap<String, u64>,
    unwritten: u64,
    problems: Vec<Problem>,
    unknown: BTreeMap<String, u64>,
    bytes: u64,
}

/// A run, as all its processes together saw it.
#[derive(Debug)]
pub struct Run {
    /// The processes, in the order of their files.
    pub processes: Vec<Process>,
    /// The classes of locks.
    pub classes: Classes,
    /// The orders of classes.
    pub orders: Orders,
    /// What processes found, the surest first.
    pub findings: Vec<MergedFinding>,
    /// Circles of orders that no process saw whole.
    pub inversions: Search,
    /// What attributes declare, and how many processes have told it.
    pub declarations: HashMap<Declaration, u64>,
    /// For how many nanoseconds was waited, by call stack. Empty where nobody has told that.
    pub contention: BTreeMap<Vec<String>, u64>,
    /// What processes did not record or not look at.
    pub limits: BTreeMap<String, u64>,
    /// How many orders were too many to be told.
    pub unwritten: u64,
    /// What was wrong with the files.
    pub problems: Vec<Problem>,
    /// How many records were passed over, by kind, because this version does not know them.
    pub unknown: BTreeMap<String, u64>,
    /// How much has been read.
    pub bytes: u64,
}

impl Gathered {
    /// Judges what has been taken in.
    pub fn finish(self) -> Run {
        let told = |code: &str, fingerprint: &str| self.findings.has(code, fingerprint);
        let inversions = inversions::search(&self.classes, &self.orders, &told);
        Run {
            inversions,
            processes: self.processes,
            classes: self.classes,
            orders: self.orders,
            findings: self.findings.into_sorted(),
            declarations: self.declarations,
            contention: self.contention,
            limits: self.limits,
            unwritten: self.unwritten,
            problems: self.problems,
            unknown: self.unknown,
            bytes: self.bytes,
        }
    }
}

impl Run {
    /// A process by its number.
    pub fn process(&self, id: ProcessId) -> &Process {
        &self.processes[id.0 as usize]
    }
}
