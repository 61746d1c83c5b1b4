//! Showing findings and dumps to a person.
//!
//! A finding is first told in words ([`story`]) and then laid out, with source snippets
//! (`pretty`) or without (`plain`); both lay out the same words, so neither can lose a fact. The
//! modules in reading order:
//!
//! - [`story`]: what the report says: a title, [`marks`] in the source, and facts;
//!   [`advice`] has its title and its one `help:`.
//! - [`names`] with [`guess`], and [`threads`]: what locks and threads are called.
//! - [`source`]: finds the source files, and checks that they are still what was compiled.
//! - [`words`]: durations, lists, aligned columns.
//! - `pretty` with `look` (whether to use colour), or `plain`: the layouts.
//! - [`mod@dump`]: everything that is held and waited for, in the manner of a thread dump.
//!
//! Nothing here prints, panics on odd input, or keeps anything after it returns.

mod advice;
#[cfg(test)]
mod cases;
mod dump;
mod guess;
#[cfg(feature = "pretty")]
mod look;
mod marks;
mod names;
#[cfg(any(test, not(feature = "pretty")))]
mod plain;
#[cfg(feature = "pretty")]
mod pretty;
mod source;
mod story;
mod threads;
mod words;

use crate::finding::{Dump, Finding};
use source::Sources;

/// The whole report for a panic message or a log: without colour, unless colour is forced.
pub(crate) fn text(finding: &Finding) -> String {
    #[cfg(feature = "pretty")]
    return pretty::render(finding, &Sources::new(), look::Look::captured());
    #[cfg(not(feature = "pretty"))]
    plain::render(finding, &Sources::new())
}

/// The whole report for the process's standard error, in colour if that is wanted there.
pub(crate) fn for_stderr(finding: &Finding) -> String {
    #[cfg(feature = "pretty")]
    return pretty::render(finding, &Sources::new(), look::Look::for_stderr());
    #[cfg(not(feature = "pretty"))]
    text(finding)
}

/// Everything that is held and waited for, a block for each thread.
pub(crate) fn dump(dump: &Dump) -> String {
    dump::render(dump, &Sources::new())
}
