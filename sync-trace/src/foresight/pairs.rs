//! Condition variables that are used with two mutexes.
//!
//! `std` says that this may panic, and on platforms where a condition variable remembers its mutex it does.
//! Elsewhere it is as bad in another way: who waits with the one mutex can be notified between its look
//! at the condition and its wait by somebody who holds only the other one.
//!
//! A pool may give a condition variable a new mutex once the old one is gone. That is none of it, and a
//! lock does not tell that it is dropped. So a second mutex alone is a *suspicion*. It becomes a note once
//! the first mutex is seen while or after the second one was waited with: it is still held or waited for,
//! is waited with, or is taken again.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;

use crate::agent::Agent;
use crate::atomics::{Mutex, lock};
use crate::evidence::{lock_of, wait_for};
use crate::finding::{
    Code, Finding, Fingerprint, Level, LockId, LockKind, Outcome, Pairing, Participant, Wait,
};
use crate::held::Held;
use crate::op::{Mode, Op};
use crate::perturb::SCHEDULE;
use crate::registry::Access;
use crate::run::RUN;
use crate::site::Origin;
use crate::tracker;

/// A wait with a mutex, and who waits.
struct Use {
    mutex: LockId,
    agent: Participant,
    wait: Wait,
    root: Option<String>,
}

/// With which mutexes a condition variable was waited at.
struct Waited {
    origin: Origin,
    first: Use,
    second: Option<Use>,
    is_noted: bool,
}

static WAITED: LazyLock<DashMap<LockId, Waited>> = LazyLock::new(DashMap::new);
/// Of so many condition variables that is kept. Then all is forgotten.
const WAITED_MAX: usize = 65_536;

/// First mutexes of condition variables that have a second one, and those.
static SUSPECTS: Mutex<Vec<(LockId, LockId)>> = Mutex::new(Vec::new());
const SUSPECTS_MAX: usize = 64;
static IS_ANY_SUSPECT: AtomicBool = AtomicBool::new(false);

static NOTES: Mutex<Vec<Finding>> = Mutex::new(Vec::new());
const NOTES_MAX: usize = 1_000;

const CONDVAR: Access =
    Access { kind: LockKind::Condvar, type_name: || "", mode: Mode::Exclusive, op: Op::Wait };

/// `agent` is about to wait with the mutex `held` at the condition variable `condvar`, and did not do the
/// same the last time. `is_there` says whether any agent [is at](is_at) a lock.
pub(crate) fn waits(
    condvar: LockId,
    origin: Origin,
    held: &Held,
    agent: &Agent,
    is_there: impl Fn(LockId) -> bool,
) {
    let this = || Use {
        mutex: held.lock,
        agent: agent.participant(),
        wait: wait_for(held),
        root: agent.identity().root_name.as_deref().map(String::from),
    };
    if WAITED.len() >= WAITED_MAX {
        WAITED.clear();
    }
    let mut waited = WAITED.entry(condvar).or_insert_with(|| Waited {
        origin,
        first: this(),
        second: None,
        is_noted: false,
    });
    if waited.is_noted || (waited.first.mutex == held.lock && waited.second.is_none()) {
        return;
    }
    let is_new = |one: &Use| one.mutex != held.lock;
    if is_new(&waited.first) && waited.second.as_ref().is_none_or(is_new) {
        // Of three mutexes, the first may be gone, and the others not.
        if let Some(second) = waited.second.replace(this())
            && !is_there(waited.first.mutex)
        {
            waited.first = second;
        }
    }
    let first = waited.first.mutex;
    let mut noted = None;
    if first == held.lock || is_there(first) {
        noted = note(condvar, &mut waited);
    } else {
        suspect(first, condvar);
    }
    drop(waited);
    tell(noted);
}

/// Writes a new note to the run directory.
fn tell(noted: Option<Finding>) {
    if let Some(note) = noted {
        RUN.noted(&note, || tracker::global().accepts(&note));
    }
}

/// Whether the agent holds the lock or waits for it.
pub(crate) fn is_at(agent: &Agent, id: LockId) -> bool {
    let waits = || agent.wait.read().is_some_and(|published| published.wait.lock_id() == Some(id));
    let holds = || agent.holds().is_some_and(|held| held.iter().any(|held| held.lock == id));
    agent.is_live() && (waits() || holds())
}

fn suspect(mutex: LockId, condvar: LockId) {
    let mut suspects = lock(&SUSPECTS);
    if suspects.contains(&(mutex, condvar)) {
        return;
    }
    if suspects.len() >= SUSPECTS_MAX {
        suspects.remove(0);
    }
    suspects.push((mutex, condvar));
    IS_ANY_SUSPECT.store(true, Ordering::Relaxed);
}

/// Whether [`came_by`] may have something to do. Relaxed: who takes the mutex late is late.
pub(crate) fn is_any_suspect() -> bool {
    IS_ANY_SUSPECT.load(Ordering::Relaxed)
}

/// Somebody has taken this mutex, so it is still there.
pub(crate) fn came_by(mutex: LockId) {
    let condvars: Vec<LockId> = {
        let mut suspects = lock(&SUSPECTS);
        let of_it = suspects.iter().filter(|suspect| suspect.0 == mutex);
        let condvars = of_it.map(|suspect| suspect.1).collect();
        suspects.retain(|suspect| suspect.0 != mutex);
        IS_ANY_SUSPECT.store(!suspects.is_empty(), Ordering::Relaxed);
        condvars
    };
    for condvar in condvars {
        if let Some(mut waited) = WAITED.get_mut(&condvar)
            && waited.first.mutex == mutex
        {
            let noted = note(condvar, &mut waited);
            drop(waited);
            tell(noted);
        }
    }
}

/// Returns the note if there was none like it.
fn note(condvar: LockId, waited: &mut Waited) -> Option<Finding> {
    let second = waited.second.as_ref().filter(|_| !waited.is_noted)?;
    let of = |one: &Use| (one.agent.clone(), one.wait.clone());
    let pairing = Pairing {
        condvar: lock_of(condvar, &CONDVAR, waited.origin),
        waits: [of(&waited.first), of(second)],
    };
    let mut roots: Vec<String> =
        [&waited.first, second].into_iter().filter_map(|one| one.root.clone()).collect();
    roots.sort_unstable();
    roots.dedup();
    let finding = Finding {
        code: Code::TwoMutexes,
        level: Level::Misuse,
        fingerprint: Fingerprint::of_pairing(&pairing),
        links: Vec::new(),
        breach: None,
        pairing: Some(Box::new(pairing)),
        condition: None,
        outcome: Outcome::Noted,
        also_waiting: Vec::new(),
        roots,
        seed: SCHEDULE.seed(),
        tests: Vec::new(),
        root_ids: Vec::new(),
        raised_in_root: false,
        raised_by: None,
    };
    waited.is_noted = true;
    let mut notes = lock(&NOTES);
    // One for each place is enough, but each test is to hear of its own.
    let is_like = |one: &Finding| {
        one.fingerprint == finding.fingerprint
            && one.sites() == finding.sites()
            && one.roots == finding.roots
    };
    let is_news = notes.len() < NOTES_MAX && !notes.iter().any(is_like);
    is_news.then(|| {
        notes.push(finding.clone());
        finding
    })
}

/// The condition variables that were used with two mutexes.
pub(crate) fn notes() -> Vec<Finding> {
    lock(&NOTES).clone()
}

/// Forgets everything.
pub(crate) fn clear() {
    WAITED.clear();
    lock(&SUSPECTS).clear();
    IS_ANY_SUSPECT.store(false, Ordering::Relaxed);
    let old = std::mem::take(&mut *lock(&NOTES));
    drop(old);
}
