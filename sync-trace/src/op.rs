//! What a program does with a lock: the operation it calls, and the mode it holds the lock in.

use std::fmt;

use crate::finding::LockKind;

/// How a lock is wanted or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Alone: a mutex, the write side of a read-write lock, an initialiser that runs.
    Exclusive,
    /// One upgradable reader beside ordinary readers.
    Upgradable,
    /// A reader that may have to queue behind a waiting writer (every `std` read).
    Read,
    /// A reader that never queues behind a waiting writer.
    RecursiveRead,
}

impl Mode {
    /// Whether a hold in mode `self` keeps a request in mode `wanted` waiting, with nobody queued.
    pub(crate) fn blocks(self, wanted: Self) -> bool {
        match (self, wanted) {
            (Self::Exclusive, _) | (_, Self::Exclusive) => true,
            (Self::Upgradable, Self::Upgradable) => true,
            (Self::Upgradable | Self::Read | Self::RecursiveRead, _) => false,
        }
    }
}

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident = $method:literal,)*) => {
        /// The operation by which a lock was taken or is waited for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Op { $($(#[$doc])* $name,)* }

        impl Op {
            /// The method's name as it stands in the caller's source.
            pub fn method(self) -> &'static str {
                match self { $(Self::$name => $method,)* }
            }
        }
    };
}

ops! {
    /// `Mutex::lock`
    Lock = "lock",
    /// `Mutex::try_lock`
    TryLock = "try_lock",
    /// `RwLock::read`
    Read = "read",
    /// `RwLock::try_read`
    TryRead = "try_read",
    /// `RwLock::write`
    Write = "write",
    /// `RwLock::try_write`
    TryWrite = "try_write",
    /// `RwLockWriteGuard::downgrade`
    Downgrade = "downgrade",
    /// `Condvar::wait`
    Wait = "wait",
    /// `Condvar::wait_while`
    WaitWhile = "wait_while",
    /// `Condvar::wait_timeout`
    WaitTimeout = "wait_timeout",
    /// `Condvar::wait_timeout_ms`
    WaitTimeoutMs = "wait_timeout_ms",
    /// `Condvar::wait_timeout_while`
    WaitTimeoutWhile = "wait_timeout_while",
    /// `Condvar::notify_one`
    NotifyOne = "notify_one",
    /// `Condvar::notify_all`
    NotifyAll = "notify_all",
    /// `Once::call_once`
    CallOnce = "call_once",
    /// `Once::call_once_force`
    CallOnceForce = "call_once_force",
    /// `Once::call_once_force` of one that is poisoned
    Recover = "call_once_force",
    /// `Once::wait` or `OnceLock::wait`
    WaitOnce = "wait",
    /// `Once::wait_force`
    WaitOnceForce = "wait_force",
    /// `OnceLock::get_or_init`
    GetOrInit = "get_or_init",
    /// `OnceLock::set`
    Set = "set",
    /// `LazyLock::force`
    Force = "force",
    /// `LazyLock::force_mut`
    ForceMut = "force_mut",
    /// The first use of a `LazyLock`'s value, which dereferences it
    Deref = "deref",
    /// `Semaphore::acquire`
    Acquire = "acquire",
    /// `Semaphore::acquire_many`
    AcquireMany = "acquire_many",
    /// `Semaphore::acquire_timeout`
    AcquireTimeout = "acquire_timeout",
    /// `Semaphore::acquire_many_timeout`
    AcquireManyTimeout = "acquire_many_timeout",
    /// `Semaphore::try_acquire`
    TryAcquire = "try_acquire",
    /// `Semaphore::try_acquire_many`
    TryAcquireMany = "try_acquire_many",
    /// `Semaphore::acquire_owned`
    AcquireOwned = "acquire_owned",
    /// `Semaphore::acquire_many_owned`
    AcquireManyOwned = "acquire_many_owned",
    /// `Semaphore::acquire_owned_timeout`
    AcquireOwnedTimeout = "acquire_owned_timeout",
    /// `Semaphore::acquire_many_owned_timeout`
    AcquireManyOwnedTimeout = "acquire_many_owned_timeout",
    /// `Semaphore::try_acquire_owned`
    TryAcquireOwned = "try_acquire_owned",
    /// `Semaphore::try_acquire_many_owned`
    TryAcquireManyOwned = "try_acquire_many_owned",
    /// `SemaphorePermit::split` or `OwnedSemaphorePermit::split`
    Split = "split",
    /// `Barrier::wait`
    WaitBarrier = "wait",
    /// `Sender::send` or `SyncSender::send`
    Send = "send",
    /// `SyncSender::try_send`
    TrySend = "try_send",
    /// `Receiver::try_recv`
    TryRecv = "try_recv",
    /// `Receiver::recv`
    Recv = "recv",
    /// `Receiver::recv_timeout`
    RecvTimeout = "recv_timeout",
    /// The next message of an iteration over a `Receiver`
    Next = "next",
    /// `Semaphore::add_permits`, or `close`
    AddPermits = "add_permits",
    /// `thread::park`
    Park = "park",
    /// `thread::park_timeout`
    ParkTimeout = "park_timeout",
    /// `thread::park_timeout_ms`
    ParkTimeoutMs = "park_timeout_ms",
    /// `thread::sleep`
    Sleep = "sleep",
    /// `thread::sleep_ms`
    SleepMs = "sleep_ms",
    /// `JoinHandle::join`
    Join = "join",
    /// The end of `thread::scope`, which joins every thread started in it
    Scope = "scope",
}

impl Op {
    /// Whether the wait is for a condition variable's signal (and then for its mutex).
    pub fn is_condvar_wait(self) -> bool {
        matches!(
            self,
            Self::Wait
                | Self::WaitWhile
                | Self::WaitTimeout
                | Self::WaitTimeoutMs
                | Self::WaitTimeoutWhile
        )
    }

    /// Whether the wait ends by itself after a time. (That of a condition variable then goes on
    /// until it has its mutex.)
    pub fn is_timed(self) -> bool {
        matches!(
            self,
            Self::WaitTimeout
                | Self::WaitTimeoutMs
                | Self::WaitTimeoutWhile
                | Self::AcquireTimeout
                | Self::AcquireManyTimeout
                | Self::AcquireOwnedTimeout
                | Self::AcquireManyOwnedTimeout
                | Self::RecvTimeout
                | Self::ParkTimeout
                | Self::ParkTimeoutMs
                | Self::Sleep
                | Self::SleepMs
        )
    }

    /// Whether only another thread can end the wait, and one that says so: who unparks a thread does not.
    pub(crate) fn is_endless(self) -> bool {
        !self.is_timed() && self != Self::Park
    }

    /// Whether it asks for any number of a semaphore's permits.
    pub(crate) fn is_for_many(self) -> bool {
        matches!(
            self,
            Self::AcquireMany
                | Self::AcquireManyTimeout
                | Self::AcquireManyOwned
                | Self::AcquireManyOwnedTimeout
        )
    }

    /// Whether it gives up where it would have to wait.
    pub(crate) fn is_try(self) -> bool {
        matches!(
            self,
            Self::TryLock
                | Self::TryRead
                | Self::TryWrite
                | Self::TryAcquire
                | Self::TryAcquireMany
                | Self::TryAcquireOwned
                | Self::TryAcquireManyOwned
        )
    }

    /// Whether it only lets time pass.
    pub(crate) fn is_sleep(self) -> bool {
        matches!(self, Self::Sleep | Self::SleepMs)
    }

    /// Whether such a wait for an initialiser goes on when that panics, until another one succeeds.
    pub(crate) fn waits_for_success(self, kind: LockKind) -> bool {
        match self {
            Self::WaitOnce => kind == LockKind::OnceLock,
            Self::WaitOnceForce => true,
            _ => false,
        }
    }

    /// Whether such a call panics, and does not wait, if the initialiser has panicked before.
    pub(crate) fn fails_if_poisoned(self, kind: LockKind) -> bool {
        match self {
            Self::CallOnce => true,
            Self::WaitOnce => kind == LockKind::Once,
            _ => false,
        }
    }

    /// Whether the source may show no such name, because the language itself makes the call.
    pub(crate) fn is_implicit(self) -> bool {
        matches!(self, Self::Deref | Self::Next)
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Mode; 4] = [Mode::Exclusive, Mode::Upgradable, Mode::Read, Mode::RecursiveRead];

    /// The block matrix of a read-write lock with an upgradable mode; queued writers are judged
    /// apart, in `waits`.
    #[test]
    fn readers_block_writers_only() {
        use Mode::*;
        let blocked_by = |held: Mode| ALL.map(|wanted| held.blocks(wanted));
        assert_eq!(blocked_by(Exclusive), [true, true, true, true]);
        assert_eq!(blocked_by(Upgradable), [true, true, false, false]);
        assert_eq!(blocked_by(Read), [true, false, false, false]);
        assert_eq!(blocked_by(RecursiveRead), [true, false, false, false]);
    }
}
