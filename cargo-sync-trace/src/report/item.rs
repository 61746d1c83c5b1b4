//! One thing that was found.

use super::accepted::Accepted;
use crate::level::Level;
use crate::read::record::Site;
use serde_json::Value;

/// One thing that was found, by one process or by several together.
#[derive(Clone, Debug)]
pub struct Item {
    /// Such as `ST0001`.
    pub code: String,
    /// How sure it is.
    pub level: Level,
    /// How bad it is.
    pub severity: Severity,
    /// The same in every run that finds the same.
    pub fingerprint: String,
    /// In one sentence.
    pub title: String,
    /// One thing to do about it.
    pub help: String,
    /// What kept it from happening, in words, if anything did.
    pub condition: Option<String>,
    /// The whole report, as plain text.
    pub text: String,
    /// Who did what, in the order of the circle.
    pub strands: Vec<Strand>,
    /// The locks it is about.
    pub locks: Vec<ItemLock>,
    /// Where it was found: tests and processes.
    pub seen_in: Vec<String>,
    /// How often.
    pub times: usize,
    /// Whether its parts come from several processes.
    pub is_split: bool,
    /// The whole finding, as a process told it.
    pub finding: Option<Value>,
    /// Why it is accepted, if it is.
    pub accepted: Option<Accepted>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It fails something.
    Error,
    /// Nothing fails because of it.
    Warning,
}

impl Severity {
    /// The word that a report begins with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What one thread did.
#[derive(Clone, Debug)]
pub struct Strand {
    /// Who: the thread, and where it is known, its test and process.
    pub who: String,
    /// What it did, in order; the last is what it waits for or asks for.
    pub steps: Vec<Step>,
    /// The lock that it holds, and the one that it asks for, as reports call them.
    pub holds: Option<String>,
    /// See `holds`.
    pub wants: Option<String>,
}

/// One thing that a thread did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub site: Site,
    /// What, in words.
    pub what: String,
    /// The method that is called there, if it is a call.
    pub op: Option<String>,
}

/// A lock that an item is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemLock {
    /// The name it was given.
    pub name: Option<String>,
    /// What reports call it.
    pub label: String,
    /// Its kind and type, such as `std Mutex<u8>`.
    pub kind: String,
    /// Where it was created.
    pub created: Option<Site>,
}

impl Item {
    /// Every step of every thread.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.strands.iter().flat_map(|strand| &strand.steps)
    }

    /// The place to point at: the last step of the first thread, whose line is the user's own if any is.
    pub fn main_site(&self) -> Option<&Site> {
        let lasts = self.strands.iter().filter_map(|strand| strand.steps.last());
        let lasts = lasts.map(|step| &step.site);
        lasts.chain(self.steps().map(|step| &step.site)).find(|site| !site.is_unknown())
    }
}
