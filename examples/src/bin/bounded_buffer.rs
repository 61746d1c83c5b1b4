//! A bounded buffer, by two condition variables and by three semaphores, and what a wrong order of waits does.
//!
//! Run it with `cargo run --bin bounded_buffer`, and the broken variant with
//! `cargo run --bin bounded_buffer wrong`.
//!
//! Producers wait while the buffer is full, consumers while it is empty. With condition variables there is
//! one mutex, and one condvar for each reason to wait; whoever changes something wakes one of the other
//! side. With semaphores there are permits for what may be waited for: `empty` places, `full` places, and the
//! turn, `mutex`. When no more will come, the last producer closes the buffer, and each consumer takes
//! what is left and ends. Nothing is found in either.
//!
//! With three semaphores two waits come one after the other, and their order matters. A producer that
//! takes the turn first, and then waits for room, keeps the turn from the consumer that would make room:
//!
//! ```text
//! error[ST0003]: stuck: a thread waits for a permit that nobody is left to give
//!    --> examples/src/bin/bounded_buffer.rs:144:20
//!     |
//! 143 |         let turn = self.mutex.acquire().unwrap();
//!     |                               ------- 'producer' (4294) took `mutex` here at least 2.90 ms ago and still holds it
//! 144 |         self.empty.acquire().unwrap().forget();
//!     |                    ^^^^^^^ 'producer' has been waiting here 2.90 ms for a permit of `empty`, and nobody is left who could end that
//!     |
//!     = chain: 'producer' -> empty -> nobody
//!     = locks: mutex  Semaphore  #1, created at examples/src/bin/bounded_buffer.rs:135:20
//!              empty  Semaphore  #2, created at examples/src/bin/bounded_buffer.rs:136:20
//!     = threads: 'producer'  (4294)  started by 'main' at examples/src/bin/bounded_buffer.rs:243:16
//!     = others: 'consumer' (4295)  has been waiting for a permit of `mutex` at examples/src/bin/bounded_buffer.rs:175
//!     = because: every thread of the process sleeps until another one wakes it
//!     = note: 'consumer' (4295) panics instead of waiting; unwinding releases its guards
//!     = help: drop the guard of `mutex` taken at examples/src/bin/bounded_buffer.rs:143 before the `acquire`: who should end that wait may be waiting for it
//!     = note: fingerprint 7538a7af7ee6d94e; SYNC_TRACE=on_violation=log reports without a panic, and the threads hang
//! ```
//!
//! The consumer panics with this. Nobody is left then who would make room for the producer, which is said,
//! too, and ends the process with status 66.
//!
//! The cure is to wait for room with empty hands, and to take the turn, which nobody keeps for long, last.

use std::collections::VecDeque;

use sync_trace::finding::Op;
use sync_trace::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use sync_trace::sync::{Arc, Condvar, Mutex, Semaphore, SemaphorePermit};
use sync_trace::{named, thread};
use sync_trace_examples::{tell, until_asleep};

const PRODUCERS: u64 = 3;
const CONSUMERS: u64 = 2;
const NUMBERS_EACH: u64 = 2_000;
const CAPACITY: usize = 4;

/// Room for some numbers, shared by all who put and take.
trait Buffer: Sync {
    /// Waits for room, and puts `number` there.
    fn put(&self, number: u64);

    /// Waits for a number; `None` once the buffer is closed and empty.
    fn take(&self) -> Option<u64>;

    /// Says that nothing more will come. Everybody who waits has to hear that.
    fn close(&self);
}

struct WithCondvars {
    state: Mutex<State>,
    not_full: Condvar,
    not_empty: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct State {
    numbers: VecDeque<u64>,
    closed: bool,
}

impl WithCondvars {
    fn new(capacity: usize) -> Self {
        Self {
            state: named!("buffer", Mutex::default()),
            not_full: named!("not full", Condvar::new()),
            not_empty: named!("not empty", Condvar::new()),
            capacity,
        }
    }
}

impl Buffer for WithCondvars {
    fn put(&self, number: u64) {
        let is_full = |state: &mut State| state.numbers.len() == self.capacity;
        let state = self.state.lock().unwrap();
        let mut state = self.not_full.wait_while(state, is_full).unwrap();
        state.numbers.push_back(number);
        drop(state);
        self.not_empty.notify_one();
    }

    fn take(&self) -> Option<u64> {
        let may_come = |state: &mut State| state.numbers.is_empty() && !state.closed;
        let state = self.state.lock().unwrap();
        let number = self.not_empty.wait_while(state, may_come).unwrap().numbers.pop_front();
        self.not_full.notify_one();
        number
    }

    fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.not_empty.notify_all();
    }
}

struct WithSemaphores {
    /// The numbers from `taken` on and before `put`. Only who has the permit of `mutex` looks at any of these.
    ring: Vec<AtomicU64>,
    put: AtomicUsize,
    taken: AtomicUsize,
    /// One permit: whose turn it is.
    mutex: Semaphore,
    /// A permit for each place that has no number.
    empty: Semaphore,
    /// A permit for each place that has one.
    full: Semaphore,
}

/// The last number, which whoever finds it leaves to the others.
const END: u64 = u64::MAX;

impl WithSemaphores {
    fn new(capacity: usize) -> Self {
        Self {
            ring: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
            put: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            mutex: named!("mutex", Semaphore::new(1)),
            empty: named!("empty", Semaphore::new(capacity)),
            full: named!("full", Semaphore::new(0)),
        }
    }

    /// The wrong way: waits for room while nobody else can have the turn.
    fn put_turn_first(&self, number: u64) {
        let turn = self.mutex.acquire().unwrap();
        self.empty.acquire().unwrap().forget();
        self.push(&turn, number);
        drop(turn);
        self.full.add_permits(1);
    }

    fn push(&self, _turn: &SemaphorePermit<'_>, number: u64) {
        let at = self.put.fetch_add(1, Ordering::Relaxed);
        assert!(at - self.taken.load(Ordering::Relaxed) < self.ring.len());
        self.ring[at % self.ring.len()].store(number, Ordering::Relaxed);
    }

    fn first(&self, _turn: &SemaphorePermit<'_>) -> u64 {
        let at = self.taken.load(Ordering::Relaxed);
        assert!(at < self.put.load(Ordering::Relaxed));
        self.ring[at % self.ring.len()].load(Ordering::Relaxed)
    }
}

impl Buffer for WithSemaphores {
    fn put(&self, number: u64) {
        // The place is used up until a consumer gives it back.
        self.empty.acquire().unwrap().forget();
        let turn = self.mutex.acquire().unwrap();
        self.push(&turn, number);
        drop(turn);
        self.full.add_permits(1);
    }

    fn take(&self) -> Option<u64> {
        let place = self.full.acquire().unwrap();
        let turn = self.mutex.acquire().unwrap();
        let number = self.first(&turn);
        if number == END {
            // The place stays full, for the next consumer.
            return None;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        drop(turn);
        place.forget();
        self.empty.add_permits(1);
        Some(number)
    }

    fn close(&self) {
        self.put(END);
    }
}

/// Sends numbers through the buffer from several threads to several others.
fn send_through(buffer: &dyn Buffer) {
    let producing = AtomicU64::new(PRODUCERS);

    let produce = &|first: u64| {
        (first..first + NUMBERS_EACH).for_each(|number| buffer.put(number));
        if producing.fetch_sub(1, Ordering::AcqRel) == 1 {
            buffer.close();
        }
    };
    let consume = &|| {
        let (mut count, mut sum) = (0, 0);
        while let Some(number) = buffer.take() {
            count += 1;
            sum += number;
        }
        (count, sum)
    };

    let taken: Vec<(u64, u64)> = thread::scope(|scope| {
        let named = |role: &str, number| thread::Builder::new().name(format!("{role} {number}"));
        for producer in 0..PRODUCERS {
            let work = move || produce(producer * NUMBERS_EACH);
            named("producer", producer).spawn_scoped(scope, work).unwrap();
        }
        let consumers: Vec<_> = (0..CONSUMERS)
            .map(|consumer| named("consumer", consumer).spawn_scoped(scope, consume).unwrap())
            .collect();
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect()
    });

    let (count, sum) =
        taken.iter().fold((0, 0), |total, taken| (total.0 + taken.0, total.1 + taken.1));
    let sent = PRODUCERS * NUMBERS_EACH;
    assert_eq!((count, sum), (sent, (0..sent).sum()), "each number was taken once");
}

fn cure() {
    send_through(&WithCondvars::new(CAPACITY));
    println!("two condition variables: all numbers have arrived");
    send_through(&WithSemaphores::new(CAPACITY));
    println!("three semaphores: all numbers have arrived");
    assert!(sync_trace::findings().is_empty());
}

fn wrong() {
    let buffer = Arc::new(WithSemaphores::new(1));
    let start = |name: &str, work: fn(&WithSemaphores)| {
        let buffer = Arc::clone(&buffer);
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(move || work(&buffer)).unwrap()
    };
    let producer = start("producer", |buffer| {
        (0..2).for_each(|number| buffer.put_turn_first(number));
    });
    let consumer = start("consumer", |buffer| {
        // It is late: the buffer is full, the producer waits for room, and `main` for the producer.
        until_asleep(Op::Join, 1);
        until_asleep(Op::Acquire, 1);
        buffer.take();
    });
    producer.join().unwrap();
    consumer.join().unwrap();
}

fn main() {
    tell(cure, &[("wrong", wrong)]);
}
