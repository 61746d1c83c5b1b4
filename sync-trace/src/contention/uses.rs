//! Where a lock lies in memory, and which agents use it.

/// That of one lock, in one mode.
#[derive(Clone, Debug, Default)]
pub(crate) struct Uses {
    /// Where it was seen last; 0 if it was not. Locks may move while nobody has them.
    pub(super) address: usize,
    /// How often each agent has acquired it, by the number of the agent's record, which is never given back.
    by: Vec<(usize, u64)>,
}

impl Uses {
    pub(super) fn see_at(&mut self, address: usize) {
        if address != 0 {
            self.address = address;
        }
    }

    pub(super) fn add(&mut self, agent: usize, acquisitions: u64) {
        match self.by.iter_mut().find(|by| by.0 == agent) {
            Some(by) => by.1 += acquisitions,
            None => self.by.push((agent, acquisitions)),
        }
    }

    /// Adds what others have done.
    pub(super) fn merge(&mut self, other: &Self) {
        self.see_at(other.address);
        other.by.iter().for_each(|&(agent, acquisitions)| self.add(agent, acquisitions));
    }

    /// What has come since `earlier`, which is an earlier state.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let by = self
            .by
            .iter()
            .map(|&(agent, acquisitions)| (agent, acquisitions.saturating_sub(earlier.of(agent))));
        Self { address: self.address, by: by.collect() }
    }

    fn of(&self, agent: usize) -> u64 {
        self.by.iter().find(|by| by.0 == agent).map_or(0, |by| by.1)
    }

    /// Which part of the acquisitions of both, from 0 to 1, is by agents that use both.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        let all = |uses: &Self| uses.by.iter().map(|by| by.1).sum::<u64>().max(1) as f64;
        let (mine, others) = (all(self), all(other));
        let common = self.by.iter().map(|&(agent, acquisitions)| {
            (acquisitions as f64 / mine).min(other.of(agent) as f64 / others)
        });
        common.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(by: &[(usize, u64)]) -> Uses {
        let mut uses = Uses::default();
        by.iter().for_each(|&(agent, acquisitions)| uses.add(agent, acquisitions));
        uses.see_at(64);
        uses
    }

    #[test]
    fn who_uses_both_counts_with_the_smaller_share() {
        let both = |one: &[_], other: &[_]| uses(one).overlap(&uses(other));
        assert_eq!(both(&[(1, 10)], &[(1, 90)]), 1.0);
        assert_eq!(both(&[(1, 10)], &[(2, 90)]), 0.0);
        assert_eq!(both(&[(1, 5), (2, 5)], &[(2, 10)]), 0.5);
        assert_eq!(both(&[(1, 5), (2, 5)], &[(3, 10)]), 0.0);
        assert_eq!(both(&[], &[(3, 10)]), 0.0);
    }

    #[test]
    fn a_difference_has_what_is_new_and_the_place_where_it_is_now() {
        let earlier = uses(&[(1, 5), (2, 5)]);
        let mut later = earlier.clone();
        let mut more = uses(&[(1, 7)]);
        more.see_at(128);
        later.merge(&more);
        later.see_at(0);
        let since = later.since(&earlier);
        assert_eq!((since.address, &since.by[..]), (128, &[(1, 7), (2, 0)][..]));
        assert_eq!(since.overlap(&uses(&[(2, 4)])), 0.0);
    }
}
