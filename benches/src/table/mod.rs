//! The table: a line or two for each kind of work, printed as soon as it is measured.

use std::io::Write;

use crate::budget::{Budget, Measure};
use crate::rounds::{Measured, Samples};

mod machine;
mod markdown;
mod terminal;

/// What was measured for one row, all in the same unit.
pub struct Row<'r> {
    /// The kind of work.
    pub name: &'r str,
    /// What it may cost.
    pub budget: Budget,
    /// `std`'s samples, if the budget is relative to them or they are worth a look.
    pub std: Option<&'r Samples>,
    /// sync-trace's.
    pub traced: &'r Samples,
    /// The peers' that do this work.
    pub peers: &'r [Measured],
}

/// For whom the table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// For who has started the program.
    Terminal,
    /// For a page of text: `--markdown`.
    Markdown,
}

impl Layout {
    /// Says what the columns mean, and prints their heads.
    pub fn print_head(self) {
        print(&match self {
            Self::Terminal => terminal::head(),
            Self::Markdown => markdown::head(),
        });
    }

    /// Prints one row.
    pub fn print_row(self, row: &Row<'_>) {
        print(&match self {
            Self::Terminal => terminal::row(row),
            Self::Markdown => markdown::row(row),
        });
    }
}

/// The median and the quiet tenth.
type Both = [f64; 2];

fn both(samples: &Samples) -> Both {
    [samples.median(), samples.quiet()]
}

impl Row<'_> {
    /// Whether what counts is how the works compare with `std`.
    fn is_relative(&self) -> bool {
        matches!(self.budget.measure, Measure::Ratio | Measure::Throughput)
    }

    /// The unit of what was measured.
    fn unit(&self) -> Measure {
        if self.budget.measure == Measure::Bytes { Measure::Bytes } else { Measure::Nanoseconds }
    }

    /// How it compares with `std`; not numbers if that was not measured.
    fn ratio(&self, samples: &Samples) -> Both {
        let std = self.std.map_or([f64::NAN; 2], both);
        let values = both(samples);
        [0, 1].map(|at| self.budget.measure.compare(values[at], std[at]))
    }

    /// The values that the budget is about, and their unit. Whoever reads about times and sizes
    /// rather compares these as they are.
    fn judged(&self, samples: &Samples) -> (Both, Measure) {
        if self.is_relative() {
            (self.ratio(samples), Measure::Ratio)
        } else {
            (both(samples), self.unit())
        }
    }
}

/// A reader who has gone, as in `| head`, is no error.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(ns: f64) -> Samples {
        Samples::new(vec![ns; 10])
    }

    /// A row of both layouts.
    fn rows(budget: Budget, traced: f64, peers: &[(&'static str, f64)]) -> (String, String) {
        let (std, traced) = (samples(10.0), samples(traced));
        let peers: Vec<_> =
            peers.iter().map(|&(name, ns)| Measured::new(name, vec![ns; 10])).collect();
        let row = Row { name: "mutex", budget, std: Some(&std), traced: &traced, peers: &peers };
        (terminal::row(&row), markdown::row(&row))
    }

    #[test]
    fn ratios_stand_beside_times_and_peers_below_them() {
        let peers = [("parking_lot dd", 11.5), ("no_deadlocks", 2090.0)];
        let (terminal, markdown) = rows(Budget::ratio(1.35, 1.2), 12.0, &peers);
        let words: Vec<_> = terminal.split_whitespace().collect();
        assert_eq!(
            words.join(" "),
            "mutex 10.0 ns 10.0 ns 12.0 ns 12.0 ns 1.20 1.20 <= 1.35 1.20 aim \
             pl dd 1.15/1.15 no_deadlocks 209/209"
        );
        assert_eq!(
            markdown,
            "| mutex | 10.0 ns | 12.0 ns, **1.20 ×** (1.20) | ≤ 1.35 | 1.15 × (1.15) | | | 209 × (209) | | |\n"
        );
    }

    #[test]
    fn where_a_time_is_limited_times_are_shown() {
        let (terminal, markdown) =
            rows(Budget::microseconds(1.0, 0.4), 900.0, &[("deloxide", 5e4)]);
        assert!(terminal.contains("<= 1.0 us"), "{terminal}");
        assert!(terminal.ends_with("deloxide 50.0/50.0 us\n"), "{terminal}");
        assert_eq!(
            markdown,
            "| mutex | 10.0 ns | **900.0 ns** (900.0) | ≤ 1.0 us | | | 50.0 us (50.0) | | | |\n"
        );
    }
}
