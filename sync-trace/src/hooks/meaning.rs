//! The verbs for what the program means by taking several locks of one class.

use crate::agent::Agent;
use crate::config::OnViolation;
use crate::current::{self, Working};
use crate::finding::Mode;
use crate::foresight::meant::{self, Scope};
use crate::held::Held;
use crate::meaning::{Meaning, Outer};
use crate::os;
use crate::registry::LockHeader;
use crate::site::Site;
use crate::tracker;

/// Until the result is dropped the calling thread means by what it takes what it meant so far, and what
/// `add` adds to that.
pub(crate) fn mean(add: impl FnOnce(&mut Meaning)) -> Scope {
    let mut meaning = meant::current();
    add(&mut meaning);
    Scope::enter(meaning)
}

/// What was meant by a hold that is given up for a while.
#[derive(Clone, Copy)]
pub(crate) struct Meant(Meaning);

impl Meant {
    /// The newest hold of `lock` is about to be given up.
    #[inline]
    pub(crate) fn by_hold_of(lock: &LockHeader) -> Self {
        Self(lock.number().map_or(Meaning::PLAIN, meant::of_hold))
    }

    /// The lock was just taken again.
    #[inline]
    pub(crate) fn again(self) {
        meant::again(self.0);
    }
}

/// The calling thread says, at `site`, that it holds `lock` alone, and that this keeps others away. It
/// has a reference to the guard.
///
/// # Panics
///
/// If another thread has taken the guard, and the reaction is to panic.
#[track_caller]
pub(crate) fn outer(lock: &LockHeader, site: Site) -> Outer {
    let Some(id) = lock.number() else { return Outer::Unrecorded };
    let is_it = |held: &Held| held.lock == id && held.access.mode == Mode::Exclusive;
    let mut is_own = false;
    if let Some(agent) = current::home() {
        agent.held.for_each(|held| is_own |= is_it(&held));
    }
    if is_own {
        return Outer::Lock(id);
    }
    let working = Working::begin();
    let hold = |owner: &Agent| owner.holds().into_iter().flatten().find(is_it);
    match lock.owner().and_then(|owner| Some((owner, hold(owner)?))) {
        // Taken while the thread was muted: nobody is on record.
        None => Outer::Unrecorded,
        Some((owner, hold)) => {
            let text = not_held(owner, &hold, site);
            drop(working);
            complain(&text, lock.reaction());
            Outer::Lock(id)
        }
    }
}

/// What is wrong if `owner` has the lock.
fn not_held(owner: &Agent, hold: &Held, site: Site) -> String {
    let lock = match hold.created.name() {
        Some(name) => format!("`{name}`"),
        None => format!("the {} created at {}", hold.access.kind, hold.created.site()),
    };
    let owner = owner.participant();
    let owner = match owner.name {
        Some(name) => format!("'{name}'"),
        None => format!("thread {}", owner.id),
    };
    format!(
        "error: `order::under` at {site} is given the guard of {lock}, which this thread does not hold: \
         {owner} took it at {}\n  \
         help: state it in the thread that has taken the guard: one that only borrows it is not kept \
         apart from others that do",
        hold.site
    )
}

/// A mistake in what is stated, and no finding. The lock that it speaks of may have a reaction of its own.
#[track_caller]
fn complain(text: &str, own: Option<OnViolation>) {
    match own.unwrap_or_else(|| tracker::global().config().on_violation) {
        OnViolation::Panic if !std::thread::panicking() => panic!("{text}"),
        OnViolation::Panic | OnViolation::Log => os::write_stderr(&format!("{text}\n")),
        OnViolation::Abort => {
            os::write_stderr(&format!("{text}\n"));
            std::process::abort();
        }
    }
}
