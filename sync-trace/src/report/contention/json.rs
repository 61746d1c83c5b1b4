//! The whole snapshot as JSON.

use std::time::Duration;

use super::class_namer;
use crate::contention::{ClassStats, Histogram, LockStats, Pair, Snapshot, Stats};
use crate::json::{Object, Value};

/// Goes up when a member changes its meaning or goes away; new members may come at any time.
const VERSION: u32 = 1;

const QUANTILES: [(&str, f64); 4] =
    [("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99), ("p999_ns", 0.999)];

impl Snapshot {
    /// All of it as JSON, in one line. Times are in nanoseconds; what is not known is left out.
    ///
    /// # Example
    ///
    /// ```
    /// let json = sync_trace::contention().to_json();
    /// assert!(json.starts_with(r#"{"version":1,"#));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let name = class_namer();
        let mut out = String::new();
        Object::write(&mut out, |object| {
            object.member("version", VERSION).member("elapsed_ns", ns(self.elapsed));
            object.member("folded", self.folded).member("lost", self.lost);
            object.maybe("overhead_ns", self.overhead_ns);
            let classes = self.classes.iter().map(|class| Named { class, name: name(class) });
            object.list("classes", classes);
        });
        out
    }
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

struct Named<'s> {
    class: &'s ClassStats,
    name: String,
}

impl Value for Named<'_> {
    fn write(&self, out: &mut String) {
        let class = self.class;
        Object::write(out, |object| {
            object.member("name", &self.name).member("kind", class.kind);
            object.member("mode", class.mode);
            let has_type = !class.type_name.is_empty();
            object.maybe("type", has_type.then_some(class.type_name));
            object.member("created", class.created);
            add_stats(object, &class.stats);
            object.list("locks", &class.locks);
        });
    }
}

impl Value for &LockStats {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("id", self.id.get());
            add_stats(object, &self.stats);
        });
    }
}

/// The members that a class has, and each of its locks.
fn add_stats(object: &mut Object<'_>, stats: &Stats) {
    object.object("waits", |object| add_times(object, &stats.waits));
    object.member("timeouts", stats.timeouts).member("handed_on", stats.handed_on);
    object.member("try_failures", stats.try_failures).member("notifies", stats.notifies);
    object.member("notifies_in_vain", stats.notifies_in_vain).list("pairs", &stats.pairs);
}

fn add_times(object: &mut Object<'_>, waits: &Histogram) {
    object.member("count", waits.count()).member("total_ns", ns(waits.total()));
    object.maybe("min_ns", waits.min().map(ns));
    for (name, q) in QUANTILES {
        object.maybe(name, waits.quantile(q).map(ns));
    }
    object.maybe("max_ns", waits.max().map(ns));
}

impl Value for &Pair {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.maybe("waiter", self.waiter).maybe("holder", self.holder);
            object.member("waits", self.waits).member("total_ns", ns(self.total));
            object.member("max_ns", ns(self.max));
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::contention::Snapshot;

    #[test]
    fn it_is_one_line_with_all_numbers() {
        let json = super::super::example().to_json();
        let measured = Snapshot { overhead_ns: Some(7), ..super::super::example() }.to_json();
        assert!(measured.contains(r#""lost":0,"overhead_ns":7,"classes":["#), "{measured}");
        assert!(!json.contains('\n'));
        for part in [
            r#"{"version":1,"elapsed_ns":1000000000,"folded":0,"lost":0,"classes":[{"name":"accounts","#,
            r#""kind":"mutex","mode":"exclusive","created":{"file":""#,
            r#""waits":{"count":211,"total_ns":21500000,"min_ns":50000,"p50_ns":"#,
            r#""max_ns":11000000},"timeouts":0,"handed_on":210,"try_failures":0,"#,
            r#""pairs":[{"waiter":{"file":""#,
            r#""waits":201,"total_ns":21000000,"max_ns":11000000},"#,
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
        assert!(json.ends_with(r#""locks":[]}]}"#), "{json}");
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
    }
}
