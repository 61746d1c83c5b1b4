//! Orders of classes: that one was asked for while another was held, and who showed that.

use super::classes::ClassId;
use super::processes::{ProcessId, ProcessSet};
use crate::read::record::{Mode, Site};
use std::collections::HashMap;

/// How many different sightings of an order are kept; how often there were others is counted.
const MOST_WITNESSES: usize = 3;

/// An order of two classes: the first was held while the second was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// What was held.
    pub held: ClassId,
    /// What was asked for.
    pub wanted: ClassId,
}

/// What is known of an order.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Which processes showed it.
    pub processes: ProcessSet,
    /// How many records tell of it: one for each combination of places in each test of a process.
    pub records: u64,
    /// How often it was seen, as far as processes have counted.
    pub times: u64,
    /// The first sightings that differ in mode or place, never more than three; those in which nobody only reads come
    /// first.
    pub witnesses: Vec<Witness>,
    /// What else was held in every sighting, in the weakest mode it was held in.
    pub gates: Vec<(ClassId, Mode)>,
    /// Whether only threads showed it that no other thread has started.
    pub is_of_roots: bool,
}

/// One sighting of an order.
#[derive(Clone, Debug)]
pub struct Witness {
    /// In which process.
    pub process: ProcessId,
    /// The thread's name.
    pub thread: Option<String>,
    /// What the operating system calls the thread.
    pub os_id: Option<u64>,
    /// The name of the thread's oldest ancestor: under libtest, the test.
    pub root: Option<String>,
    /// Whether no traced thread has started it.
    pub is_root: bool,
    /// How the first lock was taken.
    pub held: Taking,
    /// How the second one was asked for.
    pub wanted: Taking,
}

/// How a lock was taken or asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// In which mode.
    pub mode: Mode,
    /// By which method.
    pub op: String,
    /// Where.
    pub site: Site,
}

impl Witness {
    /// How much a lock of these modes keeps others away: nobody reads, one of them, both.
    fn weakness(&self) -> usize {
        let reads = |taking: &Taking| usize::from(taking.mode != Mode::Exclusive);
        reads(&self.held) + reads(&self.wanted)
    }

    fn is_like(&self, other: &Self) -> bool {
        (&self.held, &self.wanted) == (&other.held, &other.wanted)
    }
}

/// All orders of a run.
#[derive(Debug, Default)]
pub struct Orders(HashMap<Pair, Evidence>);

impl Orders {
    /// Adds a sighting, in which `gates` was held as well.
    pub fn add(&mut self, pair: Pair, witness: Witness, gates: &[(ClassId, Mode)]) {
        let evidence = self.0.entry(pair).or_default();
        let is_first = evidence.records == 0;
        evidence.records += 1;
        evidence.processes.insert(witness.process);
        if is_first {
            evidence.gates = gates.to_vec();
            evidence.is_of_roots = witness.is_root;
        } else {
            evidence.is_of_roots &= witness.is_root;
            evidence.gates.retain_mut(|(class, mode)| {
                let same = gates.iter().filter(|gate| gate.0 == *class).map(|gate| gate.1).min();
                same.is_some_and(|other| {
                    // The later one in the order of modes excludes fewer.
                    *mode = other.max(*mode);
                    true
                })
            });
        }
        let witnesses = &mut evidence.witnesses;
        if witnesses.iter().any(|other| other.is_like(&witness)) {
            return;
        }
        let at = witnesses.partition_point(|other| other.weakness() <= witness.weakness());
        if at < MOST_WITNESSES {
            witnesses.truncate(MOST_WITNESSES - 1);
            witnesses.insert(at, witness);
        }
    }

    /// Adds how often a process has seen an order.
    pub fn count(&mut self, pair: Pair, times: u64) {
        if let Some(evidence) = self.0.get_mut(&pair) {
            evidence.times = evidence.times.saturating_add(times);
        }
    }

    /// What is known of an order.
    pub fn get(&self, pair: Pair) -> Option<&Evidence> {
        self.0.get(&pair)
    }

    /// All, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Pair, &Evidence)> {
        self.0.iter().map(|(pair, evidence)| (*pair, evidence))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn taking(mode: Mode, line: u32) -> Taking {
        Taking { mode, op: "lock".into(), site: Site { file: "a.rs".into(), line, column: 1 } }
    }

    pub(crate) fn witness(process: u32, held: Mode, wanted: Mode, line: u32) -> Witness {
        Witness {
            process: ProcessId(process),
            thread: None,
            os_id: None,
            root: None,
            is_root: false,
            held: taking(held, line),
            wanted: taking(wanted, line + 1),
        }
    }

    const PAIR: Pair = Pair { held: ClassId(0), wanted: ClassId(1) };

    #[test]
    fn the_strongest_sightings_are_kept() {
        let mut orders = Orders::default();
        for line in 1..=3 {
            orders.add(PAIR, witness(0, Mode::Read, Mode::Read, line), &[]);
        }
        orders.add(PAIR, witness(1, Mode::Read, Mode::Exclusive, 4), &[]);
        orders.add(PAIR, witness(2, Mode::Exclusive, Mode::Exclusive, 5), &[]);
        orders.add(PAIR, witness(3, Mode::Read, Mode::Read, 6), &[]);
        let evidence = orders.get(PAIR).unwrap();
        let lines: Vec<_> = evidence.witnesses.iter().map(|it| it.held.site.line).collect();
        assert_eq!(lines, [5, 4, 1]);
        assert_eq!((evidence.records, evidence.processes.len()), (6, 4));
    }

    #[test]
    fn a_gate_was_there_every_time_and_counts_as_it_was_weakest() {
        let mut orders = Orders::default();
        let (g, h) = (ClassId(2), ClassId(3));
        let add = |orders: &mut Orders, line, gates: &[_]| {
            orders.add(PAIR, witness(0, Mode::Exclusive, Mode::Exclusive, line), gates);
        };
        add(&mut orders, 1, &[(g, Mode::Exclusive), (h, Mode::Exclusive)]);
        assert_eq!(orders.get(PAIR).unwrap().gates.len(), 2);
        add(&mut orders, 2, &[(g, Mode::Read)]);
        assert_eq!(orders.get(PAIR).unwrap().gates, [(g, Mode::Read)]);
        add(&mut orders, 3, &[(g, Mode::Exclusive)]);
        assert_eq!(orders.get(PAIR).unwrap().gates, [(g, Mode::Read)]);
        add(&mut orders, 4, &[]);
        assert_eq!(orders.get(PAIR).unwrap().gates, []);
    }
}
