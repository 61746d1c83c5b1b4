//! A place of the held stack.

use super::{ARMED, Entry, Held, NOTHING, TOLD, key};
use crate::atomics::{AtomicPtr, AtomicU64, Ordering, const_fn};
use crate::contention::tally::{Counted, Line, Tick};
use crate::finding::LockId;
use crate::lock_order::prediction::Repeats;
use crate::op::Mode;
use crate::registry::{Access, word};
use crate::site::{Origin, Site};

/// Where an entry of the stack is kept, and what is known of it.
///
/// What is known of its request was found out when the places below had the locks and modes that they
/// have now: whoever changes a place forgets the one above it, so that has to be filled again before
/// it can be used, and then forgets the next.
///
/// The less there is to write, the cheaper is an acquisition: each store has to reach the cache before
/// the next atomic read-modify-write.
#[repr(align(64))]
pub(super) struct Slot {
    /// The lock's header word as it was, and [`TOLD`]. Its flags change so rarely that it is enough to
    /// compare the whole.
    pub(super) word: AtomicU64,
    pub(super) access: AtomicPtr<Access>,
    pub(super) site: AtomicPtr<std::panic::Location<'static>>,
    /// Under which [stamp](crate::foresight::chains::Chains) the agent's chain cache knows the request
    /// for it; 0 if it was not asked.
    pub(super) known: AtomicU64,
    /// What the cache has of it then.
    repeats: AtomicPtr<Repeats>,
    created: AtomicPtr<u8>,
    /// Written for shared holds only.
    pub(super) stamp: AtomicU64,
    /// How often what is kept here was held, as far as that is not [counted](crate::contention::tally) yet.
    pub(super) tick: Tick,
}

impl Slot {
    const_fn! {
        pub(super) fn empty() -> Self {
            Self {
                word: AtomicU64::new(NOTHING),
                access: AtomicPtr::new(std::ptr::null_mut()),
                site: AtomicPtr::new(std::ptr::null_mut()),
                known: AtomicU64::new(0),
                repeats: AtomicPtr::new(std::ptr::null_mut()),
                created: AtomicPtr::new(std::ptr::null_mut()),
                stamp: AtomicU64::new(0),
                tick: Tick::new(),
            }
        }
    }

    #[inline]
    pub(super) fn store(&self, entry: &Entry) {
        self.store_of_class(entry);
        self.access.store(std::ptr::from_ref(entry.access).cast_mut(), Ordering::Relaxed);
        self.created.store(entry.created.to_ptr(), Ordering::Relaxed);
    }

    /// The same where an entry [of its class](Self::is_of_class_of) is kept already.
    #[inline]
    pub(super) fn store_of_class(&self, entry: &Entry) {
        self.word.store(entry.word, Ordering::Relaxed);
        self.set_site(entry.site);
    }

    /// Nothing is known of the request.
    #[inline]
    pub(super) fn forget_known(&self) {
        self.known.store(0, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn set_site(&self, site: Site) {
        self.site.store(std::ptr::from_ref(site.0).cast_mut(), Ordering::Relaxed);
    }

    /// Whether it keeps such an entry, but for the site.
    #[inline]
    pub(super) fn is_like(&self, word: u64, access: &'static Access) -> bool {
        self.word.load(Ordering::Relaxed) == word
            && std::ptr::eq(self.access.load(Ordering::Relaxed), access)
    }

    #[inline]
    pub(super) fn is_at(&self, site: Site) -> bool {
        std::ptr::eq(self.site.load(Ordering::Relaxed), site.0)
    }

    /// Whether the chain cache knows under this stamp the request for what is kept here; then it
    /// counts as seen once more.
    #[inline]
    pub(super) fn recalls(&self, stamp: u64) -> bool {
        let is_known = self.known.load(Ordering::Relaxed) == stamp;
        if is_known {
            // SAFETY: `keep` got it as a reference to what the agent's chain cache owns. That lets it
            // go only with all others, and then everything known is forgotten here.
            unsafe { &*self.repeats.load(Ordering::Relaxed) }.add_one();
        }
        is_known
    }

    /// The chain cache knows the request under this stamp.
    pub(super) fn keep(&self, stamp: u64, repeats: &Repeats) {
        self.known.store(stamp, Ordering::Relaxed);
        self.repeats.store(std::ptr::from_ref(repeats).cast_mut(), Ordering::Relaxed);
    }

    /// The next one who asks for a lock here is to look twice. For a place that is not in use.
    pub(super) fn arm(&self) {
        self.word.store(self.word.load(Ordering::Relaxed) | ARMED, Ordering::Relaxed);
    }

    /// Whether it keeps nothing, and so has nothing counted.
    #[inline]
    pub(super) fn is_forgotten(&self) -> bool {
        self.word.load(Ordering::Relaxed) == NOTHING
    }

    /// Keeps nothing any more. For a place that is not in use.
    #[inline]
    pub(super) fn forget(&self) {
        self.word.store(NOTHING, Ordering::Relaxed);
    }

    /// The lock and its mode. Owner only, and only for a slot that is in use.
    #[inline]
    pub(super) fn key(&self) -> u64 {
        // SAFETY: `store` puts a `'static` reference here, and the owner reads what it has written.
        let access = unsafe { &*self.access.load(Ordering::Relaxed) };
        key::of(LockId(word::number(self.word.load(Ordering::Relaxed))), access.mode)
    }

    pub(super) fn is_of(&self, lock: LockId) -> bool {
        word::number(self.word.load(Ordering::Relaxed)) == lock.0
    }

    /// Notes that the lock order knows of it. Readers take no notice.
    pub(super) fn set_told(&self) {
        self.word.store(self.word.load(Ordering::Relaxed) | TOLD, Ordering::Relaxed);
    }

    /// The entry, possibly torn: the caller compares versions before it believes the whole. `None`
    /// for a slot that was never written.
    pub(super) fn load(&self) -> Option<Held> {
        let access = self.access.load(Ordering::Relaxed);
        let created = self.created.load(Ordering::Relaxed);
        let site = self.site.load(Ordering::Relaxed);
        // SAFETY: `store` is the only writer of these three and stores `'static` references, so
        // each is null or points to immutable data that lives for ever, torn or not.
        let (access, created, site) =
            unsafe { (access.as_ref()?, Origin::from_ptr(created)?, site.as_ref()?) };
        let word = self.word.load(Ordering::Relaxed);
        Some(Held {
            lock: LockId(word::number(word)),
            told: word & TOLD != 0,
            stamp: match access.mode {
                Mode::Exclusive => 0,
                _ => self.stamp.load(Ordering::Relaxed),
            },
            access,
            created,
            site: Site(site),
        })
    }

    /// Whether it keeps such an entry, but for the lock itself and the site.
    #[inline]
    pub(super) fn is_of_class_of(&self, entry: &Entry) -> bool {
        std::ptr::eq(self.created.load(Ordering::Relaxed), entry.created.to_ptr())
            && std::ptr::eq(self.access.load(Ordering::Relaxed), entry.access)
    }

    /// Whose holds are counted here: the lock's number, and the access.
    #[inline]
    pub(super) fn counts_for(&self) -> (u64, *mut Access) {
        let lock = word::number(self.word.load(Ordering::Relaxed));
        (lock, self.access.load(Ordering::Relaxed))
    }

    /// What is kept here, as something to be counted.
    pub(super) fn line(&self) -> Line {
        let (lock, access) = self.counts_for();
        Line { lock, access, created: self.created.load(Ordering::Relaxed), times: 0, changes: 0 }
    }

    /// How often what is kept here was held, as far as that is counted here; possibly torn, as
    /// [`load`](Self::load).
    pub(super) fn counted(&self) -> Option<Counted> {
        let times = self.tick.counted();
        let held = (times > 0).then(|| self.load()).flatten()?;
        let is_own = !self.tick.is_mixed();
        Some(Counted { is_own, ..Counted::of(&held, times.into(), 0) })
    }
}
