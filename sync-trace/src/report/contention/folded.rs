//! Stacks for flame graphs: a line for each pair of source lines, with the nanoseconds waited.

use std::fmt::Write;

use super::{class_namer, line, word};
use crate::contention::{ClassStats, Pair, Snapshot};
use crate::op::Mode;

impl Snapshot {
    /// The waiting in the folded form of flame graphs (`a;b;c 1234`, in nanoseconds): where it was waited, for
    /// what, and where that was held since.
    ///
    /// # Example
    ///
    /// ```
    /// // For inferno, flamegraph.pl or speedscope.
    /// let folded = sync_trace::contention().folded_by_wait();
    /// # assert!(folded.lines().all(|line| line.split(';').count() == 3));
    /// ```
    #[must_use]
    pub fn folded_by_wait(&self) -> String {
        self.folded(|class, pair| [waits_at(pair), class, held_at(pair)])
    }

    /// The same by blame: where what others wait for was held since, what that is, and where they wait. A hold
    /// has the time of everybody who waits behind it.
    #[must_use]
    pub fn folded_by_blame(&self) -> String {
        self.folded(|class, pair| [held_at(pair), class, waits_at(pair)])
    }

    fn folded(&self, frames: impl Fn(String, &Pair) -> [String; 3]) -> String {
        let mut text = String::new();
        for (stack, pair) in self.stacks(frames) {
            let stack = stack.map(|frame| tame(&frame));
            _ = writeln!(text, "{} {}", stack.join(";"), pair.total.as_nanos());
        }
        text
    }

    /// Who waited where, as stacks, the outermost frame first.
    pub(crate) fn stacks_by_wait(&self) -> Vec<([String; 3], &Pair)> {
        self.stacks(|class, pair| [waits_at(pair), class, held_at(pair)]).collect()
    }

    fn stacks<'s>(
        &'s self,
        frames: impl Fn(String, &Pair) -> [String; 3] + 's,
    ) -> impl Iterator<Item = ([String; 3], &'s Pair)> {
        let name = class_namer();
        let locks = self.classes.iter().filter(|class| class.is_lock());
        let of = move |class: &'s ClassStats| {
            let class_frame = frame(class, &name(class));
            class.stats.pairs.iter().map(move |pair| (class_frame.clone(), pair))
        };
        locks.flat_map(of).map(move |(class, pair)| (frames(class, pair), pair))
    }
}

fn frame(class: &ClassStats, name: &str) -> String {
    match class.mode {
        Mode::Exclusive => name.to_owned(),
        mode => format!("{name} ({})", word(mode)),
    }
}

fn waits_at(pair: &Pair) -> String {
    format!("waits at {}", line(pair.waiter))
}

fn held_at(pair: &Pair) -> String {
    format!("held since {}", line(pair.holder))
}

/// A semicolon ends a frame.
fn tame(frame: &str) -> String {
    frame.replace([';', '\n'], ":")
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_ways_have_the_same_time() {
        let snapshot = super::super::example();
        let weight = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<u128>().unwrap();
        for (text, first) in
            [(snapshot.folded_by_wait(), "waits at "), (snapshot.folded_by_blame(), "held since ")]
        {
            assert_eq!(text.lines().map(weight).sum::<u128>(), snapshot.total_wait().as_nanos());
            assert_eq!(text.lines().count(), 2);
            for line in text.lines() {
                assert!(line.starts_with(first) && line.contains(";accounts;"), "{line}");
            }
        }
    }
}
