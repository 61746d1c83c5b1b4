//! What `assert_held!` and its like call.

use super::frame::is_enough;
use super::model::HeldMode;
use super::scope::{holds, recording};
use super::traced::{Locks, TracedLock};
use super::verdict;
use crate::finding::{Broken, Declared, LockId, Passage};
use crate::held::Held;
use crate::registry::LockHeader;
use crate::site::Site;

/// An assertion as its macro describes it.
#[derive(Clone, Copy, Debug)]
pub struct Assertion {
    /// The module that it stands in.
    pub module: &'static str,
    /// The macro's name.
    pub attribute: &'static str,
    /// Its arguments, as written.
    pub text: &'static str,
}

impl Assertion {
    #[track_caller]
    fn declared(&self) -> Declared {
        let site = Site::caller();
        let (file, line, column) = (site.file(), site.line(), site.column());
        let end = column + self.attribute.len() as u32;
        let passage = Passage { file, line, column, end };
        let parts = [Some(self.text), None];
        let Self { module: item, attribute, text } = *self;
        Declared { item, attribute, text, passage, name: None, parts, in_force: true }
    }
}

/// The calling thread holds `lock`: all of it, if it stands for several.
///
/// # Panics
///
/// With the report, if it does not.
#[track_caller]
pub fn assert_held<L: TracedLock + ?Sized>(
    assertion: &Assertion,
    lock: &L,
    mode: Option<HeldMode>,
) {
    let Some(agent) = recording() else { return };
    let holds = holds(agent);
    let is_held = |id: &LockId| {
        let is_it = |held: &Held| held.lock == *id && is_enough(held.access.mode, mode);
        holds.iter().any(is_it)
    };
    if !ids(lock).iter().all(is_held) {
        verdict::raise_assertion(agent, Broken::NotHeld, assertion.declared(), None, &holds);
    }
}

/// The calling thread does not hold `lock`, nor a part of it.
///
/// # Panics
///
/// With the report, if it does.
#[track_caller]
pub fn assert_not_held<L: TracedLock + ?Sized>(assertion: &Assertion, lock: &L) {
    let Some(agent) = recording() else { return };
    let (holds, ids) = (holds(agent), ids(lock));
    if let Some(held) = holds.iter().find(|held| ids.contains(&held.lock)) {
        verdict::raise_assertion(agent, Broken::Held, assertion.declared(), Some(held), &holds);
    }
}

/// The calling thread holds nothing.
///
/// # Panics
///
/// With the report, if it does.
#[track_caller]
pub fn assert_no_locks_held(assertion: &Assertion) {
    let Some(agent) = recording() else { return };
    let holds = holds(agent);
    if let Some(held) = holds.first() {
        verdict::raise_assertion(agent, Broken::Held, assertion.declared(), Some(held), &holds);
    }
}

/// The numbers of the locks that have been used. One that has none is held by nobody.
fn ids<L: TracedLock + ?Sized>(lock: &L) -> Vec<LockId> {
    let mut ids = Vec::new();
    let mut take = |header: Option<&LockHeader>| ids.extend(header.and_then(LockHeader::ensure_id));
    lock.locks(&mut Locks { take: &mut take });
    ids
}
