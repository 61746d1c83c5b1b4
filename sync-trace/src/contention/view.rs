//! Which rows of a snapshot are shown, and in which order.

use std::time::Duration;

use super::histogram::Histogram;
use super::snapshot::{ClassStats, Snapshot};

/// What the rows of a [`Table`] can be sorted by. All but the name put the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Column {
    /// The name, or the type and the place for locks without one.
    Name,
    /// How many waits there were.
    Waits,
    /// How long they took together.
    #[default]
    Total,
    /// What half of them did not exceed.
    Median,
    /// What 99 of a hundred did not exceed.
    P99,
    /// The longest one.
    Max,
    /// How many waits were given up because their time was over.
    Timeouts,
    /// How many tries have failed.
    TryFailures,
}

/// A table to be displayed; made by [`Snapshot::table`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a table does nothing until it is displayed"]
pub struct Table<'s> {
    pub(crate) snapshot: &'s Snapshot,
    sort_by: Column,
    min_waits: u64,
    min_total: Duration,
    rows: usize,
    /// Of how many classes the lines are shown.
    pub(crate) details: usize,
}

impl Snapshot {
    /// A table of the classes, which can be changed before it is displayed. By default it shows the 20 classes
    /// that cost the most time, and the lines for the first three of them.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use sync_trace::contention::Column;
    ///
    /// let contention = sync_trace::contention();
    /// println!("{}", contention.table().sort_by(Column::Max).min_total(Duration::from_millis(1)));
    /// ```
    pub fn table(&self) -> Table<'_> {
        Table {
            snapshot: self,
            sort_by: Column::Total,
            min_waits: 0,
            min_total: Duration::ZERO,
            rows: 20,
            details: 3,
        }
    }
}

impl<'s> Table<'s> {
    /// Sorts by this column.
    pub fn sort_by(self, column: Column) -> Self {
        Self { sort_by: column, ..self }
    }

    /// Leaves out classes with fewer waits.
    pub fn min_waits(self, waits: u64) -> Self {
        Self { min_waits: waits, ..self }
    }

    /// Leaves out classes whose waits took less time together.
    pub fn min_total(self, total: Duration) -> Self {
        Self { min_total: total, ..self }
    }

    /// Shows at most so many classes.
    pub fn rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// Shows for so many classes who makes whom wait.
    pub fn details(self, classes: usize) -> Self {
        Self { details: classes, ..self }
    }

    /// The classes that are shown, in order, and how many more there are.
    pub(crate) fn classes(&self) -> (Vec<&'s ClassStats>, usize) {
        let is_enough = |class: &&ClassStats| {
            let waits = &class.stats.waits;
            waits.count() >= self.min_waits && waits.total() >= self.min_total
        };
        let mut classes: Vec<_> = self.snapshot.classes.iter().filter(is_enough).collect();
        let duration = |of: fn(&Histogram) -> Option<Duration>| {
            move |class: &&ClassStats| {
                u64::try_from(of(&class.stats.waits).unwrap_or_default().as_nanos())
                    .unwrap_or(u64::MAX)
            }
        };
        let largest_first = |classes: &mut Vec<&ClassStats>, key: &dyn Fn(&&ClassStats) -> u64| {
            classes.sort_by_key(|class| std::cmp::Reverse(key(class)));
        };
        match self.sort_by {
            Column::Name => {
                classes.sort_by_key(|class| (class.name, class.type_name, class.created))
            }
            Column::Waits => largest_first(&mut classes, &|class| class.stats.waits.count()),
            // So they are.
            Column::Total => {}
            Column::Median => largest_first(&mut classes, &duration(|waits| waits.quantile(0.5))),
            Column::P99 => largest_first(&mut classes, &duration(|waits| waits.quantile(0.99))),
            Column::Max => largest_first(&mut classes, &duration(Histogram::max)),
            Column::Timeouts => largest_first(&mut classes, &|class| class.stats.timeouts),
            Column::TryFailures => largest_first(&mut classes, &|class| class.stats.try_failures),
        }
        let more = classes.len().saturating_sub(self.rows);
        classes.truncate(self.rows);
        (classes, more)
    }
}
