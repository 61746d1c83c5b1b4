//! The extents that an agent is in: for each, what was declared and which locks that is about now.

use super::class::LockClass;
use super::model::{Clause, Declaration, Element, HeldMode, Rule, What};
use super::pattern;
use crate::finding::LockId;
use crate::held::Held;
use crate::op::Mode;
use crate::site::Origin;

/// What stands behind a numbered element of a declaration, in one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) slot: usize,
    pub(crate) what: Which,
}

/// A lock or a type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Lock {
        id: LockId,
        origin: Origin,
        /// Where it stands among those of an ordered element.
        key: i128,
    },
    /// All locks that protect a value of this type.
    Type(fn() -> &'static str),
    /// Something that is not there yet, or not recorded.
    Unknown,
}

/// One extent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) declaration: &'static Declaration,
    pub(crate) members: &'a [Member],
    /// What was held at entry.
    pub(crate) before: &'a [Before],
    /// It is that of a call of another thread, of which only some orders go on.
    pub(crate) is_inherited: bool,
}

/// A lock that was held when an extent was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) lock: LockId,
    pub(crate) mode: Mode,
}

impl<'a> Frame<'a> {
    /// Where a lock stands among those that `element` is about; `None` if it is not one of them.
    pub(crate) fn place(&self, element: &Element, held: &Held) -> Option<Place> {
        match element.what {
            What::Slot(slot) => {
                self.of_slot(slot).find_map(|member| match member.what {
                    Which::Lock { id, key, .. } if id == held.lock => Some(Place { key }),
                    // By number, as lock ids go.
                    Which::Type(name) if name() == (held.access.type_name)() => {
                        Some(Place { key: i128::from(held.lock.0) })
                    }
                    Which::Lock { .. } | Which::Type(_) | Which::Unknown => None,
                })
            }
            What::Name(glob) => named(held.created, |name| pattern::fits(glob, name)),
            What::Class(class) => named(held.created, |name| class == name),
        }
        .map(|place| match place.key {
            UNORDERED => Place { key: i128::from(held.lock.0) },
            _ => place,
        })
    }

    /// Whether `element` may stand for more than is known.
    pub(crate) fn is_open(&self, element: &Element) -> bool {
        let What::Slot(slot) = element.what else { return false };
        self.of_slot(slot).any(|member| matches!(member.what, Which::Unknown))
    }

    /// What the call has given under a number.
    pub(crate) fn of_slot(&self, slot: usize) -> impl Iterator<Item = &'a Member> {
        self.members.iter().filter(move |member| member.slot == slot)
    }

    /// Whether this is one of the locks that `element` is about, taken as the element says.
    pub(crate) fn takes(&self, element: &Element, held: &Held) -> Option<Place> {
        let place = self.place(element, held)?;
        is_taken_as(held.access.mode, element.mode).then_some(place)
    }

    /// Whether a hold is what `element` asks for.
    pub(crate) fn satisfies(&self, element: &Element, held: &Held) -> bool {
        self.place(element, held).is_some() && is_enough(held.access.mode, element.mode)
    }

    /// The clauses that are in force.
    pub(crate) fn clauses(&self) -> impl Iterator<Item = &'static Clause> + use<> {
        let is_inherited = self.is_inherited;
        let goes_on =
            |clause: &Clause| matches!(clause.rule, Rule::Order { options, .. } if options.inherit);
        self.declaration.clauses.iter().filter(move |clause| !is_inherited || goes_on(clause))
    }
}

/// Where a lock stands among those of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: i128,
}

/// No place was given: by number.
const UNORDERED: i128 = i128::MIN;

/// Whether one of a lock's names is the one.
fn named(origin: Origin, is_it: impl Fn(&str) -> bool) -> Option<Place> {
    let class = origin.class().map(LockClass::name);
    let mut names = [origin.name(), class].into_iter().flatten();
    names.any(is_it).then_some(Place { key: UNORDERED })
}

/// Whether a lock that is taken in `mode` is meant by an element that speaks of `wanted`.
fn is_taken_as(mode: Mode, wanted: Option<HeldMode>) -> bool {
    match wanted {
        None => true,
        Some(HeldMode::Read) => matches!(mode, Mode::Read | Mode::RecursiveRead),
        Some(HeldMode::Write) => mode == Mode::Exclusive,
        Some(HeldMode::Upgradable) => mode == Mode::Upgradable,
    }
}

/// Whether a lock that is held in `mode` may be used as one that is held in `wanted`.
pub(super) fn is_enough(mode: Mode, wanted: Option<HeldMode>) -> bool {
    match wanted {
        None | Some(HeldMode::Read) => true,
        Some(HeldMode::Write) => mode == Mode::Exclusive,
        Some(HeldMode::Upgradable) => matches!(mode, Mode::Upgradable | Mode::Exclusive),
    }
}
