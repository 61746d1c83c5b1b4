//! Measuring in many short rounds, in which all contestants take turns.
//!
//! Within a round each contestant does the work twice, in the order A B A B, and in the next round
//! B A B A: what changes slowly hits all of them alike, and nobody always comes after the same one.

use std::time::Duration;

use crate::crowd::ping_pong;
use crate::drop_in::Twins;
use crate::each_family;
use crate::family::{Family, Share, Std, Traced};
use crate::work::Work;

/// One way to do the work of a row.
pub struct Contestant<'w> {
    /// How the table calls it.
    pub name: &'static str,
    share: Share,
    run: Box<dyn FnMut(u64) -> Duration + 'w>,
}

impl<'w> Contestant<'w> {
    /// `run` does the work as often as it is told and says how long that took.
    pub fn new(name: &'static str, run: impl FnMut(u64) -> Duration + 'w) -> Self {
        Self { name, share: Share::AllRounds, run: Box::new(run) }
    }

    fn of<F: Family>(mut run: impl FnMut(u64) -> Duration + 'w) -> Self {
        let run = move |times| {
            F::start();
            run(times)
        };
        Self { share: F::SHARE, ..Self::new(F::NAME, run) }
    }

    /// All families that can do the work; `std` comes first.
    pub fn families<W: Work>(work: &'w W) -> Vec<Self> {
        let all = each_family!(F => {
            F::bears(W::DEMAND).then(|| Self::of::<F>(|times| work.run::<F>(times)))
        });
        all.into_iter().flatten().collect()
    }

    /// [`ping_pong`] with all condition variables; `std` comes first.
    pub fn ping_pong() -> Vec<Self> {
        each_family!(F: Waits => Self::of::<F>(ping_pong::<F>)).into()
    }

    /// `std` and sync-trace, in this order.
    pub fn twins(work: Twins) -> Vec<Self> {
        vec![Self::new(Std::NAME, work.plain), Self::new(Traced::NAME, work.traced)]
    }
}

impl Contestant<'_> {
    /// Those who do not take part in all rounds do it in those that begin with `std`, after everybody else.
    fn takes_part(&self, round: usize) -> bool {
        match self.share {
            Share::AllRounds => true,
            Share::OneInTen => round.is_multiple_of(10),
        }
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
pub fn measure(contestants: &mut [Contestant<'_>], plan: Plan) -> Vec<Measured> {
    let times = fit_into_turns(contestants, plan.turn);
    let mut samples: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        for _ in 0..2 {
            for turn in 0..contestants.len() {
                let whose = if round % 2 == 0 { turn } else { contestants.len() - 1 - turn };
                if contestants[whose].takes_part(round) {
                    let took = (contestants[whose].run)(times[whose]);
                    samples[whose].push(took.as_secs_f64() * 1e9 / times[whose] as f64);
                }
            }
        }
    }
    let named = contestants.iter().zip(samples);
    named.map(|(of, values)| Measured::new(of.name, values)).collect()
}

/// How often each does the work in a turn: as often as the first one, but less often if that would
/// take much longer than a turn.
fn fit_into_turns(contestants: &mut [Contestant<'_>], turn: Duration) -> Vec<u64> {
    let mut often: Vec<u64> = contestants.iter_mut().map(|it| calibrate(it, turn)).collect();
    let first = often.first().copied().unwrap_or(1);
    for times in &mut often {
        // Otherwise, what comes once in a turn is to weigh as much for all.
        if *times * 4 > first {
            *times = first;
        }
    }
    often
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

/// What was measured of one contestant.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Who it was.
    pub name: &'static str,
    /// What was measured.
    pub samples: Samples,
}

impl Measured {
    /// `values` come in any order.
    pub fn new(name: &'static str, values: Vec<f64>) -> Self {
        Self { name, samples: Samples::new(values) }
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
        assert_eq!(*order.borrow(), "aaaaabbbbb".to_owned() + "abab" + "baba");
        assert!(samples.iter().all(|it| (it.samples.median() - 10.0).abs() < 1e-6));
    }

    #[test]
    fn the_slow_do_less_and_come_in_one_round_of_ten() {
        let taking = |name, share, ns| {
            let run = move |times| Duration::from_nanos(times * ns);
            Contestant { share, ..Contestant::new(name, run) }
        };
        let mut all = [
            taking("std", Share::AllRounds, 10),
            taking("near", Share::AllRounds, 30),
            taking("far", Share::OneInTen, 100),
        ];
        let turn = Duration::from_micros(10);
        assert_eq!(fit_into_turns(&mut all, turn), [1000, 1000, 100]);
        let [std, near, far] = measure(&mut all, Plan { turn, rounds: 20 }).try_into().unwrap();
        assert_eq!(
            [std, near, far].map(|it| (it.name, it.samples.0.len())),
            [("std", 40), ("near", 40), ("far", 4)]
        );
    }
}
