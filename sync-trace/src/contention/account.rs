//! One agent's account of its waits.
//!
//! Its owner writes it, and whoever takes a snapshot reads it, under a leaf mutex that is usually free. A
//! wait that ends is only noted, which takes no memory: the lock that was waited for has just been
//! taken, and others wait for it. It is counted when the agent next waits, or when somebody looks.
//!
//! An account is never given back. The record of an agent that has ended goes on to have it, also when another
//! agent uses the record: so nothing has to be moved when a thread ends, and nothing is lost or counted
//! twice.

#[cfg(not(loom))]
use std::sync::TryLockError;

use super::stats::Ended;
use super::table::{Event, Row, Table, Wanted};
use crate::atomics::{AtomicBool, AtomicU64, Mutex, Ordering, const_fn, lock};

/// The account itself.
pub(crate) struct Account {
    /// The second one takes the place of the first where that is locked for ever.
    states: [Mutex<State>; 2],
    /// Which of them it is.
    is_second: AtomicBool,
    /// Which version the held stack will have when what was waited for last is pushed.
    waited: AtomicU64,
}

struct State {
    table: Table,
    /// The wait that has ended last, if it is not counted yet.
    ended: Option<(Wanted, Ended)>,
    /// Waits that could not be counted: they ended inside the memory allocator, so that nothing could be
    /// allocated for them.
    lost: u64,
}

impl State {
    const fn new() -> Self {
        Self { table: Table::new(), ended: None, lost: 0 }
    }

    fn settle(&mut self) {
        if let Some((wanted, ended)) = self.ended.take() {
            self.table.count(&wanted, &ended);
        }
    }
}

/// Whether what is counted may take memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    MayBeTaken,
    /// The thread is inside its allocator.
    IsOutOfReach,
}

impl Account {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                states: [Mutex::new(State::new()), Mutex::new(State::new())],
                is_second: AtomicBool::new(false),
                waited: AtomicU64::new(0),
            }
        }
    }

    fn state(&self) -> &Mutex<State> {
        // Set while there is one thread only, which starts all others: Relaxed.
        &self.states[usize::from(self.is_second.load(Ordering::Relaxed))]
    }

    /// This is the child of a fork, with no thread but the calling one. If another one was in here, what was counted is
    /// lost, and what comes is counted beside it.
    #[cfg(not(loom))]
    pub(crate) fn remain_alone(&self) {
        if matches!(self.state().try_lock(), Err(TryLockError::WouldBlock)) {
            self.is_second.store(true, Ordering::Relaxed);
        }
    }

    /// A wait begins: makes room to note its end. Owner only.
    pub(crate) fn make_room(&self) {
        lock(self.state()).settle();
    }

    /// A wait has ended, and what it was for will be pushed next, with this version of the held stack.
    pub(crate) fn end(&self, wanted: &Wanted, ended: &Ended, version: u64, memory: Memory) {
        // Others only read it beside the version of the stack, which they read before.
        self.waited.store(version, Ordering::Relaxed);
        let mut state = lock(self.state());
        // Another wait may have come inside this one, such as in a panic hook.
        if memory == Memory::MayBeTaken && state.ended.is_some() {
            state.settle();
        }
        if state.ended.is_none() {
            state.ended = Some((*wanted, *ended));
        } else {
            state.lost += 1;
        }
    }

    /// Whether the hold that was pushed with this version had been waited for.
    pub(crate) fn has_waited_for(&self, version: u64) -> bool {
        self.waited.load(Ordering::Relaxed) == version
    }

    /// Something else has happened.
    pub(crate) fn note(&self, wanted: &Wanted, event: Event) {
        lock(self.state()).table.note(wanted, event);
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let old = std::mem::replace(&mut *lock(self.state()), State::new());
        drop(old);
    }

    /// Calls `see` with all rows, and returns how many events could not be told apart, and not be counted.
    pub(super) fn look(&self, see: impl FnMut(&Row)) -> (u64, u64) {
        let mut state = lock(self.state());
        state.settle();
        state.table.rows().for_each(see);
        (state.table.folded, state.lost)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::finding::LockId;
    use crate::registry::tests::ACCESS;
    use crate::site::{Origin, Site};

    #[test]
    fn a_wait_that_has_ended_is_counted_once_whoever_comes_first() {
        let (account, here) = (Account::new(), Site::caller());
        let wanted = Wanted::new(LockId(1), ACCESS, Origin::unnamed(here));
        let (was_handed_on, has_timed_out) = (false, false);
        let ended = Ended { waiter: here, holder: None, was_handed_on, has_timed_out, ns: 5 };
        let counted = || {
            let mut waits = 0;
            let (_, lost) = account.look(|row| waits += row.stats.waits.count());
            (waits, lost)
        };
        account.end(&wanted, &ended, 1, Memory::MayBeTaken);
        assert_eq!([counted(), counted()], [(1, 0), (1, 0)]);
        account.end(&wanted, &ended, 2, Memory::MayBeTaken);
        account.make_room();
        assert_eq!(counted(), (2, 0));
        // One inside the other.
        account.end(&wanted, &ended, 3, Memory::MayBeTaken);
        account.end(&wanted, &ended, 4, Memory::MayBeTaken);
        assert_eq!(counted(), (4, 0));
        // Inside the allocator.
        account.end(&wanted, &ended, 5, Memory::IsOutOfReach);
        account.end(&wanted, &ended, 6, Memory::IsOutOfReach);
        assert_eq!(counted(), (5, 1));
        assert!(account.has_waited_for(6) && !account.has_waited_for(5));
        account.clear();
        assert_eq!(counted(), (0, 0));
    }

    #[test]
    fn a_fork_while_somebody_is_in_it_does_not_lock_it_for_ever() {
        let (account, here) = (Account::new(), Site::caller());
        let wanted = Wanted::new(LockId(1), ACCESS, Origin::unnamed(here));
        let failures = |account: &Account| {
            let mut failures = 0;
            account.look(|row| failures += row.stats.try_failures);
            failures
        };
        account.note(&wanted, Event::TryFailed);
        // Nobody is in it: nothing is lost.
        account.remain_alone();
        assert_eq!(failures(&account), 1);
        let locked = lock(account.state());
        account.remain_alone();
        account.make_room();
        account.note(&wanted, Event::TryFailed);
        account.note(&wanted, Event::TryFailed);
        assert_eq!(failures(&account), 2);
        account.clear();
        assert_eq!(failures(&account), 0);
        drop(locked);
    }
}
