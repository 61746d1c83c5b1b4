//! The macros by example; the attributes are in `sync-trace-macros`.

/// Names a lock: `named!("accounts", Mutex::new(0))`.
///
/// Reports, [`dump`](crate::dump) and everything else that speaks of the lock call it by that name. Without one it
/// is called after the field, static or variable that it is created for, or after its type.
///
/// It takes every traced primitive of [`sync`](crate::sync), and the pair of endpoints that a channel function
/// gives. The name has to be a constant; several locks may share one, and are then told apart by
/// number. Works in statics and costs nothing; where tracing is compiled out, it is the expression
/// itself. In place of a name there may be a class that [`lock_class!`](crate::lock_class) made: `named!(class(ACCOUNTS), ..)`.
///
/// # Example
///
/// ```
/// use sync_trace::named;
/// use sync_trace::sync::{Mutex, mpsc};
///
/// static ACCOUNTS: Mutex<Vec<i64>> = named!("accounts", Mutex::new(Vec::new()));
///
/// let (sender, receiver) = named!("transfers", mpsc::channel());
/// sender.send(5).unwrap();
/// ACCOUNTS.lock().unwrap().push(receiver.recv().unwrap());
/// ```
#[macro_export]
macro_rules! named {
    (class($class:path), $lock:expr $(,)?) => {
        $crate::__private::in_class(const { &$crate::__private::Label::of_class(&$class) }, $lock)
    };
    ($name:expr, $lock:expr $(,)?) => {
        $crate::__private::named(const { &$crate::__private::Label::new($name) }, $lock)
    };
}

/// Makes a lock that is never recorded: `untracked!(Mutex::new(0))`.
///
/// It can take part in no finding, and its fast path costs a little less of what tracing adds. Works
/// in statics; where tracing is compiled out, it is the expression itself.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// static SCRATCH: Mutex<Vec<u8>> = sync_trace::untracked!(Mutex::new(Vec::new()));
/// SCRATCH.lock().unwrap().push(1);
/// ```
#[macro_export]
macro_rules! untracked {
    ($lock:expr $(,)?) => {
        $crate::__private::untracked($lock)
    };
}

/// Gives one lock a reaction of its own: `on_violation!(OnViolation::Log, Mutex::new(0))`.
///
/// It holds for a wait for this very lock that would close a deadlock, and goes before
/// [`Config::on_violation`](crate::Config::on_violation). Works in statics; where tracing is compiled out, it is the expression
/// itself.
///
/// # Example
///
/// ```
/// use sync_trace::{OnViolation, on_violation, sync::RwLock};
///
/// static LEGACY: RwLock<u32> = on_violation!(OnViolation::Log, RwLock::new(0));
/// assert_eq!(*LEGACY.read().unwrap(), 0);
/// ```
#[macro_export]
macro_rules! on_violation {
    ($reaction:expr, $lock:expr $(,)?) => {
        $crate::__private::on_violation($reaction, $lock)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __assertion {
    ($attribute:literal $($text:tt)*) => {
        &$crate::__private::declared::Assertion {
            module: ::core::module_path!(),
            attribute: $attribute,
            text: ::core::stringify!($($text)*),
        }
    };
}

/// Asserts that the calling thread holds a lock: `assert_held!(self.accounts)`.
///
/// A collection of locks has to be held whole. `assert_held!(write(map))` asks for the mode: `read` is
/// satisfied by any, `write` by a lock that is held alone. Where tracing is compiled out, only the types
/// are checked.
///
/// # Panics
///
/// With a report (`ST0201`), if it is not held.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Mutex;
///
/// let accounts = Mutex::new(0);
/// let _guard = accounts.lock().unwrap();
/// sync_trace::assert_held!(accounts);
/// ```
#[macro_export]
macro_rules! assert_held {
    (read($lock:expr) $(,)?) => {
        $crate::assert_held!(@ $lock, Read, read($lock))
    };
    (write($lock:expr) $(,)?) => {
        $crate::assert_held!(@ $lock, Write, write($lock))
    };
    (upgradable($lock:expr) $(,)?) => {
        $crate::assert_held!(@ $lock, Upgradable, upgradable($lock))
    };
    (@ $lock:expr, $mode:ident, $($text:tt)*) => {
        $crate::__private::declared::assert_held(
            $crate::__assertion!("assert_held" $($text)*),
            &$lock,
            ::core::option::Option::Some($crate::__private::declared::HeldMode::$mode),
        )
    };
    ($lock:expr $(,)?) => {
        $crate::__private::declared::assert_held(
            $crate::__assertion!("assert_held" $lock),
            &$lock,
            ::core::option::Option::None,
        )
    };
}

/// Asserts that the calling thread does not hold a lock: `assert_not_held!(self.accounts)`.
///
/// Of a collection of locks none may be held. Where tracing is compiled out, only the types are checked.
///
/// # Panics
///
/// With a report (`ST0202`), if it is held.
///
/// # Example
///
/// ```
/// let accounts = sync_trace::sync::Mutex::new(0);
/// sync_trace::assert_not_held!(accounts);
/// ```
#[macro_export]
macro_rules! assert_not_held {
    ($lock:expr $(,)?) => {
        $crate::__private::declared::assert_not_held(
            $crate::__assertion!("assert_not_held" $lock),
            &$lock,
        )
    };
}

/// Asserts that the calling thread holds no lock at all: as before a call of which nothing is known.
///
/// Where tracing is compiled out, it is nothing.
///
/// # Panics
///
/// With a report (`ST0202`), if it holds one.
///
/// # Example
///
/// ```
/// fn call_back(f: impl FnOnce()) {
///     sync_trace::assert_no_locks_held!();
///     f();
/// }
/// # call_back(|| ());
/// ```
#[macro_export]
macro_rules! assert_no_locks_held {
    () => {
        $crate::__private::declared::assert_no_locks_held(
            $crate::__assertion!("assert_no_locks_held" any lock),
        )
    };
}

#[cfg(any(debug_assertions, feature = "always"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_enabled {
    (on { $($on:tt)* } off { $($off:tt)* }) => { $($on)* };
}

#[cfg(not(any(debug_assertions, feature = "always")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_enabled {
    (on { $($on:tt)* } off { $($off:tt)* }) => { $($off)* };
}

/// Names the locks of a method's `self`, if its type says how.
#[doc(hidden)]
#[macro_export]
macro_rules! __name_locks_of {
    ($this:expr) => {{
        #[allow(unused_imports, reason = "it depends on the type which of the two is used")]
        use $crate::__private::declared::{NamesFields as _, NamesNothing as _};
        (&$crate::__private::declared::Receiver(&$this)).name_locks_of();
    }};
}
