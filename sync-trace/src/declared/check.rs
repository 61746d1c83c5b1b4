//! Whether what an agent does is what its extents declare. Pure: frames and holds in, breaches out.

use super::frame::{Before, Frame, Place};
use super::model::{Clause, Declaration, Element, Options, Rule};
use crate::finding::Broken;
use crate::held::Held;

/// A clause that is broken.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) declaration: &'static Declaration,
    pub(crate) clause: &'static Clause,
    pub(crate) broken: Broken,
    /// The element that the clause is broken for.
    pub(crate) element: Option<&'static Element>,
    /// The other element, as which something else is held.
    pub(crate) other: Option<&'static Element>,
    /// What it is at odds with.
    pub(crate) against: Option<Held>,
}

/// How a lock is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Until it comes.
    Waiting,
    /// It is tried, and so cannot be in the wrong order.
    Trying,
}

/// What is broken if `wanted` is taken now, while `holds` are held. `frames` are the extents, the
/// innermost one first.
pub(crate) fn request<'a>(
    frames: impl Iterator<Item = Frame<'a>>,
    wanted: &Held,
    holds: &[Held],
    manner: Manner,
) -> Option<Breach> {
    // Taken again it is not taken later.
    let is_again = holds.iter().any(|held| held.lock == wanted.lock);
    for frame in frames {
        for clause in frame.clauses() {
            let of_clause = match &clause.rule {
                Rule::Order { chains, options } if manner == Manner::Waiting && !is_again => {
                    chains.iter().find_map(|chain| order(&frame, chain, *options, wanted, holds))
                }
                Rule::Only { locks } if !is_again => only(&frame, locks, wanted),
                _ => None,
            };
            if let Some(Part { broken, element, other, against }) = of_clause {
                let declaration = frame.declaration;
                return Some(Breach { declaration, clause, broken, element, other, against });
            }
        }
    }
    None
}

/// A [`Breach`] without its place.
struct Part {
    broken: Broken,
    element: Option<&'static Element>,
    other: Option<&'static Element>,
    against: Option<Held>,
}

fn order(
    frame: &Frame<'_>,
    chain: &'static [Element],
    options: Options,
    wanted: &Held,
    holds: &[Held],
) -> Option<Part> {
    let places = |held: &Held| -> Vec<(usize, Place)> {
        let takes = |(at, element)| Some((at, frame.takes(element, held)?));
        chain.iter().enumerate().filter_map(takes).collect()
    };
    let mine = places(wanted);
    let first = mine.first()?.0;
    let inside: Vec<Held> = match options.local {
        true => taken_inside(frame.before, holds),
        false => holds.to_vec(),
    };
    for held in &inside {
        let theirs = places(held);
        // What is several elements at once may be taken for whichever of them is in order.
        let pairs = || theirs.iter().flat_map(|their| mine.iter().map(move |my| (*their, *my)));
        let is_in_order = pairs().any(|((there, before), (here, place))| {
            there < here || there == here && chain[here].ordered && before < place
        });
        let Some(((there, before), (here, place))) = pairs().next() else { continue };
        if is_in_order {
            continue;
        }
        let broken = match () {
            () if there > here => Broken::OutOfOrder,
            () if chain[here].ordered && before >= place => Broken::KeysDescend,
            () if is_multi(wanted) => continue,
            () => Broken::SameElement,
        };
        let (element, other) = (Some(&chain[here]), Some(&chain[there]));
        return Some(Part { broken, element, other, against: Some(*held) });
    }
    let before = first.checked_sub(1).filter(|_| options.strict)?;
    let is_held = frame.is_open(&chain[before])
        || inside.iter().any(|held| frame.takes(&chain[before], held).is_some());
    let (element, other) = (Some(&chain[first]), Some(&chain[before]));
    (!is_held).then_some(Part { broken: Broken::NotAfter, element, other, against: None })
}

/// Whether several locks of its class may be held at once.
fn is_multi(held: &Held) -> bool {
    held.created.class().is_some_and(|class| class.multi)
}

/// What of `holds` was not held before: each hold from before stands for one.
pub(super) fn taken_inside(before: &[Before], holds: &[Held]) -> Vec<Held> {
    let mut before = before.to_vec();
    let is_new = |held: &&Held| {
        let is_it = |old: &Before| old.lock == held.lock && old.mode == held.access.mode;
        match before.iter().position(is_it) {
            Some(at) => {
                before.swap_remove(at);
                false
            }
            None => true,
        }
    };
    holds.iter().filter(is_new).copied().collect()
}

fn only(frame: &Frame<'_>, locks: &'static [Element], wanted: &Held) -> Option<Part> {
    // Nobody lists the initialiser of a static.
    let is_allowed = wanted.access.kind.is_once()
        || locks
            .iter()
            .any(|element| frame.takes(element, wanted).is_some() || frame.is_open(element));
    let part = Part { broken: Broken::NotAllowed, element: None, other: None, against: None };
    (!is_allowed).then_some(part)
}

/// When an extent is looked at as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    Entry,
    Exit,
}

/// What is broken at the entry into, or at the exit from, `frame`, while `holds` are held.
pub(crate) fn border(frame: &Frame<'_>, holds: &[Held], border: Border) -> Option<Breach> {
    frame.clauses().find_map(|clause| {
        let elements = || clause.rule.locks().iter();
        let held = |element: &Element| holds.iter().find(|held| frame.satisfies(element, held));
        let missing = |broken| {
            let element = elements().find(|element| !is_held(frame, element, holds))?;
            Some(Part { broken, element: Some(element), other: None, against: None })
        };
        let present = |broken| {
            let (element, against) =
                elements().find_map(|element| Some((element, held(element)?)))?;
            Some(Part { broken, element: Some(element), other: None, against: Some(*against) })
        };
        let part = match (&clause.rule, border) {
            (Rule::Requires { .. }, Border::Entry) => missing(Broken::NotHeld),
            (Rule::Requires { entry: false, .. }, Border::Exit) => missing(Broken::NotHeldAtExit),
            (Rule::Excludes { .. }, Border::Entry) => present(Broken::Held),
            (Rule::Acquires { .. }, Border::Entry) => present(Broken::HeldAlready),
            (Rule::Acquires { .. }, Border::Exit) => missing(Broken::NotAcquired),
            (Rule::Releases { .. }, Border::Entry) => missing(Broken::NotHeld),
            (Rule::Releases { .. }, Border::Exit) => present(Broken::NotReleased),
            _ => None,
        };
        let Part { broken, element, other, against } = part?;
        let declaration = frame.declaration;
        Some(Breach { declaration, clause, broken, element, other, against })
    })
}

/// Whether what `element` asks for is held: each of several places, or any lock of a name or type.
fn is_held(frame: &Frame<'_>, element: &Element, holds: &[Held]) -> bool {
    let is_one = || holds.iter().any(|held| frame.satisfies(element, held));
    let super::model::What::Slot(slot) = element.what else { return is_one() };
    let mut members = frame.of_slot(slot);
    members.all(|member| match member.what {
        super::frame::Which::Type(_) => is_one(),
        super::frame::Which::Unknown => true,
        super::frame::Which::Lock { id, .. } => {
            holds.iter().any(|held| held.lock == id && frame.satisfies(element, held))
        }
    })
}

impl Rule {
    /// The locks that it is about, unless it is an order.
    pub(crate) fn locks(&self) -> &'static [Element] {
        match self {
            Self::Requires { locks, .. }
            | Self::Excludes { locks }
            | Self::Only { locks }
            | Self::Acquires { locks }
            | Self::Releases { locks } => locks,
            Self::Order { .. }
            | Self::NoBlock
            | Self::MayBlock
            | Self::Budget { .. }
            | Self::Exempt { .. } => &[],
        }
    }

    /// The attribute that says it.
    pub(crate) fn attribute(&self) -> &'static str {
        match self {
            Self::Order { .. } => "lock_order",
            Self::Requires { .. } => "lock_requires",
            Self::Excludes { .. } => "lock_excludes",
            Self::Only { .. } => "lock_only",
            Self::Acquires { .. } => "lock_acquires",
            Self::Releases { .. } => "lock_releases",
            Self::NoBlock => "no_block",
            Self::MayBlock => "may_block",
            Self::Budget { .. } => "lock_budget",
            Self::Exempt { .. } => "lock_exempt",
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::frame::{Member, Which};
    use super::super::model::{HeldMode, Span, What};
    use super::*;
    use crate::finding::{LockId, LockKind};
    use crate::op::{Mode, Op};
    use crate::registry::Access;
    use crate::site::{Origin, Site};

    const SPAN: Span = Span { line: 1, column: 1, end: 2 };

    const fn element(slot: usize) -> Element {
        Element { what: What::Slot(slot), mode: None, ordered: false, span: SPAN, text: "" }
    }

    const fn ordered(slot: usize) -> Element {
        Element { ordered: true, ..element(slot) }
    }

    const fn write(slot: usize) -> Element {
        Element { mode: Some(HeldMode::Write), ..element(slot) }
    }

    const PLAIN: Options = Options { global: false, strict: false, local: false, inherit: false };

    fn declaration(rule: Rule) -> &'static Declaration {
        let clauses = Box::leak(Box::new([Clause { rule, span: SPAN, text: "" }]));
        Box::leak(Box::new(Declaration::new("test", "test.rs", SPAN, clauses)))
    }

    fn held_in(lock: u64, mode: Mode) -> Held {
        let kind = if mode == Mode::Exclusive { LockKind::Mutex } else { LockKind::RwLock };
        let type_name = std::any::type_name::<u32>;
        let access = Box::leak(Box::new(Access { kind, type_name, mode, op: Op::Lock }));
        let site = Site::caller();
        let created = Origin::unnamed(site);
        Held { lock: LockId(lock), stamp: 0, told: false, access, created, site }
    }

    fn held(lock: u64) -> Held {
        held_in(lock, Mode::Exclusive)
    }

    /// Lock number n is element n / 10, with its number as its key.
    fn members() -> Vec<Member> {
        let member = |id: u64| {
            let (origin, key) = (Origin::unnamed(Site::caller()), i128::from(id));
            let what = Which::Lock { id: LockId(id), origin, key };
            Member { slot: id as usize / 10, what }
        };
        [10, 11, 20, 21, 30, 31].map(member).to_vec()
    }

    /// What is broken by taking `wanted` while `holds` are held, where `before` were held already.
    fn judge(
        rule: Rule,
        before: &[u64],
        holds: &[Held],
        wanted: Held,
        manner: Manner,
    ) -> Option<Broken> {
        let members = members();
        let before: Vec<Before> =
            before.iter().map(|&id| Before { lock: LockId(id), mode: Mode::Exclusive }).collect();
        let declaration = declaration(rule);
        let frame = Frame { declaration, members: &members, before: &before, is_inherited: false };
        request([frame].into_iter(), &wanted, holds, manner).map(|breach| breach.broken)
    }

    fn order(chain: &'static [Element], options: Options) -> Rule {
        Rule::Order { chains: Box::leak(Box::new([chain])), options }
    }

    const ABC: &[Element] = &[element(1), element(2), element(3)];

    #[track_caller]
    fn check(rule: Rule, holds: &[u64], wanted: u64, expected: Option<Broken>) {
        let holds: Vec<Held> = holds.iter().map(|&id| held(id)).collect();
        assert_eq!(judge(rule, &[], &holds, held(wanted), Manner::Waiting), expected);
    }

    #[test]
    fn what_comes_later_may_not_be_held() {
        let check =
            |holds: &[u64], wanted, expected| check(order(ABC, PLAIN), holds, wanted, expected);
        check(&[], 30, None);
        check(&[10], 20, None);
        check(&[10, 20], 30, None);
        check(&[10], 30, None);
        check(&[20], 10, Some(Broken::OutOfOrder));
        check(&[30], 10, Some(Broken::OutOfOrder));
        check(&[10, 30], 20, Some(Broken::OutOfOrder));
        // Others are not spoken of.
        check(&[99], 10, None);
        check(&[30], 99, None);
    }

    #[test]
    fn what_is_taken_again_or_only_tried_is_in_order() {
        check(order(ABC, PLAIN), &[10, 20], 10, None);
        let holds = [held(20)];
        let judge = |manner| judge(order(ABC, PLAIN), &[], &holds, held(10), manner);
        assert_eq!(judge(Manner::Trying), None);
        assert_eq!(judge(Manner::Waiting), Some(Broken::OutOfOrder));
    }

    #[test]
    fn two_locks_of_one_element_need_keys_that_ascend() {
        check(order(ABC, PLAIN), &[10], 11, Some(Broken::SameElement));
        const EACH: &[Element] = &[ordered(1), element(2)];
        let check =
            |holds: &[u64], wanted, expected| check(order(EACH, PLAIN), holds, wanted, expected);
        check(&[10], 11, None);
        check(&[11], 10, Some(Broken::KeysDescend));
        check(&[20], 10, Some(Broken::OutOfOrder));
        check(&[20], 21, Some(Broken::SameElement));
    }

    #[test]
    fn a_mode_restricts_what_is_meant() {
        const WRITES: &[Element] = &[write(1), element(2)];
        let read = |lock| held_in(lock, Mode::Read);
        let judge = |holds: &[Held], wanted| {
            judge(order(WRITES, PLAIN), &[], holds, wanted, Manner::Waiting)
        };
        assert_eq!(judge(&[held(20)], held(10)), Some(Broken::OutOfOrder));
        assert_eq!(judge(&[held(20)], read(10)), None);
        assert_eq!(judge(&[read(20)], held(10)), Some(Broken::OutOfOrder));
    }

    #[test]
    fn a_local_order_counts_only_what_was_taken_inside() {
        let local = || order(ABC, Options { local: true, ..PLAIN });
        let judge = |before: &[u64], holds: &[Held]| {
            judge(local(), before, holds, held(10), Manner::Waiting)
        };
        assert_eq!(judge(&[20], &[held(20)]), None);
        assert_eq!(judge(&[], &[held(20)]), Some(Broken::OutOfOrder));
        assert_eq!(judge(&[20], &[held(20), held(30)]), Some(Broken::OutOfOrder));
        // Read twice, once before and once inside.
        assert_eq!(judge(&[20], &[held(20), held(20)]), Some(Broken::OutOfOrder));
    }

    #[test]
    fn a_strict_order_asks_for_the_one_before() {
        let check = |holds: &[u64], wanted, expected| {
            check(order(ABC, Options { strict: true, ..PLAIN }), holds, wanted, expected);
        };
        check(&[], 10, None);
        check(&[10], 20, None);
        check(&[], 20, Some(Broken::NotAfter));
        check(&[10], 30, Some(Broken::NotAfter));
        check(&[10, 20], 30, None);
    }

    #[test]
    fn a_lock_that_is_several_elements_is_taken_for_the_one_in_order() {
        const ANY: Element = Element { what: What::Slot(1), ..element(1) };
        // The locks of element 1 stand on both sides of those of element 2.
        const AROUND: &[Element] = &[ANY, element(2), ANY];
        check(order(AROUND, PLAIN), &[10, 20], 11, None);
        check(order(AROUND, PLAIN), &[20], 10, None);
        check(order(AROUND, PLAIN), &[10], 20, None);
    }

    #[test]
    fn only_what_is_listed_is_taken_even_if_it_is_only_tried() {
        const ALLOWED: &[Element] = &[element(1), write(2)];
        let only = || Rule::Only { locks: ALLOWED };
        check(only(), &[], 10, None);
        check(only(), &[], 20, None);
        check(only(), &[], 30, Some(Broken::NotAllowed));
        check(only(), &[30], 30, None);
        let judge = |wanted, manner| judge(only(), &[], &[], wanted, manner);
        assert_eq!(judge(held_in(20, Mode::Read), Manner::Waiting), Some(Broken::NotAllowed));
        assert_eq!(judge(held(30), Manner::Trying), Some(Broken::NotAllowed));
        check(Rule::Only { locks: &[] }, &[], 10, Some(Broken::NotAllowed));
    }

    #[track_caller]
    fn check_border(rule: Rule, holds: &[Held], entry: Option<Broken>, exit: Option<Broken>) {
        let members = members();
        let declaration = declaration(rule);
        let frame = Frame { declaration, members: &members, before: &[], is_inherited: false };
        let broken = |at| border(&frame, holds, at).map(|breach| breach.broken);
        assert_eq!((broken(Border::Entry), broken(Border::Exit)), (entry, exit));
    }

    #[test]
    fn what_is_required_is_held_all_of_it_at_both_ends() {
        const ONE: &[Element] = &[element(1)];
        const WRITE: &[Element] = &[write(1)];
        let both = [held(10), held(11)];
        let (not_held, not_held_at_exit) = (Some(Broken::NotHeld), Some(Broken::NotHeldAtExit));
        let requires = |locks, entry| Rule::Requires { locks, entry };
        check_border(requires(ONE, false), &both, None, None);
        check_border(requires(ONE, false), &both[..1], not_held, not_held_at_exit);
        check_border(requires(ONE, true), &[], not_held, None);
        let read = both.map(|held| held_in(held.lock.0, Mode::Read));
        check_border(requires(ONE, false), &read, None, None);
        check_border(requires(WRITE, false), &read, not_held, not_held_at_exit);
    }

    #[test]
    fn what_is_excluded_is_not_held_at_entry() {
        const ONE: &[Element] = &[element(1)];
        check_border(Rule::Excludes { locks: ONE }, &[held(20)], None, None);
        check_border(Rule::Excludes { locks: ONE }, &[held(11)], Some(Broken::Held), None);
    }

    #[test]
    fn the_balance_is_looked_at_at_both_ends() {
        const ALL: &[Element] = &[element(1)];
        let both = [held(10), held(11)];
        let acquires = || Rule::Acquires { locks: ALL };
        check_border(acquires(), &[], None, Some(Broken::NotAcquired));
        check_border(acquires(), &both, Some(Broken::HeldAlready), None);
        let releases = || Rule::Releases { locks: ALL };
        check_border(releases(), &[], Some(Broken::NotHeld), None);
        check_border(releases(), &both, None, Some(Broken::NotReleased));
    }
}
