//! What it comes to that somebody waits while it holds a lock, for something that another thread gives which
//! needs that lock first.

use super::cast::{Cast, held, with_previous};
use super::inversion;
use super::reasons;
use super::verdict::Verdict;
use super::words::{deed, list};
use crate::finding::{Blocker, Finding, Hold, Level, Link, Op, Participant, Target};

/// Whether `finding` is of that kind.
pub(super) fn takes_part(finding: &Finding) -> bool {
    !finding.has_happened() && finding.links.iter().any(|link| giver(link).is_some())
}

/// The verdict on it.
pub(super) fn on(finding: &Finding, cast: &Cast<'_>) -> Verdict {
    let waits: Vec<Waiting<'_>> = waits(finding).collect();
    Verdict {
        title: title(finding, &waits, cast),
        reasons: vec![
            ("possible", possible(finding, &waits, cast)),
            ("condition", reasons::condition(finding, cast)),
        ],
        outcome: match finding.may_be_withdrawn() {
            true => "nothing hangs yet: the test or the process fails with this report at its end, unless \
                     somebody who can go on gives what is waited for until then"
                .to_owned(),
            false => inversion::outcome(finding, cast),
        },
        help: help(&waits, cast),
        silencing: inversion::silencing(finding, cast),
    }
}

/// A wait for what somebody gives.
struct Waiting<'a> {
    link: &'a Link,
    /// What is held meanwhile, and is needed by others.
    hold: Option<&'a Hold>,
    giver: &'a Participant,
    /// What the giver needs first.
    needs: Option<&'a Link>,
}

/// Who gives what `link` waits for, if it is for something of that kind.
pub(super) fn giver(link: &Link) -> Option<&Participant> {
    match (&link.blocker, &link.wait.target) {
        (Blocker::Gives(signal), _) => Some(&signal.by),
        (Blocker::Runs, Target::Thread(thread)) => Some(thread),
        _ => None,
    }
}

fn waits(finding: &Finding) -> impl Iterator<Item = Waiting<'_>> {
    with_previous(&finding.links).enumerate().filter_map(|(at, (link, previous))| {
        let giver = giver(link)?;
        let needs = finding.links.get((at + 1) % finding.links.len());
        Some(Waiting { link, hold: held(&previous.blocker), giver, needs })
    })
}

/// What the giver does when it gives it, such as `sends`.
fn gives(link: &Link) -> &'static str {
    match &link.blocker {
        Blocker::Gives(signal) => match signal.op {
            Op::Send | Op::TrySend => "sends one",
            Op::Recv | Op::TryRecv | Op::RecvTimeout | Op::Next => "makes room",
            Op::AddPermits => "adds permits",
            _ => "signals",
        },
        _ => "ends",
    }
}

fn title(finding: &Finding, waits: &[Waiting<'_>], cast: &Cast<'_>) -> String {
    let kind = match finding.level {
        Level::Predicted => "possible deadlock",
        _ => "wait under a lock",
    };
    let Some(wait) = waits.first() else { return kind.to_owned() };
    let Waiting { link, hold, giver, needs } = wait;
    let (who, goal) = (cast.thread(&link.agent), cast.goal(&link.agent, &link.wait));
    let held = hold.map_or_else(|| "a lock".to_owned(), |hold| cast.lock(&hold.lock));
    let (giver, gives) = (cast.thread(giver), gives(link));
    let needs = match needs.map(|needs| &needs.wait.target) {
        Some(Target::Lock(lock, _)) if hold.is_some_and(|hold| hold.lock.id != lock.id) => {
            format!(
                "{giver} needs {} before it {gives}, and who holds that may need {held}",
                cast.lock(lock)
            )
        }
        _ => format!("{giver} needs that before it {gives}"),
    };
    format!("{kind}: {who} waits {goal} while it holds {held}, and {needs}")
}

/// Why it can happen although it has not; empty if something may keep it from that.
fn possible(finding: &Finding, waits: &[Waiting<'_>], cast: &Cast<'_>) -> String {
    if finding.level != Level::Predicted {
        return String::new();
    }
    let reason = |Waiting { link, hold, giver, .. }: &Waiting<'_>| {
        let (who, giver) = (cast.thread(&link.agent), cast.thread(giver));
        let held = hold.map_or_else(|| "its lock".to_owned(), |hold| cast.lock(&hold.lock));
        match &link.blocker {
            Blocker::Gives(signal) => format!(
                "{who} had been given nothing when {giver} {}, and nobody was seen to do so who does not need \
                 a lock for it: should {who} come to {held} first, neither can go on",
                deed(signal.op)
            ),
            _ => format!(
                "{giver} had released {held} before {who} took it, and no message or the like says so in every \
                 schedule: should {who} come first, neither can go on"
            ),
        }
    };
    waits.iter().map(reason).collect::<Vec<_>>().join("\n")
}

fn help(waits: &[Waiting<'_>], cast: &Cast<'_>) -> String {
    let mut held: Vec<String> =
        waits.iter().filter_map(|wait| Some(cast.lock(&wait.hold?.lock))).collect();
    held.dedup();
    match &waits {
        [wait, ..] if !held.is_empty() => {
            let end = if matches!(wait.link.blocker, Blocker::Runs) { "join" } else { "wait" };
            format!(
                "release {} before this {end}, or let {} do without it",
                list(&held),
                cast.thread(wait.giver)
            )
        }
        _ => "hold no lock while you wait for what another thread gives".to_owned(),
    }
}
