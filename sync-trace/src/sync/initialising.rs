//! How a call that may run an initialiser, or wait for one, is put on record.

use crate::foresight::passage::Place;
use crate::hooks::{self, Hold, Recorded, Request, Waiting};
use crate::registry::{Access, LockHeader};

/// A call on something that is initialised once, and is not yet.
///
/// Which of several callers runs the initialiser is `std`'s choice. So each is on record as waiting
/// until either the real call comes back, or the initialiser is called: then the wait ends, and the
/// caller holds what it initialises.
pub(super) struct Attempt<'a> {
    request: Request<'a>,
    waiting: Option<Waiting>,
}

impl<'a> Attempt<'a> {
    /// Begins the call; `None` if `is_completed` says that there is nothing left to do.
    ///
    /// # Panics
    ///
    /// If waiting for the initialiser that runs would close a deadlock.
    #[track_caller]
    pub(super) fn begin(
        request: Request<'a>,
        mut is_completed: impl FnMut() -> bool,
    ) -> Option<Self> {
        let waiting = hooks::wait_for_once(&request, &mut is_completed)?;
        Some(Self { request, waiting: Some(waiting) })
    }

    /// Runs the initialiser, which the real call has called after another one has panicked; `access`
    /// says so.
    pub(super) fn recover<R>(
        &mut self,
        access: &'static Access,
        initialise: impl FnOnce() -> R,
    ) -> R {
        self.request.access = access;
        self.run(initialise)
    }

    /// Runs the initialiser, which the real call has called.
    pub(super) fn run<R>(&mut self, initialise: impl FnOnce() -> R) -> R {
        // First the wait: else the agent would be seen to wait for what it holds.
        self.waiting = None;
        let recorded = hooks::acquired(&self.request);
        let _running = (recorded == Recorded::Yes).then_some(Running(self.request.lock));
        initialise()
    }
}

impl Drop for Attempt<'_> {
    /// The call is over: what it ran, or waited for, comes before all that follows.
    fn drop(&mut self) {
        self.waiting = None;
        if let Some(id) = self.request.lock.id() {
            hooks::observe_at(Place::Lock(id));
        }
    }
}

/// The time while an initialiser runs.
struct Running<'a>(&'a LockHeader);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        hooks::released(self.0, Hold::Exclusive);
        // Nobody goes on before the closure has returned; and what is done here is inside no section
        // of this one's.
        if let Some(id) = self.0.id() {
            hooks::publish_at(Place::Lock(id));
        }
        // Nobody holds it any more, and nobody ever will, unless the initialiser has panicked.
        self.0.clear_owner();
    }
}
