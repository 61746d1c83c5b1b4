//! Measuring in many short rounds, in which all contestants take turns.
//!
//! Within a round each contestant does the work twice, in the order A B A B, and in the next round
//! B A B A: what changes slowly hits all of them alike, and nobody always comes after the same one.

use std::time::Duration;

use crate::drop_in::Twins;
use crate::family::{Deloxide, Family, ParkingLot, Std, Traced, TracingMutex};
use crate::work::Work;

/// One way to do the work of a row.
pub struct Contestant<'w> {
    /// How the table calls it.
    pub name: &'static str,
    run: Box<dyn FnMut(u64) -> Duration + 'w>,
}

impl<'w> Contestant<'w> {
    /// `run` does the work as often as it is told and says how long that took.
    pub fn new(name: &'static str, run: impl FnMut(u64) -> Duration + 'w) -> Self {
        Self { name, run: Box::new(run) }
    }

    fn of<F: Family>(work: &'w impl Work) -> Self {
        Self::new(F::NAME, |times| {
            F::start();
            work.run::<F>(times)
        })
    }

    /// The families that are cheap enough for any work; `std` comes first.
    pub fn families(work: &'w impl Work) -> Vec<Self> {
        vec![
            Self::of::<Std>(work),
            Self::of::<Traced>(work),
            Self::of::<ParkingLot>(work),
            Self::of::<TracingMutex>(work),
        ]
    }

    /// All families, for work whose order is checked; in the order of [`families`](Self::families).
    pub fn all_families(work: &'w impl Work) -> Vec<Self> {
        let mut all = Self::families(work);
        all.push(Self::of::<Deloxide>(work));
        all
    }

    /// `std` and sync-trace, in this order.
    pub fn twins(work: Twins) -> Vec<Self> {
        vec![Self::new(Std::NAME, work.plain), Self::new(Traced::NAME, work.traced)]
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How long one contestant is at work before it is the next one's turn.
    pub turn: Duration,
    /// How many rounds.
    pub rounds: usize,
}

/// Lets all `contestants` do the same work: the samples of each, in their order. The first one is
/// the measure for how often it fits into a turn.
pub fn measure(contestants: &mut [Contestant<'_>], plan: Plan) -> Vec<Samples> {
    let times = contestants.first_mut().map_or(1, |first| calibrate(first, plan.turn));
    let mut samples: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        for _ in 0..2 {
            for turn in 0..contestants.len() {
                let whose = if round % 2 == 0 { turn } else { contestants.len() - 1 - turn };
                let took = (contestants[whose].run)(times);
                samples[whose].push(took.as_secs_f64() * 1e9 / times as f64);
            }
        }
    }
    samples.into_iter().map(Samples::new).collect()
}

/// How often the work fits into `turn`, roughly.
fn calibrate(contestant: &mut Contestant<'_>, turn: Duration) -> u64 {
    let mut times = 16;
    loop {
        // Threads that were only late to get a processor would pass for much work.
        let fastest = (0..5).map(|_| (contestant.run)(times)).min().unwrap_or_default();
        let share = turn.as_secs_f64() / fastest.as_secs_f64().max(1e-9);
        if share < 2.0 {
            return ((times as f64 * share) as u64).max(8);
        }
        times = (times as f64 * share.min(16.0)) as u64;
    }
}

/// What was measured of one contestant, sorted; in nanoseconds if it is a time.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// From values in any order.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// The one that only a tenth of them is below: what it costs while nobody else disturbs.
    pub fn quiet(&self) -> f64 {
        self.at(0.1)
    }

    fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_quietest_tenth_are_picked_from_sorted_values() {
        let samples = Samples::new((0..=100).rev().map(f64::from).collect());
        assert_eq!((samples.median(), samples.quiet()), (50.0, 10.0));
        assert!(Samples::new(Vec::new()).median().is_nan());
    }

    #[test]
    fn contestants_take_turns_in_both_directions() {
        let order = std::cell::RefCell::new(String::new());
        let contestant = |name: &'static str| {
            Contestant::new(name, |times| {
                order.borrow_mut().push_str(name);
                Duration::from_nanos(times * 10)
            })
        };
        let plan = Plan { turn: Duration::from_nanos(160), rounds: 2 };
        let samples = measure(&mut [contestant("a"), contestant("b")], plan);
        assert_eq!(*order.borrow(), "aaaaa".to_owned() + "abab" + "baba");
        assert!(samples.iter().all(|samples| (samples.median() - 10.0).abs() < 1e-6));
    }
}
