//! A counting semaphore that serves first come, first served: the algorithm. It knows nothing of tracing.
//!
//! # The state word
//!
//! | bits | meaning |
//! |---|---|
//! | 0 | closed: nobody gets a permit any more |
//! | 1 | somebody is in the queue: what is free is for who came first |
//! | 2– | how many permits are free; the highest bit is never set |
//!
//! Permits are taken and given back with one atomic operation each while nobody waits. Who finds too few
//! of them, or somebody in the queue, goes to the end of the queue. What is given back is always added
//! to the word. Whoever added it there and found the queue's bit set serves the queue: as long as there are
//! enough free permits for the first one, it takes them out of the word in that one's place, and tells it.
//! So a large request is not starved by small ones, and who gives up waiting has nothing to hand back:
//! only the next one may be served by what it would not have been enough for.
//!
//! # Why nobody is forgotten
//!
//! The bit is set and cleared under the queue's mutex. Who sets it does so by a compare-and-swap with too
//! few permits in the word; so who adds some either came before that, and they were counted, or finds the bit
//! set and takes the mutex. The bit is cleared by the operation that takes the permits for the last one,
//! or when the last one leaves.
//!
//! # Memory ordering
//!
//! Permits are added with Release and taken with Acquire, and everything in between is a read-modify-write:
//! what came before a permit was given back comes before what follows the acquisition that got it. One that
//! is taken in the place of a waiting thread is handed on through the mutex of its turn.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::atomics::{AtomicUsize, Condvar, Mutex, Ordering, const_fn, lock};

const CLOSED: usize = 1;
const QUEUED: usize = 1 << 1;
const SHIFT: u32 = 2;

/// How many permits there may be.
pub(crate) const MAX: usize = usize::MAX >> 3;

/// How often a permit that is not there is looked for before the thread goes to sleep: about as often as `std`'s
/// mutex looks.
const PAUSES: u32 = 100;

/// The semaphore.
pub(crate) struct RawSemaphore {
    state: AtomicUsize,
    /// Who waits, the one that came first in front. A leaf lock.
    queue: Mutex<VecDeque<Arc<Turn>>>,
}

/// Why there is no permit at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There are too few, or others came first.
    NoPermits,
    Closed,
}

/// Why waiting was in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    TimedOut,
    Closed,
}

/// The place of one thread in the queue.
struct Turn {
    /// How many permits it needs. Never 0.
    permits: usize,
    /// What became of it, once it is not in the queue any more.
    outcome: Mutex<Option<Result<(), Failed>>>,
    told: Condvar,
}

impl RawSemaphore {
    const_fn! {
        /// One with so many free permits.
        #[track_caller]
        pub(crate) fn new(permits: usize) -> Self {
            assert!(permits <= MAX, "a semaphore may not have more than MAX_PERMITS permits");
            Self { state: AtomicUsize::new(permits << SHIFT), queue: Mutex::new(VecDeque::new()) }
        }
    }

    /// How many permits are free.
    pub(crate) fn available(&self) -> usize {
        self.state.load(Ordering::Relaxed) >> SHIFT
    }

    /// Whether it is closed. Acquire pairs with the Release in [`close`](Self::close).
    pub(crate) fn is_closed(&self) -> bool {
        self.state.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Takes so many permits if they are free and nobody came first.
    #[inline]
    pub(crate) fn try_take(&self, permits: usize) -> Result<(), Refused> {
        // Acquire, as in `is_closed`.
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state & (CLOSED | QUEUED) != 0 || state >> SHIFT < permits {
                return refusal(state, permits);
            }
            let wanted = state - (permits << SHIFT);
            // Acquire pairs with the Release in `give`.
            let order = (Ordering::Acquire, Ordering::Acquire);
            match self.state.compare_exchange_weak(state, wanted, order.0, order.1) {
                Ok(_) => return Ok(()),
                Err(now) => state = now,
            }
        }
    }

    /// The same for what may be free in a moment.
    pub(crate) fn take_soon(&self, permits: usize) -> Result<(), Refused> {
        for _ in 0..PAUSES {
            // A look first: a try takes the cache line away from whoever is about to give a permit back.
            let state = self.state.load(Ordering::Relaxed);
            if state & QUEUED != 0 {
                break;
            }
            if state & CLOSED != 0 || state >> SHIFT >= permits {
                return self.try_take(permits);
            }
            std::hint::spin_loop();
        }
        self.try_take(permits)
    }

    /// Takes so many permits, and waits for them if it has to.
    pub(crate) fn take(&self, permits: usize, deadline: Option<Instant>) -> Result<(), Failed> {
        let Some(turn) = self.queue_up(permits)? else { return Ok(()) };
        if let Some(outcome) = turn.wait(deadline) {
            return outcome;
        }
        if self.leave(&turn) {
            return Err(Failed::TimedOut);
        }
        // It is not in the queue any more, so it is being told.
        turn.wait(None).expect("there is no deadline")
    }

    /// Goes to the end of the queue, unless there are permits enough and nobody waits.
    fn queue_up(&self, permits: usize) -> Result<Option<Arc<Turn>>, Failed> {
        let turn = Turn { permits, outcome: Mutex::new(None), told: Condvar::new() };
        let turn = Arc::new(turn);
        let mut queue = lock(&self.queue);
        loop {
            match self.try_take(permits) {
                Ok(()) => return Ok(None),
                Err(Refused::Closed) => return Err(Failed::Closed),
                Err(Refused::NoPermits) => {}
            }
            // Some may have been given back since. Nothing is read that others have written: Relaxed.
            let queues = |state: usize| {
                let is_refused = state & QUEUED != 0 || state >> SHIFT < permits;
                (state & CLOSED == 0 && is_refused).then_some(state | QUEUED)
            };
            let update = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, queues);
            if update.is_ok() {
                queue.push_back(Arc::clone(&turn));
                return Ok(Some(turn));
            }
        }
    }

    /// Leaves the queue. False if the turn has come already.
    fn leave(&self, turn: &Arc<Turn>) -> bool {
        let mut queue = lock(&self.queue);
        let Some(at) = queue.iter().position(|other| Arc::ptr_eq(other, turn)) else {
            return false;
        };
        queue.remove(at);
        // Who comes first now may need less.
        let next = self.next(&mut queue);
        drop(queue);
        self.tell(next);
        true
    }

    /// Gives so many permits back, or new ones.
    ///
    /// # Panics
    ///
    /// If there would be more than [`MAX`] free ones.
    #[inline]
    #[track_caller]
    pub(crate) fn give(&self, permits: usize) {
        if permits == 0 {
            return;
        }
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if permits > MAX - (state >> SHIFT) {
                too_many(permits);
            }
            let wanted = state + (permits << SHIFT);
            // Release pairs with the Acquire of whoever takes them.
            let order = (Ordering::Release, Ordering::Relaxed);
            match self.state.compare_exchange_weak(state, wanted, order.0, order.1) {
                Ok(_) if state & QUEUED != 0 => return self.serve(),
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
    }

    /// Takes up to so many free permits away for good. Returns how many that were.
    pub(crate) fn remove(&self, permits: usize) -> usize {
        let mut removed = 0;
        let less = |state: usize| {
            removed = permits.min(state >> SHIFT);
            Some(state - (removed << SHIFT))
        };
        let update = self.state.fetch_update(Ordering::Acquire, Ordering::Acquire, less);
        update.expect("it always changes");
        removed
    }

    /// From here on nobody gets a permit, and who waits is told so.
    pub(crate) fn close(&self) {
        let mut queue = lock(&self.queue);
        let closed = |state| Some((state | CLOSED) & !QUEUED);
        // Release pairs with the Acquire of whoever finds it closed.
        let update = self.state.fetch_update(Ordering::Release, Ordering::Relaxed, closed);
        update.expect("it always changes");
        let waiting = std::mem::take(&mut *queue);
        drop(queue);
        waiting.iter().for_each(|turn| turn.tell(Err(Failed::Closed)));
    }

    /// Permits were added while somebody waited.
    #[cold]
    #[inline(never)]
    fn serve(&self) {
        let next = self.next(&mut lock(&self.queue));
        self.tell(next);
    }

    /// Tells `next` that it has its permits, and all after it for whom there are enough.
    fn tell(&self, mut next: Option<Next>) {
        while let Some(Next { turn, is_last }) = next {
            turn.tell(Ok(()));
            // Not while the mutex is held: the thread that was told may come back to it.
            next = if is_last { None } else { self.next(&mut lock(&self.queue)) };
        }
    }

    /// Takes the permits for the one that came first, if there are enough, and takes it out of the
    /// queue.
    fn next(&self, queue: &mut VecDeque<Arc<Turn>>) -> Option<Next> {
        let Some(first) = queue.front() else {
            // Nothing is handed on: Relaxed. As a read-modify-write it lets others do so across it.
            self.state.fetch_and(!QUEUED, Ordering::Relaxed);
            return None;
        };
        let is_last = queue.len() == 1;
        let taken = |state: usize| {
            let rest = state.checked_sub(first.permits << SHIFT)?;
            Some(if is_last { rest & !QUEUED } else { rest })
        };
        // Acquire pairs with the Release in `give`, for the thread that is told.
        self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, taken).ok()?;
        queue.pop_front().map(|turn| Next { turn, is_last })
    }
}

/// Whose turn has come.
struct Next {
    turn: Arc<Turn>,
    /// Nobody came after it.
    is_last: bool,
}

/// Why `state` has no such permits to take; none at all can always be had, unless it is closed.
#[cold]
#[inline(never)]
fn refusal(state: usize, permits: usize) -> Result<(), Refused> {
    match state & CLOSED {
        0 if permits == 0 => Ok(()),
        0 => Err(Refused::NoPermits),
        _ => Err(Refused::Closed),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn too_many(permits: usize) -> ! {
    panic!("number of added permits ({permits}) would overflow MAX_PERMITS ({MAX})");
}

impl Turn {
    /// What becomes of it; `None` if that is not known in time.
    fn wait(&self, deadline: Option<Instant>) -> Option<Result<(), Failed>> {
        let mut outcome = lock(&self.outcome);
        while outcome.is_none() {
            outcome = match deadline {
                None => self.told.wait(outcome).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let woken = self.told.wait_timeout(outcome, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *outcome
    }

    fn tell(&self, result: Result<(), Failed>) {
        *lock(&self.outcome) = Some(result);
        self.told.notify_one();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    /// Long ago.
    fn at_once() -> Option<Instant> {
        Some(Instant::now())
    }

    /// How many wait.
    fn queued(semaphore: &RawSemaphore) -> usize {
        let queued = lock(&semaphore.queue).len();
        assert_eq!(semaphore.state.load(Ordering::Relaxed) & QUEUED != 0, queued > 0);
        queued
    }

    /// Returns when so many wait.
    fn wait_for_queue(semaphore: &RawSemaphore, waiting: usize) {
        while lock(&semaphore.queue).len() != waiting {
            thread::yield_now();
        }
    }

    #[test]
    fn what_is_taken_is_not_there_and_none_at_all_always_is() {
        let semaphore = RawSemaphore::new(3);
        assert_eq!(semaphore.try_take(2), Ok(()));
        assert_eq!(semaphore.try_take(2), Err(Refused::NoPermits));
        assert_eq!(semaphore.take_soon(2), Err(Refused::NoPermits));
        assert_eq!(semaphore.take(2, at_once()), Err(Failed::TimedOut));
        assert_eq!((semaphore.available(), queued(&semaphore)), (1, 0));
        assert_eq!(semaphore.take(1, None), Ok(()));
        assert_eq!(semaphore.try_take(0), Ok(()));
        semaphore.give(3);
        assert_eq!(semaphore.available(), 3);
    }

    #[test]
    fn only_what_is_free_is_removed() {
        let semaphore = RawSemaphore::new(3);
        semaphore.try_take(1).unwrap();
        assert_eq!([semaphore.remove(1), semaphore.remove(5), semaphore.remove(1)], [1, 1, 0]);
        semaphore.give(1);
        assert_eq!(semaphore.available(), 1);
    }

    #[test]
    fn who_waits_first_is_served_first_whatever_it_needs() {
        let semaphore = RawSemaphore::new(0);
        let (served, order) = mpsc::channel();
        thread::scope(|scope| {
            for (waiting, permits) in [3, 1, 2].into_iter().enumerate() {
                let (semaphore, served) = (&semaphore, served.clone());
                scope.spawn(move || {
                    semaphore.take(permits, None).unwrap();
                    served.send(permits).unwrap();
                });
                wait_for_queue(semaphore, waiting + 1);
            }
            semaphore.give(2);
            // Enough for those who came later, and they do not get it; nor does who comes now.
            assert_eq!((semaphore.available(), queued(&semaphore)), (2, 3));
            assert_eq!(semaphore.try_take(1), Err(Refused::NoPermits));
            assert_eq!(semaphore.try_take(0), Ok(()));
            semaphore.give(1);
            assert_eq!(order.recv(), Ok(3));
            semaphore.give(1);
            assert_eq!(order.recv(), Ok(1));
            semaphore.give(2);
            assert_eq!(order.recv(), Ok(2));
        });
        assert_eq!((semaphore.available(), queued(&semaphore)), (0, 0));
    }

    #[test]
    fn several_are_served_at_once_and_the_rest_is_free() {
        let semaphore = RawSemaphore::new(0);
        thread::scope(|scope| {
            let waiting = [1, 2, 3].map(|waiting| {
                let thread = scope.spawn(|| semaphore.take(1, None));
                wait_for_queue(&semaphore, waiting);
                thread
            });
            semaphore.give(5);
            assert_eq!(waiting.map(|thread| thread.join().unwrap()), [Ok(()); 3]);
        });
        assert_eq!((semaphore.available(), queued(&semaphore)), (2, 0));
        assert_eq!(semaphore.try_take(2), Ok(()));
    }

    #[test]
    fn who_gives_up_lets_the_next_one_pass() {
        let semaphore = RawSemaphore::new(1);
        let large = Arc::clone(&semaphore.queue_up(2).unwrap().unwrap());
        thread::scope(|scope| {
            let small = scope.spawn(|| semaphore.take(1, None));
            wait_for_queue(&semaphore, 2);
            assert!(semaphore.leave(&large));
            assert_eq!(small.join().unwrap(), Ok(()));
        });
        assert!(!semaphore.leave(&large));
        assert_eq!((semaphore.available(), queued(&semaphore)), (0, 0));
    }

    #[test]
    fn who_gives_up_when_its_turn_has_come_keeps_it() {
        let semaphore = RawSemaphore::new(0);
        let turn = semaphore.queue_up(1).unwrap().unwrap();
        semaphore.give(1);
        assert!(!semaphore.leave(&turn));
        assert_eq!((turn.wait(None), semaphore.available()), (Some(Ok(())), 0));
    }

    #[test]
    fn a_deadline_ends_the_wait_and_a_permit_does_so_before() {
        let semaphore = RawSemaphore::new(0);
        let soon = Instant::now() + Duration::from_millis(5);
        assert_eq!(semaphore.take(1, Some(soon)), Err(Failed::TimedOut));
        assert!(Instant::now() >= soon);
        let late = Instant::now() + Duration::from_secs(60);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| semaphore.take(1, Some(late)));
            wait_for_queue(&semaphore, 1);
            semaphore.give(1);
            assert_eq!(waiting.join().unwrap(), Ok(()));
        });
    }

    #[test]
    fn when_it_is_closed_all_are_told_and_nobody_gets_anything() {
        let semaphore = RawSemaphore::new(1);
        thread::scope(|scope| {
            let waiting = [1, 2].map(|waiting| {
                let thread = scope.spawn(|| semaphore.take(2, None));
                wait_for_queue(&semaphore, waiting);
                thread
            });
            semaphore.close();
            assert_eq!(waiting.map(|thread| thread.join().unwrap()), [Err(Failed::Closed); 2]);
        });
        assert!(semaphore.is_closed());
        assert_eq!([semaphore.try_take(1), semaphore.try_take(0)], [Err(Refused::Closed); 2]);
        assert_eq!(semaphore.take_soon(9), Err(Refused::Closed));
        assert_eq!(semaphore.take(1, None), Err(Failed::Closed));
        semaphore.give(1);
        semaphore.close();
        assert_eq!((semaphore.available(), queued(&semaphore)), (2, 0));
    }

    #[test]
    fn there_are_never_more_than_there_may_be() {
        let semaphore = RawSemaphore::new(MAX);
        let panics = |body: fn(&RawSemaphore)| {
            let body = std::panic::AssertUnwindSafe(|| body(&semaphore));
            std::panic::catch_unwind(body).is_err()
        };
        assert!(panics(|semaphore| semaphore.give(1)));
        assert!(panics(|semaphore| semaphore.give(usize::MAX)));
        assert!(panics(|_| drop(RawSemaphore::new(MAX + 1))));
        assert_eq!(semaphore.available(), MAX);
        assert_eq!(semaphore.try_take(MAX), Ok(()));
        semaphore.give(MAX);
    }
}

/// Every interleaving of some threads that take, give, give up and close.
#[cfg(all(test, loom))]
mod model {
    use super::*;
    use std::sync::atomic::AtomicUsize as Plain;

    use loom::thread;

    /// One thread of a model; returns how many permits it took.
    type Program = fn(&RawSemaphore) -> usize;

    /// Runs one thread for each of `programs` in every interleaving, starting with so many permits. All
    /// have to end, and `judge` is given what each took and how many are free in the end.
    fn explore<const N: usize>(permits: usize, programs: [Program; N], judge: fn(&[usize], usize)) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let semaphore = Arc::new(RawSemaphore::new(permits));
            let run = |program: Program| {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || program(&semaphore))
            };
            let threads = programs.map(run);
            let join = |thread: thread::JoinHandle<_>| thread.join().expect("no assertion failed");
            let taken = threads.map(join);
            let state = semaphore.state.load(Ordering::Relaxed);
            assert_eq!(state & QUEUED, 0, "nobody waits");
            judge(&taken, state >> SHIFT);
        });
    }

    fn at_once() -> Option<Instant> {
        Some(Instant::now())
    }

    /// Takes so many and keeps them.
    fn keep(semaphore: &RawSemaphore, permits: usize) -> usize {
        semaphore.take(permits, None).expect("it is not closed");
        permits
    }

    /// Takes so many and gives them back.
    fn borrow(semaphore: &RawSemaphore, permits: usize) -> usize {
        semaphore.take(permits, None).expect("it is not closed");
        semaphore.give(permits);
        0
    }

    #[test]
    fn one_permit_is_one_threads_at_a_time() {
        static INSIDE: Plain = Plain::new(0);
        let enter: Program = |semaphore| {
            semaphore.take(1, None).expect("it is not closed");
            assert_eq!(INSIDE.fetch_add(1, Ordering::Relaxed), 0);
            thread::yield_now();
            INSIDE.fetch_sub(1, Ordering::Relaxed);
            semaphore.give(1);
            0
        };
        explore(1, [enter, enter], |_, free| assert_eq!(free, 1));
    }

    #[test]
    fn what_is_given_back_in_parts_is_enough_for_who_needs_many() {
        let gives: Program = |it| {
            it.give(2);
            0
        };
        explore(1, [|it| keep(it, 2), |it| borrow(it, 1), gives], |_, free| assert_eq!(free, 1));
    }

    #[test]
    fn two_who_wait_are_both_served() {
        let gives: Program = |it| {
            it.give(2);
            0
        };
        explore(0, [|it| keep(it, 1), |it| keep(it, 1), gives], |_, free| assert_eq!(free, 0));
    }

    /// Whoever gives up may be given its permit at that moment, and then has it.
    #[test]
    fn who_gives_up_keeps_nothing_and_holds_nobody_up() {
        let hasty: Program = |it| match it.take(2, at_once()) {
            Ok(()) => {
                it.give(2);
                0
            }
            Err(failed) => {
                assert_eq!(failed, Failed::TimedOut);
                0
            }
        };
        let gives: Program = |it| {
            it.give(1);
            0
        };
        let programs = [hasty, |it| keep(it, 1), gives];
        explore(1, programs, |_, free| assert_eq!(free, 1));
    }

    #[test]
    fn whoever_waits_when_it_is_closed_is_told() {
        let asks: Program = |it| match it.take(1, None) {
            Ok(()) => 1,
            Err(failed) => {
                assert_eq!(failed, Failed::Closed);
                0
            }
        };
        let closes: Program = |it| {
            it.close();
            0
        };
        explore(1, [asks, asks, closes], |taken, free| {
            assert_eq!(taken.iter().sum::<usize>() + free, 1);
        });
    }

    /// What came before a permit was given back comes before what follows its acquisition.
    #[test]
    fn a_permit_hands_on_what_was_written() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let semaphore = Arc::new(RawSemaphore::new(0));
            let value = loom::sync::Arc::new(loom::cell::UnsafeCell::new(0));
            let giver = {
                let (semaphore, value) = (Arc::clone(&semaphore), value.clone());
                thread::spawn(move || {
                    // SAFETY: loom checks that nobody else accesses it meanwhile.
                    value.with_mut(|value| unsafe { *value = 1 });
                    semaphore.give(1);
                })
            };
            semaphore.take(1, None).expect("it is not closed");
            // SAFETY: as above.
            value.with(|value| assert_eq!(unsafe { *value }, 1));
            giver.join().expect("it does not panic");
        });
    }
}
