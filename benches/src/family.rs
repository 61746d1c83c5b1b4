//! The families of locks that are compared, behind one set of traits.
//!
//! Each method is a thin shell that is always inlined, so that a generic loop compiles to the same
//! code as one that was written for the lock itself.

use std::ops::{Deref, DerefMut};
use std::sync::Once;

use crate::quiet::Quiet;

/// A mutex, a read-write lock and a condition variable that belong together.
pub trait Family: 'static {
    /// How the table calls it.
    const NAME: &'static str;
    /// Its mutex.
    type Mutex: Mutex;
    /// Its read-write lock.
    type RwLock: RwLock;
    /// Its condition variable.
    type Condvar: Condvar<Self::Mutex>;

    /// Whatever has to be done once in a process before its locks check anything. To be called
    /// before the locks are made; may be called again.
    fn start() {}
}

/// A mutex around a number.
pub trait Mutex: Send + Sync + 'static {
    /// Its guard.
    type Guard<'a>: DerefMut<Target = u64>;
    /// Makes one.
    fn new(value: u64) -> Self;
    /// Takes it.
    fn lock(&self) -> Self::Guard<'_>;
}

/// The guard of the mutex `M`.
pub type Guard<'a, M> = <M as Mutex>::Guard<'a>;

/// A read-write lock around a number.
pub trait RwLock: Send + Sync + 'static {
    /// Its shared guard.
    type Read<'a>: Deref<Target = u64>;
    /// Its exclusive guard.
    type Write<'a>: DerefMut<Target = u64>;
    /// Makes one.
    fn new(value: u64) -> Self;
    /// Takes it together with other readers.
    fn read(&self) -> Self::Read<'_>;
    /// Takes it alone.
    fn write(&self) -> Self::Write<'_>;
}

/// A condition variable for the mutex `M`.
pub trait Condvar<M: Mutex>: Send + Sync + 'static {
    /// Makes one.
    fn new() -> Self;
    /// Waits for a notification; may also wake without one.
    fn wait<'a>(&self, guard: Guard<'a, M>) -> Guard<'a, M>;
    /// Wakes one waiter.
    fn notify_one(&self);
}

/// The plain locks of `std`, with which the others are compared.
pub struct Std;

/// The locks of sync-trace.
pub struct Traced;

/// The peer parking_lot, with its feature `deadlock_detection`.
pub struct ParkingLot;

/// The peer tracing-mutex: it checks the order of locks.
pub struct TracingMutex;

/// The peer deloxide, with its feature `lock-order-graph`: it checks the order of locks.
pub struct Deloxide;

macro_rules! std_shaped {
    ($family:ident, $name:literal, $module:path) => {
        const _: () = {
            use $module as module;

            impl Family for $family {
                const NAME: &'static str = $name;
                type Mutex = module::Mutex<u64>;
                type RwLock = module::RwLock<u64>;
                type Condvar = module::Condvar;
            }

            impl Mutex for module::Mutex<u64> {
                type Guard<'a> = module::MutexGuard<'a, u64>;

                #[inline(always)]
                fn new(value: u64) -> Self {
                    module::Mutex::new(value)
                }

                #[inline(always)]
                fn lock(&self) -> Self::Guard<'_> {
                    module::Mutex::lock(self).unwrap()
                }
            }

            impl RwLock for module::RwLock<u64> {
                type Read<'a> = module::RwLockReadGuard<'a, u64>;
                type Write<'a> = module::RwLockWriteGuard<'a, u64>;

                #[inline(always)]
                fn new(value: u64) -> Self {
                    module::RwLock::new(value)
                }

                #[inline(always)]
                fn read(&self) -> Self::Read<'_> {
                    module::RwLock::read(self).unwrap()
                }

                #[inline(always)]
                fn write(&self) -> Self::Write<'_> {
                    module::RwLock::write(self).unwrap()
                }
            }

            impl Condvar<module::Mutex<u64>> for module::Condvar {
                #[inline(always)]
                fn new() -> Self {
                    module::Condvar::new()
                }

                #[inline(always)]
                fn wait<'a>(
                    &self,
                    guard: Guard<'a, module::Mutex<u64>>,
                ) -> Guard<'a, module::Mutex<u64>> {
                    module::Condvar::wait(self, guard).unwrap()
                }

                #[inline(always)]
                fn notify_one(&self) {
                    module::Condvar::notify_one(self);
                }
            }
        };
    };
}

std_shaped!(Std, "std", std::sync);
std_shaped!(Traced, "traced", sync_trace::sync);
std_shaped!(TracingMutex, "tracing-mutex", tracing_mutex::stdsync::tracing);

impl Family for ParkingLot {
    const NAME: &'static str = "parking_lot dd";
    type Mutex = parking_lot::Mutex<u64>;
    type RwLock = parking_lot::RwLock<u64>;
    type Condvar = parking_lot::Condvar;
}

impl Mutex for parking_lot::Mutex<u64> {
    type Guard<'a> = parking_lot::MutexGuard<'a, u64>;

    #[inline(always)]
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn lock(&self) -> Self::Guard<'_> {
        self.lock()
    }
}

impl RwLock for parking_lot::RwLock<u64> {
    type Read<'a> = parking_lot::RwLockReadGuard<'a, u64>;
    type Write<'a> = parking_lot::RwLockWriteGuard<'a, u64>;

    #[inline(always)]
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn read(&self) -> Self::Read<'_> {
        self.read()
    }

    #[inline(always)]
    fn write(&self) -> Self::Write<'_> {
        self.write()
    }
}

impl Condvar<parking_lot::Mutex<u64>> for parking_lot::Condvar {
    #[inline(always)]
    fn new() -> Self {
        Self::new()
    }

    #[inline(always)]
    fn wait<'a>(
        &self,
        mut guard: Guard<'a, parking_lot::Mutex<u64>>,
    ) -> Guard<'a, parking_lot::Mutex<u64>> {
        self.wait(&mut guard);
        guard
    }

    #[inline(always)]
    fn notify_one(&self) {
        self.notify_one();
    }
}

impl Family for Deloxide {
    const NAME: &'static str = "deloxide";
    type Mutex = deloxide::Mutex<u64>;
    type RwLock = deloxide::RwLock<u64>;
    type Condvar = deloxide::Condvar;

    fn start() {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            // It prints a banner, and this is a program with a table to print.
            let _quiet = Quiet::stdout();
            let finding = |info| eprintln!("deloxide has found a deadlock: {info:?}");
            deloxide::Deloxide::new()
                .with_lock_order_checking()
                .callback(finding)
                .start()
                .expect("without a log there is nothing to fail");
        });
    }
}

impl Mutex for deloxide::Mutex<u64> {
    type Guard<'a> = deloxide::MutexGuard<'a, u64>;

    #[inline(always)]
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn lock(&self) -> Self::Guard<'_> {
        self.lock()
    }
}

impl RwLock for deloxide::RwLock<u64> {
    type Read<'a> = deloxide::RwLockReadGuard<'a, u64>;
    type Write<'a> = deloxide::RwLockWriteGuard<'a, u64>;

    #[inline(always)]
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    #[inline(always)]
    fn read(&self) -> Self::Read<'_> {
        self.read()
    }

    #[inline(always)]
    fn write(&self) -> Self::Write<'_> {
        self.write()
    }
}

impl Condvar<deloxide::Mutex<u64>> for deloxide::Condvar {
    #[inline(always)]
    fn new() -> Self {
        Self::new()
    }

    #[inline(always)]
    fn wait<'a>(
        &self,
        mut guard: Guard<'a, deloxide::Mutex<u64>>,
    ) -> Guard<'a, deloxide::Mutex<u64>> {
        self.wait(&mut guard);
        guard
    }

    #[inline(always)]
    fn notify_one(&self) {
        self.notify_one();
    }
}
