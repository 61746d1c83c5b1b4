//! An item from a circle of orders that no process saw whole.

use super::item::{Item, ItemLock, Severity, Step, Strand};
use crate::format::snippet;
use crate::level::Level;
use crate::merge::Run;
use crate::merge::classes::MergedClass;
use crate::merge::inversions::{Condition, Half, Inversion};
use crate::merge::orders::{Taking, Witness};
use crate::read::record::Mode;
use crate::source::Sources;
use crate::words::count;

/// The item of `inversion`.
pub(super) fn item(inversion: &Inversion, run: &Run, sources: &Sources) -> Item {
    let classes: Vec<&MergedClass> =
        inversion.halves.iter().map(|half| run.classes.get(half.pair.held)).collect();
    let title = title(&classes);
    let strands: Vec<Strand> = inversion.halves.iter().map(|half| strand(half, run)).collect();
    let condition = inversion.condition.map(|condition| in_words(condition, run, &classes));
    let help = help(inversion, run);
    let text = snippet::split(
        &snippet::Split {
            title: &title,
            strands: &strands,
            facts: facts(inversion, run, &classes, condition.as_deref(), &help),
        },
        sources,
        snippet::Look::PLAIN,
    );
    let seen_in = inversion.halves.iter().map(|half| origin(&half.witness, run)).collect();
    Item {
        code: "ST0101".to_owned(),
        level: Level::Order,
        severity: Severity::Warning,
        fingerprint: inversion.fingerprint.clone(),
        title,
        help,
        condition,
        text,
        strands,
        locks: classes.iter().map(|class| lock(class)).collect(),
        seen_in,
        times: 1,
        is_split: true,
        finding: None,
        accepted: None,
    }
}

fn title(classes: &[&MergedClass]) -> String {
    match classes {
        [one, other] => format!(
            "possible deadlock: `{}` and `{}` are taken in both orders, by different processes",
            one.label, other.label
        ),
        _ => {
            let names: Vec<_> = classes.iter().map(|class| format!("`{}`", class.label)).collect();
            format!(
                "possible deadlock: {} are taken in a circle of orders, by different processes",
                names.join(", ")
            )
        }
    }
}

fn strand(half: &Half, run: &Run) -> Strand {
    let label = |class| run.classes.get(class).label.clone();
    let (held, wanted) = (label(half.pair.held), label(half.pair.wanted));
    let step = |taking: &Taking, what| Step {
        site: taking.site.clone(),
        what,
        op: Some(taking.op.clone()),
    };
    Strand {
        who: format!("{} in {}", thread(&half.witness), origin(&half.witness, run)),
        steps: vec![
            step(
                &half.witness.held,
                format!(
                    "{} took `{held}`{} here",
                    thread(&half.witness),
                    reading(half.witness.held.mode)
                ),
            ),
            step(
                &half.witness.wanted,
                format!(
                    "and asked for `{wanted}`{} here: {}",
                    reading(half.witness.wanted.mode),
                    origin(&half.witness, run)
                ),
            ),
        ],
        holds: Some(held),
        wants: Some(wanted),
    }
}

fn reading(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive => "",
        Mode::Upgradable => " upgradably",
        Mode::Read | Mode::RecursiveRead => " for reading",
    }
}

fn thread(witness: &Witness) -> String {
    match (&witness.thread, witness.os_id) {
        (Some(name), Some(id)) => format!("'{name}' ({id})"),
        (Some(name), None) => format!("'{name}'"),
        (None, Some(id)) => format!("a thread ({id})"),
        (None, None) => "a thread".to_owned(),
    }
}

/// The test and the process of a sighting.
fn origin(witness: &Witness, run: &Run) -> String {
    let process = run.process(witness.process);
    let of_harness = if process.header.test_harness { witness.root.as_deref() } else { None };
    match process.test().or(of_harness) {
        Some(test) => format!("test {test}, process {}", process.describe()),
        None => format!("process {}", process.describe()),
    }
}

fn in_words(condition: Condition, run: &Run, classes: &[&MergedClass]) -> String {
    let two = if classes.len() == 2 { "both" } else { "two of these" };
    match condition {
        Condition::Gate(gate) => format!(
            "`{}` was held around {two} every time; if it is the same lock, it keeps them apart",
            run.classes.get(gate).label
        ),
        Condition::NoWriter(class) => format!(
            "a read of `{}` waits for another read only if a writer queues in between, and no process \
             was seen to write it",
            run.classes.get(class).label
        ),
        Condition::OneThread => {
            "every sighting is of a thread that nobody started, such as a test's own; \
                                 that two threads do these at once was not seen"
                .to_owned()
        }
    }
}

/// What is known beside the source lines, each under a tag.
fn facts(
    inversion: &Inversion,
    run: &Run,
    classes: &[&MergedClass],
    condition: Option<&str>,
    help: &str,
) -> Vec<(&'static str, String)> {
    let halves = &inversion.halves;
    let label = |class| &run.classes.get(class).label;
    let counts: Vec<_> = halves
        .iter()
        .map(|half| {
            let (held, wanted) = (label(half.pair.held), label(half.pair.wanted));
            format!(
                "`{held}` before `{wanted}`: {}, in {}",
                count(half.times, "time"),
                count(half.processes, "process")
            )
        })
        .collect();
    let width = classes.iter().map(|class| class.label.chars().count()).max().unwrap_or(0);
    let locks: Vec<_> = classes
        .iter()
        .map(|class| {
            let kind = class.kind_and_type();
            let created = class.created.as_ref().map(|site| format!(", created at {site}"));
            format!("{:width$}  {kind}{}", class.label, created.unwrap_or_default())
        })
        .collect();
    let mut facts = vec![("locks", locks.join("\n")), ("counts", counts.join("\n"))];
    facts.extend(condition.map(|condition| ("condition", condition.to_owned())));
    facts.push((
        "note",
        "no process saw the whole of it, so no test could fail; whether these are ever the same locks \
         is not known"
            .to_owned(),
    ));
    facts.push(("help", help.to_owned()));
    let names: Vec<_> = classes.iter().map(|class| quoted(class)).collect();
    facts.push((
        "note",
        format!(
            "fingerprint {}; to accept it, put into sync-trace.toml, with the reason:\n[[allow]]\n\
             code = \"ST0101\"\nlocks = [{}]\nreason = \"\"",
            inversion.fingerprint,
            names.join(", ")
        ),
    ));
    facts
}

/// A name as `locks` of an entry takes it.
fn quoted(class: &MergedClass) -> String {
    let name = class.name.as_deref().unwrap_or(&class.label);
    serde_json::Value::String(name.to_owned()).to_string()
}

/// The rarest order is the first one, and the one to turn round.
fn help(inversion: &Inversion, run: &Run) -> String {
    let half = &inversion.halves[0];
    let label = |class| &run.classes.get(class).label;
    let (held, wanted) = (label(half.pair.held), label(half.pair.wanted));
    let site = &half.witness.held.site;
    let rarer = inversion.halves[1..].iter().all(|other| other.times > half.times);
    let why = if rarer { ": the other way round is what was seen more often" } else { "" };
    format!("take `{wanted}` before `{held}` at {}:{} too{why}", site.file, site.line)
}

fn lock(class: &MergedClass) -> ItemLock {
    ItemLock {
        name: class.name.clone(),
        label: class.label.clone(),
        kind: class.kind_and_type(),
        created: class.created.clone(),
    }
}
