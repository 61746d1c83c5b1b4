//! What has come to a standstill: waits that somebody would have to end who cannot, where no owner says
//! who that is.
//!
//! A signal, a message or a permit may come from anybody: from any thread that this crate knows, and from
//! any that it does not. So there is one proof only that none will come, and it is the operating system's:
//! every thread of the process sleeps until another one wakes it, all at the same moment
//! ([`os::stillness`]). Where that cannot be asked, nothing is claimed. [`judge`] says beforehand, from what
//! is on record, whether it is worth asking, and afterwards what to show: who waits for whom, as far as
//! it is known who has given what so far.
//!
//! It is asked in two places. The agent that is about to wait as the last one that is known asks itself,
//! and can still panic ([`before_waiting`]). What comes to a standstill later, because a thread ends, or
//! the time limit of a wait does, is found by a thread of ours, [`watch`], which runs only while somebody
//! waits for what has no owner. No panic could free anybody there, so the process ends, unless it is
//! configured otherwise. The same thread tells of waits that are not certain to be stuck, but have lasted long
//! and keep others from a lock: those are [`stalled`].

pub(crate) mod judge;
mod stalled;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::agent::{Agent, Agents};
use crate::atomics::{Mutex, lock, push};
use crate::current;
use crate::finding::Finding;
use crate::os::{self, Excepted, Stillness};
use crate::reaction::{self, Place, Response};
use crate::tracker::{self, PATIENCE, PAUSE, Tracker, Verdict};

pub(crate) use watch::keep_watch;

/// After looks that came to nothing, none are made for so many times as long as they took.
const REST: u32 = 100;

/// Until when there is no use in a look, on the tracker's clock.
static RESTS: AtomicU64 = AtomicU64::new(0);

/// Whether there is no use in a look yet, after others that came to nothing.
pub(crate) fn rests(tracker: &Tracker) -> bool {
    let until = RESTS.load(Ordering::Relaxed);
    until != 0 && tracker.now_ns() < until
}

/// One looks at a time: two would keep each other from sleeping.
static LOOKING: AtomicBool = AtomicBool::new(false);

/// Says, while all others sleep, whether the wait that is about to begin would end at once, or wake one of
/// them. What the fronts have not heard of shows in the real primitive only: a message that came after the
/// look for one, a thread that passes through unrecorded.
pub(crate) type Helps<'h> = &'h mut dyn FnMut(&Stillness) -> bool;

/// What comes of a wait that is about to begin after all others.
pub(crate) enum Last {
    /// It is to begin, as far as is known.
    Waits,
    /// It is of use to somebody, as [`Helps`] has said.
    Helps,
    /// Nobody would go on, and this is to be done about it.
    Stuck(Response, Arc<Finding>),
}

/// `me` is about to wait, and everybody else that is known does: whether that is the end.
#[cold]
pub(crate) fn before_waiting(
    tracker: &Tracker,
    me: &Agent,
    place: Place,
    helps: Helps<'_>,
) -> Last {
    if current::is_in_allocator() || rests(tracker) || LOOKING.swap(true, Ordering::Acquire) {
        return Last::Waits;
    }
    struct Looked;
    impl Drop for Looked {
        fn drop(&mut self) {
            LOOKING.store(false, Ordering::Release);
        }
    }
    let _looked = Looked;
    let begun = Instant::now();
    let mut seen: Option<Stillness> = None;
    for look in 0..PATIENCE {
        let cycle = tracker.standstill(Some(me));
        let Some(cycle) = cycle else {
            if look == 0 {
                return Last::Waits;
            }
            break;
        };
        let now = os::stillness(&excepted(tracker));
        if let Some(still) = now.as_ref().filter(|_| now == seen) {
            if helps(still) {
                return Last::Helps;
            }
            let place = if cycle.outlasts_a_panic_of(me) { place.bound() } else { place };
            let response = reaction::choose(tracker.config(), place);
            match tracker.decide(me, &cycle, response.outcome()) {
                Verdict::Found(finding) => return Last::Stuck(response, finding),
                Verdict::Known => return Last::Waits,
                Verdict::Moved => {}
            }
        }
        seen = now;
        std::thread::sleep(PAUSE);
    }
    let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let until = tracker.now_ns().saturating_add(took.saturating_mul(u64::from(REST)));
    RESTS.store(until, Ordering::Relaxed);
    Last::Waits
}

/// This is the child of a fork: who watched or looked is gone.
pub(crate) fn remain_alone() {
    watch::end();
    LOOKING.store(false, Ordering::Relaxed);
}

/// The threads that have no part in what the program does: ours, and those that wait for a test, each time
/// for a while. Between two tests the latter do other things.
fn excepted(tracker: &Tracker) -> Excepted {
    let mut patient = lock(&ASIDE).clone();
    patient.extend(os::main_thread().filter(|&main| is_harness(tracker, main)));
    Excepted { servants: lock(&SERVANTS).clone(), patient }
}

/// Whether the thread `main` waits for tests, as far as can be told: it has done nothing that is traced, and
/// another one that was not started through us has a name, as those have in which a harness runs tests.
fn is_harness(tracker: &Tracker, main: u64) -> bool {
    let is_its_own = |agent: &Agent| agent.os_id() == Some(main);
    let is_test = |agent: &Agent| {
        let identity = agent.identity();
        identity.started_by.is_none() && identity.name.is_some()
    };
    let live = || tracker.agents.iter().filter(|agent| agent.is_live());
    os::is_test_harness() && !live().any(is_its_own) && live().any(is_test)
}

/// Those whose work another one does meanwhile.
static ASIDE: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// Those that serve this crate.
static SERVANTS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// While this lives, the calling thread only serves this crate. The number of one that has ended may become
/// another one's.
#[must_use]
pub(crate) struct Service(Option<u64>);

pub(crate) fn serve() -> Service {
    let thread = os::thread_id();
    thread.inspect(|&id| push(&SERVANTS, id));
    Service(thread)
}

impl Drop for Service {
    fn drop(&mut self) {
        lock(&SERVANTS).retain(|&id| Some(id) != self.0);
    }
}

/// While this lives, the calling thread only waits for another one to do what it would have done itself.
#[must_use]
pub(crate) struct Aside {
    thread: Option<u64>,
    /// Those among whom its agent is.
    agents: Option<&'static Agents>,
}

impl Aside {
    pub(crate) fn step() -> Self {
        let thread = os::thread_id();
        thread.inspect(|&id| push(&ASIDE, id));
        let agents = current::home().map(|_| &tracker::global().agents);
        agents.inspect(|agents| agents.falls_asleep());
        Self { thread, agents }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let mut aside = lock(&ASIDE);
        if let Some(at) = aside.iter().rposition(|&id| Some(id) == self.thread) {
            aside.swap_remove(at);
        }
        drop(aside);
        self.agents.inspect(|agents| agents.wakes_up());
    }
}

/// Whether an agent's thread has stepped aside.
fn is_aside(agent: &Agent) -> bool {
    agent.os_id().is_some_and(|id| lock(&ASIDE).contains(&id))
}
