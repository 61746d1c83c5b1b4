//! `std::sync::Barrier`, traced.

use std::fmt;
use std::sync::BarrierWaitResult;

use crate::finding::LockKind;
use crate::foresight::passage::Place;
use crate::hooks;
use crate::interop::{as_std, into_std};
use crate::op::{Mode, Op};
use crate::os::Stillness;
use crate::registry::{Access, LockHeader};
use crate::site::Site;

/// [`std::sync::Barrier`], traced.
///
/// A wait is shown by [`dump`](crate::dump) with its age. Who else is to come is not known, so it is stuck
/// only if the whole process is: if every thread of it waits for another one. It is 32 bytes larger than
/// `std`'s.
///
/// # Example
///
/// ```
/// use sync_trace::sync::Barrier;
/// use sync_trace::thread;
///
/// let both = Barrier::new(2);
/// let leaders = thread::scope(|scope| {
///     let threads = [(); 2].map(|()| scope.spawn(|| both.wait().is_leader()));
///     threads.map(|thread| thread.join().unwrap())
/// });
/// assert_ne!(leaders[0], leaders[1]);
/// ```
pub struct Barrier {
    header: LockHeader,
    parties: usize,
    inner: std::sync::Barrier,
}

const WAIT: Access = Access {
    kind: LockKind::Barrier,
    type_name: || "",
    mode: Mode::Exclusive,
    op: Op::WaitBarrier,
};

impl Barrier {
    /// As [`std::sync::Barrier::new`]. The caller's position is remembered as where it was created.
    #[must_use]
    #[inline]
    #[track_caller]
    pub const fn new(n: usize) -> Self {
        let header = LockHeader::new(Site::caller());
        Self { header, parties: n, inner: std::sync::Barrier::new(n) }
    }

    /// As [`std::sync::Barrier::wait`].
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let source = hooks::source(&self.header, LockKind::Barrier, Some(self.parties));
        let Some(source) = source else { return self.inner.wait() };
        let id = source.id;
        hooks::point();
        hooks::publish_at(Place::Lock(id));
        let (site, own) = (Site::caller(), self.header.reaction());
        // Who comes last opens it for all who are there, also those who are not on record.
        let start = std::ptr::from_ref(&self.inner).addr();
        let memory = start..start + size_of_val(&self.inner);
        let mut opens = |still: &Stillness| still.count_in(&memory) + 1 >= self.parties;
        let waiting = hooks::wait_for_signal(source, None, &WAIT, site, own, &mut opens);
        let result = self.inner.wait();
        drop(waiting);
        hooks::observe_at(Place::Lock(id));
        result
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

configurable!([] Barrier, header);
as_std!([] Barrier => std::sync::Barrier);
into_std!([] Barrier => std::sync::Barrier);
