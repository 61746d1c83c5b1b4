//! A pool of database connections, and requests that want a second one while they have the first.
//!
//! Run it with `cargo run --bin connection_pool`, and the broken variant with
//! `cargo run --bin connection_pool wrong`.
//!
//! A request books an order on one connection, and an audit entry on another one, so that the entry stays
//! when the booking is rolled back. That works in every test with one request. With as many requests as
//! connections each may have got its first one, and then nobody gives one back: each waits for another's
//! second. A larger pool only makes that rarer. The report names who holds the permits:
//!
//! ```text
//! error[ST0001]: deadlock: 2 threads each wait for a permit that another one holds
//!   --> examples/src/bin/connection_pool.rs:81:37
//!    |
//! 78 |         let booking = self.permits.acquire().unwrap();
//!    |                                    -------
//!    |                                    |
//!    |                                    'request 1' (18066) took `connections` here and still holds it
//!    |                                    'request 0' (18065) took `connections` here at least 4.16 ms ago and still holds it
//! ...
//! 81 |         let auditing = self.permits.acquire().unwrap();
//!    |                                     ^^^^^^^
//!    |                                     |
//!    |                                     'request 1' would now wait for a permit of `connections`, held by 'request 0'
//!    |                                     'request 0' has been waiting here 4.16 ms for a permit of `connections`
//!    |
//!    = cycle: 'request 1' -> connections -> 'request 0' -> connections -> 'request 1'
//!    = locks: connections  Semaphore  #1, created at examples/src/bin/connection_pool.rs:63:22
//!    = threads: 'request 1'  (18066)  started by 'main' at examples/src/bin/connection_pool.rs:101:20
//!               'request 0'  (18065)  started by 'main' at examples/src/bin/connection_pool.rs:101:20
//!    = because: every thread of the process sleeps until another one wakes it
//!    = note: 'request 1' (18066) panics instead of waiting; unwinding releases its guards
//!    = help: ask for all permits of `connections` at once with `acquire_many`, or give the first one back before asking for another
//!    = note: fingerprint b1796e6a0de6bc6f; SYNC_TRACE=on_violation=log reports without a panic, and the threads hang
//! ```
//!
//! The cure is to ask for both at once: `book_with_both` takes two permits with `acquire_many`, and waits
//! with empty hands.

use std::collections::VecDeque;

use sync_trace::finding::Op;
use sync_trace::sync::{Arc, Mutex, Semaphore};
use sync_trace::{named, thread};
use sync_trace_examples::{tell, until_asleep};

const CONNECTIONS: usize = 2;

struct Connection {
    statements: Vec<String>,
}

/// Idle connections, and a permit for each.
struct Pool {
    permits: Semaphore,
    idle: Mutex<VecDeque<Connection>>,
}

impl Pool {
    fn new() -> Self {
        let idle = (0..CONNECTIONS).map(|_| Connection { statements: Vec::new() });
        Self {
            permits: named!("connections", Semaphore::new(CONNECTIONS)),
            idle: named!("idle", Mutex::new(idle.collect())),
        }
    }

    /// Executes a statement on a connection that the caller has a permit for.
    fn execute(&self, statement: String) {
        let mut connection =
            self.idle.lock().unwrap().pop_front().expect("there is one for each permit");
        connection.statements.push(statement);
        self.idle.lock().unwrap().push_back(connection);
    }

    /// The wrong way: waits for the second connection with the first one in hand. `between` runs before that.
    fn book(&self, order: usize, between: impl FnOnce()) {
        let booking = self.permits.acquire().unwrap();
        self.execute(format!("book {order}"));
        between();
        let auditing = self.permits.acquire().unwrap();
        self.execute(format!("audit {order}"));
        drop((booking, auditing));
    }

    /// The cure: has both before it begins.
    fn book_with_both(&self, order: usize) {
        let _both = self.permits.acquire_many(2).unwrap();
        self.execute(format!("book {order}"));
        self.execute(format!("audit {order}"));
    }
}

/// Serves as many requests at a time as there are connections, and returns how many statements that took.
fn serve(request: impl Fn(&Pool, usize) + Send + Sync + 'static) -> usize {
    let (pool, request) = (Arc::new(Pool::new()), Arc::new(request));
    let requests: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let (pool, request) = (Arc::clone(&pool), Arc::clone(&request));
            let thread = thread::Builder::new().name(format!("request {number}"));
            thread.spawn(move || request(&pool, number)).unwrap()
        })
        .collect();
    requests.into_iter().for_each(|request| request.join().unwrap());
    pool.idle.lock().unwrap().iter().map(|connection| connection.statements.len()).sum()
}

fn cure() {
    let statements = serve(|pool, number| {
        (0..1_000).for_each(|round| pool.book_with_both(CONNECTIONS * round + number));
    });
    assert_eq!(statements, 2 * 1_000 * CONNECTIONS);
    println!("{statements} statements on {CONNECTIONS} connections");
}

fn wrong() {
    // It only sets the scene, and is not traced: who leaves it may count as waiting for a moment still.
    let each_has_one = std::sync::Barrier::new(CONNECTIONS);
    serve(move |pool, number| {
        pool.book(number, || {
            each_has_one.wait();
            // `main` waits for all, and the requests with lower numbers come first.
            until_asleep(Op::Join, 1);
            until_asleep(Op::Acquire, number);
        });
    });
}

fn main() {
    tell(cure, &[("wrong", wrong)]);
}
