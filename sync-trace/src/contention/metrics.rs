//! The bridge to the `metrics` crate: what is new, each time that somebody asks for it.

use super::differences::Differences;
use crate::atomics::{Mutex, lock};
use crate::current::Working;

/// What was recorded already. Memory is allocated under it, but nothing of the user's is called.
static RECORDED: Mutex<Differences> = Mutex::new(Differences::new());

/// Adds what was counted since the last call to the recorder of the `metrics` crate: to that of this thread, or to
/// the one that the program has installed. Feature `metrics`.
///
/// To be called from time to time, by one thread of the service or by its handler of `/metrics`. Names, labels and
/// what the histograms get are described at [`Snapshot::to_metrics`](super::Snapshot::to_metrics), which records a
/// difference of one's own. The recorder is called with nothing of the tracker locked, and may use traced locks; what
/// it waits for is counted like all else. Without tracing this does nothing.
///
/// # Example
///
/// ```
/// use metrics_util::debugging::DebuggingRecorder; // or an exporter
///
/// let recorder = DebuggingRecorder::new();
/// let snapshotter = recorder.snapshotter();
/// recorder.install().unwrap();
///
/// // Every ten seconds or so:
/// sync_trace::record_metrics();
///
/// let recorded = snapshotter.snapshot().into_vec();
/// assert!(recorded.iter().all(|(key, ..)| key.key().name().starts_with("sync_trace.lock.")));
/// ```
pub fn record_metrics() {
    if !crate::is_on() {
        return;
    }
    let difference = {
        let _working = Working::begin();
        lock(&RECORDED).next()
    };
    difference.to_metrics();
}

#[cfg(all(test, any(debug_assertions, feature = "always")))]
mod tests {
    use std::sync::mpsc::channel;

    use metrics::{
        Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    };
    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

    use super::record_metrics;
    use crate::finding::Target;
    use crate::sync::Mutex;
    use crate::{named, thread};

    fn until_waiting(name: &str) {
        let waits = |agent: &crate::finding::AgentState| {
            agent.wait.as_ref().is_some_and(
                |(wait, _)| matches!(&wait.target, Target::Lock(lock, _) if lock.name == Some(name)),
            )
        };
        while !crate::snapshot().agents.iter().any(waits) {
            std::thread::yield_now();
        }
    }

    /// Has one thread wait once for the lock.
    fn wait_once(lock: &Mutex<()>, name: &str) {
        let held = lock.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| drop(lock.lock().unwrap()));
            until_waiting(name);
            drop(held);
        });
    }

    fn contentions(snapshotter: &Snapshotter, class: &str) -> Option<u64> {
        let is_it = |key: &Key| {
            key.name() == "sync_trace.lock.contentions"
                && key.labels().any(|label| label.value() == class)
        };
        let metrics = snapshotter.snapshot().into_vec();
        let (_, _, _, value) = metrics.into_iter().find(|(key, ..)| is_it(key.key()))?;
        match value {
            DebugValue::Counter(count) => Some(count),
            _ => panic!("it is a counter"),
        }
    }

    /// A recorder that has a traced lock.
    struct Locking {
        own: Mutex<()>,
        inner: DebuggingRecorder,
    }

    #[rustfmt::skip]
    impl Recorder for Locking {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
            let _held = self.own.lock().unwrap();
            self.inner.register_counter(key, metadata)
        }

        fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
            self.inner.register_gauge(key, metadata)
        }

        fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
            self.inner.register_histogram(key, metadata)
        }
    }

    /// One test, because what was recorded is known of the whole process.
    #[test]
    fn each_wait_is_recorded_once_and_the_recorder_may_have_to_wait_itself() {
        let lock = named!("recorded once", Mutex::new(()));
        wait_once(&lock, "recorded once");
        let inner = DebuggingRecorder::new();
        let snapshotter = inner.snapshotter();
        let recorder = Locking { own: named!("the recorder's own", Mutex::new(())), inner };
        let record = || metrics::with_local_recorder(&recorder, record_metrics);

        let held = recorder.own.lock().unwrap();
        thread::scope(|scope| {
            let (end, ended) = channel();
            scope.spawn(move || {
                record();
                end.send(()).unwrap();
            });
            until_waiting("the recorder's own");
            // Nothing is locked meanwhile: others can look, and record.
            assert!(!crate::contention().classes.is_empty());
            let other = DebuggingRecorder::new();
            metrics::with_local_recorder(&other, record_metrics);
            assert_eq!(contentions(&other.snapshotter(), "recorded once"), None);
            drop(held);
            ended.recv().unwrap();
        });
        assert_eq!(contentions(&snapshotter, "recorded once"), Some(1));
        // A recorder that was waited for is a lock like others. Its counter is only there if that was recorded.
        record();
        assert_eq!(contentions(&snapshotter, "the recorder's own"), Some(1));

        wait_once(&lock, "recorded once");
        wait_once(&lock, "recorded once");
        record();
        assert_eq!(contentions(&snapshotter, "recorded once"), Some(2));
    }
}
