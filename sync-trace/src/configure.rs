//! What [`named!`](crate::named), [`untracked!`](crate::untracked) and
//! [`on_violation!`](crate::on_violation) call.
//!
//! They are functions and not methods, so that the expression inside has the type that is expected of
//! it: as the receiver of a method, `LazyLock::new(|| ..)` would not become a `LazyLock<T>`. They have
//! to work at compile time for every type, where the methods of a trait cannot be called; so the trait
//! only says where in a type its traced parts lie.

use crate::config::OnViolation;
use crate::site::Label;

/// A type that takes a name or a reaction: every traced primitive, and the pair that a channel function
/// gives. Where tracing is compiled out, `std`'s own.
///
/// # Safety
///
/// What lies at the offsets has to be of the types named.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a primitive of `sync_trace::sync`",
    note = "wrap the primitive itself, as in `Arc::new(named!(\"accounts\", Mutex::new(0)))`"
)]
pub unsafe trait Traced: Sized {
    /// Where its `LockHeader`s lie.
    const HEADERS: &'static [usize] = &[];
    /// Where its `Channel`s lie.
    const CHANNELS: &'static [usize] = &[];
}

#[cfg(any(debug_assertions, feature = "always"))]
mod on {
    use super::{Label, OnViolation, Traced};
    use crate::registry::LockHeader;
    use crate::sync::mpsc::Channel;

    /// Does something with each traced part of a value, and gives the value back.
    macro_rules! configure {
        ($lock:ident, $header:ident: $with_header:expr $(, $channel:ident: $with_channel:expr)?) => {{
            let mut lock = $lock;
            let start = (&raw mut lock).cast::<u8>();
            let mut at = 0;
            while at < L::HEADERS.len() {
                // SAFETY: `Traced` promises that a header lies there, and nobody else refers to it.
                let $header = unsafe { &mut *start.add(L::HEADERS[at]).cast::<LockHeader>() };
                $with_header;
                at += 1;
            }
            $(
                at = 0;
                while at < L::CHANNELS.len() {
                    // SAFETY: the same for channels.
                    let $channel = unsafe { &mut *start.add(L::CHANNELS[at]).cast::<Channel>() };
                    $with_channel;
                    at += 1;
                }
            )?
            lock
        }};
    }

    /// Gives a name.
    pub const fn named<L: Traced>(label: &'static Label, lock: L) -> L {
        configure!(lock, header: header.set_name(label), channel: channel.set_name(label))
    }

    /// Gives it to a class.
    pub const fn in_class<L: Traced>(label: &'static Label, lock: L) -> L {
        let lock = named(label, lock);
        match label.class() {
            Some(class) if class.untracked => untracked(lock),
            _ => lock,
        }
    }

    /// Keeps it off the record.
    pub const fn untracked<L: Traced>(lock: L) -> L {
        configure!(lock, header: header.make_untracked(), channel: channel.make_untracked())
    }

    /// Gives a reaction of its own; the waits for a channel have none to react to.
    pub const fn on_violation<L: Traced>(reaction: OnViolation, lock: L) -> L {
        configure!(lock, header: header.set_reaction(reaction))
    }
}

#[cfg(not(any(debug_assertions, feature = "always")))]
mod off {
    use super::{Label, OnViolation, Traced};
    use std::sync::mpsc::{Receiver, Sender, SyncSender};
    use std::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock};

    /// Gives a name, which nobody asks for.
    pub const fn named<L: Traced>(_: &'static Label, lock: L) -> L {
        lock
    }

    /// Gives it to a class, which nobody asks for.
    pub const fn in_class<L: Traced>(_: &'static Label, lock: L) -> L {
        lock
    }

    /// There is no record to keep it off.
    pub const fn untracked<L: Traced>(lock: L) -> L {
        lock
    }

    /// Gives a reaction, to which there is no cause.
    pub const fn on_violation<L: Traced>(_: OnViolation, lock: L) -> L {
        lock
    }

    macro_rules! traced {
        ($([$($generics:ident),*] $type:ty),* $(,)?) => {$(
            // SAFETY: it claims that there is nothing.
            unsafe impl<$($generics),*> Traced for $type {}
        )*};
    }

    traced!([T] Mutex<T>, [T] RwLock<T>, [] Condvar, [] Once, [T] OnceLock<T>, [T, F] LazyLock<T, F>);
    traced!([] crate::sync::Semaphore);
    traced!([] Barrier, [T] (Sender<T>, Receiver<T>), [T] (SyncSender<T>, Receiver<T>));
}

#[cfg(not(any(debug_assertions, feature = "always")))]
pub use off::{in_class, named, on_violation, untracked};
#[cfg(any(debug_assertions, feature = "always"))]
pub use on::{in_class, named, on_violation, untracked};
