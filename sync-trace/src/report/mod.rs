//! Showing findings and dumps to a person.
//!
//! A finding is first told in words ([`story`]) and then laid out, with source snippets
//! (`pretty`) or without ([`plain`]). The modules in reading order:
//!
//! - [`cast`]: who and what takes part; [`names`] with [`guess`], and [`threads`]: what they are
//!   called.
//! - [`story`]: what the report says. Its [`verdict`], with the title and the one `help:`, comes from
//!   [`advice`] (and [`standstill`], where signals take part) for what has happened and from [`inversion`] for what could.
//! - [`orders`] and [`reasons`], for what could happen: in which orders locks were taken, and why that
//!   can be a deadlock or what kept it from being one.
//! - `marks`: the labels in the source.
//! - [`source`]: finds the source files, and checks that they are still what was compiled.
//! - [`words`]: durations, lists, aligned columns.
//! - `pretty` with `look` (whether to use colour), and [`plain`]: the layouts.
//! - [`json`]: the same for other programs.
//! - `contention`: who makes whom wait, as a table and for programs.
//! - [`mod@dump`]: everything that is held and waited for, in the manner of a thread dump.
//!
//! Nothing here prints, panics on odd input, or keeps anything after it returns.

mod advice;
#[cfg(test)]
pub(crate) mod cases;
mod cast;
#[cfg(not(loom))]
mod contention;
mod declared;
mod dump;
mod giving;
mod guess;
mod inversion;
mod json;
#[cfg(feature = "pretty")]
mod look;
#[cfg(feature = "pretty")]
mod marks;
mod names;
mod observed;
mod orders;
mod pairing;
mod plain;
#[cfg(feature = "pretty")]
mod pretty;
mod reasons;
mod source;
mod standstill;
mod statements;
mod story;
mod threads;
mod verdict;
mod words;

use std::fmt;

#[cfg(not(loom))]
use crate::finding::Stalled;
use crate::finding::{Dump, Finding, Lock, Outcome};
use names::LockNames;
use source::Sources;

pub(crate) use cast::{held, locks};
pub(crate) use names::kind;
#[cfg(not(loom))]
pub(crate) use observed::render as observed;

/// The whole report for a panic message or a log: without colour, unless colour is forced, and
/// without a line break at its end.
pub(crate) fn text(finding: &Finding) -> String {
    #[cfg(feature = "pretty")]
    return pretty::render(finding, &Sources::new(), look::Look::captured());
    #[cfg(not(feature = "pretty"))]
    plain::render(finding, &Sources::new())
}

/// The whole report without colour, whatever is forced: for a file.
pub(crate) fn plain_text(finding: &Finding) -> String {
    #[cfg(feature = "pretty")]
    return pretty::render(finding, &Sources::new(), look::Look::default());
    #[cfg(not(feature = "pretty"))]
    plain::render(finding, &Sources::new())
}

/// What the process's standard error is told, with a line break at its end: the whole report, in
/// colour if that is wanted there, or a short form if the whole follows as a panic message.
pub(crate) fn for_stderr(finding: &Finding) -> String {
    let text = match finding.outcome {
        Outcome::Panicked => plain::compact(finding, &Sources::new()),
        #[cfg(feature = "pretty")]
        _ => pretty::render(finding, &Sources::new(), look::Look::for_stderr()),
        #[cfg(not(feature = "pretty"))]
        _ => text(finding),
    };
    text + "\n"
}

/// What is said when threads begin to be held up at random.
#[cfg(not(loom))]
pub(crate) fn perturbed_from_now(seed: u64) -> String {
    format!("note: sync-trace perturbs the schedule with {}", words::seed(seed))
}

/// Waits that last long and keep others waiting.
#[cfg(not(loom))]
pub(crate) fn stalled(stall: &Stalled) -> String {
    dump::stalled(stall, &Sources::new())
}

/// Everything that is held and waited for, a block for each thread.
pub(crate) fn dump(dump: &Dump) -> String {
    dump::render(dump, &Sources::new())
}

/// What reports call a lock, without the number that tells it from others of the same name. A source file
/// is read once, when it is first needed.
pub(crate) fn lock_namer() -> impl Fn(&Lock) -> String {
    let sources = Sources::new();
    move |lock| LockNames::shared(std::iter::once(lock), &sources).of(lock).to_owned()
}

impl Finding {
    /// The finding as JSON, on one line: all that it says, with a title and advice.
    ///
    /// `docs/run-directory.md` in the repository describes it, and
    /// `docs/run-directory.schema.json` does so for programs. Members may be added in later versions;
    /// what is there keeps its meaning. It reads source files, as the report does, to find out what locks
    /// are called that have no name.
    ///
    /// # Example
    ///
    /// ```
    /// sync_trace::set_handler(|finding| println!("{}", finding.to_json()));
    /// ```
    pub fn to_json(&self) -> String {
        json::render(self, &Sources::new())
    }
}

impl fmt::Display for Finding {
    /// The whole report, without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self))
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dump(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Deferred, Ended, Logged, Noted, Panicked};

    #[test]
    fn only_what_is_printed_ends_with_a_line_break() {
        for mut finding in cases::all() {
            for outcome in [Panicked, Ended, Logged, Deferred, Noted] {
                finding.outcome = outcome;
                assert!(!text(&finding).ends_with('\n'));
                let printed = for_stderr(&finding);
                assert!(printed.ends_with('\n') && !printed.ends_with("\n\n"));
                let is_short =
                    printed.contains("the whole report is the panic message of thread '");
                let is_panic = outcome == Panicked;
                assert_eq!(is_short, is_panic && finding.links[0].agent.name.is_some());
            }
        }
    }
}
