//! Who makes whom wait, in the forms that people and programs read.
//!
//! - [`table`]: a table with the lines of the worst classes, and the advice.
//! - [`advice`]: a piece of advice as a sentence.
//! - [`folded`]: stacks for flame graphs, weighted by the time waited.
//! - [`json`] and [`prometheus`]: for programs.
//! - `metrics`: for the recorder of the crate of that name, as a feature.

mod advice;
mod folded;
mod json;
#[cfg(all(feature = "metrics", not(loom)))]
mod metrics;
mod prometheus;
mod table;

use super::lock_namer;
use crate::contention::ClassStats;
use crate::finding::Site;
use crate::json::Value;

/// What classes are called.
fn class_namer() -> impl Fn(&ClassStats) -> String {
    let name = lock_namer();
    move |class| name(&class.as_lock())
}

/// A kind or mode as programs know it: the word that JSON has for it.
fn word(value: impl Value) -> String {
    let mut word = String::new();
    value.write(&mut word);
    word.trim_matches('"').to_owned()
}

/// A line of waiters or holders.
fn line(site: Option<Site>) -> String {
    site.map_or_else(|| "not known".to_owned(), super::words::line_of)
}

/// A snapshot as text shows it.
#[cfg(test)]
fn example() -> crate::contention::Snapshot {
    crate::contention::advice_tests::with_all_advice()
}
