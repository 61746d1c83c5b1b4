//! A list that answers in O(1) which of two items comes first: order maintenance.
//!
//! Each item has a rank, and there are gaps between ranks, so that most insertions change no other
//! one. Where a gap is used up, the smallest neighbourhood that is sparse enough is spread evenly:
//! "Two simplified algorithms for maintaining order in a list" (Bender, Cole, Demaine, Farach-Colton
//! and Zito, 2002), O(log n) amortised. At either end there is room for ever.

use petgraph::graph::NodeIndex;

/// The distance that is left to the next rank at either end.
const STRIDE: u64 = 1 << 32;

/// How much sparser a neighbourhood has to be than one of half its size, to be spread.
const THINNING: f64 = 1.5;

/// Items in order. An item is in the list at most once.
pub(crate) struct Ranks {
    places: Vec<Place>,
    first: NodeIndex,
    last: NodeIndex,
}

#[derive(Clone, Copy)]
struct Place {
    rank: u64,
    before: NodeIndex,
    after: NodeIndex,
}

impl Default for Ranks {
    fn default() -> Self {
        Self { places: Vec::new(), first: NodeIndex::end(), last: NodeIndex::end() }
    }
}

impl Ranks {
    /// The rank of an item in the list; it may change when another one is put in.
    pub(crate) fn rank(&self, item: NodeIndex) -> u64 {
        self.places[item.index()].rank
    }

    pub(crate) fn put_first(&mut self, item: NodeIndex) {
        self.put_between(item, NodeIndex::end(), self.first);
    }

    pub(crate) fn put_last(&mut self, item: NodeIndex) {
        self.put_between(item, self.last, NodeIndex::end());
    }

    pub(crate) fn put_before(&mut self, item: NodeIndex, anchor: NodeIndex) {
        self.put_between(item, self.places[anchor.index()].before, anchor);
    }

    pub(crate) fn put_after(&mut self, item: NodeIndex, anchor: NodeIndex) {
        self.put_between(item, anchor, self.places[anchor.index()].after);
    }

    pub(crate) fn take_out(&mut self, item: NodeIndex) {
        let Place { before, after, .. } = self.places[item.index()];
        self.join(before, after);
    }

    /// Gives the place of `old`, which is then out of the list, to `new`.
    pub(crate) fn replace(&mut self, old: NodeIndex, new: NodeIndex) {
        if old != new {
            let place = self.places[old.index()];
            self.places[new.index()] = place;
            self.join(place.before, new);
            self.join(new, place.after);
        }
    }

    fn put_between(&mut self, item: NodeIndex, before: NodeIndex, after: NodeIndex) {
        let rank = self.rank_between(before, after).unwrap_or_else(|| {
            self.spread(if before == NodeIndex::end() { after } else { before });
            self.rank_between(before, after).expect("a neighbourhood was spread to make room")
        });
        if item.index() >= self.places.len() {
            self.places.resize(
                item.index() + 1,
                Place { rank: 0, before: NodeIndex::end(), after: NodeIndex::end() },
            );
        }
        self.places[item.index()].rank = rank;
        self.join(before, item);
        self.join(item, after);
    }

    fn join(&mut self, before: NodeIndex, after: NodeIndex) {
        match self.places.get_mut(before.index()) {
            Some(place) => place.after = after,
            None => self.first = after,
        }
        match self.places.get_mut(after.index()) {
            Some(place) => place.before = before,
            None => self.last = before,
        }
    }

    /// A rank between those of two neighbours, if there is one left.
    fn rank_between(&self, before: NodeIndex, after: NodeIndex) -> Option<u64> {
        let rank = |item| (item != NodeIndex::end()).then(|| self.rank(item));
        let (low, high) = match (rank(before), rank(after)) {
            (None, None) => (0, u64::MAX),
            (None, Some(high)) => (high.saturating_sub(2 * STRIDE), high),
            (Some(low), None) => (low, low.saturating_add(2 * STRIDE)),
            (Some(low), Some(high)) => (low, high),
        };
        (high - low >= 2).then(|| low + (high - low) / 2)
    }

    /// Spreads the smallest sparse neighbourhood of an item: the ranks that share their high bits
    /// with its own.
    #[cold]
    fn spread(&mut self, item: NodeIndex) {
        let rank = self.rank(item);
        let (mut first, mut last, mut count) = (item, item, 1u64);
        let mut allowed = 1.0;
        for bits in 1..=u64::BITS {
            let low_bits = u64::MAX >> (u64::BITS - bits);
            let (lowest, highest) = (rank & !low_bits, rank | low_bits);
            allowed *= 2.0 / THINNING;
            while let Some(before) = self.within(self.places[first.index()].before, lowest, highest)
            {
                (first, count) = (before, count + 1);
            }
            while let Some(after) = self.within(self.places[last.index()].after, lowest, highest) {
                (last, count) = (after, count + 1);
            }
            let step = low_bits / (count + 1);
            if bits == u64::BITS || (step >= 4 && count as f64 <= allowed) {
                return self.assign(first, count, lowest, step);
            }
        }
    }

    fn within(&self, item: NodeIndex, lowest: u64, highest: u64) -> Option<NodeIndex> {
        (item != NodeIndex::end() && (lowest..=highest).contains(&self.rank(item))).then_some(item)
    }

    fn assign(&mut self, first: NodeIndex, count: u64, lowest: u64, step: u64) {
        let mut item = first;
        for position in 1..=count {
            let place = &mut self.places[item.index()];
            place.rank = lowest + position * step;
            item = place.after;
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(crate) fn heap_bytes(&self) -> usize {
        super::adjacency::vec_bytes(&self.places)
    }

    /// The items in order.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = NodeIndex> {
        let some = |item| (item != NodeIndex::end()).then_some(item);
        std::iter::successors(some(self.first), move |at| some(self.places[at.index()].after))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn check(ranks: &Ranks, expected: &[NodeIndex]) {
        let items: Vec<_> = ranks.iter().collect();
        assert_eq!(items, expected);
        assert!(items.is_sorted_by_key(|&item| ranks.rank(item)));
        assert!(items.windows(2).all(|two| ranks.rank(two[0]) != ranks.rank(two[1])));
    }

    /// All insertions between the same two items use every gap up within 32 steps.
    #[test]
    fn a_gap_that_is_used_up_is_opened_again() {
        let item = NodeIndex::new;
        for after in [false, true] {
            let mut ranks = Ranks::default();
            ranks.put_first(item(0));
            ranks.put_last(item(1));
            let mut expected = vec![item(0), item(1)];
            for next in 2..3000 {
                if after {
                    ranks.put_after(item(next), item(0));
                    expected.insert(1, item(next));
                } else {
                    ranks.put_before(item(next), item(1));
                    expected.insert(expected.len() - 1, item(next));
                }
            }
            check(&ranks, &expected);
        }
    }

    #[test]
    fn a_bound_of_the_numbers_is_no_bound_of_the_list() {
        let item = NodeIndex::new;
        let mut ranks = Ranks::default();
        ranks.put_first(item(0));
        ranks.places[0].rank = 1;
        let mut expected = vec![item(0)];
        for next in 1..100 {
            ranks.put_first(item(next));
            expected.insert(0, item(next));
        }
        ranks.places[0].rank = u64::MAX - 1;
        for next in 100..200 {
            ranks.put_last(item(next));
            expected.push(item(next));
        }
        check(&ranks, &expected);
    }

    #[test]
    fn agrees_with_a_plain_list_on_random_changes() {
        let mut seed = 11u64;
        let mut random = |bound: usize| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize % bound
        };
        let mut ranks = Ranks::default();
        let mut list: Vec<NodeIndex> = vec![NodeIndex::new(0)];
        ranks.put_first(list[0]);
        for _ in 0..20_000 {
            let item = NodeIndex::new(random(60));
            let at = random(list.len());
            match list.iter().position(|&other| other == item) {
                Some(position) if list.len() > 1 => {
                    list.remove(position);
                    ranks.take_out(item);
                }
                Some(_) => {}
                None if random(8) == 0 => {
                    ranks.places.resize(
                        60,
                        Place { rank: 0, before: NodeIndex::end(), after: NodeIndex::end() },
                    );
                    ranks.replace(list[at], item);
                    list[at] = item;
                }
                None if random(2) == 0 => {
                    ranks.put_before(item, list[at]);
                    list.insert(at, item);
                }
                None => {
                    ranks.put_after(item, list[at]);
                    list.insert(at + 1, item);
                }
            }
            check(&ranks, &list);
        }
    }
}
