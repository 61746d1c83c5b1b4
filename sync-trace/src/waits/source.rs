//! What somebody waits for that nobody owns: a signal, a message, room for one, the others at a barrier.
//!
//! Anybody may give it. All that can be known is whether something was given since a wait began, and who
//! has given it so far: that is no proof of anything, but it is what a reader wants to be told.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::agent::{Agent, Identity};
use crate::atomics::{Mutex, lock, push};
use crate::finding::{AgentId, LockId, LockKind, Participant};
#[cfg(not(loom))]
use crate::lock_order::adjacency::QuickHash;
use crate::op::Op;
use crate::site::{Origin, Site};

/// One of them. It outlives its primitive as long as somebody looks at a wait for it.
pub(crate) struct Source {
    pub(crate) id: LockId,
    pub(crate) kind: LockKind,
    pub(crate) origin: Origin,
    /// How often something was given while somebody waited. All of these are Relaxed: who relies on them
    /// asks the operating system as well, whether who waits has been woken up.
    given: AtomicU64,
    /// How many wait now.
    waiting: AtomicU32,
    /// When it was given last, and when another one gave it before.
    last: Mutex<[Option<Given>; 2]>,
    /// Whether the next time that it is given is to be noted: nobody has given it yet, or not since somebody
    /// began to wait.
    is_news: AtomicBool,
    /// How many have to come to a barrier.
    pub(crate) parties: Option<usize>,
    /// Whether it is room for a message.
    is_room: bool,
    /// Whether somebody has waited for it while holding a lock that who gives it may need.
    under_lock: AtomicBool,
    /// Whether others may give it, or have given it, of whom nothing is noted.
    by_others: AtomicBool,
    /// Who gave it before these two.
    earlier: Mutex<Vec<AgentId>>,
}

/// So many who gave something are told apart.
const GIVERS_MAX: usize = 16;

/// In the number of room in a channel, which has that of its messages else.
const ROOM: u64 = 1 << 56;

/// Those of primitives that have no room for one, by number.
#[cfg(not(loom))]
static SOURCES: std::sync::LazyLock<dashmap::DashMap<LockId, Arc<Source>, QuickHash>> =
    std::sync::LazyLock::new(dashmap::DashMap::default);

/// Of so many primitives it is kept. Then all is forgotten, but by those who wait.
#[cfg(not(loom))]
const SOURCES_MAX: usize = 65_536;

/// What is waited for at the primitive `id`.
#[cfg(not(loom))]
pub(crate) fn of(id: LockId, new: impl FnOnce() -> Source) -> Arc<Source> {
    if let Some(source) = SOURCES.get(&id) {
        return Arc::clone(&source);
    }
    if SOURCES.len() >= SOURCES_MAX {
        SOURCES.clear();
    }
    Arc::clone(&SOURCES.entry(id).or_insert_with(|| Arc::new(new())))
}

/// That something was given.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) by: &'static Agent,
    /// Whose record it was then.
    pub(crate) id: AgentId,
    identity: Arc<Identity>,
    os_id: Option<u64>,
    pub(crate) op: Op,
    pub(crate) site: Site,
    pub(crate) at_ns: u64,
    /// Nobody waited.
    pub(crate) in_vain: bool,
}

impl Source {
    pub(crate) fn new(id: LockId, kind: LockKind, origin: Origin) -> Self {
        Self {
            id,
            kind,
            origin,
            given: AtomicU64::new(0),
            waiting: AtomicU32::new(0),
            last: Mutex::new([None, None]),
            is_news: AtomicBool::new(true),
            parties: None,
            is_room: false,
            under_lock: AtomicBool::new(false),
            by_others: AtomicBool::new(false),
            earlier: Mutex::new(Vec::new()),
        }
    }

    /// That of room in a channel.
    pub(crate) fn of_room(self) -> Self {
        Self { is_room: true, ..self }
    }

    /// A number for it that no lock has.
    pub(crate) fn number(&self) -> LockId {
        if self.is_room { LockId(self.id.0 | ROOM) } else { self.id }
    }

    /// The number of the primitive with such a source.
    pub(crate) fn primitive(number: LockId) -> LockId {
        LockId(number.0 & !ROOM)
    }

    /// Somebody waits for it while holding a lock. From here on everybody who gives it is noted.
    pub(crate) fn set_under_lock(&self) {
        self.under_lock.store(true, Ordering::Relaxed);
        self.is_news.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has waited for it while holding a lock.
    #[inline]
    pub(crate) fn is_under_lock(&self) -> bool {
        self.under_lock.load(Ordering::Relaxed)
    }

    /// Others may give it too, of whom nothing will be noted if nobody waits.
    pub(crate) fn set_by_others(&self) {
        self.by_others.store(true, Ordering::Relaxed);
    }

    /// Who has given it so far; `None` if there are more than are known.
    pub(crate) fn givers(&self) -> Option<Vec<AgentId>> {
        let mut givers = Vec::with_capacity(GIVERS_MAX + 2);
        givers.extend(lock(&self.earlier).iter().copied());
        for given in lock(&self.last).iter().flatten() {
            // There is room, so nothing is allocated.
            if !givers.contains(&given.id) || givers.len() >= GIVERS_MAX {
                givers.push(given.id);
            }
        }
        let are_known = !self.by_others.load(Ordering::Relaxed) && givers.len() <= GIVERS_MAX;
        are_known.then_some(givers)
    }

    /// Others have given it since than this one.
    fn note_earlier(&self, id: AgentId) {
        let is_known =
            |earlier: &Vec<AgentId>| earlier.contains(&id) || earlier.len() >= GIVERS_MAX;
        if !is_known(&lock(&self.earlier)) {
            push(&self.earlier, id);
        }
    }

    /// That of a barrier, which so many have to come to.
    pub(crate) fn with_parties(self, parties: Option<usize>) -> Self {
        Self { parties, ..self }
    }

    /// Whether somebody waits for it.
    #[inline]
    pub(crate) fn is_awaited(&self) -> bool {
        self.waiting() != 0
    }

    /// Whether it matters that it is given now.
    #[inline]
    pub(crate) fn minds(&self) -> bool {
        self.is_news.load(Ordering::Relaxed)
    }

    /// `agent` gives it.
    pub(crate) fn give(&self, agent: &'static Agent, op: Op, site: Site, now_ns: u64) {
        self.given.fetch_add(1, Ordering::Relaxed);
        self.is_news.store(self.is_under_lock(), Ordering::Relaxed);
        let (id, in_vain) = (agent.id(), !self.is_awaited());
        let mut last = lock(&self.last);
        let is_by = |given: &Option<Given>| given.as_ref().is_some_and(|given| given.id == id);
        // Two who take turns are both at hand.
        if is_by(&last[1]) {
            last.swap(0, 1);
        }
        if let Some(last) = last[0].as_mut().filter(|last| last.id == id) {
            (last.op, last.site, last.at_ns, last.in_vain) = (op, site, now_ns, in_vain);
            return;
        }
        drop(last);
        let (identity, os_id) = (agent.identity(), agent.os_id());
        let given = Given { by: agent, id, identity, os_id, op, site, at_ns: now_ns, in_vain };
        let old = {
            let [last, before] = &mut *lock(&self.last);
            std::mem::replace(before, last.replace(given))
        };
        if let Some(old) = old {
            self.note_earlier(old.id);
        }
    }

    /// It is given by somebody who had it, or is not known, which says nothing of who else might.
    pub(crate) fn stir(&self) {
        self.given.fetch_add(1, Ordering::Relaxed);
        self.is_news.store(false, Ordering::Relaxed);
    }

    /// How often it was given.
    pub(crate) fn times(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }

    /// Who gave it last.
    pub(crate) fn last(&self) -> Option<Given> {
        lock(&self.last)[0].clone()
    }

    /// How many wait for it.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(crate) fn begin_wait(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.is_news.store(true, Ordering::Relaxed);
    }

    pub(crate) fn end_wait(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Given {
    /// Whether who gave it lives.
    pub(crate) fn agent(&self) -> Option<&'static Agent> {
        (self.by.is_live() && !self.by.has_ended() && self.by.id() == self.id).then_some(self.by)
    }

    pub(crate) fn participant(&self) -> Participant {
        let Self { id, identity, os_id, .. } = self;
        let (name, started_by) = (identity.name.clone(), identity.started_by.clone());
        Participant { id: *id, name, os_id: *os_id, started_by }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::agent::Agents;

    #[test]
    fn who_gave_it_is_known_whether_they_take_turns_or_not() {
        let agents: &Agents = Box::leak(Box::new(Agents::new()));
        let here = Site::caller();
        let source = Source::new(LockId(1), LockKind::Condvar, Origin::unnamed(here));
        let all: Vec<_> =
            (0..GIVERS_MAX + 2).map(|_| agents.admit(Identity::default(), None)).collect();
        let give = |by: usize, at_ns| source.give(all[by], Op::NotifyOne, here, at_ns);
        let known = |count: usize| {
            let mut ids: Vec<_> = all[..count].iter().map(|agent| agent.id()).collect();
            ids.sort();
            ids
        };
        let givers = || {
            source.givers().map(|mut givers| {
                givers.sort();
                givers
            })
        };
        let last = || source.last().map(|last| (last.id, last.at_ns));
        assert_eq!((givers(), last()), (Some(Vec::new()), None));
        for (at_ns, by) in [0, 1, 0, 0, 1, 0, 2, 1, 2].into_iter().enumerate() {
            give(by, at_ns as u64);
            assert_eq!(last(), Some((all[by].id(), at_ns as u64)));
        }
        assert_eq!((givers(), source.times()), (Some(known(3)), 9));
        for by in 3..GIVERS_MAX {
            give(by, 0);
            assert_eq!(givers(), Some(known(by + 1)));
        }
        // One too many, and so it stays whoever comes next.
        give(GIVERS_MAX, 0);
        assert_eq!(givers(), None);
        [0, 1, GIVERS_MAX + 1, 0, 1, 2].into_iter().for_each(|by| give(by, 0));
        assert_eq!(givers(), None);
    }
}
