//! The shells around the locks of a family.

/// The shells of a mutex and a read-write lock: how each is made, and its guards. A last `.unwrap()`
/// is for families whose locks can be poisoned.
macro_rules! locks {
    (
        $mutex:ty = $new_mutex:expr => $guard:ty;
        $rwlock:ty = $new_rwlock:expr => $read:ty, $write:ty;
        $(.$unwrap:ident())?
    ) => {
        impl $crate::family::Mutex for $mutex {
            type Guard<'a> = $guard;

            #[inline(always)]
            fn new(value: u64) -> Self {
                $new_mutex(value)
            }

            #[inline(always)]
            fn lock(&self) -> Self::Guard<'_> {
                self.lock()$(.$unwrap())?
            }
        }

        impl $crate::family::RwLock for $rwlock {
            type Read<'a> = $read;
            type Write<'a> = $write;

            #[inline(always)]
            fn new(value: u64) -> Self {
                $new_rwlock(value)
            }

            #[inline(always)]
            fn read(&self) -> Self::Read<'_> {
                self.read()$(.$unwrap())?
            }

            #[inline(always)]
            fn write(&self) -> Self::Write<'_> {
                self.write()$(.$unwrap())?
            }
        }
    };
}

/// The shells of a module with `std`'s names.
macro_rules! std_shaped {
    ($module:path) => {
        const _: () = {
            use $module as module;

            locks! {
                module::Mutex<u64> = module::Mutex::new => module::MutexGuard<'a, u64>;
                module::RwLock<u64> = module::RwLock::new
                    => module::RwLockReadGuard<'a, u64>, module::RwLockWriteGuard<'a, u64>;
                .unwrap()
            }
        };
    };
}

/// The shells of a condition variable to which a guard is given, and which gives it back.
macro_rules! condvar_by_value {
    ($condvar:ty, $mutex:ty) => {
        condvar!($condvar, $mutex, |condvar, guard| condvar.wait(guard).unwrap());
    };
}

/// The shells of a condition variable to which a guard is lent.
#[cfg(feature = "table")]
macro_rules! condvar_by_reference {
    ($condvar:ty, $mutex:ty) => {
        condvar!($condvar, $mutex, |condvar, guard| {
            let mut guard = guard;
            condvar.wait(&mut guard);
            guard
        });
    };
}

macro_rules! condvar {
    ($condvar:ty, $mutex:ty, |$self:ident, $guard:ident| $wait:expr) => {
        impl $crate::family::Condvar<$mutex> for $condvar {
            #[inline(always)]
            fn new() -> Self {
                Self::new()
            }

            #[inline(always)]
            fn wait<'a>(
                &self,
                $guard: $crate::family::Guard<'a, $mutex>,
            ) -> $crate::family::Guard<'a, $mutex> {
                let $self = self;
                $wait
            }

            #[inline(always)]
            fn notify_one(&self) {
                self.notify_one();
            }
        }
    };
}
