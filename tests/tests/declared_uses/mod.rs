//! Each use compiles without a warning, leaves the function its value, and is in force while that runs. Where
//! tracing is compiled out it does nothing at all, and the same calls are made.

mod blocks;
mod functions;
mod futures;
mod methods;
mod rules;

use std::fmt::Debug;
use std::sync::PoisonError;

use sync_trace::catch_findings;
use sync_trace::finding::Code;
use sync_trace::sync::{Mutex, MutexGuard};

/// Whether two locks are taken in the declared order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Forwards,
    Backwards,
}

/// Takes a lock that may have been poisoned, as by the test of another rule.
#[track_caller]
pub(crate) fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes both at once and gives their sum.
pub(crate) fn both(a: &Mutex<u8>, b: &Mutex<u16>, way: Way) -> u16 {
    match way {
        Way::Forwards => {
            let a = take(a);
            u16::from(*a) + *take(b)
        }
        Way::Backwards => {
            let b = take(b);
            u16::from(*take(a)) + *b
        }
    }
}

/// What most uses declare an order of.
pub(crate) struct Pair {
    pub(crate) a: Mutex<u8>,
    pub(crate) b: Mutex<u16>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self { a: Mutex::new(3), b: Mutex::new(4) }
    }

    pub(crate) fn both(&self, way: Way) -> u16 {
        both(&self.a, &self.b, way)
    }
}

/// Asserts that `body` breaks these rules, or none where nothing is traced.
#[track_caller]
pub(crate) fn breaks(expected: &[Code], body: impl FnOnce()) {
    let caught = catch_findings(body);
    let found: Vec<Code> = caught.findings.iter().map(|finding| finding.code).collect();
    let expected = if sync_trace::ENABLED { expected } else { &[] };
    assert_eq!(found, expected, "{:?}", caught.findings);
    assert_eq!(caught.result.is_err(), !expected.is_empty(), "a finding is a panic");
}

/// Asserts that `call` may take its locks forwards and not backwards, and has this value.
#[track_caller]
pub(crate) fn binds<R: Debug + PartialEq>(value: R, call: impl Fn(Way) -> R) {
    breaks(&[], || assert_eq!(call(Way::Forwards), value));
    breaks(&[Code::OrderBroken], || assert_eq!(call(Way::Backwards), value));
}

/// Asserts that `call` may take its locks as it likes, and has this value.
#[track_caller]
pub(crate) fn binds_not<R: Debug + PartialEq>(value: R, call: impl Fn(Way) -> R) {
    for way in [Way::Forwards, Way::Backwards] {
        breaks(&[], || assert_eq!(call(way), value));
    }
}
