//! The whole snapshot as JSON.

use std::fmt::Write;
use std::time::Duration;

use super::{class_namer, kind_word, mode_word};
use crate::contention::{ClassStats, Histogram, Pair, Snapshot, Stats};
use crate::finding::Site;

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
        let mut out = format!("{{\"version\":{VERSION},\"elapsed_ns\":{}", self.elapsed.as_nanos());
        _ = write!(out, ",\"folded\":{},\"lost\":{},\"classes\":", self.folded, self.lost);
        list(&mut out, &self.classes, |out, class| write_class(out, class, &name(class)));
        out.push('}');
        out
    }
}

fn write_class(out: &mut String, class: &ClassStats, name: &str) {
    out.push_str("{\"name\":");
    text(out, name);
    let (kind, mode) = (kind_word(class.kind), mode_word(class.mode));
    _ = write!(out, ",\"kind\":\"{kind}\",\"mode\":\"{mode}\",\"type\":");
    text(out, class.type_name);
    out.push_str(",\"created\":");
    site(out, class.created);
    out.push(',');
    stats(out, &class.stats);
    out.push_str(",\"locks\":");
    list(out, &class.locks, |out, lock| {
        _ = write!(out, "{{\"id\":{},", lock.id.get());
        stats(out, &lock.stats);
        out.push('}');
    });
    out.push('}');
}

/// The members that a class has, and each of its locks.
fn stats(out: &mut String, stats: &Stats) {
    out.push_str("\"waits\":");
    histogram(out, &stats.waits);
    let Stats { timeouts, handed_on, try_failures, notifies, notifies_in_vain, .. } = *stats;
    _ = write!(out, ",\"timeouts\":{timeouts},\"handed_on\":{handed_on}");
    _ = write!(out, ",\"try_failures\":{try_failures}");
    _ = write!(out, ",\"notifies\":{notifies},\"notifies_in_vain\":{notifies_in_vain},\"pairs\":");
    list(out, &stats.pairs, write_pair);
}

fn histogram(out: &mut String, waits: &Histogram) {
    _ = write!(out, "{{\"count\":{},\"total_ns\":{}", waits.count(), waits.total().as_nanos());
    let mut maybe = |name: &str, time: Option<Duration>| {
        if let Some(time) = time {
            _ = write!(out, ",\"{name}\":{}", time.as_nanos());
        }
    };
    maybe("min_ns", waits.min());
    QUANTILES.iter().for_each(|(name, q)| maybe(name, waits.quantile(*q)));
    maybe("max_ns", waits.max());
    out.push('}');
}

fn write_pair(out: &mut String, pair: &Pair) {
    let Pair { waits, total, max, .. } = *pair;
    _ = write!(
        out,
        "{{\"waits\":{waits},\"total_ns\":{},\"max_ns\":{}",
        total.as_nanos(),
        max.as_nanos()
    );
    for (name, at) in [("waiter", pair.waiter), ("holder", pair.holder)] {
        if let Some(at) = at {
            _ = write!(out, ",\"{name}\":");
            site(out, at);
        }
    }
    out.push('}');
}

fn site(out: &mut String, site: Site) {
    out.push_str("{\"file\":");
    text(out, site.file());
    _ = write!(out, ",\"line\":{},\"column\":{}}}", site.line(), site.column());
}

fn list<T>(out: &mut String, items: &[T], mut item: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (at, each) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        item(out, each);
    }
    out.push(']');
}

fn text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_line_with_all_numbers() {
        let json = super::super::example().to_json();
        assert!(!json.contains('\n'));
        for part in [
            r#"{"version":1,"elapsed_ns":1000000000,"folded":0,"lost":0,"classes":[{"name":"accounts","#,
            r#""kind":"mutex","mode":"exclusive","type":"","created":{"file":""#,
            r#""waits":{"count":211,"total_ns":21500000,"min_ns":50000,"p50_ns":"#,
            r#""max_ns":11000000},"timeouts":0,"handed_on":210,"try_failures":0,"#,
            r#""pairs":[{"waits":201,"total_ns":21000000,"max_ns":11000000,"waiter":{"file":""#,
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
        assert!(json.ends_with(r#""locks":[]}]}"#), "{json}");
    }

    #[test]
    fn any_name_can_be_written() {
        let mut out = String::new();
        text(&mut out, "a\"b\\c\nd é");
        assert_eq!(out, "\"a\\\"b\\\\c\\u000ad é\"");
    }
}
