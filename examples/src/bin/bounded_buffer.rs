//! A bounded buffer: one mutex, and one condvar for each reason to wait.
//!
//! Run it with `cargo run --bin bounded_buffer`. Producers wait while the buffer is full, consumers
//! while it is empty, and whoever changes that wakes one of the other side. The last producer to leave
//! closes the buffer, which wakes every consumer; each takes what is left and ends.
//!
//! Nothing is found here, and that is the point: condvars that are used well stay silent.

use std::collections::VecDeque;

use sync_trace::sync::atomic::{AtomicU64, Ordering};
use sync_trace::sync::{Condvar, Mutex};
use sync_trace::{named, thread};

const PRODUCERS: u64 = 3;
const CONSUMERS: u64 = 2;
const NUMBERS_EACH: u64 = 2_000;

/// Room for `capacity` items, shared by all who put and take.
struct Buffer<T> {
    state: Mutex<State<T>>,
    not_full: Condvar,
    not_empty: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    most: usize,
    closed: bool,
}

impl<T> Buffer<T> {
    fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::with_capacity(capacity), most: 0, closed: false };
        Self {
            state: named!("buffer", Mutex::new(state)),
            not_full: named!("not full", Condvar::new()),
            not_empty: named!("not empty", Condvar::new()),
            capacity,
        }
    }

    /// Waits for room, and puts `item` there.
    fn put(&self, item: T) {
        let is_full = |state: &mut State<T>| state.items.len() == self.capacity;
        let state = self.state.lock().unwrap();
        let mut state = self.not_full.wait_while(state, is_full).unwrap();
        state.items.push_back(item);
        state.most = state.most.max(state.items.len());
        drop(state);
        self.not_empty.notify_one();
    }

    /// Waits for an item; `None` once the buffer is closed and empty.
    fn take(&self) -> Option<T> {
        let may_come = |state: &mut State<T>| state.items.is_empty() && !state.closed;
        let state = self.state.lock().unwrap();
        let item = self.not_empty.wait_while(state, may_come).unwrap().items.pop_front();
        self.not_full.notify_one();
        item
    }

    /// Says that nothing more will come. Everybody who waits has to hear that.
    fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.not_empty.notify_all();
    }
}

fn main() {
    let buffer = Buffer::new(4);
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

    for (consumer, (count, _)) in taken.iter().enumerate() {
        println!("consumer {consumer} took {count} numbers");
    }
    let (count, sum) =
        taken.iter().fold((0, 0), |total, taken| (total.0 + taken.0, total.1 + taken.1));
    let sent = PRODUCERS * NUMBERS_EACH;
    assert_eq!((count, sum), (sent, (0..sent).sum()), "each number was taken once");

    let state = buffer.state.into_inner().unwrap();
    assert!(state.items.is_empty() && state.most <= buffer.capacity);
    println!("all {sent} arrived; never more than {} were under way", state.most);
    assert!(sync_trace::findings().is_empty());
}
