//! An item from what a process found.
//!
//! A finding is JSON of a later library as well as of this one, so nothing here minds what is missing.

use super::accepted::Accepted;
use super::item::{Item, ItemLock, Severity, Step, Strand};
use crate::merge::Run;
use crate::merge::classes::{kind_in_words, short_type};
use crate::merge::findings::MergedFinding;
use crate::read::record::Site;
use serde::Deserialize;
use serde_json::Value;

/// The item of `merged`.
pub(super) fn item(merged: &MergedFinding, run: &Run) -> Item {
    let finding = &merged.finding;
    let rest = &finding.rest;
    let links: Vec<&Value> = list(rest.get("links"));
    let strands = match (rest.get("breach"), rest.get("pairing")) {
        (Some(breach), _) => of_breach(breach),
        (None, Some(pairing)) => of_pairing(pairing),
        (None, None) => of_links(&links),
    };
    let mut locks = Vec::new();
    locks_in(&Value::Object(rest.clone()), &mut locks);
    let mut whole = rest.clone();
    for (key, value) in [
        ("code", &finding.code),
        ("level", &finding.level),
        ("fingerprint", &finding.fingerprint),
        ("title", &finding.title),
        ("help", &finding.help),
        ("outcome", &finding.outcome),
    ] {
        whole.insert(key.to_owned(), Value::String(value.clone()));
    }
    whole.insert("roots".to_owned(), finding.roots.clone().into());
    let is_warning = text(rest.get("severity")) == Some("warning");
    Item {
        code: finding.code.clone(),
        level: merged.level,
        severity: if is_warning { Severity::Warning } else { Severity::Error },
        fingerprint: finding.fingerprint.clone(),
        title: finding.title.clone(),
        help: finding.help.clone(),
        condition: rest.get("condition").and_then(|condition| said(&merged.report, condition)),
        text: merged.report.clone(),
        strands,
        locks,
        seen_in: seen_in(merged, run),
        times: merged.times(),
        is_split: false,
        finding: Some(Value::Object(whole)),
        accepted: accepted(merged),
    }
}

/// Why the run does not fail for it, if processes have said so.
fn accepted(merged: &MergedFinding) -> Option<Accepted> {
    if let Some((reason, by)) = &merged.accepted {
        let origin = by.first().cloned().unwrap_or_default();
        return Some(Accepted { reason: reason.clone(), origin });
    }
    merged.is_taken().then(|| Accepted {
        reason: "the program knows of it: it has taken it, or a test expects it".to_owned(),
        origin: "the program".to_owned(),
    })
}

/// The condition, in the words of the report if it has them.
fn said(report: &str, condition: &Value) -> Option<String> {
    let line = report.lines().find_map(|line| line.trim_start().strip_prefix("= condition: "));
    let kind = || text(condition.get("kind")).map(|kind| kind.replace('_', " "));
    line.map(ToOwned::to_owned).or_else(kind)
}

/// The tests and programs in which it was found.
fn seen_in(merged: &MergedFinding, run: &Run) -> Vec<String> {
    let mut seen = Vec::new();
    for (process, roots) in &merged.sightings {
        let process = run.process(*process);
        let tests = if process.header.test_harness { roots.join(", ") } else { String::new() };
        let told = match process.test().or((!tests.is_empty()).then_some(&*tests)) {
            Some(test) => format!("test {test} of {}", process.program()),
            None => process.program(),
        };
        if !seen.contains(&told) {
            seen.push(told);
        }
    }
    seen
}

/// Of a circle: each thread holds what the one before waits for.
fn of_links(links: &[&Value]) -> Vec<Strand> {
    let strand = |(at, link): (usize, &&Value)| {
        let previous = links[(at + links.len() - 1) % links.len()];
        let hold = previous.get("blocker").and_then(|blocker| blocker.get("hold"));
        let mut steps: Vec<Step> = hold.and_then(taken).into_iter().collect();
        let wait = link.get("wait");
        steps.extend(wait.and_then(waited));
        Strand {
            who: who(link.get("thread")),
            steps,
            holds: hold.and_then(|hold| label(hold.get("lock"))),
            wants: wait.and_then(wanted),
        }
    };
    links.iter().enumerate().map(strand).collect()
}

/// Of a declaration that is broken: where it stands, and what the thread did.
fn of_breach(breach: &Value) -> Vec<Strand> {
    let declared = |declared: &Value| {
        let attribute = text(declared.get("attribute")).unwrap_or("declaration");
        let what =
            format!("declared here: {attribute}({})", text(declared.get("text")).unwrap_or(""));
        Some(Step { site: site(declared.get("at"))?, what, op: None })
    };
    let mut steps: Vec<Step> =
        list(breach.get("declared")).into_iter().filter_map(declared).collect();
    steps.extend(breach.get("against").and_then(taken));
    steps.extend(breach.get("wait").and_then(waited));
    vec![Strand {
        who: who(breach.get("thread")),
        steps,
        holds: breach.get("against").and_then(|hold| label(hold.get("lock"))),
        wants: breach.get("wait").and_then(wanted),
    }]
}

/// Of a condition variable: who waited there.
fn of_pairing(pairing: &Value) -> Vec<Strand> {
    let strand = |pair: &Value| Strand {
        who: who(pair.get("thread")),
        steps: pair.get("wait").and_then(waited).into_iter().collect(),
        holds: None,
        wants: pair.get("wait").and_then(wanted),
    };
    list(pairing.get("waits")).into_iter().map(strand).collect()
}

fn taken(hold: &Value) -> Option<Step> {
    let lock = label(hold.get("lock")).unwrap_or_else(|| "a lock".to_owned());
    let op = text(hold.get("op")).map(ToOwned::to_owned);
    Some(Step { site: site(hold.get("site"))?, what: format!("holds `{lock}`, taken here"), op })
}

fn waited(wait: &Value) -> Option<Step> {
    let what = match wanted(wait) {
        Some(lock) => format!("asks for `{lock}` here"),
        None => format!("waits here, in `{}`", text(wait.get("op")).unwrap_or("a call")),
    };
    let op = text(wait.get("op")).map(ToOwned::to_owned);
    Some(Step { site: site(wait.get("site"))?, what, op })
}

fn wanted(wait: &Value) -> Option<String> {
    label(wait.get("target")?.get("lock"))
}

fn who(thread: Option<&Value>) -> String {
    let name = thread.and_then(|thread| text(thread.get("name")));
    let id = thread.and_then(|thread| thread.get("os_id")).and_then(Value::as_u64);
    match (name, id) {
        (Some(name), Some(id)) => format!("'{name}' ({id})"),
        (Some(name), None) => format!("'{name}'"),
        (None, Some(id)) => format!("a thread ({id})"),
        (None, None) => "a thread".to_owned(),
    }
}

fn label(lock: Option<&Value>) -> Option<String> {
    let lock = lock?;
    text(lock.get("label")).or_else(|| text(lock.get("name"))).map(ToOwned::to_owned)
}

/// Every lock that is spoken of, once.
fn locks_in(value: &Value, locks: &mut Vec<ItemLock>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if matches!(&**key, "lock" | "condvar") && value.get("kind").is_some() {
                    let lock = lock(value);
                    if !locks.contains(&lock) {
                        locks.push(lock);
                    }
                } else if !matches!(&**key, "also_waiting" | "condition") {
                    locks_in(value, locks);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| locks_in(value, locks)),
        _ => {}
    }
}

fn lock(value: &Value) -> ItemLock {
    let kind = kind_in_words(text(value.get("kind")).unwrap_or_default());
    let inner = short_type(text(value.get("type")).unwrap_or_default());
    ItemLock {
        name: text(value.get("name")).map(ToOwned::to_owned),
        label: label(Some(value)).unwrap_or_default(),
        kind: if inner.is_empty() { kind.to_owned() } else { format!("{kind}<{inner}>") },
        created: site(value.get("created")),
    }
}

fn site(value: Option<&Value>) -> Option<Site> {
    Site::deserialize(value?).ok()
}

fn text(value: Option<&Value>) -> Option<&str> {
    value?.as_str()
}

fn list(value: Option<&Value>) -> Vec<&Value> {
    value.and_then(Value::as_array).map(|values| values.iter().collect()).unwrap_or_default()
}
