//! The graph against a naive one, on random insertions and removals: everything is computed from
//! scratch, from a plain map of pairs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::graph::{Inserted, OrderGraph, Removed};
use super::label::{Blocks, blocks_or_queues};
use crate::finding::LockId;
use crate::op::Mode;

type Pair = (Mode, Mode);

const MODES: [Mode; 4] = [Mode::Exclusive, Mode::Upgradable, Mode::Read, Mode::RecursiveRead];

fn strong(wanted: Mode, held: Mode) -> bool {
    blocks_or_queues(held, wanted) != Blocks::No
}

/// All pairs of each edge; a set of letters would do, were `Mode` ordered.
#[derive(Default)]
struct Naive {
    edges: BTreeMap<(u64, u64), Vec<Pair>>,
    locks: BTreeSet<u64>,
}

impl Naive {
    fn insert(&mut self, from: u64, to: u64, pair: Pair) -> Inserted {
        if from == to {
            return Inserted::Known;
        }
        self.locks.extend([from, to]);
        let pairs = self.edges.entry((from, to)).or_default();
        if pairs.contains(&pair) {
            return Inserted::Known;
        }
        pairs.push(pair);
        if self.reaches(to, from) { Inserted::Closing } else { Inserted::Open }
    }

    fn reachable(&self, from: u64) -> BTreeSet<u64> {
        let mut reached = BTreeSet::from([from]);
        let mut stack = vec![from];
        while let Some(at) = stack.pop() {
            for &(_, to) in self.edges.keys().filter(|edge| edge.0 == at) {
                if reached.insert(to) {
                    stack.push(to);
                }
            }
        }
        reached
    }

    fn reaches(&self, from: u64, to: u64) -> bool {
        self.reachable(from).contains(&to)
    }

    fn component_of(&self, lock: u64) -> Vec<u64> {
        let mut component = self.reachable(lock);
        component.retain(|&other| self.reaches(other, lock));
        component.into_iter().collect()
    }

    /// The length of the shortest strong closed walk through the edge in one of these pairs:
    /// breadth first over single edges in single pairs.
    fn strong_cycle(&self, from: u64, to: u64, pairs: &[Pair]) -> Option<usize> {
        pairs.iter().filter_map(|&pair| self.strong_cycle_of((from, to), pair)).min()
    }

    fn strong_cycle_of(&self, start: (u64, u64), pair: Pair) -> Option<usize> {
        let mut seen = vec![(start, pair)];
        let mut level = seen.clone();
        for length in 1.. {
            if level.iter().any(|&(edge, (_, wanted))| edge.1 == start.0 && strong(wanted, pair.0))
            {
                return Some(length);
            }
            let mut next = Vec::new();
            for ((_, at), (_, wanted)) in level {
                for (&edge, pairs) in self.edges.iter().filter(|(edge, _)| edge.0 == at) {
                    for &pair in pairs.iter().filter(|pair| strong(wanted, pair.0)) {
                        if !seen.contains(&(edge, pair)) {
                            seen.push((edge, pair));
                            next.push((edge, pair));
                        }
                    }
                }
            }
            if next.is_empty() {
                return None;
            }
            level = next;
        }
        None
    }

    fn remove(&mut self, lock: u64) -> Removed {
        if !self.locks.remove(&lock) {
            return Removed::Unknown;
        }
        let (touching, rest): (BTreeMap<_, _>, _) = std::mem::take(&mut self.edges)
            .into_iter()
            .partition(|(e, _)| e.0 == lock || e.1 == lock);
        self.edges = rest;
        let (into, out): (Vec<_>, Vec<_>) = touching.into_iter().partition(|(e, _)| e.1 == lock);
        if into.len() * out.len() > 64 {
            return Removed::Forgotten;
        }
        for ((from, _), first) in &into {
            for ((_, to), second) in &out {
                for &(held, wanted) in first {
                    for &(_, last) in second.iter().filter(|pair| strong(wanted, pair.0)) {
                        self.insert(*from, *to, (held, last));
                    }
                }
            }
        }
        Removed::Bridged
    }
}

/// Both graphs, and random choices.
struct Twins {
    graph: OrderGraph,
    naive: Naive,
    seed: u64,
    /// What the answers were: so that a test can tell that it has seen all kinds.
    answers: HashMap<String, usize>,
}

impl Twins {
    fn new(seed: u64) -> Self {
        Self { graph: OrderGraph::new(), naive: Naive::default(), seed, answers: HashMap::new() }
    }

    fn random(&mut self, bound: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.seed >> 33) % bound
    }

    fn count(&mut self, answer: String) {
        *self.answers.entry(answer).or_default() += 1;
    }

    fn insert(&mut self, from: u64, to: u64, pair: Pair) {
        let answer = self.graph.insert(LockId(from), LockId(to), pair.0, pair.1);
        assert_eq!(answer, self.naive.insert(from, to, pair), "{from} -> {to} {pair:?}");
        self.count(format!("{answer:?}"));
        let all = self.naive.edges.get(&(from, to)).cloned().unwrap_or_default();
        let cycle = self.graph.strong_cycle(LockId(from), LockId(to));
        self.check_cycle(cycle, from, to, &all);
        let pairs = if all.is_empty() { &[][..] } else { &[pair][..] };
        let through = self.graph.strong_cycle_through(LockId(from), LockId(to), pair.0, pair.1);
        self.check_cycle(through, from, to, pairs);
    }

    fn check_cycle(&mut self, cycle: Option<Vec<LockId>>, from: u64, to: u64, pairs: &[Pair]) {
        let expected = self.naive.strong_cycle(from, to, pairs);
        assert_eq!(cycle.as_ref().map(Vec::len), expected, "through {from} -> {to} {pairs:?}");
        self.count(format!("{expected:?}"));
        let Some(cycle) = cycle else { return };
        let locks: Vec<u64> = cycle.iter().map(|lock| lock.get()).collect();
        assert_eq!(locks[..2], [from, to]);
        assert!(self.is_strong(&locks, pairs), "{locks:?}");
    }

    /// Whether one pair can be chosen for each edge so that the closed walk is strong everywhere.
    fn is_strong(&self, locks: &[u64], first: &[Pair]) -> bool {
        first.iter().any(|&start| {
            let mut arrivals = vec![start.1];
            for (&from, &to) in locks.iter().zip(locks.iter().cycle().skip(1)).skip(1) {
                let pairs = self.naive.edges[&(from, to)].iter();
                arrivals = pairs
                    .filter(|pair| arrivals.iter().any(|&wanted| strong(wanted, pair.0)))
                    .map(|pair| pair.1)
                    .collect();
            }
            arrivals.into_iter().any(|wanted| strong(wanted, start.0))
        })
    }

    fn remove(&mut self, lock: u64) {
        let answer = self.graph.remove(LockId(lock));
        assert_eq!(answer, self.naive.remove(lock), "remove {lock}");
        self.count(format!("{answer:?}"));
    }

    fn check_all(&mut self) {
        assert_eq!(self.graph.len(), self.naive.locks.len());
        assert_eq!(self.graph.edges(), self.naive.edges.len());
        self.graph.check_invariants();
        for &lock in &self.naive.locks {
            let mut component: Vec<_> =
                self.graph.component_of(LockId(lock)).map(LockId::get).collect();
            assert_eq!(component[0], lock);
            component.sort_unstable();
            assert_eq!(component, self.naive.component_of(lock));
        }
    }

    /// Random steps on `locks` locks. A removed lock is followed by one with a new number.
    fn run(&mut self, steps: u32, locks: u64, removals_percent: u64, modes: &[Mode]) {
        let mut numbers: Vec<u64> = (1..=locks).collect();
        for step in 0..steps {
            let [a, b] = [(); 2].map(|()| self.random(locks) as usize);
            if self.random(100) < removals_percent {
                self.remove(numbers[a]);
                numbers[a] = locks + 1 + u64::from(step);
            } else {
                let [held, wanted] =
                    [(); 2].map(|()| modes[self.random(modes.len() as u64) as usize]);
                self.insert(numbers[a], numbers[b], (held, wanted));
            }
            self.check_all();
        }
    }
}

#[test]
fn agrees_with_a_naive_graph_on_random_locks() {
    use Mode::*;
    let mut answers: HashMap<String, usize> = HashMap::new();
    let mixes: [&[Mode]; 4] =
        [&[Exclusive], &MODES, &[RecursiveRead, RecursiveRead, Exclusive], &[Read, Upgradable]];
    for seed in 0..24 {
        let mut twins = Twins::new(seed);
        let (locks, removals) = [(3, 10), (6, 12), (9, 20), (12, 30)][seed as usize % 4];
        twins.run(500, locks, removals, mixes[seed as usize / 4 % 4]);
        for (answer, count) in twins.answers {
            *answers.entry(answer).or_default() += count;
        }
    }
    for answer in ["Known", "Open", "Closing", "Bridged", "None", "Some(2)", "Some(3)", "Some(4)"] {
        let count = answers.get(answer).copied().unwrap_or(0);
        assert!(count > 50, "`{answer}` was seen {count} times, which means little: {answers:?}");
    }
}

/// In an order without cycles every insertion is new to the ranks, and most go against them.
#[test]
fn agrees_with_a_naive_graph_where_nothing_closes_for_long() {
    for seed in 0..6 {
        let mut twins = Twins::new(seed + 100);
        let mut hidden: Vec<u64> = (1..=24).collect();
        for at in 1..hidden.len() {
            let other = twins.random(at as u64 + 1) as usize;
            hidden.swap(at, other);
        }
        for _ in 0..200 {
            let [a, b] = [(); 2].map(|()| twins.random(24) as usize);
            let ([a, b], against) = ([a.min(b), a.max(b)], twins.random(60) == 0);
            let (from, to) = if against { (b, a) } else { (a, b) };
            twins.insert(hidden[from], hidden[to], (Mode::Exclusive, Mode::Exclusive));
            twins.check_all();
        }
    }
}

/// More than 64 pairs lead through some locks; the component that remains falls apart.
#[test]
fn agrees_with_a_naive_graph_on_removals_from_dense_orders() {
    let mut twins = Twins::new(4711);
    for _ in 0..250 {
        let [from, to] = [(); 2].map(|()| 1 + twins.random(30));
        twins.insert(from, to, (Mode::Exclusive, Mode::Exclusive));
    }
    for lock in 1..=30 {
        twins.remove(lock);
        twins.check_all();
        let [from, to] = [(); 2].map(|()| lock + 1 + twins.random(30));
        twins.insert(from, to, (Mode::Exclusive, Mode::Exclusive));
        twins.check_all();
    }
    assert!(twins.answers["Forgotten"] > 3 && twins.answers["Bridged"] > 3, "{:?}", twins.answers);
}
