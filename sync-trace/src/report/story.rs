//! What a report says besides its source snippets.

use super::cast::{Cast, held, with_previous};
use super::declared;
use super::names;
use super::orders;
use super::pairing;
use super::threads::os_id;
use super::verdict::{Severity, Verdict};
use super::words::{self, columns, duration, line_of, list, tame};
use crate::finding::{Blocker, Code, Finding, Hold, Link, Lock, Participant, Target, Wait};
use std::time::Duration;

/// A finding in words.
pub(super) struct Story {
    /// How bad it is.
    pub(super) severity: Severity,
    /// The verdict.
    pub(super) title: String,
    /// What else there is to say, each fact under a tag such as `help`.
    pub(super) facts: Vec<(&'static str, String)>,
}

impl Story {
    /// Tells `finding`.
    pub(super) fn of(finding: &Finding, cast: &Cast<'_>) -> Self {
        let links = &finding.links;
        let Verdict { title, reasons, outcome, help, silencing } = Verdict::on(finding, cast);
        let ended =
            |link: &Link| matches!(link.blocker, Blocker::Ended { .. } | Blocker::Nobody { .. });
        let ended = links.iter().any(ended);
        let mut facts = vec![
            (if ended { "chain" } else { "cycle" }, cycle(finding, cast)),
            ("locks", lock_table(cast)),
            ("threads", thread_table(cast)),
            ("others", bystanders(finding, cast)),
        ];
        facts.extend(reasons);
        facts.extend(links.iter().filter_map(|link| stack(link, cast)));
        if finding.roots.len() > 1 {
            let roots: Vec<_> =
                finding.roots.iter().map(|root| format!("'{}'", tame(root))).collect();
            facts.push(("note", format!("threads of {} take part", list(&roots))));
        }
        let perturbed = finding
            .seed
            .map(|seed| format!("the schedule was perturbed with {}", words::seed(seed)));
        let perturbed = perturbed.unwrap_or_default();
        facts.extend([("note", outcome), ("help", help), ("note", silencing), ("note", perturbed)]);
        facts.retain(|(_, text)| !text.is_empty());
        Self { severity: Severity::of(finding), title, facts }
    }
}

/// About how many characters of a cycle stand on one line.
const A_LINE: usize = 160;

/// Who waits for whom, or could; empty where a lock is only nested in its own class.
fn cycle(finding: &Finding, cast: &Cast<'_>) -> String {
    if finding.code == Code::SameClass || finding.breach.is_some() {
        return String::new();
    }
    let links = &finding.links[..];
    let mut steps: Vec<String> = links.iter().map(|link| step(link, finding, cast)).collect();
    match links {
        [Link { blocker: Blocker::Nobody { .. }, .. }, ..] => return steps.join("\n"),
        [] | [Link { blocker: Blocker::Ended { .. }, .. }, ..] => {}
        [first, ..] => steps.push(cast.thread(&first.agent).to_owned()),
    }
    let length: usize = steps.iter().map(|step| step.chars().count()).sum();
    let lines = steps.chunks(steps.len().div_ceil(1 + length / A_LINE).max(1));
    lines.map(|line| line.join(" -> ")).collect::<Vec<_>>().join(" ->\n")
}

/// A thread, what it waits for, and who stands between it and the next one.
fn step(link: &Link, finding: &Finding, cast: &Cast<'_>) -> String {
    let target = match &link.wait.target {
        Target::Lock(lock, _) => cast.lock_names.of(lock),
        Target::Thread(_) => "join",
        Target::Scope => "end of scope",
        Target::Unpark => "unpark",
        Target::Time => "time",
    };
    let is_queued = finding.has_happened();
    let between = match &link.blocker {
        Blocker::Holds(_) | Blocker::Runs | Blocker::Gives(_) => String::new(),
        Blocker::Nobody { .. } => " -> nobody".to_owned(),
        Blocker::QueuedWriter { writer: Some((writer, _)), .. } => {
            let queues = if is_queued { "queued to write" } else { "should it queue to write" };
            format!(" -> {} ({queues})", cast.thread(writer))
        }
        Blocker::QueuedWriter { writer: None, .. } if is_queued => " -> a queued writer".to_owned(),
        Blocker::QueuedWriter { writer: None, .. } => " -> a writer (should one queue)".to_owned(),
        Blocker::Ended { owner, .. } => format!(" -> {} (ended)", cast.thread(owner)),
    };
    format!("{} -> {target}{between}", cast.thread(&link.agent))
}

/// A line for each lock, or for all locks of one name that come from one place.
fn lock_table(cast: &Cast<'_>) -> String {
    let mut classes: Vec<(&str, Vec<&Lock>)> = Vec::new();
    for lock in &cast.locks {
        let name = cast.lock_names.class_of(lock);
        let is_same = |(other, locks): &&mut (&str, Vec<&Lock>)| {
            *other == name && locks[0].created == lock.created && locks[0].kind == lock.kind
        };
        match classes.iter_mut().find(is_same) {
            Some((_, locks)) => locks.push(lock),
            None => classes.push((name, vec![lock])),
        }
    }
    let row = |(name, locks): &(&str, Vec<&Lock>)| {
        let mut about: Vec<_> = locks.iter().map(|lock| lock.id.to_string()).collect();
        if !locks[0].created.is_unknown() {
            about.push(format!("created at {}", locks[0].created));
        }
        [(*name).to_owned(), names::kind(locks[0]), about.join(", ")]
    };
    columns(&classes.iter().map(row).collect::<Vec<_>>())
}

fn thread_table(cast: &Cast<'_>) -> String {
    let row = |thread: &&Participant| {
        [cast.thread(thread).to_owned(), os_id(thread), cast.thread_names.origin(thread)]
    };
    columns(&cast.threads.iter().map(row).collect::<Vec<_>>())
}

/// More threads that wait, but in no circle, are only counted.
const BYSTANDERS: usize = 8;

/// Who else waits, a line for each.
fn bystanders(finding: &Finding, cast: &Cast<'_>) -> String {
    let row = |(thread, wait): &(Participant, Wait)| {
        let time = wait.age.map(|age| format!(" {}", duration(age))).unwrap_or_default();
        let goal = cast.goal(thread, wait);
        let waits = format!("has been waiting{time} {goal} at {}", line_of(wait.site));
        [cast.thread_names.full_name(thread), waits]
    };
    let shown = finding.also_waiting.iter().take(BYSTANDERS).map(row).collect::<Vec<_>>();
    match finding.also_waiting.len().saturating_sub(BYSTANDERS) {
        0 => columns(&shown),
        more => format!("{}\nand {more} more that wait", columns(&shown)),
    }
}

/// Who holds or held what and wants or took what, a line for each thread in wait order.
pub(super) fn who_and_what(finding: &Finding, cast: &Cast<'_>) -> String {
    if let Some(breach) = &finding.breach {
        return declared::table(breach, cast);
    }
    if let Some(pairing) = &finding.pairing {
        return pairing::table(pairing, cast);
    }
    match finding.has_happened() {
        true => holds_and_waits(finding, cast),
        false => orders::table(finding, cast),
    }
}

fn holds_and_waits(finding: &Finding, cast: &Cast<'_>) -> String {
    let holds = |hold: &Hold| {
        let time = in_brackets("at least ", hold.at_least);
        let holds = words::holds(hold.lock.kind);
        let lock = cast.hold(hold);
        format!("{holds} {lock} since {}{time}", line_of(hold.site))
    };
    let mut rows = Vec::new();
    let mut add = |who, first: String, then: String| {
        rows.push([cast.thread_names.full_name(who), first, then]);
    };
    for (link, previous) in with_previous(&finding.links) {
        let hold = match (&link.blocker, &previous.blocker) {
            (Blocker::Nobody { holds, .. }, _) => holds.first(),
            (_, Blocker::Ended { .. }) => None,
            (_, blocker) => held(blocker),
        };
        let goal = cast.goal(&link.agent, &link.wait);
        let goal = goal.strip_prefix("for ").unwrap_or(&goal);
        let time = in_brackets("", link.wait.age);
        let wants = format!("wants {goal} at {}{time}", line_of(link.wait.site));
        match hold {
            Some(hold) => add(&link.agent, holds(hold), wants),
            None => add(&link.agent, wants, String::new()),
        }
        match &link.blocker {
            Blocker::QueuedWriter { hold, writer: Some((writer, site)) } => {
                let (lock, place) = (cast.lock(&hold.lock), line_of(*site));
                add(writer, format!("is queued to write {lock} at {place}"), String::new());
            }
            Blocker::Ended { owner, hold } => add(owner, holds(hold), "has ended".to_owned()),
            _ => {}
        }
    }
    columns(&rows)
}

fn in_brackets(before: &str, time: Option<Duration>) -> String {
    time.map(|time| format!(" ({before}{})", duration(time))).unwrap_or_default()
}

fn stack(link: &Link, cast: &Cast<'_>) -> Option<(&'static str, String)> {
    let stack = link.wait.stack.as_deref()?.trim_end();
    Some(("stack", format!("of {}\n{stack}", cast.thread(&link.agent))))
}
