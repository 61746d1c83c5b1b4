//! Making rare schedules common: threads are held up at random where it matters who comes first.
//!
//! A *point* is a place before an operation of a thread that others may come before or after: an
//! acquisition, also one that is only tried, a notification, a message, the start, the end or the join of
//! a thread, a barrier, a wait. At each the agent goes on, yields, or sleeps for a moment, and a wait of a
//! condition variable may return although nobody has notified, as `std` permits. That is all: nothing
//! waits that would not wait by itself, and no answer of a `try_*` is made up.
//!
//! What is done follows from the seed, the agent's place in the tree of threads and how many points it
//! has come by ([`decision`]), so that a seed means the same each time as far as the program lets it.
//!
//! While it is on, agents are [cold](crate::agent::Cold::Perturbed), so the fast path knows nothing of
//! it. There is no point behind a release: a guard has nothing that runs after the real lock is free. The
//! point before the thread's next operation stands for it.

mod decision;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::config::Perturb;
use crate::finding::Perturbed;

pub(crate) use decision::{Branch, Kind};

/// What the schedule of this process is perturbed with.
pub(crate) static SCHEDULE: Schedule = Schedule::new();

/// A seed, and what has come of it.
#[derive(Debug)]
pub(crate) struct Schedule {
    is_on: AtomicBool,
    seed: AtomicU64,
    /// The seed that was drawn, if one was; 0 if none was.
    drawn: AtomicU64,
    /// The present seed was told to the user.
    is_told: AtomicBool,
    decisions: AtomicU64,
    digest: AtomicU64,
}

// All of it Relaxed: that it is on is told to other threads by whatever starts them, and who hears of it
// late is perturbed late.

impl Schedule {
    const fn new() -> Self {
        Self {
            is_on: AtomicBool::new(false),
            seed: AtomicU64::new(0),
            drawn: AtomicU64::new(0),
            is_told: AtomicBool::new(false),
            decisions: AtomicU64::new(0),
            digest: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// The seed, if there is one now.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.is_on().then(|| self.seed.load(Ordering::Relaxed))
    }

    /// From here on it is as `wanted`.
    pub(crate) fn follow(&self, wanted: Perturb) {
        let seed = match wanted {
            Perturb::Off => return self.is_on.store(false, Ordering::Relaxed),
            Perturb::Seed(seed) => seed,
            Perturb::Random => self.draw(),
        };
        if self.seed.swap(seed, Ordering::Relaxed) != seed {
            self.is_told.store(false, Ordering::Relaxed);
        }
        self.is_on.store(true, Ordering::Relaxed);
    }

    /// A seed by chance; the same for all who ask.
    fn draw(&self) -> u64 {
        let drawn = decision::by_chance();
        match self.drawn.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => drawn,
            Err(drawn) => drawn,
        }
    }

    /// The seed, if nobody was told of it yet.
    pub(crate) fn tell(&self) -> Option<u64> {
        self.seed().filter(|_| !self.is_told.swap(true, Ordering::Relaxed))
    }

    /// What was decided so far.
    pub(crate) fn state(&self) -> Option<Perturbed> {
        let (decisions, digest) = (&self.decisions, &self.digest);
        self.seed().map(|seed| Perturbed {
            seed,
            decisions: decisions.load(Ordering::Relaxed),
            digest: digest.load(Ordering::Relaxed),
        })
    }

    /// What an agent does at its next point of this kind.
    fn decide(&self, branch: &Branch, kind: Kind) -> decision::Draw {
        let draw = branch.draw(self.seed.load(Ordering::Relaxed), kind);
        if kind == Kind::Own {
            self.decisions.fetch_add(1, Ordering::Relaxed);
            // A sum, because which agent is counted first is chance.
            self.digest.fetch_add(draw.trace(), Ordering::Relaxed);
        }
        draw
    }
}

/// What an agent does at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    GoOn,
    Yield(u32),
    Sleep(Duration),
}

impl Step {
    fn take(self) {
        match self {
            Self::GoOn => {}
            Self::Yield(times) => (0..times).for_each(|_| std::thread::yield_now()),
            Self::Sleep(time) => std::thread::sleep(time),
        }
    }
}

#[cfg(not(loom))]
mod points {
    use super::{Kind, SCHEDULE, decision};
    use crate::agent::{Agent, Cold};
    use crate::current;
    use crate::registry::LockHeader;

    /// Whether there are points at all.
    #[inline]
    pub(crate) fn is_on() -> bool {
        SCHEDULE.is_on()
    }

    /// The calling thread comes by a point.
    #[cold]
    #[inline(never)]
    pub(crate) fn point(kind: Kind) {
        if let Some(draw) = decide(kind) {
            draw.step().take();
        }
    }

    /// As [`point`], before an operation on `lock`; nothing if that is not traced.
    #[cold]
    #[inline(never)]
    pub(crate) fn point_at(lock: &LockHeader, kind: Kind) {
        // The tracker's own work may be in the memory allocator, and then not even a number is drawn.
        if is_free() && lock.ensure_id().is_some() {
            point(kind);
        }
    }

    /// As [`point`], before a wait of a condition variable. Whether that shall return although nobody has
    /// notified.
    #[cold]
    #[inline(never)]
    pub(crate) fn point_of_wait() -> bool {
        let Some(draw) = decide(Kind::Met) else { return false };
        draw.step().take();
        // Giving up the mutex by dropping its guard, as no wait does, would poison it.
        draw.wakes_early() && !std::thread::panicking()
    }

    /// The calling thread has given up a mutex for a moment. Its wait is on record, so it does not sleep:
    /// who looks whether it does in its wait must not be deceived.
    pub(crate) fn let_others_in() {
        for _ in 0..decision::YIELDS_MAX {
            std::thread::yield_now();
        }
    }

    /// Has an agent take the slow path, or not any more. Its own thread only.
    pub(crate) fn enlist(agent: &Agent) {
        match (is_on(), agent.is_cold_for(Cold::Perturbed)) {
            (true, false) => agent.set_cold(Cold::Perturbed),
            (false, true) => agent.clear_cold(Cold::Perturbed),
            _ => {}
        }
    }

    /// Whether the calling thread may be held up here: not inside the tracker or the memory allocator.
    fn is_free() -> bool {
        is_on() && !current::is_working() && !current::is_in_allocator()
    }

    fn decide(kind: Kind) -> Option<decision::Draw> {
        if !is_free() {
            return None;
        }
        let agent = current::recording()?;
        enlist(agent);
        Some(SCHEDULE.decide(&agent.branch, kind))
    }
}
#[cfg(not(loom))]
pub(crate) use points::{enlist, is_on, point, point_at};
#[cfg(all(any(debug_assertions, feature = "always"), not(loom)))]
pub(crate) use points::{let_others_in, point_of_wait};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_seed_that_is_drawn_is_drawn_once_and_told_once() {
        let schedule = Schedule::new();
        assert_eq!((schedule.seed(), schedule.tell(), schedule.state()), (None, None, None));
        schedule.follow(Perturb::Random);
        let seed = schedule.seed().unwrap();
        assert_eq!(schedule.tell(), Some(seed));
        schedule.follow(Perturb::Random);
        assert_eq!((schedule.seed(), schedule.tell()), (Some(seed), None));
        schedule.follow(Perturb::Seed(7));
        assert_eq!((schedule.seed(), schedule.tell(), schedule.tell()), (Some(7), Some(7), None));
        schedule.follow(Perturb::Off);
        assert_eq!((schedule.seed(), schedule.tell()), (None, None));
    }

    #[test]
    fn the_digest_is_the_same_whoever_comes_first_and_knows_nothing_of_what_others_do() {
        let run = |first: usize, met: usize| {
            let schedule = Schedule::new();
            schedule.follow(Perturb::Seed(3));
            let (root, children) = (Branch::new(), [Branch::new(), Branch::new()]);
            root.begin(Some("main"));
            children.iter().for_each(|child| child.descend(&root));
            (0..met).for_each(|_| _ = schedule.decide(&root, Kind::Met));
            for child in [&children[first], &children[1 - first]] {
                (0..5).for_each(|_| _ = schedule.decide(child, Kind::Own));
            }
            schedule.state().unwrap()
        };
        assert_eq!(run(0, 0).decisions, 10);
        assert_eq!(run(0, 0), run(1, 7));
    }
}
