//! `diff A B`: what came, and what went.

use super::load::{self, quietly};
use crate::cli::{DiffArgs, DiffFormat};
use crate::exit::{Exit, Failure};
use crate::format::json;
use crate::report::Report;
use crate::report::item::Item;
use crate::words::count;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// How many orders are listed on a terminal.
const MOST_ORDERS: usize = 20;

pub(super) fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let root = std::env::current_dir()?;
    let load = |dir: &std::path::PathBuf| load::report(vec![dir.clone()], &root, &args.judging);
    let (before, after) = (load(&args.before)?, load(&args.after)?);
    let diff = Diff::of(&before, &after);
    let mut out = io::stdout().lock();
    quietly(match args.format {
        DiffFormat::Term => diff.for_people(&mut out),
        DiffFormat::Json => diff.for_programs(&after, &mut out),
    })?;
    let fails = diff.new.iter().any(|item| after.is_denied(item));
    Ok(if fails { Exit::Findings } else { Exit::Success })
}

struct Diff<'a> {
    new: Vec<&'a Item>,
    gone: Vec<&'a Item>,
    still: usize,
    new_orders: Vec<(String, String)>,
    gone_orders: Vec<(String, String)>,
}

impl<'a> Diff<'a> {
    fn of(before: &'a Report, after: &'a Report) -> Self {
        let by_fingerprint = |report: &'a Report| -> BTreeMap<(&'a str, &'a str), &'a Item> {
            report.open().map(|item| ((&*item.code, &*item.fingerprint), item)).collect()
        };
        let (old, now) = (by_fingerprint(before), by_fingerprint(after));
        let (old_orders, now_orders) = (orders(before), orders(after));
        let only = |one: &BTreeMap<_, &'a Item>, other: &BTreeMap<(&str, &str), &Item>| {
            let only = one.iter().filter(|(key, _)| !other.contains_key(*key));
            only.map(|(_, item)| *item).collect::<Vec<_>>()
        };
        Self {
            still: now.keys().filter(|key| old.contains_key(*key)).count(),
            new: only(&now, &old),
            gone: only(&old, &now),
            new_orders: now_orders.difference(&old_orders).cloned().collect(),
            gone_orders: old_orders.difference(&now_orders).cloned().collect(),
        }
    }

    fn for_people(&self, out: &mut dyn Write) -> io::Result<()> {
        for (mark, items) in [('+', &self.new), ('-', &self.gone)] {
            for item in items {
                let at = item.main_site().map(|site| format!(" at {site}")).unwrap_or_default();
                writeln!(out, "{mark} {} {}{at}", item.code, item.title)?;
            }
        }
        for (mark, orders) in [('+', &self.new_orders), ('-', &self.gone_orders)] {
            for (held, wanted) in orders.iter().take(MOST_ORDERS) {
                writeln!(out, "{mark} order {held} -> {wanted}")?;
            }
            if orders.len() > MOST_ORDERS {
                writeln!(out, "{mark} {} more orders", orders.len() - MOST_ORDERS)?;
            }
        }
        writeln!(
            out,
            "sync-trace: {} new, {} gone, {} still there; {} new, {} gone",
            count(self.new.len(), "finding"),
            self.gone.len(),
            self.still,
            count(self.new_orders.len(), "order"),
            self.gone_orders.len()
        )
    }

    fn for_programs(&self, after: &Report, out: &mut dyn Write) -> io::Result<()> {
        for (change, items) in [("new", &self.new), ("gone", &self.gone)] {
            for item in items {
                let mut value: Value = json::finding(after, item);
                value["change"] = change.into();
                writeln!(out, "{value}")?;
            }
        }
        for (change, orders) in [("new", &self.new_orders), ("gone", &self.gone_orders)] {
            for (held, wanted) in orders {
                let value =
                    json!({ "type": "order", "change": change, "held": held, "wanted": wanted });
                writeln!(out, "{value}")?;
            }
        }
        Ok(())
    }
}

/// The orders of classes, by their keys.
fn orders(report: &Report) -> BTreeSet<(String, String)> {
    let key = |class| report.run.classes.get(class).key.clone();
    report.run.orders.iter().map(|(pair, _)| (key(pair.held), key(pair.wanted))).collect()
}
