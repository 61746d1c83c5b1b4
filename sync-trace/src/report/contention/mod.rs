//! Who makes whom wait, in the forms that people and programs read.
//!
//! - [`table`]: a table with the lines of the worst classes, and the advice.
//! - [`advice`]: a piece of advice as a sentence.
//! - [`folded`]: stacks for flame graphs, weighted by the time waited.
//! - [`json`] and [`prometheus`]: for programs.

mod advice;
mod folded;
mod json;
mod prometheus;
mod table;

use super::lock_namer;
use crate::contention::ClassStats;
use crate::finding::{LockKind, Mode, Site};

/// What classes are called.
fn class_namer() -> impl Fn(&ClassStats) -> String {
    let name = lock_namer();
    move |class| name(&class.as_lock())
}

/// A primitive, for programs.
fn kind_word(kind: LockKind) -> &'static str {
    match kind {
        LockKind::Mutex => "mutex",
        LockKind::RwLock => "rwlock",
        LockKind::Condvar => "condvar",
        LockKind::Once => "once",
        LockKind::OnceLock => "once_lock",
        LockKind::LazyLock => "lazy_lock",
        LockKind::Barrier => "barrier",
        LockKind::Channel => "channel",
        LockKind::Semaphore => "semaphore",
        LockKind::Thread => "thread",
    }
}

/// A mode, for programs.
fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "exclusive",
        Mode::Upgradable => "upgradable",
        Mode::Read => "read",
        Mode::RecursiveRead => "recursive_read",
    }
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
