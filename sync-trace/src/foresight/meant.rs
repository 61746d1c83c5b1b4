//! What the calling thread means by what it takes now.

#[cfg(not(loom))]
use std::cell::Cell;
#[cfg(not(loom))]
use std::marker::PhantomData;

#[cfg(not(loom))]
use crate::agent::Agent;
#[cfg(not(loom))]
use crate::current::{self, Working};
#[cfg(not(loom))]
use crate::finding::LockId;
use crate::meaning::Meaning;

#[cfg(not(loom))]
thread_local! {
    static MEANT: Cell<Meaning> = const { Cell::new(Meaning::PLAIN) };
    /// Whether that is anything in particular.
    static IS_ANY: Cell<bool> = const { Cell::new(false) };
}

/// What it means. Nothing is ever meant in a model.
pub(crate) fn current() -> Meaning {
    #[cfg(not(loom))]
    return MEANT.get();
    #[cfg(loom)]
    Meaning::PLAIN
}

/// Whether it means anything in particular.
#[cfg(not(loom))]
pub(crate) fn is_any() -> bool {
    IS_ANY.get()
}

/// While it lives, the calling thread means something by what it takes.
#[cfg(not(loom))]
#[must_use]
pub(crate) struct Scope {
    before: Meaning,
    /// It speaks of the calling thread.
    _not_send: PhantomData<*mut ()>,
}

#[cfg(not(loom))]
impl Scope {
    pub(crate) fn enter(meaning: Meaning) -> Self {
        Self { before: change_to(meaning), _not_send: PhantomData }
    }
}

#[cfg(not(loom))]
impl Drop for Scope {
    fn drop(&mut self) {
        change_to(self.before);
    }
}

/// Returns what was meant before.
#[cfg(not(loom))]
fn change_to(meaning: Meaning) -> Meaning {
    let before = MEANT.get();
    let change = || {
        MEANT.set(meaning);
        IS_ANY.set(!meaning.is_plain());
    };
    if before != meaning {
        match present() {
            Some(agent) => {
                let _working = Working::begin();
                agent.mean(change);
            }
            // A thread that has no agent holds nothing that could be meant in one way or another.
            None => change(),
        }
    }
    before
}

/// The calling thread's agent, also while it is muted, if what is known of its holds may be looked at.
#[cfg(not(loom))]
fn present() -> Option<&'static Agent> {
    current::home().filter(|_| !current::is_working() && !current::is_in_allocator())
}

/// What was meant by the calling thread's newest hold of `lock`, which is about to be given up for a
/// while.
#[cfg(not(loom))]
pub(crate) fn of_hold(lock: LockId) -> Meaning {
    present().map_or(Meaning::PLAIN, |agent| {
        let _working = Working::begin();
        agent.meaning_of(lock)
    })
}

/// That hold is back, and this is meant by it as before.
#[cfg(not(loom))]
pub(crate) fn again(meaning: Meaning) {
    if meaning != MEANT.get()
        && let Some(agent) = present()
    {
        let _working = Working::begin();
        agent.mean_again(&meaning);
    }
}
