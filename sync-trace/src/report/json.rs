//! A finding as data for other programs: JSON, as `docs/run-directory.md` describes it.

use super::cast::Cast;
use super::source::Sources;
use super::verdict::{Severity, Verdict};
use crate::finding::{
    Blocker, Breach, Condition, Declared, Finding, Hold, Link, Lock, Pairing, Participant, Signal,
    Target, Wait,
};
use crate::json::{Object, Seed, Value};
use std::time::Duration;

/// Renders `finding`, on one line.
pub(super) fn render(finding: &Finding, sources: &Sources) -> String {
    let cast = Cast::of(finding, sources);
    let Verdict { title, help, .. } = Verdict::on(finding, &cast);
    let told = Told { what: finding, cast: &cast };
    let mut out = String::new();
    Object::write(&mut out, |object| {
        object.member("code", finding.code).member("level", finding.level);
        object.member("severity", Severity::of(finding).as_str());
        object.member("fingerprint", finding.fingerprint).member("title", &title);
        object.maybe("help", Some(&help).filter(|help| !help.is_empty()));
        object.member("outcome", finding.outcome);
        object.maybe("condition", told.maybe(finding.condition.as_ref()));
        object.list("links", told.all(&finding.links));
        object.maybe("breach", told.maybe(finding.breach.as_deref()));
        object.maybe("pairing", told.maybe(finding.pairing.as_deref()));
        object.list("also_waiting", told.all(&finding.also_waiting));
        object.list("roots", &finding.roots);
        object.maybe("seed", finding.seed.map(Seed));
        object.maybe("raised_by", finding.raised_by.as_ref());
    });
    out
}

/// A part of a finding, with what its locks are called.
struct Told<'a, T> {
    what: &'a T,
    cast: &'a Cast<'a>,
}

impl<'a, T> Told<'a, T> {
    /// Another part of the same finding.
    fn with<U>(&self, what: &'a U) -> Told<'a, U> {
        Told { what, cast: self.cast }
    }

    fn maybe<U>(&self, what: Option<&'a U>) -> Option<Told<'a, U>> {
        what.map(|what| Told { what, cast: self.cast })
    }

    fn all<U>(&self, what: &'a [U]) -> impl Iterator<Item = Told<'a, U>> + use<'a, T, U> {
        let cast = self.cast;
        what.iter().map(move |what| Told { what, cast })
    }
}

impl Value for Told<'_, Link> {
    fn write(&self, out: &mut String) {
        let Link { agent, wait, blocker, seen, stated } = self.what;
        Object::write(out, |object| {
            object.member("thread", agent).member("wait", self.with(wait));
            object.member("blocker", self.with(blocker));
            if let Some(seen) = seen {
                object.object("seen", |object| {
                    object.member("times", seen.times).member("threads", seen.threads);
                    object.member("sites", seen.sites);
                });
            }
            if let Some(stated) = stated {
                object.object("stated", |object| {
                    object.member("held", stated.held).member("wanted", stated.wanted);
                });
            }
        });
    }
}

impl Value for &Participant {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("id", self.id.get()).maybe("name", self.name.as_deref());
            object.maybe("os_id", self.os_id).maybe("started_by", self.started_by.as_ref());
        });
    }
}

impl Value for Told<'_, Wait> {
    fn write(&self, out: &mut String) {
        let Wait { op, site, target, age, stack } = self.what;
        Object::write(out, |object| {
            object.member("op", *op).member("site", *site).member("target", self.with(target));
            object.maybe("age_ns", age.map(nanoseconds)).maybe("stack", stack.as_ref());
        });
    }
}

impl Value for Told<'_, Target> {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            match self.what {
                Target::Lock(lock, mode) => object
                    .member("kind", "lock")
                    .member("lock", self.with(lock))
                    .member("mode", *mode),
                Target::Thread(thread) => object.member("kind", "thread").member("thread", thread),
                Target::Scope => object.member("kind", "scope"),
                Target::Unpark => object.member("kind", "unpark"),
                Target::Time => object.member("kind", "time"),
            };
        });
    }
}

impl Value for Told<'_, Blocker> {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| match self.what {
            Blocker::Holds(hold) => {
                object.member("kind", "holds").member("hold", self.with(hold));
            }
            Blocker::Runs => {
                object.member("kind", "runs");
            }
            Blocker::QueuedWriter { hold, writer } => {
                object.member("kind", "queued_writer").member("hold", self.with(hold));
                if let Some((writer, site)) = writer {
                    object.object("writer", |object| {
                        object.member("thread", writer).member("site", *site);
                    });
                }
            }
            Blocker::Ended { owner, hold } => {
                object.member("kind", "ended").member("owner", owner);
                object.member("hold", self.with(hold));
            }
            Blocker::Gives(signal) => {
                object.member("kind", "gives").member("signal", signal);
            }
            Blocker::Nobody { last, holds, parties } => {
                object.member("kind", "nobody").maybe("last", last.as_ref());
                object.list("holds", self.all(holds));
                if let Some((needed, come)) = *parties {
                    object.object("parties", |object| {
                        object.member("needed", needed).member("come", come);
                    });
                }
            }
        });
    }
}

impl Value for &Signal {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("by", &self.by).flag("has_ended", self.has_ended);
            object.member("op", self.op).member("site", self.site);
            object.member("age_ns", nanoseconds(self.age)).flag("in_vain", self.in_vain);
        });
    }
}

impl Value for Told<'_, Hold> {
    fn write(&self, out: &mut String) {
        let Hold { lock, mode, op, site, at_least, taken_by } = self.what;
        Object::write(out, |object| {
            object.member("lock", self.with(lock)).member("mode", *mode);
            object.member("op", *op).member("site", *site);
            object.maybe("at_least_ns", at_least.map(nanoseconds));
            object.maybe("taken_by", taken_by.as_ref());
        });
    }
}

impl Value for Told<'_, Lock> {
    fn write(&self, out: &mut String) {
        let lock = self.what;
        Object::write(out, |object| {
            object.member("id", lock.id.get()).member("kind", lock.kind);
            object.member("type", lock.type_name).maybe("name", lock.name);
            object.member("label", &self.cast.lock_names.any_of(lock));
            object.member("created", lock.created).maybe("key", lock.class_key().as_ref());
        });
    }
}

impl Value for Told<'_, Condition> {
    fn write(&self, out: &mut String) {
        let (kind, lock) = match self.what {
            Condition::OneThread => ("one_thread", None),
            Condition::Gate(lock) => ("gate", Some(lock)),
            Condition::Ordered => ("ordered", None),
            Condition::NoWriter(lock) => ("no_writer", Some(lock)),
            Condition::WriterApart(lock) => ("writer_apart", Some(lock)),
            Condition::Undecided(lock) => ("undecided", Some(lock)),
            Condition::OtherGivers(lock) => ("other_givers", Some(lock)),
            Condition::MayBeTold(lock) => ("may_be_told", Some(lock)),
            Condition::OtherInstances => ("other_instances", None),
            Condition::DeclaredElsewhere => ("declared_elsewhere", None),
        };
        Object::write(out, |object| {
            object.member("kind", kind).maybe("lock", self.maybe(lock));
        });
    }
}

impl Value for Told<'_, Breach> {
    fn write(&self, out: &mut String) {
        let Breach { broken, agent, declared, wait, against, held, took } = self.what;
        Object::write(out, |object| {
            object.member("broken", *broken).maybe("thread", agent.as_ref());
            object.list("declared", declared).maybe("wait", self.maybe(wait.as_ref()));
            object.maybe("against", self.maybe(against.as_ref()));
            object.list("held", self.all(held));
            if let Some((took, limit)) = *took {
                object.member("took_ns", nanoseconds(took));
                object.member("limit_ns", nanoseconds(limit));
            }
        });
    }
}

impl Value for &Declared {
    fn write(&self, out: &mut String) {
        Object::write(out, |object| {
            object.member("item", self.item).member("attribute", self.attribute);
            object.member("text", self.text).member("at", self.passage).maybe("name", self.name);
            object.maybe("part", self.parts[0]).maybe("other", self.parts[1]);
            object.flag("in_force", self.in_force);
        });
    }
}

impl Value for Told<'_, Pairing> {
    fn write(&self, out: &mut String) {
        let Pairing { condvar, waits } = self.what;
        Object::write(out, |object| {
            object.member("condvar", self.with(condvar)).list("waits", self.all(waits));
        });
    }
}

impl Value for Told<'_, (Participant, Wait)> {
    fn write(&self, out: &mut String) {
        let (thread, wait) = self.what;
        Object::write(out, |object| {
            object.member("thread", thread).member("wait", self.with(wait));
        });
    }
}

/// 53 bits of them are three months.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).min(1 << 53)
}

#[cfg(test)]
mod tests {
    use super::super::cases::{self, inversions};
    use super::*;
    use serde_json::{Value, json};

    fn parsed(finding: &Finding) -> Value {
        let text = render(finding, &Sources::new());
        assert!(!text.contains('\n'));
        serde_json::from_str(&text).expect(&text)
    }

    #[test]
    fn every_finding_is_as_the_schema_says() {
        let schema = include_str!("../../../docs/run-directory.schema.json");
        let schema = serde_json::from_str(schema).expect("it is JSON");
        let schema = jsonschema::validator_for(&schema).expect("it is a schema");
        for finding in cases::all() {
            let finding = parsed(&finding);
            let record =
                json!({ "record": "finding", "at_us": 0, "finding": finding, "report": "" });
            let errors: Vec<_> = schema.iter_errors(&record).map(|e| e.to_string()).collect();
            assert_eq!(errors, [""; 0], "{record:#}");
        }
    }

    #[test]
    fn nothing_is_lost() {
        let finding = parsed(&cases::queued_writer());
        let [reads, _] = finding["links"].as_array().unwrap().as_slice() else { panic!("two") };
        assert_eq!(reads["wait"]["op"], "read");
        assert_eq!(reads["wait"]["target"]["mode"], "read");
        let blocker = &reads["blocker"];
        assert_eq!(blocker["kind"], "queued_writer");
        assert!(
            blocker["writer"]["site"]["line"].is_u64() && blocker["writer"]["thread"].is_object()
        );
        let ended = parsed(&cases::ended());
        assert_eq!(ended["links"][0]["blocker"]["owner"]["name"], "gone");
        let both = parsed(&inversions::both_orders());
        assert_eq!(both["level"], "predicted");
        assert!(both["links"][0]["seen"]["times"].is_u64() && both.get("condition").is_none());
        assert!(both["help"].as_str().is_some_and(|help| !help.is_empty()));
    }
}
