//! What an order edge knows of its holds and requests, and when one can keep another waiting.
//!
//! The labels are those of Linux lockdep, which has two kinds at each end, widened to four.

use crate::op::Mode;

const MODES: [Mode; 4] = [Mode::Exclusive, Mode::Upgradable, Mode::Read, Mode::RecursiveRead];

/// Whether a hold can keep a request for the same lock waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocks {
    /// Never.
    No,
    /// By itself.
    Directly,
    /// Only while a writer queues: it waits for the hold, and the request waits for it.
    ThroughWriter,
}

/// Whether a hold in mode `held` can keep a request in mode `wanted` waiting, and how.
///
/// | held \ wanted | exclusive | upgradable | read | recursive read |
/// |---|---|---|---|---|
/// | exclusive      | directly | directly       | directly       | directly |
/// | upgradable     | directly | directly       | through writer | no       |
/// | read           | directly | through writer | through writer | no       |
/// | recursive read | directly | through writer | through writer | no       |
pub(crate) fn blocks_or_queues(held: Mode, wanted: Mode) -> Blocks {
    if held.blocks(wanted) {
        Blocks::Directly
    } else if wanted == Mode::RecursiveRead {
        Blocks::No
    } else {
        Blocks::ThroughWriter
    }
}

/// A set of pairs (mode held on the lock behind, mode wanted of the lock ahead): one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label(u16);

impl Label {
    pub(crate) fn of(held: Mode, wanted: Mode) -> Self {
        Self(1 << (held as u16 * 4 + wanted as u16))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The walk over an edge with this label and then over one with label `next`: the first hold
    /// with the last request of all pairs of pairs that are strong in between.
    pub(crate) fn then(self, next: Self) -> Self {
        let mut walk = 0;
        for held in MODES {
            for blocker in MODES {
                if self.0 >> (held as u16 * 4) & blocked_by(blocker) != 0 {
                    walk |= (next.0 >> (blocker as u16 * 4) & 0b1111) << (held as u16 * 4);
                }
            }
        }
        Self(walk)
    }

    /// Whether a closed walk with this label is strong also where it ends: the hold that it starts
    /// with can block the request that it ends with.
    pub(crate) fn closes(self) -> bool {
        MODES.iter().any(|&held| self.0 >> (held as u16 * 4) & blocked_by(held) != 0)
    }
}

/// The wanted modes that a hold can keep waiting, as the bits of one row of a label.
fn blocked_by(held: Mode) -> u16 {
    let blocked = MODES.iter().filter(|&&wanted| blocks_or_queues(held, wanted) != Blocks::No);
    blocked.fold(0, |row, &wanted| row | 1 << wanted as u16)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_writer_in_the_queue_lets_readers_block_all_but_recursive_readers() {
        use Blocks::*;
        let row = |held| MODES.map(|wanted| blocks_or_queues(held, wanted));
        assert_eq!(row(Mode::Exclusive), [Directly; 4]);
        assert_eq!(row(Mode::Upgradable), [Directly, Directly, ThroughWriter, No]);
        assert_eq!(row(Mode::Read), [Directly, ThroughWriter, ThroughWriter, No]);
        assert_eq!(row(Mode::RecursiveRead), [Directly, ThroughWriter, ThroughWriter, No]);
    }

    /// All pairs of pairs, by the definition.
    #[test]
    fn a_walk_keeps_the_pairs_that_are_strong_in_between() {
        let pairs = || MODES.into_iter().flat_map(|a| MODES.map(|b| (a, b)));
        for (held, wanted) in pairs() {
            for (blocker, last) in pairs() {
                let walk = Label::of(held, wanted).then(Label::of(blocker, last));
                let strong = blocks_or_queues(blocker, wanted) != Blocks::No;
                let expected = if strong { Label::of(held, last) } else { Label::default() };
                assert_eq!(walk, expected);
            }
            let closes = blocks_or_queues(held, wanted) != Blocks::No;
            assert_eq!(Label::of(held, wanted).closes(), closes);
        }
    }

    #[test]
    fn pairs_are_not_mixed() {
        let label = Label::of(Mode::Exclusive, Mode::RecursiveRead)
            .union(Label::of(Mode::Read, Mode::Exclusive));
        let next = Label::of(Mode::Read, Mode::Read);
        assert_eq!(label.then(next), Label::of(Mode::Read, Mode::Read), "not from exclusive");
    }
}
