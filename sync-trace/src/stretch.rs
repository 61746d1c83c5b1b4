//! What an agent has asked for since the last event that others can come after: its present *stretch*.
//!
//! Who gives what others wait for (a signal, a message, room for one, its own end) had to get the locks of its
//! stretch first. If they are kept from it by who waits, that wait never ends. Nobody can have come after what
//! lies in the stretch, but by way of a mutex, so nothing has to be known of clocks.
//!
//! An agent that takes one lock after another, holding nothing else, writes the place of the last one over. What
//! stood there is kept here before that, if there is room, so it costs nothing to take the same lock again and
//! again, and next to nothing once there is no room. Nested requests are not kept: the
//! [chains](crate::foresight::chains) know them.

use crate::atomics::{AtomicPtr, AtomicU64, Ordering, const_fn};
use crate::finding::LockId;
use crate::held::Held;
use crate::registry::Access;
use crate::site::{Origin, Site};

/// So many are kept, the oldest of the stretch.
const KEPT: usize = 8;

/// The agent's own, or read when it has ended: Relaxed.
pub(crate) struct Stretch {
    count: AtomicU64,
    /// The state that the held stack will have, without flags, when it is empty and nothing was pushed since
    /// the stretch began. 0 once the lowest place was written over.
    begun: AtomicU64,
    /// The word of the lowest place when it began, if that was in use.
    word: AtomicU64,
    /// How many news there were then.
    news: AtomicU64,
    /// The state of the held stack at which it is known that it begins now, with an event; 0 if it is not known.
    starts: AtomicU64,
    /// The same, with whatever it began.
    starts_or_cut: AtomicU64,
    /// Up to how many news these two say so.
    starts_until: AtomicU64,
    /// The mutex of conditions that was taken in it, if it was one, and how many waits there had been when it was
    /// first taken.
    condition: AtomicU64,
    waits: AtomicU64,
    kept: [Kept; KEPT],
}

/// Which mutexes of conditions were taken in a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    None,
    /// This one, for the first time when there had been so many waits under locks.
    One(LockId, u64),
    Several,
}

const SEVERAL: u64 = u64::MAX;

/// In the count of news: the event was none for the agent's timeline.
pub(crate) const CUT: u64 = 1 << 63;

struct Kept {
    lock: AtomicU64,
    access: AtomicPtr<Access>,
    site: AtomicPtr<std::panic::Location<'static>>,
    created: AtomicPtr<u8>,
}

#[cfg(not(loom))]
const fn none_kept() -> [Kept; KEPT] {
    [const { Kept::new() }; KEPT]
}

#[cfg(loom)]
fn none_kept() -> [Kept; KEPT] {
    std::array::from_fn(|_| Kept::new())
}

impl Stretch {
    const_fn! {
        pub(crate) fn new() -> Self {
            Self {
                count: AtomicU64::new(0),
                begun: AtomicU64::new(0),
                word: AtomicU64::new(0),
                news: AtomicU64::new(0),
                starts: AtomicU64::new(0),
                starts_or_cut: AtomicU64::new(0),
                starts_until: AtomicU64::new(0),
                condition: AtomicU64::new(0),
                waits: AtomicU64::new(0),
                kept: none_kept(),
            }
        }
    }

    /// That of a stand-in, in whose only state nothing is ever asked for: it always begins now.
    #[cfg(not(loom))]
    pub(crate) const fn stand_in(state: u64) -> Self {
        Self {
            starts: AtomicU64::new(state),
            starts_or_cut: AtomicU64::new(state),
            starts_until: AtomicU64::new(u64::MAX),
            ..Self::new()
        }
    }

    /// Whether it is known to be one that begins now, with an event, in this state of the held stack and with so
    /// many news: a short way to a part of what [`is_fresh`](Self::is_fresh) finds out.
    #[inline]
    pub(crate) fn starts(&self, state: u64, news: u64) -> bool {
        self.starts.load(Ordering::Relaxed) == state
            && news <= self.starts_until.load(Ordering::Relaxed)
    }

    /// The same, whether it began with an event or was cut.
    #[inline]
    pub(crate) fn starts_or_is_cut(&self, state: u64, news: u64) -> bool {
        self.starts_or_cut.load(Ordering::Relaxed) == state
            && news <= self.starts_until.load(Ordering::Relaxed)
    }

    /// It begins in this state, with so many news.
    pub(crate) fn note_start(&self, state: u64, news: u64) {
        let starts = if self.is_cut() { 0 } else { state };
        self.starts.store(starts, Ordering::Relaxed);
        self.starts_or_cut.store(state, Ordering::Relaxed);
        self.starts_until.store(news, Ordering::Relaxed);
    }

    /// Something has come into it without a change of the held stack.
    fn note_no_start(&self) {
        self.starts.store(0, Ordering::Relaxed);
        self.starts_or_cut.store(0, Ordering::Relaxed);
    }

    /// Whether it is one that begins now: nothing was asked for since it began, nor was there any news, and it began
    /// with an event.
    #[inline]
    pub(crate) fn is_fresh(&self, begun: u64, news: u64) -> bool {
        self.begun.load(Ordering::Relaxed) == begun
            && self.news.load(Ordering::Relaxed) == news
            && self.count.load(Ordering::Relaxed) == 0
            && self.condition.load(Ordering::Relaxed) == 0
    }

    /// It begins now.
    #[inline]
    pub(crate) fn begin(&self, begun: u64, word: u64, news: u64) {
        self.count.store(0, Ordering::Relaxed);
        self.begun.store(begun, Ordering::Relaxed);
        self.word.store(word, Ordering::Relaxed);
        self.news.store(news, Ordering::Relaxed);
        self.condition.store(0, Ordering::Relaxed);
    }

    /// A mutex of conditions was taken, when there had been so many waits under locks.
    pub(crate) fn meet(&self, mutex: LockId, waits: u64) {
        self.note_no_start();
        match self.condition.load(Ordering::Relaxed) {
            0 => {
                self.condition.store(mutex.0, Ordering::Relaxed);
                self.waits.store(waits, Ordering::Relaxed);
            }
            known if known == mutex.0 => {}
            _ => self.condition.store(SEVERAL, Ordering::Relaxed),
        }
    }

    /// What is known of mutexes of conditions that were taken in it.
    pub(crate) fn met(&self) -> Met {
        match self.condition.load(Ordering::Relaxed) {
            0 => Met::None,
            SEVERAL => Met::Several,
            mutex => Met::One(LockId(mutex), self.waits.load(Ordering::Relaxed)),
        }
    }

    /// The state of the stack has changed by so much, and nothing was pushed or popped.
    pub(crate) fn move_on(&self, by: u64) {
        match self.begun.load(Ordering::Relaxed) {
            0 => {}
            begun => self.begun.store(begun.wrapping_add(by), Ordering::Relaxed),
        }
    }

    /// The lowest place, with this word, is not what was last asked for at the lowest place any more.
    pub(crate) fn mistake(&self, begun: u64, word: u64) {
        self.note_no_start();
        self.begun.store(begun, Ordering::Relaxed);
        self.word.store(word, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.count.load(Ordering::Relaxed) >= KEPT as u64
    }

    /// Whether what has this word at the lowest place was asked for in the stretch. `state` is that of the
    /// stack, without flags.
    pub(crate) fn has_asked(&self, state: u64, word: u64) -> bool {
        let begun = self.begun.load(Ordering::Relaxed);
        begun == 0 || begun != state && self.word.load(Ordering::Relaxed) != word
    }

    /// What was last asked for at the lowest place, if that was in the stretch, is about to be written over.
    pub(crate) fn keep(&self, held: Option<Held>) {
        self.begun.store(0, Ordering::Relaxed);
        self.note_no_start();
        let Some(held) = held else { return };
        let count = self.count.load(Ordering::Relaxed);
        let Some(kept) = self.kept.get(count as usize) else { return };
        kept.lock.store(held.lock.0, Ordering::Relaxed);
        kept.access.store(std::ptr::from_ref(held.access).cast_mut(), Ordering::Relaxed);
        kept.site.store(std::ptr::from_ref(held.site.0).cast_mut(), Ordering::Relaxed);
        kept.created.store(held.created.to_ptr(), Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Relaxed);
    }

    /// What is kept, the oldest first.
    pub(crate) fn kept(&self) -> impl Iterator<Item = Held> {
        let count = self.count.load(Ordering::Relaxed) as usize;
        self.kept[..count.min(KEPT)].iter().filter_map(Kept::load)
    }

    /// How many news there were when it began.
    pub(crate) fn news(&self) -> u64 {
        self.news.load(Ordering::Relaxed) & !CUT
    }

    /// Whether it began in the middle of a segment.
    pub(crate) fn is_cut(&self) -> bool {
        self.news.load(Ordering::Relaxed) & CUT != 0
    }
}

impl Kept {
    const_fn! {
        fn new() -> Self {
            Self {
                lock: AtomicU64::new(0),
                access: AtomicPtr::new(std::ptr::null_mut()),
                site: AtomicPtr::new(std::ptr::null_mut()),
                created: AtomicPtr::new(std::ptr::null_mut()),
            }
        }
    }

    fn load(&self) -> Option<Held> {
        let [access, site] = [
            self.access.load(Ordering::Relaxed).cast::<u8>(),
            self.site.load(Ordering::Relaxed).cast(),
        ];
        let created = self.created.load(Ordering::Relaxed);
        // SAFETY: null, or what `keep` made of `'static` references, which are never changed.
        let (access, site, created) = unsafe {
            (
                access.cast::<Access>().as_ref()?,
                site.cast::<std::panic::Location<'static>>().as_ref()?,
                Origin::from_ptr(created)?,
            )
        };
        let lock = LockId(self.lock.load(Ordering::Relaxed));
        Some(Held { lock, stamp: 0, told: false, access, created, site: Site(site) })
    }
}
