//! The orders that contradict each other in a finding that has not happened: one for each link.

use super::cast::{Cast, held, with_previous};
use super::words::{columns, line_of, times};
use crate::finding::{Blocker, Finding, Hold, Link, Lock, LockKind, Outcome, Sightings, Target};

/// What one thread did: it held one lock and took another.
pub(super) struct Order<'a> {
    /// Who took what, and where.
    pub(super) link: &'a Link,
    /// What it held meanwhile.
    pub(super) hold: Option<&'a Hold>,
    /// It was kept from taking it.
    is_stopped: bool,
}

/// The orders of `finding`, that of the request which completed the circle first.
pub(super) fn orders(finding: &Finding) -> impl Iterator<Item = Order<'_>> {
    let is_stopped = matches!(finding.outcome, Outcome::Panicked | Outcome::Ended);
    with_previous(&finding.links).enumerate().map(move |(number, (link, previous))| Order {
        link,
        hold: held(&previous.blocker),
        // A join that is told of is over.
        is_stopped: is_stopped && number == 0 && !matches!(link.blocker, Blocker::Runs),
    })
}

impl<'a> Order<'a> {
    /// The lock that was taken.
    pub(super) fn inner(&self) -> Option<&'a Lock> {
        match &self.link.wait.target {
            Target::Lock(lock, _) => Some(lock),
            _ => None,
        }
    }

    /// Whether both are one lock.
    pub(super) fn is_again(&self) -> bool {
        self.hold.zip(self.inner()).is_some_and(|(hold, inner)| hold.lock.id == inner.id)
    }

    /// How often it was seen; not at all if nobody counted.
    pub(super) fn times(&self) -> u64 {
        self.link.seen.map_or(0, |seen| seen.times)
    }

    /// What was done, such as ``took `names` for reading``.
    pub(super) fn took(&self, cast: &Cast<'_>) -> String {
        let (stem, past, what) = match &self.link.wait.target {
            Target::Lock(lock, _) if lock.kind.is_once() => ("use", "used", cast.lock(lock)),
            Target::Lock(lock, mode) if matches!(lock.kind, LockKind::Mutex | LockKind::RwLock) => {
                let back = if self.link.wait.op.is_condvar_wait() { " back" } else { "" };
                ("take", "took", cast.taken(lock, *mode) + back)
            }
            _ => ("wait", "waited", cast.goal(&self.link.agent, &self.link.wait)),
        };
        let verb = if self.is_stopped { format!("was about to {stem}") } else { past.to_owned() };
        let again = if self.is_again() { " again" } else { "" };
        format!("{verb} {what}{again}")
    }

    /// Such as `` `a` before `b` ``.
    fn in_words(&self, cast: &Cast<'_>) -> Option<String> {
        let (hold, inner) = (self.hold?, self.inner()?);
        Some(match self.is_again() {
            true => format!("{} inside itself", cast.lock(inner)),
            false => format!("{} before {}", cast.lock(&hold.lock), cast.lock(inner)),
        })
    }
}

/// Who held what and took what, a line for each order.
pub(super) fn table(finding: &Finding, cast: &Cast<'_>) -> String {
    let mut rows = Vec::new();
    for order in orders(finding) {
        let Link { agent, wait, blocker, .. } = order.link;
        let held = order.hold.map(|hold| {
            let held = match hold.lock.kind.is_once() {
                true => format!("was initialising {}", cast.lock(&hold.lock)),
                false => format!("held {}", cast.hold(hold)),
            };
            let who = hold.taken_by.as_ref().map(|taker| format!("{} ", cast.thread(taker)));
            format!("{}{held} since {}", who.unwrap_or_default(), line_of(hold.site))
        });
        let took = format!("{} at {}", order.took(cast), line_of(wait.site));
        rows.push([cast.thread_names.full_name(agent), held.unwrap_or_default(), took]);
        if let Blocker::QueuedWriter { hold, writer: Some((writer, site)) } = blocker {
            let wrote = format!("wrote {} at {}", cast.lock(&hold.lock), line_of(*site));
            rows.push([cast.thread_names.full_name(writer), wrote, String::new()]);
        }
    }
    columns(&rows)
}

/// More orders that were seen equally often are not counted one by one.
const COUNTED: usize = 3;

/// How often each order was seen.
pub(super) fn counts(finding: &Finding, cast: &Cast<'_>) -> String {
    let mut counted: Vec<(String, Sightings)> = orders(finding)
        .filter_map(|order| Some((order.in_words(cast)?, order.link.seen?)))
        .collect();
    counted.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.times));
    match &counted[..] {
        [(often, most), (_, least)] if finding.links.len() == 2 => {
            format!("{often}: {}; the other way round: {}", sightings(*most), sightings(*least))
        }
        [(_, first), ..]
            if counted.len() > COUNTED && counted.iter().all(|(_, seen)| seen == first) =>
        {
            format!("each of these {} orders: {}", counted.len(), sightings(*first))
        }
        all => {
            let line =
                |(order, seen): &(String, Sightings)| format!("{order}: {}", sightings(*seen));
            all.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    }
}

/// Such as `1 204 times by 3 threads at 5 lines`.
fn sightings(seen: Sightings) -> String {
    let some = |count, before, one: &str| match (seen.times, count) {
        (0 | 1, _) | (_, 0) => String::new(),
        (_, 1) => format!(" {before} one {one}"),
        (_, count) => format!(" {before} {count} {one}s"),
    };
    times(seen.times) + &some(seen.threads, "by", "thread") + &some(seen.sites, "at", "line")
}
