//! Order that sync-trace cannot see, stated by the program.
//!
//! # Order of events
//!
//! Two orders of locks that contradict each other are no deadlock if everything in one comes before
//! everything in the other, whatever the schedule. sync-trace knows that of what happens before and
//! after a spawn, a join, the end of a scope, a message, a barrier, an initialisation, or a condition
//! variable that is notified. It cannot know it of order that passes through atomics, through channels of
//! other crates, through joins of threads that `std` started, through the last owner of an `Arc`, or
//! through what a mutex without a condition variable protects, such as a flag that is set under it: that
//! one thread had the mutex first does not mean that it always will. Say it with a token, which is any
//! value that both sides can name:
//!
//! ```
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use sync_trace::order;
//!
//! static READY: AtomicBool = AtomicBool::new(false);
//!
//! fn announce() {
//!     order::publish(&READY);
//!     READY.store(true, Ordering::Release);
//! }
//!
//! fn is_ready() -> bool {
//!     let is_ready = READY.load(Ordering::Acquire);
//!     if is_ready {
//!         order::observe(&READY);
//!     }
//!     is_ready
//! }
//! # announce();
//! # assert!(is_ready());
//! ```
//!
//! # Order of locks of one class
//!
//! All locks that are created in one place are of one class (or all of one name). With
//! [`Policy::Order`](crate::Policy::Order) a class stands for all its locks, and so nobody may take one
//! while another is held: `ST0104`. Where that is meant, say what keeps it from being a deadlock:
//!
//! | what | says | in Linux's lockdep |
//! |---|---|---|
//! | [`keyed`] | they are taken in the order of a number, such as an id or an address | comparison function |
//! | [`nested`] | they play different roles, such as parent and child, each of which is a class of its own | subclass |
//! | [`under`] | whoever takes several holds this lock alone, and so they come in any order | nest lock |
//!
//! ```
//! use sync_trace::order;
//! use sync_trace::sync::Mutex;
//!
//! struct Account {
//!     id: u64,
//!     balance: Mutex<i64>,
//! }
//!
//! fn transfer(from: &Account, to: &Account, amount: i64) {
//!     let [first, second] = if from.id < to.id { [from, to] } else { [to, from] };
//!     let mut one = order::keyed(first.id, || first.balance.lock()).unwrap();
//!     let mut other = order::keyed(second.id, || second.balance.lock()).unwrap();
//!     let amount = if from.id < to.id { amount } else { -amount };
//!     *one -= amount;
//!     *other += amount;
//! }
//! # let account = |id| Account { id, balance: Mutex::new(100) };
//! # let [a, b] = [account(1), account(2)];
//! # transfer(&a, &b, 30);
//! # transfer(&b, &a, 10);
//! # assert_eq!((*a.balance.lock().unwrap(), *b.balance.lock().unwrap()), (80, 120));
//! ```
//!
//! Each calls a closure, and holds for whatever lock the calling thread takes in there, in whatever way
//! (`lock`, `read`, `try_write`, the closure of a `Once`, …), also for as long as the guard lives that
//! the closure returns. A closure may have others inside it: each adds what it says to what the outer
//! ones say. Threads that it starts are not meant, and a mutex that a `Condvar` gives up and takes back
//! stays what it was.
//!
//! What is stated changes no prediction: different threads that take the very same locks in opposite orders
//! are told of in any case.
//!
//! Where nothing is recorded (compiled out, `SYNC_TRACE=off`, `mute`, `untracked!`) these functions only
//! call the closure; compiled out, they are that call and nothing else. Traced, a lock that is taken so, and
//! whatever the thread holds then, does not take the fast path.

mod events;
mod nesting;

pub use crate::meaning::Key;
pub use events::{observe, publish};
pub use nesting::{OuterGuard, keyed, nested, under};
