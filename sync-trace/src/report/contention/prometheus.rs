//! The text that Prometheus and those who speak its language collect.

use std::fmt::Write;

use super::{class_namer, word};
use crate::contention::{ClassStats, Snapshot};

/// The upper ends of the buckets, as powers of two in nanoseconds: from a quarter of a microsecond to 17 seconds.
/// At powers of two the counts are exact.
const BUCKETS: std::ops::RangeInclusive<u32> = 8..=34;

/// One counter for each class.
pub(super) type Counter = (&'static str, &'static str, fn(&ClassStats) -> u64);

pub(super) const COUNTERS: [Counter; 5] = [
    ("sync_trace_lock_contentions_total", "Acquisitions that had to wait.", |class| {
        class.stats.waits.count()
    }),
    (
        "sync_trace_lock_timeouts_total",
        "Waits that were given up because their time was over.",
        |class| class.stats.timeouts,
    ),
    ("sync_trace_lock_try_failures_total", "Tries that failed.", |class| class.stats.try_failures),
    ("sync_trace_lock_notifies_total", "Notifications of condition variables.", |class| {
        class.stats.notifies
    }),
    ("sync_trace_lock_notifies_in_vain_total", "Notifications that nobody waited for.", |class| {
        class.stats.notifies_in_vain
    }),
];

const DURATION: &str = "sync_trace_lock_wait_duration_seconds";

impl Snapshot {
    /// Prometheus's text format: counters, and a histogram of the times waited, for each class and mode. There are
    /// no labels of single locks.
    ///
    /// # Example
    ///
    /// ```
    /// // What a handler of `/metrics` answers with.
    /// let metrics = sync_trace::contention().to_prometheus();
    /// assert!(metrics.contains("# TYPE sync_trace_lock_wait_duration_seconds histogram"));
    /// ```
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let name = class_namer();
        let labelled: Vec<(&ClassStats, String)> =
            self.classes.iter().map(|class| (class, labels(class, &name(class)))).collect();
        let mut text = String::new();
        for (metric, help, count) in COUNTERS {
            _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} counter");
            for (class, labels) in &labelled {
                _ = writeln!(text, "{metric}{{{labels}}} {}", count(class));
            }
        }
        _ = writeln!(text, "# HELP {DURATION} How long was waited.\n# TYPE {DURATION} histogram");
        for (class, labels) in &labelled {
            histogram(&mut text, class, labels);
        }
        text
    }
}

fn histogram(text: &mut String, class: &ClassStats, labels: &str) {
    let waits = &class.stats.waits;
    for log in BUCKETS.step_by(2) {
        // What is equal to the bound belongs to the bucket.
        let bound = ((1_u64 << log) - 1) as f64 / 1e9;
        let count = waits.below_power_of_two(log);
        _ = writeln!(text, "{DURATION}_bucket{{{labels},le=\"{bound}\"}} {count}");
    }
    _ = writeln!(text, "{DURATION}_bucket{{{labels},le=\"+Inf\"}} {}", waits.count());
    _ = writeln!(text, "{DURATION}_sum{{{labels}}} {}", waits.total().as_secs_f64());
    _ = writeln!(text, "{DURATION}_count{{{labels}}} {}", waits.count());
}

fn labels(class: &ClassStats, name: &str) -> String {
    format!(
        "lock_class=\"{}\",lock_kind=\"{}\",lock_mode=\"{}\",code_file_path=\"{}\",code_line_number=\"{}\"",
        escaped(name),
        word(class.kind),
        word(class.mode),
        escaped(class.created.file()),
        class.created.line(),
    )
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_has_what_was_counted_at_every_bound() {
        let text = super::super::example().to_prometheus();
        let value = |start: &str| {
            let line = text.lines().find(|line| line.starts_with(start)).unwrap();
            line.rsplit_once(' ').unwrap().1.to_owned()
        };
        assert_eq!(value("sync_trace_lock_contentions_total{lock_class=\"accounts\","), "211");
        assert_eq!(value("sync_trace_lock_wait_duration_seconds_sum"), "0.0215");
        let bucket = |bound: &str| {
            let line = text.lines().find(|line| line.contains(&format!("le=\"{bound}\""))).unwrap();
            line.rsplit_once(' ').unwrap().1.to_owned()
        };
        let counts = ["0.000016383", "0.000065535", "0.016777215", "+Inf"].map(bucket);
        assert_eq!(counts, ["0", "210", "211", "211"]);
    }

    #[test]
    fn quotes_and_lines_are_escaped_in_labels() {
        assert_eq!(escaped("a\"b\\\n"), "a\\\"b\\\\\\n");
    }
}
