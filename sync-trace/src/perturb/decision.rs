//! What is decided at a point: a pure function of seed, place in the tree of threads, and count.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Step;

/// Why an agent comes by a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Because its program says so.
    Own,
    /// Because of what others have done or not done yet: a condition is not true, something is not
    /// initialised. These are counted apart, so that the decisions at the others stay the same.
    Met,
}

/// An agent's place in the tree of threads, and how far it has come. Only its own thread writes; who
/// starts it does so before. So Relaxed.
#[derive(Debug)]
pub(crate) struct Branch {
    path: AtomicU64,
    children: AtomicU64,
    /// The points that it has come by, by [`Kind`].
    points: [AtomicU64; 2],
}

impl Branch {
    pub(crate) const fn new() -> Self {
        Self {
            path: AtomicU64::new(0),
            children: AtomicU64::new(0),
            points: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    /// That of a thread that nobody has started through us: all that is known of it is its name. In which
    /// order such threads come is chance.
    pub(crate) fn begin(&self, name: Option<&str>) {
        let bytes = name.unwrap_or_default().bytes();
        self.be(bytes.fold(1, |path, byte| mix(path, u64::from(byte))));
    }

    /// That of the next thread that `parent` starts.
    pub(crate) fn descend(&self, parent: &Self) {
        let number = add_one(&parent.children);
        self.be(mix(parent.path.load(Ordering::Relaxed), number));
    }

    fn be(&self, path: u64) {
        self.path.store(path, Ordering::Relaxed);
        [&self.children, &self.points[0], &self.points[1]]
            .iter()
            .for_each(|count| count.store(0, Ordering::Relaxed));
    }

    /// What is drawn at its next point of this kind.
    pub(super) fn draw(&self, seed: u64, kind: Kind) -> Draw {
        let number = add_one(&self.points[kind as usize]);
        let life = mix(seed, self.path.load(Ordering::Relaxed));
        Draw { life, number, bits: mix(mix(life, kind as u64), number) }
    }
}

/// One writer, so it need not be a read-modify-write.
fn add_one(count: &AtomicU64) -> u64 {
    let number = count.load(Ordering::Relaxed);
    count.store(number.wrapping_add(1), Ordering::Relaxed);
    number
}

/// What chance has decided for one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Draw {
    /// The same for all draws of one agent.
    life: u64,
    number: u64,
    bits: u64,
}

/// Of 16 points, at how many an agent sleeps. Which of these it is, is decided for its whole life: many
/// a schedule needs one thread that is late again and again, or one that is never late.
const SLEEPS: [u64; 4] = [0, 1, 3, 6];
/// After so many points sleeps become rarer, and ever more so: all of them together grow no faster than
/// the logarithm of the points, and a long test ends.
const OFTEN: u64 = 4096;
/// And at how many it yields once, or several times.
const YIELDS_ONCE: u64 = 3;
const YIELDS: u64 = 2;
pub(super) const YIELDS_MAX: u32 = 8;
/// What lies behind a contended lock takes some microseconds, and a thread as many to start.
const SLEEP_MAX_US: u64 = 100;

impl Draw {
    /// What the agent does there.
    pub(super) fn step(self) -> Step {
        let sleeps = SLEEPS[(self.life % 4) as usize];
        let (choice, amount) = (self.bits % 16, self.bits >> 32);
        match choice {
            _ if choice < sleeps
                && self.bits >> 16 & 0xffff > 0xffff / (1 + self.number / OFTEN) =>
            {
                Step::GoOn
            }
            _ if choice < sleeps => Step::Sleep(Duration::from_micros(1 + amount % SLEEP_MAX_US)),
            _ if choice < sleeps + YIELDS_ONCE => Step::Yield(1),
            _ if choice < sleeps + YIELDS_ONCE + YIELDS => {
                Step::Yield(2 + amount as u32 % (YIELDS_MAX - 1))
            }
            _ => Step::GoOn,
        }
    }

    /// Whether a wait returns although nobody has notified: one of four.
    pub(super) fn wakes_early(self) -> bool {
        self.bits >> 8 & 3 == 0
    }

    /// Its part of a digest.
    pub(super) fn trace(self) -> u64 {
        mix(self.bits, self.number)
    }
}

/// A number that depends on every bit of both: the finaliser of Vigna's splitmix64.
fn mix(state: u64, number: u64) -> u64 {
    let bits = state.rotate_left(17) ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// A seed that nobody has chosen; never 0.
pub(super) fn by_chance() -> u64 {
    RandomState::new().build_hasher().finish() | 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn root(name: &str) -> Branch {
        let branch = Branch::new();
        branch.begin(Some(name));
        branch
    }

    fn child_of(parent: &Branch) -> Branch {
        let branch = Branch::new();
        branch.descend(parent);
        branch
    }

    fn draws(branch: &Branch, seed: u64) -> Vec<Draw> {
        (0..100).map(|_| branch.draw(seed, Kind::Own)).collect()
    }

    #[test]
    fn the_same_place_and_seed_decide_the_same() {
        let tree = |seed| {
            let main = root("main");
            let first = child_of(&main);
            let second = child_of(&main);
            let of_first = child_of(&first);
            [main, first, second, of_first].map(|branch| draws(&branch, seed))
        };
        assert_eq!(tree(5), tree(5));
        let all: Vec<_> = tree(5).into_iter().chain(tree(6)).flatten().collect();
        let different: HashSet<_> = all.iter().map(|draw| draw.bits).collect();
        assert_eq!(different.len(), all.len(), "other places and seeds decide otherwise");
    }

    #[test]
    fn a_record_that_is_used_again_begins_anew() {
        let branch = root("main");
        let fresh = draws(&branch, 1);
        let _child = child_of(&branch);
        branch.begin(Some("main"));
        assert_eq!(draws(&branch, 1), fresh);
    }

    #[test]
    fn what_others_cause_does_not_shift_the_rest() {
        let (plain, disturbed) = (root("main"), root("main"));
        (0..7).for_each(|_| _ = disturbed.draw(1, Kind::Met));
        assert_eq!(draws(&plain, 1), draws(&disturbed, 1));
    }

    #[test]
    fn who_comes_by_very_often_sleeps_rarely() {
        // Of these, one is of the kind that sleeps often.
        let most = (0..8).map(|seed| {
            let branch = root("main");
            let sleeps = |_| matches!(branch.draw(seed, Kind::Own).step(), Step::Sleep(_));
            let count = |from: u64| (from..from + 100_000).filter(|&at| sleeps(at)).count();
            (count(0), count(100_000))
        });
        let (early, late) = most.max().unwrap();
        assert!((4_000..8_000).contains(&early), "{early}");
        assert!((500..1_500).contains(&late), "{late}");
    }

    #[test]
    fn every_step_is_taken_by_somebody_and_none_is_long() {
        let (mut waits, mut yields, mut sleeps, mut early) = (0, 0, 0, 0);
        for seed in 0..200 {
            for draw in draws(&root("main"), seed) {
                match draw.step() {
                    Step::GoOn => waits += 1,
                    Step::Yield(times) => {
                        assert!((1..=YIELDS_MAX).contains(&times));
                        yields += 1;
                    }
                    Step::Sleep(time) => {
                        assert!(time <= Duration::from_micros(SLEEP_MAX_US) && !time.is_zero());
                        sleeps += 1;
                    }
                }
                early += usize::from(draw.wakes_early());
            }
        }
        // Of 20 000: a half or so goes on, five of 16 yield, one of four wakes early.
        assert!((8_000..14_000).contains(&waits), "{waits}");
        assert!((5_500..7_000).contains(&yields), "{yields}");
        assert!((2_000..5_000).contains(&sleeps), "{sleeps}");
        assert!((4_500..5_500).contains(&early), "{early}");
    }
}
