//! The publication order, explored by loom: `RUSTFLAGS="--cfg loom" cargo test --lib --release`.
//!
//! The tracker, the agents' records and their waits are the real ones, compiled against loom's
//! atomics. The locks that the agents fight for are loom's own, so that a deadlock which the tracker
//! misses ends the exploration with loom's report, and a finding where no deadlock can be fails an
//! assertion. Threads are few and short: loom tries every interleaving and every value that the
//! memory model allows a load to return, up to a number of preemptions.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use loom::sync::{Condvar, Mutex};
use loom::thread;

use crate::agent::{Agent, Identity};
use crate::atomics::Ordering;
use crate::config::Overrides;
use crate::finding::{LockKind, Outcome};
use crate::held::{Entry, Held, Popped};
use crate::numbers::restart_numbers;
use crate::op::{Mode, Op};
use crate::registry::{Access, LockHeader, Resource};
use crate::site::{Origin, Site};
use crate::tracker::{Judgement, Tracker, Verdict};
use crate::waits::slot::Wait;

static LOCK: Access =
    Access { kind: LockKind::Mutex, type_name: || "", mode: Mode::Exclusive, op: Op::Lock };

/// A traced mutex around a real one.
struct Lock {
    header: LockHeader,
    real: Real,
}

impl Lock {
    fn new() -> Self {
        let real = Real { is_locked: Mutex::new(false), freed: Condvar::new() };
        Self { header: LockHeader::new(Site::caller()), real }
    }
}

/// A real mutex, made of loom's parts: loom's own cannot be tried without a risk of blocking.
struct Real {
    is_locked: Mutex<bool>,
    freed: Condvar,
}

impl Real {
    fn try_lock(&self) -> bool {
        let mut is_locked = self.is_locked.lock().expect("nobody panics");
        !std::mem::replace(&mut *is_locked, true)
    }

    fn lock(&self) {
        let mut is_locked = self.is_locked.lock().expect("nobody panics");
        while *is_locked {
            is_locked = self.freed.wait(is_locked).expect("nobody panics");
        }
        *is_locked = true;
    }

    fn unlock(&self) {
        *self.is_locked.lock().expect("nobody panics") = false;
        self.freed.notify_all();
    }
}

/// What the explored threads share.
struct World {
    tracker: Tracker,
    locks: Vec<Lock>,
    findings: AtomicUsize,
}

/// One agent and what it does, in the order in which the fronts and hooks do it.
struct Actor<'w> {
    world: &'w World,
    agent: &'w Agent,
}

/// A hold on one lock; dropped in the order of a traced guard.
struct Guard<'w> {
    agent: &'w Agent,
    lock: &'w Lock,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let id = self.lock.header.ensure_id().expect("the locks are tracked");
        let held = &self.agent.held;
        let popped = held.pop_slow(self.lock.header.word()) != Popped::No;
        assert!(popped || held.remove(|held| held.lock == id).is_some());
        self.lock.real.unlock();
    }
}

/// The agent gave up, because its wait would have closed a deadlock.
struct Stuck;

impl<'w> Actor<'w> {
    fn new(world: &'w World, which: usize) -> Self {
        let mut agents = world.tracker.agents.iter();
        Self { world, agent: agents.nth(which).expect("all agents were admitted") }
    }

    fn lock(&self, which: usize) -> Result<Guard<'w>, Stuck> {
        let lock = &self.world.locks[which];
        let id = lock.header.ensure_id().expect("the locks are tracked");
        let here = Site::caller();
        let created = Origin::unnamed(here);
        let entry = Entry { word: lock.header.word(), access: &LOCK, created, site: here };
        let place = self.agent.held.fill(&entry);
        if lock.real.try_lock() {
            self.agent.held.take_place(place.expect("the usual path is not left"));
        } else {
            self.lock_contended(lock)?;
            self.agent.held.push_slow(&Held {
                lock: id,
                stamp: 0,
                told: false,
                access: &LOCK,
                created,
                site: here,
            });
        }
        lock.header.set_owner(self.agent);
        Ok(Guard { agent: self.agent, lock })
    }

    fn lock_contended(&self, lock: &Lock) -> Result<(), Stuck> {
        let World { tracker, findings, .. } = self.world;
        let id = lock.header.ensure_id().expect("the locks are tracked");
        let (here, target) = (Site::caller(), Resource::Lock(id));
        let wait = Wait { target, access: &LOCK, site: here, created: Some(Origin::unnamed(here)) };
        tracker.publish(self.agent, &wait);
        loop {
            match tracker.judge(self.agent, &wait, lock.header.owner(), &mut || false) {
                Judgement::Live => break,
                Judgement::Stuck(cycle) => {
                    match tracker.decide(self.agent, &cycle, Outcome::Panicked) {
                        Verdict::Found(_) => {
                            findings.fetch_add(1, Ordering::Relaxed);
                            return Err(Stuck);
                        }
                        Verdict::Moved => {}
                        Verdict::Known => unreachable!("nobody goes on to wait here"),
                    }
                }
                Judgement::Acquired | Judgement::Suspect(_) => {
                    unreachable!("there are no readers and nobody has ended")
                }
            }
        }
        lock.real.lock();
        tracker.unpublish(self.agent, target);
        Ok(())
    }

    /// Takes the locks one inside the other.
    fn nest(&self, locks: &[usize]) -> Result<(), Stuck> {
        let guards: Result<Vec<_>, _> = locks.iter().map(|&which| self.lock(which)).collect();
        guards.map(drop)
    }
}

/// What one thread does.
type Program = fn(&Actor<'_>) -> Result<(), Stuck>;

/// Runs one thread for each of `programs` in every interleaving, and hands the number of findings
/// of each execution to `judge`.
fn explore(locks: usize, preemptions: usize, programs: &'static [Program], judge: fn(usize)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        restart_numbers();
        let world = Arc::new(World {
            tracker: Tracker::new(Overrides::default()),
            locks: (0..locks).map(|_| Lock::new()).collect(),
            findings: AtomicUsize::new(0),
        });
        // Numbered before the threads run, so that numbers do not depend on the interleaving.
        world.locks.iter().for_each(|lock| assert!(lock.header.ensure_id().is_some()));
        for _ in programs {
            world.tracker.agents.admit(Identity::default(), None);
        }
        let run = |(which, &program): (usize, &Program)| {
            let world = Arc::clone(&world);
            thread::spawn(move || drop(program(&Actor::new(&world, which))))
        };
        let threads: Vec<_> = programs.iter().enumerate().map(run).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no assertion failed"));
        judge(world.findings.load(Ordering::Relaxed));
    });
}

/// Crossed locks: whenever both threads have their first lock, one of them finds the deadlock, and
/// never both.
#[test]
fn a_deadlock_is_found_by_exactly_one_of_those_who_close_it() {
    explore(2, 3, &[|actor| actor.nest(&[0, 1]), |actor| actor.nest(&[1, 0])], |findings| {
        assert!(findings <= 1, "two findings for one deadlock");
    });
}

#[test]
fn one_order_is_never_a_deadlock() {
    explore(2, 3, &[|actor| actor.nest(&[0, 1]), |actor| actor.nest(&[0, 1])], |findings| {
        assert_eq!(findings, 0);
    });
}

/// The second thread lets go of its first lock before it wants the other: stale owners and waits
/// that have just ended must not be taken for a cycle.
#[test]
fn a_lock_that_was_given_back_closes_no_cycle() {
    explore(
        2,
        3,
        &[
            |actor| actor.nest(&[0, 1]),
            |actor| {
                actor.nest(&[1])?;
                actor.nest(&[0])
            },
        ],
        |findings| assert_eq!(findings, 0),
    );
}

/// Three threads in a ring: whoever comes last sees the other two.
#[test]
fn a_ring_of_three_is_found_once() {
    explore(
        3,
        1,
        &[|actor| actor.nest(&[0, 1]), |actor| actor.nest(&[1, 2]), |actor| actor.nest(&[2, 0])],
        |findings| assert!(findings <= 1, "two findings for one deadlock"),
    );
}
