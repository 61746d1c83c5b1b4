//! The traced types have the shape of `std`'s: what compiles against the one compiles against the
//! other.
//!
//! There are two ways to tell. What can be asked of a type (does it implement a trait, does it need
//! to be dropped) is computed for `std`'s type and for ours, and the answers are compared. What can
//! only be compiled (constness, coercions, signatures) stands in `shape/`, which is compiled
//! against `std` as well: that proves the demand to be `std`'s own.

#![expect(clippy::duplicate_mod, reason = "std and sync-trace have to meet the same demands")]

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomPinned;
use std::mem::needs_drop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

#[path = "shape"]
mod with_std {
    use std::{sync, thread};

    mod compiles;
    mod signatures;
}

#[path = "shape"]
mod traced {
    use sync_trace::{sync, thread};

    mod compiles;
    mod signatures;
}

/// Whether a type implements a trait. Where the bound holds, the inherent constant hides that of
/// `_Otherwise`; where it does not hold, there is no inherent one. (The underscores tell rustc that
/// one of the two is never used.)
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        trait _Otherwise {
            const _ANSWER: bool = false;
        }
        impl<T: ?Sized> _Otherwise for Probe<T> {}
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const _ANSWER: bool = true;
        }
        <Probe<$type>>::_ANSWER
    }};
}

/// The answers for one type, each with its question.
macro_rules! answers {
    ($type:ty) => {
        [
            ("Send", implements!($type: Send)),
            ("Sync", implements!($type: Sync)),
            ("Unpin", implements!($type: Unpin)),
            ("UnwindSafe", implements!($type: UnwindSafe)),
            ("RefUnwindSafe", implements!($type: RefUnwindSafe)),
            ("Debug", implements!($type: std::fmt::Debug)),
            ("Display", implements!($type: std::fmt::Display)),
            ("Default", implements!($type: Default)),
            ("From<u8>", implements!($type: From<u8>)),
            ("Deref", implements!($type: std::ops::Deref)),
            ("DerefMut", implements!($type: std::ops::DerefMut)),
            ("Clone", implements!($type: Clone)),
            ("PartialEq", implements!($type: PartialEq)),
            ("Hash", implements!($type: std::hash::Hash)),
            ("AsRef<u8>", implements!($type: AsRef<u8>)),
            ("Future", implements!($type: Future)),
            ("Iterator", implements!($type: Iterator)),
            ("needs_drop", needs_drop::<$type>()),
        ]
    };
}

/// What `std` and what we answer for one type.
struct Row {
    of: &'static str,
    std: [(&'static str, bool); 18],
    ours: [(&'static str, bool); 18],
}

macro_rules! row {
    ($module:ident::$name:ident $(<$($argument:tt),*>)?) => {
        Row {
            of: stringify!($name $(<$($argument),*>)?),
            std: answers!(std::$module::$name $(<$($argument),*>)?),
            ours: answers!(sync_trace::$module::$name $(<$($argument),*>)?),
        }
    };
}

/// The rows of everything that can be made around a payload: of the locks and guards only, where
/// the payload is unsized.
macro_rules! rows {
    ($($payload:ty),*; unsized $($unsized:ty),*) => {
        vec![
            $(
                row!(sync::Mutex<$payload>),
                row!(sync::MutexGuard<'static, $payload>),
                row!(sync::RwLock<$payload>),
                row!(sync::RwLockReadGuard<'static, $payload>),
                row!(sync::RwLockWriteGuard<'static, $payload>),
                row!(thread::JoinHandle<$payload>),
                row!(thread::ScopedJoinHandle<'static, $payload>),
            )*
            $(
                row!(sync::Mutex<$unsized>),
                row!(sync::MutexGuard<'static, $unsized>),
                row!(sync::RwLock<$unsized>),
                row!(sync::RwLockReadGuard<'static, $unsized>),
                row!(sync::RwLockWriteGuard<'static, $unsized>),
            )*
            row!(sync::Condvar),
            row!(thread::Builder),
            row!(thread::Scope<'static, 'static>),
        ]
    };
}

/// Neither `Debug` nor `Default` nor anything else that a derive would have to pass on.
struct Plain;

/// Every payload lacks something else: `Cell` is not `Sync`, `Rc` is neither `Send` nor `Sync`,
/// `std`'s guard is `Sync` only, a pinned one is not `Unpin`, and what is behind a `&mut` or a `&Cell`
/// is not unwind safe.
fn table() -> Vec<Row> {
    type StdGuard = std::sync::MutexGuard<'static, u8>;
    type Full = dyn Any + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe;
    rows![
        u8,
        String,
        Plain,
        Cell<u8>,
        Rc<u8>,
        StdGuard,
        PhantomPinned,
        *const u8,
        &'static mut u8,
        &'static Cell<u8>,
        Box<dyn Any>,
        Box<dyn Any + Send>;
        unsized [u8], str, [Cell<u8>], dyn Any, dyn Any + Send, dyn Any + Send + Sync, Full,
        dyn std::fmt::Debug
    ]
}

#[test]
fn every_traced_type_implements_what_stds_does_for_every_payload() {
    let differs = |row: &Row| {
        let differing = row.std.iter().zip(&row.ours).filter(|(std, ours)| std != ours);
        let lines = differing.map(|((what, std), _)| format!("{}: {what}: std {std}", row.of));
        lines.collect::<Vec<_>>()
    };
    let differences: Vec<String> = table().iter().flat_map(differs).collect();
    assert_eq!(differences, [""; 0]);
}

/// Else the test above could not fail for that trait.
#[test]
fn for_every_auto_trait_some_type_has_it_and_some_type_lacks_it() {
    for which in 0..9 {
        let table = table();
        let name = table[0].std[which].0;
        assert!(table.iter().any(|row| row.std[which].1), "nothing is {name}");
        assert!(table.iter().any(|row| !row.std[which].1), "everything is {name}");
    }
}

/// The probe itself, on answers that are known by heart.
#[test]
fn the_probe_tells_what_a_type_implements() {
    assert!(implements!(std::sync::Mutex<Cell<u8>>: Sync));
    assert!(!implements!(std::sync::RwLock<Cell<u8>>: Sync));
    assert!(!implements!(std::sync::MutexGuard<'static, u8>: Send));
    assert!(implements!(str: Send));
    assert!(!implements!(dyn Any: Send));
}

/// Whether `None` needs no room of its own.
fn has_niche<T>() -> bool {
    size_of::<Option<T>>() == size_of::<T>()
}

#[test]
fn every_guard_and_handle_has_a_niche_where_stds_has_one() {
    macro_rules! compare {
        ($($module:ident::$name:ident<$($argument:tt),*>),*) => {$(
            let std = has_niche::<std::$module::$name<$($argument),*>>();
            let ours = has_niche::<sync_trace::$module::$name<$($argument),*>>();
            assert!(ours >= std, "{}", stringify!($name));
        )*};
    }
    compare!(
        sync::MutexGuard<'static, u8>,
        sync::RwLockReadGuard<'static, u8>,
        sync::RwLockWriteGuard<'static, u8>,
        thread::JoinHandle<u8>,
        thread::ScopedJoinHandle<'static, u8>
    );
}

#[test]
fn a_lock_is_at_most_24_bytes_larger_and_a_guard_fits_in_four_words() {
    fn assert_grown_by<Std, Ours>(at_most: usize) {
        let (std, ours) = (size_of::<Std>(), size_of::<Ours>());
        assert!(ours <= std + at_most, "{}: {ours} and {std}", std::any::type_name::<Ours>());
    }
    assert_grown_by::<std::sync::Mutex<u64>, sync_trace::sync::Mutex<u64>>(24);
    assert_grown_by::<std::sync::RwLock<u64>, sync_trace::sync::RwLock<u64>>(24);
    // The number of a condvar and its one flag do not share a word.
    assert_grown_by::<std::sync::Condvar, sync_trace::sync::Condvar>(32);
    if cfg!(target_pointer_width = "64") {
        assert!(size_of::<sync_trace::sync::Mutex<u64>>() <= 40);
    }
    let words = |bytes: usize| bytes / size_of::<usize>();
    assert!(words(size_of::<sync_trace::sync::MutexGuard<'static, u64>>()) <= 4);
    assert!(words(size_of::<sync_trace::sync::RwLockReadGuard<'static, u64>>()) <= 4);
    assert!(words(size_of::<sync_trace::sync::RwLockWriteGuard<'static, u64>>()) <= 4);
}

/// A `&Scope` of ours is a `&Scope` of `std`'s under another name.
#[test]
fn a_scope_has_the_layout_of_stds() {
    use std::mem::align_of;
    type Std = std::thread::Scope<'static, 'static>;
    type Ours = sync_trace::thread::Scope<'static, 'static>;
    assert_eq!(size_of::<Ours>(), size_of::<Std>());
    assert_eq!(align_of::<Ours>(), align_of::<Std>());
}
