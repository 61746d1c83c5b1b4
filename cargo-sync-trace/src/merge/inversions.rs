//! Circles of orders that no process has seen whole.
//!
//! What one process saw whole it has judged itself, with instances, threads and time, of which nothing is known here. So
//! a circle is told only if its orders come from several processes, and never as more than a warning.
//!
//! All circles of two classes are looked at. An order that is in none of those is told with the shortest circle that
//! it is in, unless one that was told before has it.

use super::classes::{ClassId, Classes};
use super::orders::{Evidence, Orders, Pair, Witness};
use crate::read::record::Mode;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{Graph, NodeIndex};
use std::collections::{HashMap, HashSet, VecDeque};
use sync_trace::__private::told;
use sync_trace::finding::Code;

/// How many are told.
const MOST_INVERSIONS: usize = 1_000;
/// How many steps the search for longer circles takes.
const MOST_STEPS: u64 = 20_000_000;

/// A circle of orders that no process has seen whole.
#[derive(Clone, Debug)]
pub struct Inversion {
    /// The orders; what each asked for is what the next one held. The rarest comes first.
    pub halves: Vec<Half>,
    /// What would weaken it, if anything.
    pub condition: Option<Condition>,
    /// The same in every run, and the same as of one that a process has seen whole.
    pub fingerprint: String,
}

/// One order of a circle.
#[derive(Clone, Debug)]
pub struct Half {
    /// The two classes.
    pub pair: Pair,
    /// The sighting that is told.
    pub witness: Witness,
    /// In how many processes it was seen.
    pub processes: u32,
    /// How often it was seen; at least as often as it is on record.
    pub times: u64,
}

/// Why it may be no danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A lock of this class was held every time around two of them, at least once alone.
    Gate(ClassId),
    /// Readers would have to queue behind a writer of this class, and none was seen.
    NoWriter(ClassId),
    /// Every sighting is of a thread that no other one has started, such as a test's own.
    OneThread,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Search {
    /// The circles, those that nothing weakens first.
    pub inversions: Vec<Inversion>,
    /// How many circles were left to the process that saw them whole.
    pub seen_whole: u64,
    /// How many orders were not looked at for longer circles, because there are so many.
    pub not_searched: u64,
    /// How many circles were too many to be told.
    pub not_told: u64,
}

/// Searches for circles. `told` says whether a process has told of one already, by code and fingerprint.
pub fn search(classes: &Classes, orders: &Orders, told: &dyn Fn(&str, &str) -> bool) -> Search {
    let mut finder = Finder { classes, orders, told, search: Search::default() };
    let components = finder.components();
    let in_circle: HashSet<Pair> = finder.pairs(&components);
    let mut explained = finder.of_two(&in_circle);
    finder.longer(&in_circle, &mut explained);
    let mut search = finder.search;
    search.inversions.sort_by_cached_key(|inversion| {
        let labels = inversion.halves.iter().map(|half| &classes.get(half.pair.held).key);
        (inversion.condition.is_some(), labels.cloned().collect::<Vec<_>>())
    });
    let excess = search.inversions.len().saturating_sub(MOST_INVERSIONS);
    search.inversions.truncate(MOST_INVERSIONS);
    search.not_told = excess as u64;
    search
}

struct Finder<'a> {
    classes: &'a Classes,
    orders: &'a Orders,
    told: &'a dyn Fn(&str, &str) -> bool,
    search: Search,
}

impl Finder<'_> {
    /// Which component each class is in, if that has more than one.
    fn components(&self) -> HashMap<ClassId, usize> {
        let mut graph = Graph::<(), ()>::with_capacity(self.classes.len(), self.orders.len());
        for _ in self.classes.iter() {
            graph.add_node(());
        }
        let node = |class: ClassId| NodeIndex::new(class.0 as usize);
        for (pair, _) in self.orders.iter() {
            // Whoever gives a permit or a message may be anybody.
            let is_usual = |class| self.classes.get(class).is_held_by_somebody();
            if is_usual(pair.held) && is_usual(pair.wanted) {
                graph.add_edge(node(pair.held), node(pair.wanted), ());
            }
        }
        // Not `tarjan_scc`, which would need a stack as deep as the longest chain.
        let components = kosaraju_scc(&graph);
        let large = components.iter().filter(|component| component.len() > 1).enumerate();
        let class = |node: &NodeIndex| ClassId(node.index() as u32);
        large.flat_map(|(at, nodes)| nodes.iter().map(move |node| (class(node), at))).collect()
    }

    /// The orders inside of components: only they can be in circles.
    fn pairs(&self, components: &HashMap<ClassId, usize>) -> HashSet<Pair> {
        let of = |class| components.get(&class);
        let pairs = self.orders.iter().map(|(pair, _)| pair);
        pairs.filter(|pair| of(pair.held).is_some() && of(pair.held) == of(pair.wanted)).collect()
    }

    /// Tells circles of two, and gives back their orders.
    fn of_two(&mut self, pairs: &HashSet<Pair>) -> HashSet<Pair> {
        let mut explained = HashSet::new();
        for &pair in pairs {
            let back = Pair { held: pair.wanted, wanted: pair.held };
            if pair.held < pair.wanted && pairs.contains(&back) {
                self.judge(&[pair, back]);
                explained.extend([pair, back]);
            }
        }
        explained
    }

    /// Tells longer circles of orders that are in none yet.
    fn longer(&mut self, pairs: &HashSet<Pair>, explained: &mut HashSet<Pair>) {
        let mut next: HashMap<ClassId, Vec<ClassId>> = HashMap::new();
        let mut sorted: Vec<_> = pairs.iter().copied().collect();
        sorted.sort_unstable();
        for pair in sorted.iter().filter(|pair| !explained.contains(pair)) {
            next.entry(pair.held).or_default().push(pair.wanted);
        }
        let mut steps = 0;
        for pair in sorted {
            if explained.contains(&pair) {
                continue;
            }
            if steps >= MOST_STEPS {
                self.search.not_searched += 1;
                continue;
            }
            let Some(way) = way_back(pair, &next, &mut steps) else { continue };
            explained.extend(&way);
            self.judge(&way);
        }
    }

    /// Tells a circle, unless somebody has seen it whole or it cannot be one.
    fn judge(&mut self, circle: &[Pair]) {
        let evidence: Option<Vec<&Evidence>> =
            circle.iter().map(|pair| self.orders.get(*pair)).collect();
        let Some(evidence) = evidence else { return };
        let mut whole = evidence[0].processes.clone();
        evidence[1..].iter().for_each(|other| whole.intersect(&other.processes));
        if !whole.is_empty() {
            self.search.seen_whole += 1;
            return;
        }
        let Some((witnesses, readers)) = witnesses(&evidence) else { return };
        let readers = readers.into_iter().map(|at| circle[at].wanted);
        let unwritten = readers.into_iter().find(|class| !self.classes.get(*class).is_written);
        let condition = gate(circle, &evidence)
            .map(Condition::Gate)
            .or(unwritten.map(Condition::NoWriter))
            .or(evidence.iter().all(|it| it.is_of_roots).then_some(Condition::OneThread));
        let half = |((&pair, evidence), witness): ((&Pair, &&Evidence), &Witness)| Half {
            pair,
            witness: witness.clone(),
            processes: evidence.processes.len(),
            times: evidence.times.max(evidence.records),
        };
        let mut halves: Vec<_> = circle.iter().zip(&evidence).zip(&witnesses).map(half).collect();
        // Not by number: that depends on which file comes first.
        let key = |class| &self.classes.get(class).key;
        let rarest =
            (0..halves.len()).min_by_key(|&at| (halves[at].times, key(halves[at].pair.held)));
        halves.rotate_left(rarest.unwrap_or(0));
        let fingerprint = self.fingerprint(&halves);
        if !(self.told)(Code::Inversion.as_str(), &fingerprint) {
            self.search.inversions.push(Inversion { halves, condition, fingerprint });
        }
    }

    fn fingerprint(&self, halves: &[Half]) -> String {
        let waits: Vec<_> = halves
            .iter()
            .map(|half| {
                let class = self.classes.get(half.pair.wanted);
                let Witness { wanted, .. } = &half.witness;
                told::Wait {
                    op: &wanted.op,
                    file: &wanted.site.file,
                    name: class.name.as_deref(),
                    kind: super::classes::kind_in_words(&class.kind),
                    type_name: &class.type_name,
                    created: class.created.as_ref().map_or("", |site| &site.file),
                    mode: match wanted.mode {
                        Mode::Exclusive => told::Mode::Exclusive,
                        Mode::Upgradable => told::Mode::Upgradable,
                        Mode::Read => told::Mode::Read,
                        Mode::RecursiveRead => told::Mode::RecursiveRead,
                    },
                }
            })
            .collect();
        told::fingerprint(Code::Inversion, &waits)
    }
}

/// The circle of `pair` and the shortest way from what it asked for to what it held.
fn way_back(
    pair: Pair,
    next: &HashMap<ClassId, Vec<ClassId>>,
    steps: &mut u64,
) -> Option<Vec<Pair>> {
    let (start, goal) = (pair.wanted, pair.held);
    let mut before: HashMap<ClassId, ClassId> = HashMap::from([(start, start)]);
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for &to in next.get(&at).into_iter().flatten() {
            *steps += 1;
            if before.contains_key(&to) {
                continue;
            }
            before.insert(to, at);
            if to == goal {
                let mut way = vec![goal];
                while way[way.len() - 1] != start {
                    way.push(before[&way[way.len() - 1]]);
                }
                way.reverse();
                let pairs = way.windows(2).map(|two| Pair { held: two[0], wanted: two[1] });
                return Some(std::iter::once(pair).chain(pairs).collect());
            }
            queue.push_back(to);
        }
    }
    None
}

/// How one who asks for a lock is kept waiting by one who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Keeps {
    /// As it is.
    Always,
    /// If a writer queues in between.
    BehindAWriter,
    /// Not at all.
    Never,
}

impl Keeps {
    fn of(held: Mode, wanted: Mode) -> Self {
        match (held, wanted) {
            (Mode::Exclusive, _) | (_, Mode::Exclusive) => Self::Always,
            (Mode::Upgradable, Mode::Upgradable) => Self::Always,
            (_, Mode::RecursiveRead) => Self::Never,
            (_, Mode::Read | Mode::Upgradable) => Self::BehindAWriter,
        }
    }
}

/// The sightings that make the strongest case, and which of them need a writer to queue before what they ask for.
/// `None` if there is no case.
fn witnesses(evidence: &[&Evidence]) -> Option<(Vec<Witness>, Vec<usize>)> {
    // Of a long circle only the strongest of each is looked at, as there are too many combinations.
    let most = if evidence.len() <= 4 { usize::MAX } else { 1 };
    let counts: Vec<usize> = evidence.iter().map(|it| it.witnesses.len().min(most)).collect();
    let choose = |mut number: usize| -> Vec<&Witness> {
        let mut chosen = Vec::with_capacity(evidence.len());
        for (evidence, count) in evidence.iter().zip(&counts) {
            chosen.push(&evidence.witnesses[number % count]);
            number /= count;
        }
        chosen
    };
    let keeps = |chosen: &[&Witness]| -> Vec<Keeps> {
        let next = |at: usize| chosen[(at + 1) % chosen.len()];
        let at = |at: usize| Keeps::of(next(at).held.mode, chosen[at].wanted.mode);
        (0..chosen.len()).map(at).collect()
    };
    let weakness = |chosen: &[&Witness]| -> Option<usize> {
        let keeps = keeps(chosen);
        let weak = keeps.iter().filter(|keeps| **keeps == Keeps::BehindAWriter).count();
        (!keeps.contains(&Keeps::Never)).then_some(weak)
    };
    let all = (0..counts.iter().product()).map(choose);
    let judged = all.filter_map(|chosen| Some((weakness(&chosen)?, chosen)));
    let (_, best) = judged.min_by_key(|(weakness, _)| *weakness)?;
    let keeps = keeps(&best);
    let readers = (0..best.len()).filter(|at| keeps[*at] == Keeps::BehindAWriter).collect();
    Some((best.into_iter().cloned().collect(), readers))
}

/// A class that was held around two of the orders every time, and alone around one of them.
fn gate(circle: &[Pair], evidence: &[&Evidence]) -> Option<ClassId> {
    let is_in_circle = |class: ClassId| circle.iter().any(|pair| pair.held == class);
    for (at, one) in evidence.iter().enumerate() {
        for other in &evidence[at + 1..] {
            for &(class, mode) in one.gates.iter().filter(|gate| !is_in_circle(gate.0)) {
                let apart = other.gates.iter().any(|&(gate, other_mode)| {
                    gate == class && Keeps::of(mode, other_mode) == Keeps::Always
                });
                if apart {
                    return Some(class);
                }
            }
        }
    }
    None
}
