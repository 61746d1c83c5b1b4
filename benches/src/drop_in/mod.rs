//! Work on what only `std` and sync-trace have: initialisers, messages, threads; and on locks as one
//! writes it.
//!
//! It is compiled twice from one source, with nothing but an import changed, as whoever adopts
//! sync-trace does it.

use std::time::Duration;

pub mod plain;
#[expect(clippy::duplicate_mod, reason = "one source for both is the point")]
pub mod traced;

/// The same work on `std`'s names and on sync-trace's. Each does it as often as it is told and says
/// how long that took; what is needed only once is not counted.
#[derive(Clone, Copy, Debug)]
pub struct Twins {
    /// On `std`'s.
    pub plain: fn(u64) -> Duration,
    /// On sync-trace's.
    pub traced: fn(u64) -> Duration,
}

macro_rules! twins {
    ($($(#[$doc:meta])* $name:ident = $family:ident::$work:ident;)*) => {
        $(
            $(#[$doc])*
            pub const $name: Twins =
                Twins { plain: plain::$family::$work, traced: traced::$family::$work };
        )*
    };
}

twins! {
    /// Takes a mutex and gives it back.
    MUTEX = locks::mutex;
    /// Takes two mutexes, one inside the other.
    NESTED = locks::nested;
    /// Takes four mutexes, each inside the one before.
    FOUR_DEEP = locks::four_deep;
    /// Takes a read-write lock for reading.
    READ = locks::read;
    /// Takes a read-write lock for writing.
    WRITE = locks::write;
    /// Makes a mutex, takes it once, and drops it.
    CREATE = locks::create;
    /// Uses a `LazyLock` in a static, which has its value, 16 times.
    LAZY_STATIC = once::lazy_static;
    /// Uses a `LazyLock` on the stack, which has its value, 16 times.
    LAZY_LOCAL = once::lazy_local;
    /// `OnceLock::get`, of one that has its value, 16 times.
    ONCE_GET = once::get;
    /// `OnceLock::get_or_init`, of one that has its value, 16 times.
    ONCE_GET_OR_INIT = once::get_or_init;
    /// Makes a `OnceLock`, initialises it, and drops it.
    ONCE_FIRST = once::first;
    /// Sends a message and receives it, in one thread.
    SEND_RECV = messages::send_recv;
    /// The same, in a thread that may have taken no lock.
    SEND_RECV_FIRST = messages::send_recv_first;
    /// As the first one, through a channel with room for 64.
    SEND_RECV_OF_64 = messages::send_recv_of_64;
    /// Takes a lock, then sends a message through a channel with room for 64, and receives it.
    LOCK_SEND_RECV = messages::lock_send_recv;
    /// Notifies a condition variable at which nobody waits.
    NOTIFY = messages::notify;
    /// Takes two locks, the one after the other.
    IN_TURN = messages::in_turn;
    /// Sends messages to another thread, through a channel without a bound.
    STREAM = messages::stream;
    /// Sends messages to another thread, through a channel with room for 64.
    STREAM_OF_64 = messages::stream_of_64;
    /// Two threads hand each other messages without room for any. One time is there and back.
    RENDEZVOUS = messages::rendezvous;
    /// Starts a thread and waits for its end.
    SPAWN_JOIN = threads::spawn_join;
    /// Starts 1000 threads, each of which takes the same mutex once, and waits for the end of all.
    /// One time is one thread.
    CROWD = threads::crowd;
    /// Two threads park and unpark each other. One time is there and back.
    PARK = threads::park;
    /// Two threads meet at a barrier.
    BARRIER = threads::barrier;
}
