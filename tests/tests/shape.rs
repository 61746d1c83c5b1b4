//! The traced types have the shape of `std`'s: what compiles against the one compiles against the
//! other.
//!
//! There are two ways to tell. What can be asked of a type (does it implement a trait, does it need
//! to be dropped) is computed for `std`'s type and for ours, and the answers are compared. What can
//! only be compiled (constness, coercions, signatures) stands in `shape/`, which is compiled
//! against `std` as well: that proves the demand to be `std`'s own. What must not compile stands in
//! `rejected/`.

#![expect(clippy::duplicate_mod, reason = "std and sync-trace have to meet the same demands")]

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::marker::PhantomPinned;
use std::mem::needs_drop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

#[path = "shape"]
mod with_std {
    use std::{sync, thread};

    mod channels;
    mod compiles;
    mod must_use;
    mod once;
    mod signatures;
}

#[path = "shape"]
mod traced {
    use sync_trace::{sync, thread};

    mod channels;
    mod compiles;
    mod must_use;
    mod once;
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
            ("Copy", implements!($type: Copy)),
            ("PartialEq", implements!($type: PartialEq)),
            ("Eq", implements!($type: Eq)),
            ("PartialOrd", implements!($type: PartialOrd)),
            ("Hash", implements!($type: std::hash::Hash)),
            ("AsRef<u8>", implements!($type: AsRef<u8>)),
            ("Future", implements!($type: Future)),
            ("Iterator", implements!($type: Iterator)),
            ("DoubleEndedIterator", implements!($type: DoubleEndedIterator)),
            ("ExactSizeIterator", implements!($type: ExactSizeIterator)),
            ("FusedIterator", implements!($type: std::iter::FusedIterator)),
            ("IntoIterator", implements!($type: IntoIterator)),
            ("IntoIterator by reference", implements!(&'static $type: IntoIterator)),
            ("Error", implements!($type: std::error::Error)),
            ("FnOnce()", implements!($type: FnOnce())),
            ("needs_drop", needs_drop::<$type>()),
        ]
    };
}

const QUESTIONS: usize = 28;

/// What `std` and what we answer for one type.
struct Row {
    of: &'static str,
    std: [(&'static str, bool); QUESTIONS],
    ours: [(&'static str, bool); QUESTIONS],
}

macro_rules! row {
    ($($type:tt)+) => {
        Row {
            of: stringify!($($type)+),
            std: answers!(std::$($type)+),
            ours: answers!(sync_trace::$($type)+),
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
                row!(sync::OnceLock<$payload>),
                row!(sync::LazyLock<$payload>),
                row!(sync::LazyLock<$payload, Boxed<$payload>>),
                row!(sync::LazyLock<$payload, BoxedSend<$payload>>),
                row!(sync::LazyLock<$payload, StdGuard>),
                row!(sync::LazyLock<$payload, PhantomPinned>),
                row!(sync::LazyLock<$payload, &'static Cell<u8>>),
                row!(sync::LazyLock<$payload, Plain>),
                row!(sync::mpsc::Sender<$payload>),
                row!(sync::mpsc::SyncSender<$payload>),
                row!(sync::mpsc::Receiver<$payload>),
                row!(sync::mpsc::Iter<'static, $payload>),
                row!(sync::mpsc::TryIter<'static, $payload>),
                row!(sync::mpsc::IntoIter<$payload>),
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
            row!(sync::Once),
            row!(sync::Barrier),
            row!(thread::Builder),
            row!(thread::Scope<'static, 'static>),
        ]
    };
}

/// Neither `Debug` nor `Default` nor anything else that a derive would have to pass on. As the
/// initialiser of a `LazyLock`, it cannot even be called.
struct Plain;

type StdGuard = std::sync::MutexGuard<'static, u8>;
/// Initialisers that are not unwind safe, the first not `Send` either.
type Boxed<T> = Box<dyn FnOnce() -> T>;
type BoxedSend<T> = Box<dyn FnOnce() -> T + Send>;

/// Every payload lacks something else: `Cell` is not `Sync`, `Rc` is neither `Send` nor `Sync`,
/// `std`'s guard is `Sync` only, a pinned one is not `Unpin`, what is behind a `&mut` or a `&Cell` is
/// not unwind safe, and a float equals not even itself.
fn table() -> Vec<Row> {
    type Full = dyn Any + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe;
    rows![
        u8,
        f64,
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
    let table = table();
    for which in 0..5 {
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
fn every_traced_type_has_a_niche_where_stds_has_one() {
    macro_rules! compare {
        ($([$($type:tt)+])*) => {$(
            let (std, ours) = (has_niche::<std::$($type)+>(), has_niche::<sync_trace::$($type)+>());
            assert!(ours >= std, "{}", stringify!($($type)+));
        )*};
    }
    compare! {
        [sync::MutexGuard<'static, u8>]
        [sync::RwLockReadGuard<'static, u8>]
        [sync::RwLockWriteGuard<'static, u8>]
        [sync::Once]
        [sync::OnceLock<bool>]
        [sync::LazyLock<bool>]
        [sync::Barrier]
        [sync::mpsc::Sender<u8>]
        [sync::mpsc::SyncSender<u8>]
        [sync::mpsc::Receiver<u8>]
        [sync::mpsc::Iter<'static, u8>]
        [sync::mpsc::TryIter<'static, u8>]
        [sync::mpsc::IntoIter<u8>]
        [thread::JoinHandle<u8>]
        [thread::ScopedJoinHandle<'static, u8>]
    }
}

/// Asserts that types of ours are at most so many bytes larger than `std`'s. The padding does not
/// count that a type of `std`'s with a smaller alignment would get.
macro_rules! assert_grown {
    ($([$($type:tt)+] by $at_most:literal;)*) => {
        let too_large: &[Option<(&str, usize, usize)>] = &[$({
            let ours = size_of::<sync_trace::$($type)+>();
            let std = size_of::<std::$($type)+>();
            let padded = std.next_multiple_of(align_of::<sync_trace::$($type)+>());
            (ours > padded + $at_most).then_some((stringify!($($type)+), ours, std))
        }),*];
        assert_eq!(too_large.iter().flatten().collect::<Vec<_>>(), [&("", 0, 0); 0]);
    };
}

#[test]
fn a_lock_is_at_most_24_bytes_larger_and_a_guard_fits_in_four_words() {
    assert_grown! {
        [sync::Mutex<u64>] by 24;
        [sync::RwLock<u64>] by 24;
        // The number of a condvar and its one flag do not share a word.
        [sync::Condvar] by 32;
    }
    if cfg!(target_pointer_width = "64") {
        assert!(size_of::<sync_trace::sync::Mutex<u64>>() <= 40);
    }
    let words = |bytes: usize| bytes / size_of::<usize>();
    assert!(words(size_of::<sync_trace::sync::MutexGuard<'static, u64>>()) <= 4);
    assert!(words(size_of::<sync_trace::sync::RwLockReadGuard<'static, u64>>()) <= 4);
    assert!(words(size_of::<sync_trace::sync::RwLockWriteGuard<'static, u64>>()) <= 4);
}

#[test]
fn what_is_initialised_once_is_at_most_24_bytes_larger_and_a_lazy_lock_or_barrier_32() {
    assert_grown! {
        [sync::Once] by 24;
        [sync::OnceLock<()>] by 24;
        [sync::OnceLock<u64>] by 24;
        [sync::OnceLock<[u8; 100]>] by 24;
        // What it holds is an enum, whose tag takes a word.
        [sync::LazyLock<u8>] by 32;
        [sync::LazyLock<u64>] by 32;
        [sync::LazyLock<u8, [u8; 100]>] by 32;
        [sync::LazyLock<[u8; 100], ()>] by 32;
        // It knows how many have to come.
        [sync::Barrier] by 32;
    }
}

/// Whatever the payload is, which is on the heap.
#[test]
fn an_end_of_a_channel_is_at_most_24_bytes_larger() {
    assert_grown! {
        [sync::mpsc::Sender<u8>] by 24;
        [sync::mpsc::Sender<[u64; 9]>] by 24;
        [sync::mpsc::SyncSender<u8>] by 24;
        [sync::mpsc::SyncSender<[u64; 9]>] by 24;
        [sync::mpsc::Receiver<u8>] by 24;
        [sync::mpsc::Receiver<[u64; 9]>] by 24;
        [sync::mpsc::Iter<'static, u8>] by 24;
        [sync::mpsc::TryIter<'static, u8>] by 24;
        [sync::mpsc::IntoIter<u8>] by 24;
    }
}

/// So values of these types go from code that uses `std` to code that does not, and back.
#[test]
fn what_is_not_traced_is_stds_own() {
    macro_rules! same {
        ($([$($type:tt)+])*) => {$(
            let (std, ours) = (TypeId::of::<std::$($type)+>(), TypeId::of::<sync_trace::$($type)+>());
            assert_eq!(std, ours, "{}", stringify!($($type)+));
        )*};
    }
    same! {
        [sync::Arc<u8>]
        [sync::Weak<u8>]
        [sync::WaitTimeoutResult]
        [sync::BarrierWaitResult]
        [sync::OnceState]
        [sync::PoisonError<u8>]
        [sync::TryLockError<u8>]
        [sync::LockResult<u8>]
        [sync::TryLockResult<u8>]
        [sync::atomic::AtomicBool]
        [sync::atomic::AtomicPtr<u8>]
        [sync::atomic::Ordering]
        [sync::mpsc::SendError<u8>]
        [sync::mpsc::TrySendError<u8>]
        [sync::mpsc::RecvError]
        [sync::mpsc::TryRecvError]
        [sync::mpsc::RecvTimeoutError]
        [thread::AccessError]
        [thread::LocalKey<u8>]
        [thread::Result<u8>]
        [thread::Thread]
        [thread::ThreadId]
    }
}

/// A `&Scope` of ours is a `&Scope` of `std`'s under another name.
#[test]
fn a_scope_has_the_layout_of_stds() {
    type Std = std::thread::Scope<'static, 'static>;
    type Ours = sync_trace::thread::Scope<'static, 'static>;
    assert_eq!(size_of::<Ours>(), size_of::<Std>());
    assert_eq!(align_of::<Ours>(), align_of::<Std>());
}

/// `std` has none to compare it with: it is what a primitive without a payload is there.
#[test]
fn a_semaphore_and_its_permits_go_to_any_thread_and_through_any_panic() {
    use sync_trace::sync::{
        AcquireError, AcquireTimeoutError, OwnedSemaphorePermit, Semaphore, SemaphorePermit,
        TryAcquireError,
    };
    const WANTED: [&str; 6] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe", "Debug"];
    let has = |answers: [(&'static str, bool); QUESTIONS]| {
        answers.into_iter().filter_map(|(what, is_so)| is_so.then_some(what)).collect::<Vec<_>>()
    };
    assert_eq!(has(answers!(std::sync::Barrier)), WANTED);
    let semaphore = has(answers!(Semaphore));
    assert_eq!(semaphore[..6], WANTED);
    assert_eq!(semaphore[6..], ["needs_drop"]);
    assert_eq!(has(answers!(SemaphorePermit<'static>)), semaphore);
    assert_eq!(has(answers!(OwnedSemaphorePermit)), semaphore);
    for errors in [
        has(answers!(AcquireError)),
        has(answers!(TryAcquireError)),
        has(answers!(AcquireTimeoutError)),
    ] {
        let more = ["Display", "Clone", "Copy", "PartialEq", "Eq", "Error"];
        assert_eq!(errors, [&WANTED[..], &more[..]].concat());
    }
    const fn is_const() -> Semaphore {
        Semaphore::new(1)
    }
    static IN_A_STATIC: [Semaphore; 2] = [is_const(), Semaphore::new(0)];
    // It lives as long as what it borrows, and no longer is asked for.
    fn shortens<'short>(permit: SemaphorePermit<'static>) -> SemaphorePermit<'short> {
        permit
    }
    drop(shortens(IN_A_STATIC[0].acquire().unwrap()));
}
