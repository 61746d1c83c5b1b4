//! A snapshot for whatever recorder the program has given to the `metrics` crate.

use ::metrics::{Label, Unit, counter, describe_counter, describe_histogram, histogram};

use super::prometheus::COUNTERS;
use super::{class_namer, word};
use crate::contention::{ClassStats, Histogram, Snapshot, Stats};

/// One histogram for each class.
type Duration = (&'static str, &'static str, fn(&Stats) -> &Histogram);

const DURATIONS: [Duration; 2] = [
    ("sync_trace.lock.wait.duration", "How long was waited.", |stats| &stats.waits),
    ("sync_trace.lock.hold.duration", "How long locks were held.", |stats| &stats.holds),
];

/// A histogram gets about so many values at most: recorders tend to keep each of them for a while.
const VALUES_MAX: u64 = 10_000;

impl Snapshot {
    /// Adds all of it to the recorder that the program has installed, or to this thread's: to be called with a
    /// [difference](Self::since), because counters only ever grow. [`record_metrics`](crate::record_metrics) does that
    /// with all that is new.
    ///
    /// The counters are those of [`to_prometheus`](Self::to_prometheus): `sync_trace.lock.contentions` and the like.
    /// The histograms `sync_trace.lock.wait.duration` and `sync_trace.lock.hold.duration`, in seconds, get values that
    /// are within one part in 32 of what was measured. Of more than 10 000 in one class they get a share, with the same
    /// distribution; how many there were, the counters tell. Labels are `lock.class`, `lock.kind`, `lock.mode`,
    /// `code.file.path` and `code.line.number`: of classes, never of single locks.
    ///
    /// The recorder is called with nothing of the tracker locked, and may use traced locks.
    ///
    /// # Example
    ///
    /// ```
    /// let before = sync_trace::contention();
    /// // … one request …
    /// sync_trace::contention().since(&before).to_metrics();
    /// ```
    pub fn to_metrics(&self) {
        if self.classes.is_empty() {
            return;
        }
        for (metric, help, _) in COUNTERS {
            describe_counter!(dotted(metric), Unit::Count, help);
        }
        for (metric, help, _) in DURATIONS {
            describe_histogram!(metric, Unit::Seconds, help);
        }
        let name = class_namer();
        for class in &self.classes {
            let labels = labels(class, name(class));
            for (metric, _, count) in COUNTERS {
                let count = count(class);
                if count > 0 {
                    counter!(dotted(metric), labels.clone()).increment(count);
                }
            }
            for (metric, _, durations) in DURATIONS {
                let durations = durations(&class.stats);
                if !durations.is_empty() {
                    add(&histogram!(metric, labels.clone()), durations);
                }
            }
        }
    }
}

fn add(histogram: &::metrics::Histogram, durations: &Histogram) {
    let share = (VALUES_MAX as f64 / durations.count() as f64).min(1.0);
    for (duration, count) in durations.values() {
        // Not even a share of the rarest ones may be nothing: they are the longest.
        histogram.record_many(duration, (count as f64 * share).ceil() as usize);
    }
}

/// The name that a Prometheus counter has where dots are permitted.
fn dotted(name: &str) -> String {
    let name = name.strip_suffix("_total").unwrap_or(name);
    name.replacen("sync_trace_lock_", "sync_trace.lock.", 1)
}

fn labels(class: &ClassStats, name: String) -> Vec<Label> {
    vec![
        Label::new("lock.class", name),
        Label::new("lock.kind", word(class.kind)),
        Label::new("lock.mode", word(class.mode)),
        Label::new("code.file.path", class.created.file().to_owned()),
        Label::new("code.line.number", class.created.line().to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

    use super::*;

    /// What the recorder has got: names with their labels, in order, and values.
    fn recorded(snapshotter: &Snapshotter) -> Vec<(String, DebugValue)> {
        let metrics = snapshotter.snapshot().into_vec().into_iter();
        let metrics = metrics.map(|(key, _, _, value)| {
            let labels =
                key.key().labels().map(|label| format!(" {}={}", label.key(), label.value()));
            (key.key().name().to_owned() + &labels.collect::<String>(), value)
        });
        metrics.collect()
    }

    #[test]
    fn counters_grow_and_durations_are_values_of_a_histogram() {
        let (recorder, snapshot) = (DebuggingRecorder::new(), super::super::example());
        let snapshotter = recorder.snapshotter();
        let line = snapshot.classes[0].created.line();
        ::metrics::with_local_recorder(&recorder, || snapshot.to_metrics());
        let recorded = recorded(&snapshotter);
        let labels = format!(
            " lock.class=accounts lock.kind=mutex lock.mode=exclusive code.file.path={} code.line.number={line}",
            file!().replace("report/contention/metrics.rs", "contention/advice.rs"),
        );
        let names: Vec<_> = recorded.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["sync_trace.lock.contentions", "sync_trace.lock.wait.duration"];
        assert_eq!(names, expected.map(|name| name.to_owned() + &labels));
        assert_eq!(recorded[0].1, DebugValue::Counter(211));
        let DebugValue::Histogram(values) = &recorded[1].1 else { panic!("{recorded:?}") };
        assert_eq!(values.len(), 211);
        let sum: f64 = values.iter().map(|value| value.0).sum();
        assert!((sum / snapshot.total_wait().as_secs_f64() - 1.0).abs() <= 1.0 / 32.0, "{sum}");
    }

    #[test]
    fn names_are_those_of_the_text_for_prometheus() {
        let text = super::super::example().to_prometheus();
        assert!(text.contains("sync_trace_lock_try_failures_total{"));
        assert_eq!(dotted("sync_trace_lock_try_failures_total"), "sync_trace.lock.try_failures");
        let durations = DURATIONS.map(|(name, ..)| name.replace('.', "_") + "_seconds");
        assert!(text.contains(&format!("# TYPE {} histogram", durations[0])));
        for (name, ..) in COUNTERS {
            assert!(name.starts_with("sync_trace_lock_") && name.ends_with("_total"), "{name}");
        }
    }

    #[test]
    fn very_many_durations_are_thinned_and_the_longest_is_still_there() {
        let mut stats = Stats::default();
        stats.waits.record_ns_times(1_000, 3_000_000);
        stats.waits.record_ns_times(50_000, 1_000_000);
        stats.waits.record_ns(2_000_000_000);
        let mut snapshot = super::super::example();
        snapshot.classes[0].stats = stats;
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        ::metrics::with_local_recorder(&recorder, || snapshot.to_metrics());
        let recorded = recorded(&snapshotter);
        assert_eq!(recorded[0].1, DebugValue::Counter(4_000_001));
        let DebugValue::Histogram(values) = &recorded[1].1 else { panic!("{recorded:?}") };
        let near = |ns: f64| {
            values.iter().filter(|value| (value.0 * 1e9 / ns - 1.0).abs() <= 1.0 / 32.0).count()
        };
        assert_eq!([1e3, 5e4, 2e9].map(near), [7_500, 2_500, 1]);
    }
}
