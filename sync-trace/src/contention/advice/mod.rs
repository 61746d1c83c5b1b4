//! What to do about locks that cost time, and the numbers that say so.
//!
//! Each piece of advice has a threshold, so that noise makes none: [`evidence`] describes all of them, and what has
//! to be seen for each. Who judges knows a class with its other modes, the [`subject`], and nothing else:
//!
//! - [`sections`]: what one line does under the lock takes too long, or takes no processor.
//! - [`split`]: many threads go through one lock all the time.
//! - [`readers`]: whether threads could read together, and whether they do.
//! - [`turns`]: in which order threads get it.
//! - [`starvation`]: who waits for very much longer than others.
//! - [`tries`], [`signals`]: tries and notifications that come to nothing.
//! - [`users`]: nobody else uses it.
//! - [`neighbours`]: others use what lies beside it.

mod evidence;
#[cfg(test)]
pub(crate) mod made;
mod neighbours;
mod readers;
mod sections;
mod signals;
mod split;
mod starvation;
mod subject;
mod tries;
mod turns;
mod users;

pub use evidence::Evidence;

use super::snapshot::{ClassStats, Snapshot};
use subject::Subject;

/// What to do about one class of locks, and why.
///
/// Displayed, it is a sentence.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Advice<'s> {
    /// The locks that it is about.
    pub class: &'s ClassStats,
    /// What was seen.
    pub evidence: Evidence,
}

/// Who gives advice about a class.
type Judge = fn(&Subject<'_>) -> Option<Evidence>;

/// In the order in which their advice about one class is shown.
const JUDGES: [Judge; 14] = [
    sections::one_holder,
    sections::one_section,
    sections::off_processor,
    split::busy_lock,
    readers::mostly_reads,
    readers::seldom_shared,
    turns::convoy,
    turns::barging,
    starvation::starvation,
    starvation::writers_wait,
    tries::tries_in_vain,
    signals::signals_in_vain,
    users::one_thread,
    neighbours::neighbours,
];

impl Snapshot {
    /// What the numbers suggest to do: for the classes that cost the most first.
    ///
    /// # Example
    ///
    /// ```
    /// for advice in sync_trace::contention().advice() {
    ///     println!("{advice}");
    /// }
    /// ```
    pub fn advice(&self) -> Vec<Advice<'_>> {
        let subjects = self.classes.iter().map(|class| Subject { class, snapshot: self });
        let advice = subjects.flat_map(|subject| {
            let evidence = JUDGES.iter().filter_map(move |judge| judge(&subject));
            evidence.map(move |evidence| Advice { class: subject.class, evidence })
        });
        advice.collect()
    }
}
