//! How one kind is measured.

use std::ops::Range;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sync_trace::thread;

use crate::load::{Keys, Load};
use crate::options::Options;

/// The time of a kind is divided into so many turns.
pub(crate) const ROUNDS: usize = 4;

/// A way to share data.
pub(crate) trait Kind: Sync {
    /// What a reader does. False if there is nothing for it, so that it has to come again.
    fn read(&self, key: usize, load: &Load) -> bool;

    /// What a writer does. False if there is no room for it, so that it has to come again.
    fn write(&self, key: usize, load: &Load) -> bool;

    /// How many of so many writes there still are, after so many reads.
    fn left(&self, writes: u64, reads: u64) -> u64;

    /// How many there are in fact.
    fn found(&self) -> u64;
}

/// What the threads of one side do.
type Operation = fn(&dyn Kind, usize, &Load) -> bool;

/// A kind, and what was measured of it.
pub(crate) struct Entrant {
    /// Also the name of its locks.
    pub(crate) name: &'static str,
    /// What it is compared with: the first one of the same task.
    pub(crate) task: &'static str,
    pub(crate) kind: Box<dyn Kind>,
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) time: Duration,
}

impl Entrant {
    pub(crate) fn new(task: &'static str, name: &'static str, kind: impl Kind + 'static) -> Self {
        let kind = Box::new(kind);
        Self { name, task, kind, reads: 0, writes: 0, time: Duration::ZERO }
    }

    /// Lets all threads work on it for one turn.
    pub(crate) fn take_a_turn(&mut self, load: &Load, options: &Options) {
        let threads = options.readers + options.writers;
        // std's, because who waits for it waits for the workbench and not for the lock.
        let start = Barrier::new(threads + 1);
        let is_over = AtomicBool::new(false);
        let (kind, start, is_over) = (&*self.kind, &start, &is_over);
        let work = |number: usize, operation: Operation| {
            let mut keys = Keys::of_thread(number);
            start.wait();
            let mut done = 0_u64;
            // It says only that the time is over: Relaxed.
            while !is_over.load(Ordering::Relaxed) {
                match operation(kind, keys.next(), load) {
                    true => done += 1,
                    false => std::thread::yield_now(),
                }
                load.pause();
            }
            done
        };
        let (reads, writes, time) = thread::scope(|scope| {
            let spawn = |numbers: Range<usize>, operation: Operation| -> Vec<_> {
                numbers.map(|number| scope.spawn(move || work(number, operation))).collect()
            };
            let readers = spawn(0..options.readers, |kind, key, load| kind.read(key, load));
            let writers = spawn(options.readers..threads, |kind, key, load| kind.write(key, load));
            start.wait();
            let begun = Instant::now();
            std::thread::sleep(options.turn());
            is_over.store(true, Ordering::Relaxed);
            let time = begun.elapsed();
            let done = |threads: Vec<thread::ScopedJoinHandle<'_, u64>>| -> u64 {
                threads.into_iter().map(|thread| thread.join().expect("no worker panics")).sum()
            };
            (done(readers), done(writers), time)
        });
        self.reads += reads;
        self.writes += writes;
        self.time += time;
    }

    /// Every write is there, once: a kind that loses some is fast for nothing.
    pub(crate) fn check(&self) {
        let left = self.kind.left(self.writes, self.reads);
        assert_eq!(self.kind.found(), left, "{}", self.name);
    }
}
