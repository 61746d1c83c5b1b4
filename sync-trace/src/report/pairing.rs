//! What it comes to that a condition variable is used with two mutexes.

use super::cast::Cast;
#[cfg(feature = "pretty")]
use super::marks::{Mark, Role};
#[cfg(feature = "pretty")]
use super::source::At;
use super::verdict::Verdict;
use super::words::{columns, line_of};
use crate::finding::{Finding, Lock, Pairing, Participant, Target, Wait};

/// The verdict on it.
pub(super) fn on(finding: &Finding, pairing: &Pairing, cast: &Cast<'_>) -> Verdict {
    let [first, second] = pairing.waits.each_ref().map(|(_, wait)| mutex(wait, cast));
    let condvar = cast.lock(&pairing.condvar);
    Verdict {
        title: format!("{condvar} is waited at with two mutexes, {first} and {second}"),
        reasons: vec![(
            "possible",
            "std may panic when it meets the second one; and who holds only one of them can notify \
             between another thread's look at the condition and its wait"
                .to_owned(),
        )],
        outcome: "this is only listed; nothing fails because of it".to_owned(),
        help: format!("use a condition variable of its own with {second}, or one mutex for both"),
        silencing: format!(
            "fingerprint {0}; to accept it, put into sync-trace.toml, with the reason:\n\
             [[allow]]\nfingerprint = \"{0}\"\nreason = \"\"",
            finding.fingerprint
        ),
    }
}

/// A line for each wait.
pub(super) fn table(pairing: &Pairing, cast: &Cast<'_>) -> String {
    let row = |(who, wait): &(Participant, Wait)| {
        let waited = format!("{} at {}", waited(wait, cast), line_of(wait.site));
        [cast.thread_names.full_name(who), waited]
    };
    columns(&pairing.waits.each_ref().map(row))
}

/// The positions that it is about.
#[cfg(feature = "pretty")]
pub(super) fn marks(pairing: &Pairing, cast: &Cast<'_>) -> Vec<Mark> {
    let [first, second] = &pairing.waits;
    let mark = |role, (who, wait): &(Participant, Wait)| {
        let label = format!("{} {} here", cast.thread_names.full_name(who), waited(wait, cast));
        Mark::new(role, At::call(wait.site, wait.op), label, Some(who.id))
    };
    vec![mark(Role::Closes, second), mark(Role::Waits, first)]
}

/// Who waits.
pub(super) fn threads(pairing: &Pairing) -> impl Iterator<Item = &Participant> {
    let [(first, _), (second, _)] = &pairing.waits;
    [Some(first), Some(second).filter(|second| second.id != first.id)].into_iter().flatten()
}

/// The condition variable and the mutexes.
pub(super) fn locks(pairing: &Pairing) -> impl Iterator<Item = &Lock> {
    let mutexes = pairing.waits.iter().filter_map(|(_, wait)| match &wait.target {
        Target::Lock(lock, _) => Some(lock),
        _ => None,
    });
    mutexes.chain([&pairing.condvar])
}

fn mutex(wait: &Wait, cast: &Cast<'_>) -> String {
    match &wait.target {
        Target::Lock(lock, _) => cast.lock(lock),
        _ => String::new(),
    }
}

fn waited(wait: &Wait, cast: &Cast<'_>) -> String {
    format!("waited with {}", mutex(wait, cast))
}
