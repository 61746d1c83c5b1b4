//! The verbs for what is counted: waits are timed, tries and notifications are noted.

use crate::agent::Agent;
use crate::contention::parks;
use crate::contention::table::{Event, Wanted};
use crate::contention::timed::Timed;
use crate::current::{self, Working};
use crate::op::Mode;
use crate::registry::{Access, LockHeader};
use crate::site::{Origin, Site};
use crate::tracker;
use crate::waits::source::Source;

use super::Request;

/// `agent` begins to wait for a lock.
pub(super) fn timed_lock(agent: &'static Agent, request: &Request<'_>) -> Option<Timed> {
    let wanted = Wanted::new(request.lock.number()?, request.access, request.lock.origin());
    Timed::begin(tracker::global(), agent, &wanted, request.site, request.lock.owner())
}

/// `agent` begins to wait for what nobody owns.
pub(super) fn timed_source(
    agent: &'static Agent,
    source: &Source,
    created: Option<Origin>,
    site: Site,
) -> Option<Timed> {
    Timed::begin(tracker::global(), agent, &wanted(source, created), site, None)
}

/// `agent` begins to park at this line.
pub(super) fn timed_park(agent: &'static Agent, access: &Access, site: Site) -> Option<Timed> {
    let wanted = {
        let _working = Working::begin();
        parks::wanted(access, site)
    };
    Timed::begin(tracker::global(), agent, &wanted, site, None)
}

fn wanted(source: &Source, created: Option<Origin>) -> Wanted {
    Wanted {
        lock: source.id,
        kind: source.kind,
        type_name: || "",
        mode: Mode::Exclusive,
        created: created.unwrap_or(source.origin),
    }
}

/// The real lock was tried, and is not free.
#[cold]
#[inline(never)]
pub(crate) fn tried_in_vain(lock: &LockHeader, access: &'static Access) {
    if let Some(id) = lock.ensure_id() {
        note(&Wanted::new(id, access, lock.origin()), Event::TryFailed);
    }
}

/// A condition variable is notified.
pub(crate) fn notified(source: &Source) {
    note(&wanted(source, None), Event::Notified { in_vain: !source.is_awaited() });
}

fn note(wanted: &Wanted, event: Event) {
    if current::is_in_allocator() {
        return;
    }
    if let Some(agent) = current::recording()
        && tracker::global().contention.is_on()
    {
        let _working = Working::begin();
        agent.account.note(wanted, event);
    }
}
