//! One JSON object a line. `docs/report-format.md` describes them, and `docs/report.schema.json` says the same of a line.

use crate::report::Report;
use crate::report::item::{Item, Step, Strand};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// The version of this form.
pub const FORMAT: u64 = 1;

/// Writes the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let run = &report.run;
    let tests = run.processes.iter().filter(|process| process.test().is_some()).count();
    line(
        out,
        &json!({
            "type": "report",
            "format": FORMAT,
            "version": env!("CARGO_PKG_VERSION"),
            "runs": report.dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>(),
            "processes": run.processes.len(),
            "tests": tests,
        }),
    )?;
    for item in &report.items {
        line(out, &finding(report, item))?;
    }
    for mistake in &report.mistakes {
        line(out, &json!({ "type": "problem", "message": mistake }))?;
    }
    for problem in &run.problems {
        line(
            out,
            &json!({
                "type": "problem",
                "file": problem.file.display().to_string(),
                "offset": problem.offset,
                "message": problem.to_string(),
            }),
        )?;
    }
    for (origin, of) in report
        .unused
        .iter()
        .map(|origin| (origin, "allow"))
        .chain(report.unused_baseline.iter().map(|origin| (origin, "baseline")))
    {
        line(out, &json!({ "type": "unused", "of": of, "at": origin }))?;
    }
    line(
        out,
        &json!({
            "type": "summary",
            "findings": report.open().count(),
            "denied": report.items.iter().filter(|item| report.is_denied(item)).count(),
            "accepted": report.accepted().count(),
            "classes": run.classes.len(),
            "orders": run.orders.len(),
            "circles_left_to_processes": run.inversions.seen_whole,
            "orders_not_searched": run.inversions.not_searched,
            "circles_not_told": run.inversions.not_told,
            "orders_not_written": run.unwritten,
            "unknown_records": run.unknown,
            "limits": run.limits,
        }),
    )
}

/// One finding.
pub fn finding(report: &Report, item: &Item) -> Value {
    #[derive(Serialize)]
    struct Lock<'a> {
        label: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        kind: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        created: Option<&'a crate::read::record::Site>,
    }
    let lock = |lock: &crate::report::item::ItemLock| {
        let lock = Lock {
            label: &lock.label,
            name: lock.name.as_deref(),
            kind: &lock.kind,
            created: lock.created.as_ref(),
        };
        serde_json::to_value(lock).unwrap_or_default()
    };
    let mut value = json!({
        "type": "finding",
        "code": item.code,
        "level": item.level.as_str(),
        "severity": report.severity(item).as_str(),
        "fingerprint": item.fingerprint,
        "title": item.title,
        "help": item.help,
        "times": item.times,
        "split": item.is_split,
        "denied": report.is_denied(item),
        "seen_in": item.seen_in,
        "locks": item.locks.iter().map(lock).collect::<Vec<_>>(),
        "strands": item.strands.iter().map(strand).collect::<Vec<_>>(),
        "report": item.text,
    });
    let optional = [
        ("condition", item.condition.clone().map(Value::String)),
        (
            "accepted",
            item.accepted
                .as_ref()
                .map(|accepted| json!({ "reason": accepted.reason, "at": accepted.origin })),
        ),
        ("finding", item.finding.clone()),
    ];
    for (key, optional) in optional {
        if let Some(optional) = optional {
            value[key] = optional;
        }
    }
    value
}

fn strand(strand: &Strand) -> Value {
    let step = |step: &Step| {
        let mut value = json!({ "site": step.site, "what": step.what });
        if let Some(op) = &step.op {
            value["op"] = op.clone().into();
        }
        value
    };
    let mut value = json!({
        "who": strand.who,
        "steps": strand.steps.iter().map(step).collect::<Vec<_>>(),
    });
    for (key, lock) in [("holds", &strand.holds), ("wants", &strand.wants)] {
        if let Some(lock) = lock {
            value[key] = lock.clone().into();
        }
    }
    value
}

fn line(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value}")
}
