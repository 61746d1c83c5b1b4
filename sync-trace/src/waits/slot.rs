//! One agent's published wait.
//!
//! The owning agent writes, anybody reads, by the same sequence-lock pattern as in
//! [`held`](crate::held): `seq` is odd while the agent waits and grows by one at each end, so equal
//! odd numbers before and after mean that one and the same wait lasted all the time between.

use std::sync::Arc;

use crate::atomics::{AtomicPtr, AtomicU64, Mutex, Ordering, const_fn, fence, lock};
use crate::finding::{AgentId, LockId};
use crate::op::Mode;
use crate::registry::{Access, Resource};
use crate::site::{Origin, Site};
use crate::waits::source::Source;

/// A wait as its agent describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    pub(crate) target: Resource,
    pub(crate) access: &'static Access,
    pub(crate) site: Site,
    /// Where the lock was created; `None` for a wait that is not for a lock.
    pub(crate) created: Option<Origin>,
}

impl Wait {
    pub(crate) fn mode(&self) -> Mode {
        self.access.mode
    }

    /// The lock waited for, if it is one.
    pub(crate) fn lock_id(&self) -> Option<LockId> {
        match self.target {
            Resource::Lock(id) => Some(id),
            Resource::End(_) | Resource::Scope(_) | Resource::Wakeup(_) => None,
        }
    }
}

/// A wait as somebody else read it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) seq: u64,
    pub(crate) wait: Wait,
    /// When it began, on the tracker's clock.
    pub(crate) since_ns: u64,
    pub(crate) behind: Arc<[Behind]>,
    /// What it is for, if nobody owns that.
    pub(crate) source: Option<Awaited>,
}

/// What a wait is for that nobody owns.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    pub(crate) source: Arc<Source>,
    /// How often it had been given when the wait began.
    given: u64,
}

impl Awaited {
    /// Of a barrier: how many have to come, and how many have.
    pub(crate) fn come(&self) -> Option<(usize, usize)> {
        let come = usize::try_from(self.source.waiting()).unwrap_or(usize::MAX);
        Some((self.source.parties?, come))
    }

    /// Whether it has been given since, or will be as soon as all have come who are about to.
    pub(crate) fn is_given(&self) -> bool {
        self.source.times() != self.given
            || self.come().is_some_and(|(parties, come)| come >= parties)
    }
}

/// A read hold that is known to keep a waiting reader out: a writer queues between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) reader: AgentId,
    /// Which acquisition of that reader's; see [`Held`](crate::held::Held).
    pub(crate) stamp: u64,
}

/// The parts of a wait that need memory: written seldom, under a leaf lock.
#[derive(Default)]
struct Details {
    /// The wait that these belong to.
    seq: u64,
    behind: Option<Arc<[Behind]>>,
    source: Option<Awaited>,
    stack: Option<Arc<backtrace::Backtrace>>,
}

/// The slot itself.
pub(crate) struct WaitSlot {
    seq: AtomicU64,
    target: AtomicU64,
    since_ns: AtomicU64,
    site: AtomicPtr<std::panic::Location<'static>>,
    /// Null for a wait that is not for a lock.
    created: AtomicPtr<u8>,
    access: AtomicPtr<Access>,
    /// The wait that has got as far as the real, blocking call.
    blocking: AtomicU64,
    /// The wait that a finding has named while its agent went on to wait.
    reported: AtomicU64,
    details: Mutex<Details>,
}

impl WaitSlot {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                seq: AtomicU64::new(0),
                target: AtomicU64::new(0),
                since_ns: AtomicU64::new(0),
                site: AtomicPtr::new(std::ptr::null_mut()),
                created: AtomicPtr::new(std::ptr::null_mut()),
                access: AtomicPtr::new(std::ptr::null_mut()),
                blocking: AtomicU64::new(0),
                reported: AtomicU64::new(0),
                details: Mutex::new(Details { seq: 0, behind: None, source: None, stack: None }),
            }
        }
    }

    /// The number of the wait that lasts now (odd), or of none (even).
    pub(crate) fn seq(&self) -> u64 {
        self.seq.load(Ordering::Acquire)
    }

    /// What the present wait is for. Owner only.
    pub(crate) fn target(&self) -> Resource {
        Resource::from_bits(self.target.load(Ordering::Relaxed))
    }

    /// Whether only another agent can end the present wait. Owner only.
    pub(crate) fn is_endless(&self) -> bool {
        // SAFETY: `begin` stores `'static` references only.
        let access = unsafe { self.access.load(Ordering::Relaxed).as_ref() };
        access.is_some_and(|access| access.op.is_endless())
    }

    /// Whether a wait is published.
    pub(crate) fn is_waiting(&self) -> bool {
        is_wait(self.seq())
    }

    /// When the present wait began, if there is one: a glimpse, for who then reads the wait itself.
    pub(crate) fn since_ns(&self) -> Option<u64> {
        self.is_waiting().then(|| self.since_ns.load(Ordering::Relaxed))
    }

    /// Whether the wait `seq` has got as far as the real, blocking call.
    pub(crate) fn is_blocking(&self, seq: u64) -> bool {
        self.blocking.load(Ordering::Acquire) == seq
    }

    /// Whether a finding has already named the wait `seq`.
    pub(crate) fn is_reported(&self, seq: u64) -> bool {
        self.reported.load(Ordering::Acquire) == seq
    }

    // ---- the owner -------------------------------------------------------------------------

    /// Publishes `wait`. The caller follows up with a fence before it looks at others.
    pub(crate) fn begin(&self, wait: &Wait, since_ns: u64) {
        let seq = self.seq.load(Ordering::Relaxed);
        debug_assert!(!is_wait(seq), "an agent has at most one wait");
        // A reader that sees a part of the new wait also sees that the last one has ended. Pairs
        // with the Acquire fence in `read`.
        fence(Ordering::Release);
        self.target.store(wait.target.to_bits(), Ordering::Relaxed);
        self.since_ns.store(since_ns, Ordering::Relaxed);
        self.site.store(std::ptr::from_ref(wait.site.0).cast_mut(), Ordering::Relaxed);
        self.access.store(std::ptr::from_ref(wait.access).cast_mut(), Ordering::Relaxed);
        let created = wait.created.map_or(std::ptr::null_mut(), Origin::to_ptr);
        self.created.store(created, Ordering::Relaxed);
        // Pairs with the Acquire loads in `seq` and `read`.
        self.seq.store(seq + 1, Ordering::Release);
    }

    /// Takes the wait back.
    pub(crate) fn end(&self) {
        let seq = self.seq.load(Ordering::Relaxed);
        debug_assert!(is_wait(seq), "only a published wait can end");
        self.seq.store(seq + 1, Ordering::Release);
    }

    /// Says that the real, blocking call comes next.
    pub(crate) fn set_blocking(&self) {
        self.blocking.store(self.seq.load(Ordering::Relaxed), Ordering::Release);
    }

    /// Says that a finding has named the present wait.
    pub(crate) fn set_reported(&self) {
        self.reported.store(self.seq.load(Ordering::Relaxed), Ordering::Release);
    }

    /// Adds what the wait is for.
    pub(crate) fn set_source(&self, source: &Arc<Source>) {
        let awaited = Awaited { source: Arc::clone(source), given: source.times() };
        self.with_details(|details| details.source.replace(awaited));
    }

    /// Adds the read holds that keep this reader out.
    pub(crate) fn set_behind(&self, behind: Vec<Behind>) {
        let behind: Arc<[Behind]> = behind.into();
        self.with_details(|details| details.behind.replace(behind));
    }

    /// Adds the call stack of the wait, not yet resolved.
    pub(crate) fn set_stack(&self, stack: backtrace::Backtrace) {
        let stack = Arc::new(stack);
        self.with_details(|details| details.stack.replace(stack));
    }

    /// Changes the details of the present wait. What `change` throws out is dropped after the leaf
    /// lock is released.
    fn with_details<R>(&self, change: impl FnOnce(&mut Details) -> R) {
        let seq = self.seq.load(Ordering::Relaxed);
        let mut details = lock(&self.details);
        let stale = (details.seq != seq)
            .then(|| std::mem::replace(&mut *details, Details { seq, ..Details::default() }));
        let replaced = change(&mut details);
        drop(details);
        drop((stale, replaced));
    }

    // ---- readers ---------------------------------------------------------------------------

    /// A consistent copy of the wait; `None` if there is none, or if it ended meanwhile.
    pub(crate) fn read(&self) -> Option<Published> {
        let seq = self.seq.load(Ordering::Acquire);
        if !is_wait(seq) {
            return None;
        }
        let site = self.site.load(Ordering::Relaxed);
        let created = self.created.load(Ordering::Relaxed);
        let access = self.access.load(Ordering::Relaxed);
        // SAFETY: `begin` is the only writer of these three and stores null or `'static`
        // references, so each is null or points to immutable data that lives for ever.
        let (site, created, access) =
            unsafe { (site.as_ref()?, Origin::from_ptr(created), access.as_ref()?) };
        let published = Published {
            seq,
            wait: Wait {
                target: Resource::from_bits(self.target.load(Ordering::Relaxed)),
                access,
                site: Site(site),
                created,
            },
            since_ns: self.since_ns.load(Ordering::Relaxed),
            behind: self.detail(seq, |details| details.behind.clone()).unwrap_or_default(),
            source: self.detail(seq, |details| details.source.clone()),
        };
        // Pairs with the Release fence in `begin`.
        fence(Ordering::Acquire);
        (self.seq.load(Ordering::Relaxed) == seq).then_some(published)
    }

    /// The call stack of the wait `seq`, if one was taken.
    pub(crate) fn stack(&self, seq: u64) -> Option<Arc<backtrace::Backtrace>> {
        self.detail(seq, |details| details.stack.clone())
    }

    fn detail<R>(&self, seq: u64, get: impl FnOnce(&Details) -> Option<R>) -> Option<R> {
        let details = lock(&self.details);
        if details.seq == seq { get(&details) } else { None }
    }
}

fn is_wait(seq: u64) -> bool {
    seq % 2 == 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::registry::tests::DOWNGRADED;

    fn wait(target: u64) -> Wait {
        Wait {
            target: Resource::Lock(LockId(target)),
            access: DOWNGRADED,
            site: Site::caller(),
            created: None,
        }
    }

    #[test]
    fn a_wait_can_be_read_until_it_ends() {
        let slot = WaitSlot::new();
        assert!(slot.read().is_none());
        slot.begin(&wait(7), 42);
        let read = slot.read().unwrap();
        assert_eq!((read.wait.lock_id(), read.since_ns), (Some(LockId(7)), 42));
        assert_eq!(read.wait.mode(), Mode::Read);
        slot.end();
        assert!(slot.read().is_none() && !slot.is_waiting());
    }

    #[test]
    fn details_belong_to_one_wait_only() {
        let slot = WaitSlot::new();
        let behind = Behind { reader: AgentId(3), stamp: 9 };
        slot.begin(&wait(1), 0);
        slot.set_behind(vec![behind]);
        slot.set_blocking();
        slot.set_reported();
        let first = slot.read().unwrap();
        assert_eq!(*first.behind, [behind]);
        assert!(slot.is_blocking(first.seq) && slot.is_reported(first.seq));
        slot.end();
        slot.begin(&wait(1), 0);
        let second = slot.read().unwrap();
        assert!(second.behind.is_empty());
        assert!(!slot.is_blocking(second.seq) && !slot.is_reported(second.seq));
    }

    #[test]
    fn a_reader_never_sees_half_of_one_wait_and_half_of_another() {
        let slot = WaitSlot::new();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if let Some(read) = slot.read() {
                        assert_eq!(read.wait.lock_id(), Some(LockId(read.since_ns)));
                    }
                }
            });
            for round in 1..20_000 {
                slot.begin(&wait(round), round);
                slot.end();
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
