//! How a call that may run an initialiser, or wait for one, is put on record.

use crate::foresight::passage::Use;
use crate::hooks::{self, Body, Hold, Recorded, Request, Used, Waiting};
use crate::registry::{Access, LockHeader};

/// A call on something that is initialised once, and is not yet.
///
/// Which of several callers runs the initialiser is `std`'s choice. So each is on record as waiting
/// until either the real call comes back, or the initialiser is called: then the wait ends, and the
/// caller holds what it initialises.
pub(super) struct Attempt<'a> {
    request: Request<'a>,
    how: Use,
    waiting: Option<Waiting>,
}

impl<'a> Attempt<'a> {
    /// Begins the call; `None` if `is_completed` says that there is nothing left to do. `how` says what
    /// it comes after.
    ///
    /// # Panics
    ///
    /// If waiting for the initialiser that runs would close a deadlock.
    #[track_caller]
    pub(super) fn begin(
        request: Request<'a>,
        how: Use,
        mut is_completed: impl FnMut() -> bool,
    ) -> Option<Self> {
        let waiting = hooks::wait_for_once(&request, &mut is_completed);
        let attempt = Self { request, how, waiting };
        // If there is none to wait for, dropping it tells what this comes after.
        attempt.waiting.is_some().then_some(attempt)
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
        let running = |body| Running { lock: self.request.lock, body };
        let _running = (recorded == Recorded::Yes).then(|| running(Body::begin()));
        initialise()
    }
}

impl Drop for Attempt<'_> {
    /// The call is over: what it waited for comes before all that follows.
    fn drop(&mut self) {
        self.waiting = None;
        let lock = self.request.lock;
        if let Some(id) = lock.id().filter(|_| lock.tells(self.how)) {
            // Not as something that is known from here on: it may have panicked.
            hooks::observe_at(self.how.place(id));
        }
    }
}

/// The time while an initialiser runs.
struct Running<'a> {
    lock: &'a LockHeader,
    body: Body,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let by_body = self.body.end();
        hooks::released(self.lock, Hold::Exclusive, Used::Mutably);
        // Nobody goes on before the closure has returned; and what is done here is inside no section
        // of this one's.
        hooks::initialised(self.lock, &by_body);
        // Nobody holds it any more, and nobody ever will, unless the initialiser has panicked.
        self.lock.clear_owner();
    }
}
