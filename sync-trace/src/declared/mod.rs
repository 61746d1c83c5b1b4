//! Declared orders and rules: what the attributes of this crate say, and whether it is so.
//!
//! [`model`] is what an attribute's expansion puts into statics. A call enters an *extent* ([`scope`]);
//! the agent keeps those that it is in ([`extents`]), each a [`frame`] of the declaration and the locks
//! that this call is about ([`traced`] finds them). Every request inside is looked at by [`check`], which
//! is pure. What is declared for more than one call, and whether declarations contradict each other,
//! stands in the [`book`]; [`class`] is what is said of named classes. [`verdict`] makes findings of it
//! all, with [`evidence`], and reacts.
//!
//! An agent in an extent takes the slow path with everything it does; others pay nothing.

#[cfg(not(loom))]
mod asserts;
pub(crate) mod book;
pub(crate) mod check;
pub(crate) mod class;
#[cfg(not(loom))]
mod evidence;
pub(crate) mod extents;
#[cfg(not(loom))]
mod fields;
pub(crate) mod frame;
pub(crate) mod model;
mod pattern;
#[cfg(not(loom))]
mod scope;
mod traced;
#[cfg(not(loom))]
mod verdict;

#[cfg(not(loom))]
pub use asserts::{Assertion, assert_held, assert_no_locks_held, assert_not_held};
#[cfg(not(loom))]
pub(crate) use check::Manner;
pub use class::LockClass;
#[cfg(not(loom))]
pub use class::check_ranks;
#[cfg(not(loom))]
pub use fields::{LockFields, NamesFields, NamesNothing, Receiver, label, name_field};
pub use model::Declaration;
#[cfg(not(loom))]
pub use model::{Clause, Element, HeldMode, Options, Rule, Span, What};
#[cfg(not(loom))]
pub(crate) use scope::inherit;
#[cfg(not(loom))]
pub use scope::{Key, Members, Prepared, Scope, Scoped, enter, prepare};
#[cfg(not(loom))]
pub use traced::Locks;
pub use traced::TracedLock;
#[cfg(not(loom))]
pub(crate) use verdict::{
    contradictions, is_in_order, make_room, may_wait, observed, released, requested, taken, waited,
};

/// All declarations of the program.
#[linkme::distributed_slice]
pub static DECLARATIONS: [&'static Declaration];

/// Where tracing is compiled out, a place of a declaration is looked at by the compiler only.
pub const fn check_lock<L: TracedLock + ?Sized>(_: &L) {}

/// The same for a class.
pub const fn check_class(_: &LockClass) {}

/// The same for the key of a lock.
#[cfg(not(loom))]
pub fn check_key<K: Key>(_: K) {}

/// All classes of the program.
#[linkme::distributed_slice]
pub static CLASSES: [&'static LockClass];
