//! One agent's account of its waits, and of its holds.
//!
//! Its owner writes it, and whoever takes a snapshot reads it, under a leaf mutex that is usually free. A
//! wait that ends is only noted, which takes no memory: the lock that was waited for has just been
//! taken, and others wait for it. It is counted when the agent next waits, or when somebody looks.
//!
//! An account is never given back. The record of an agent that has ended goes on to have it, also when another
//! agent uses the record: so nothing has to be moved when a thread ends, and nothing is lost or counted
//! twice.

use super::measured::Pace;
use super::section::Sample;
use super::stats::Ended;
use super::table::{Event, Row, Table, Wanted};
use super::tally::Counted;
use crate::atomics::{AtomicU32, AtomicU64, LeafGuard, Mutex, Ordering, const_fn, lock};
use crate::held::HeldStack;
use crate::own::Own;
use crate::spare::Spared;
#[cfg(not(loom))]
use crate::spare::is_locked;
#[cfg(not(loom))]
use crate::tracker::Tracker;

/// The account itself.
pub(crate) struct Account {
    state: Spared<Mutex<State>>,
    /// Which version the held stack will have when what was waited for last is pushed.
    waited: AtomicU64,
    /// How many waits pass before the next one is chosen; the owner's own: Relaxed.
    waits_left: AtomicU32,
    pace: Own<Pace>,
    /// Waits and holds that could not be counted: they ended inside the memory allocator, so that nothing could be
    /// allocated for them.
    lost: AtomicU64,
}

struct State {
    table: Table,
    /// The wait that has ended last, if it is not counted yet.
    ended: Option<(Wanted, Ended)>,
    /// The same of a hold that was measured.
    sampled: Option<(Wanted, Sample)>,
    /// What the agent had counted of its holds when everything was forgotten.
    forgotten: Vec<Counted>,
}

impl State {
    const fn new() -> Self {
        Self { table: Table::new(), ended: None, sampled: None, forgotten: Vec::new() }
    }

    fn settle(&mut self) {
        if let Some((wanted, ended)) = self.ended.take() {
            self.table.count(&wanted, &ended);
        }
        if let Some((wanted, sample)) = self.sampled.take() {
            self.table.sample(&wanted, &sample);
        }
    }
}

/// So much time is to lie between two of an agent's waits that are timed though they are soon over.
#[cfg(not(loom))]
const WAITS_PACE_NS: u64 = 100_000;
/// At most so many are counted for one of those.
#[cfg(not(loom))]
const WAITS_MEAN_MAX: u32 = 1024;

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
                state: Spared::new([Mutex::new(State::new()), Mutex::new(State::new())]),
                waited: AtomicU64::new(0),
                waits_left: AtomicU32::new(0),
                pace: Own::new(Pace::new()),
                lost: AtomicU64::new(0),
            }
        }
    }

    fn state(&self) -> &Mutex<State> {
        self.state.get()
    }

    /// This is the child of a fork, with no thread but the calling one. If another one was in here, what was counted is
    /// lost.
    #[cfg(not(loom))]
    pub(crate) fn remain_alone(&self) {
        self.state.remain_alone(is_locked);
    }

    /// A wait begins that may soon be over: if it is to be timed nevertheless, for how many it stands. Owner only.
    #[cfg(not(loom))]
    pub(super) fn chosen_wait(&self, tracker: &Tracker) -> Option<u32> {
        if tracker.contention.is_full() {
            return Some(1);
        }
        let left = self.waits_left.load(Ordering::Relaxed);
        if left > 0 {
            self.waits_left.store(left - 1, Ordering::Relaxed);
            return None;
        }
        // SAFETY: the calling thread acts for the agent.
        let mut pace = unsafe { self.pace.lend() }?;
        let weight = pace.weight();
        let others = pace.draw(tracker.now_ns(), WAITS_PACE_NS, WAITS_MEAN_MAX);
        self.waits_left.store(others, Ordering::Relaxed);
        Some(weight)
    }

    /// A wait begins: makes room to note its end. Owner only.
    pub(crate) fn make_room(&self) {
        lock(self.state()).settle();
    }

    /// A wait has ended, and what it was for will be pushed next, with this version of the held stack.
    pub(crate) fn end(&self, wanted: &Wanted, ended: &Ended, version: u64, memory: Memory) {
        // Others only read it beside the version of the stack, which they read before.
        self.waited.store(version, Ordering::Relaxed);
        let Some(mut state) = self.state_for(memory) else { return };
        // Another wait may have come inside this one, such as in a panic hook.
        if memory == Memory::MayBeTaken && state.ended.is_some() {
            state.settle();
        }
        if state.ended.is_none() {
            state.ended = Some((*wanted, *ended));
        } else {
            self.lose_one();
        }
    }

    /// The state, to count something. `None` if it is lost, because whoever looks on takes memory meanwhile, and the
    /// calling thread is inside the allocator.
    fn state_for(&self, memory: Memory) -> Option<LeafGuard<'_, State>> {
        match memory {
            Memory::MayBeTaken => Some(lock(self.state())),
            Memory::IsOutOfReach => {
                let state = self.state().try_lock().ok();
                if state.is_none() {
                    self.lose_one();
                }
                state
            }
        }
    }

    /// Owner only.
    fn lose_one(&self) {
        self.lost.store(self.lost.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// A hold that was measured has ended, while its lock is still had: counts it as [`end`](Self::end) does.
    pub(crate) fn sampled(&self, wanted: &Wanted, sample: &Sample, memory: Memory) {
        let Some(mut state) = self.state_for(memory) else { return };
        if memory == Memory::MayBeTaken && state.sampled.is_some() {
            state.settle();
        }
        if state.sampled.is_none() {
            state.sampled = Some((*wanted, *sample));
        } else {
            self.lose_one();
        }
    }

    /// Takes over what `held` has counted and had no memory for. Owner only; may take memory.
    pub(crate) fn drain(&self, held: &HeldStack) {
        if held.has_pending() {
            let mut state = lock(self.state());
            held.drain(|counted| state.table.hold(counted));
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

    /// Forgets everything, also what the `stacks` have counted.
    pub(crate) fn clear(&self, stacks: [&HeldStack; 2]) {
        let mut state = lock(self.state());
        let forgotten = counted(&stacks).0;
        let old = std::mem::replace(&mut *state, State::new());
        state.forgotten = forgotten;
        self.lost.store(0, Ordering::Relaxed);
        drop(state);
        drop(old);
    }

    /// Gives all rows, together with what the `stacks` have counted; and how many events could not be told apart,
    /// and not be counted.
    pub(super) fn look(&self, stacks: &[&HeldStack]) -> (Vec<Row>, u64, u64) {
        let mut state = lock(self.state());
        state.settle();
        // While the mutex is held, nothing goes from there into the table.
        let (counts, lost) = counted(stacks);
        let mut table = state.table.clone();
        counts.iter().for_each(|counted| table.hold(counted));
        state.forgotten.iter().for_each(|counted| table.forget(counted));
        let lost = lost + self.lost.load(Ordering::Relaxed);
        let rows = table.rows().filter(|row| !row.stats.is_empty()).cloned();
        (rows.collect(), table.folded, lost)
    }
}

/// What is still where it was counted.
fn counted(stacks: &[&HeldStack]) -> (Vec<Counted>, u64) {
    let (mut all, mut part, mut lost) = (Vec::new(), Vec::new(), 0);
    for stack in stacks {
        lost += stack.counted(&mut part);
        all.append(&mut part);
    }
    (all, lost)
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
        let ended = Ended { ns: 5, ..Ended::new(here) };
        let stacks = [HeldStack::new(), HeldStack::new()];
        let counted = || {
            let (rows, _, lost) = account.look(&stacks.each_ref());
            (rows.iter().map(|row| row.stats.waits.count()).sum::<u64>(), lost)
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
        account.clear(stacks.each_ref());
        assert_eq!(counted(), (0, 0));
    }

    #[test]
    fn a_fork_while_somebody_is_in_it_does_not_lock_it_for_ever() {
        let (account, here) = (Account::new(), Site::caller());
        let wanted = Wanted::new(LockId(1), ACCESS, Origin::unnamed(here));
        let failures = |account: &Account| {
            let (rows, _, _) = account.look(&[]);
            rows.iter().map(|row| row.stats.try_failures).sum::<u64>()
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
        account.clear([&HeldStack::new(), &HeldStack::new()]);
        assert_eq!(failures(&account), 0);
        drop(locked);
    }
}
