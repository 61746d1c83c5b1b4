//! The thread that looks from time to time whether everything has come to a standstill.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use super::stalled::Stalls;
use crate::config::Stall;
use crate::current::Working;
use crate::finding::AgentId;
use crate::os;
use crate::reaction::{self, Place};
use crate::report;
use crate::tracker::{self, Tracker, Verdict};

/// How long it sleeps between two looks: at first, and at most, where nothing changes.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// It ends when it has seen nobody wait so often.
const IDLE_LOOKS: u32 = 100;

static IS_WATCHING: AtomicBool = AtomicBool::new(false);

/// Somebody waits for what has no owner: has it watched.
#[inline]
pub(crate) fn keep_watch() {
    if !IS_WATCHING.load(Ordering::Relaxed) {
        start();
    }
}

/// Nobody watches any more. The next wait has somebody do so.
pub(super) fn end() {
    IS_WATCHING.store(false, Ordering::Relaxed);
}

#[cold]
fn start() {
    if IS_WATCHING.swap(true, Ordering::Relaxed) {
        return;
    }
    let thread = std::thread::Builder::new().name("sync-trace".to_owned()).stack_size(512 * 1024);
    // Without it, what comes to a standstill late is not found. The next wait tries again.
    if thread.spawn(watch).is_err() {
        IS_WATCHING.store(false, Ordering::Relaxed);
    }
}

fn watch() {
    let _service = super::serve();
    let _working = Working::begin();
    let tracker = tracker::global();
    let mut watch = Watch::default();
    let mut idle = 0;
    let mut pause = SHORTEST;
    let mut stalls = Stalls::default();
    while idle < IDLE_LOOKS || !retires(tracker) {
        std::thread::sleep(pause);
        let longest = LONGEST.min(tell_stalls(tracker, &mut stalls));
        let waits = waits(tracker);
        idle = if waits.is_empty() { idle + 1 } else { 0 };
        let has_changed = waits != watch.waits;
        pause = if has_changed { SHORTEST } else { (pause * 3 / 2).min(longest) };
        watch.waits = waits;
        // What has just begun need not be the end.
        if !has_changed {
            look(tracker);
        }
    }
}

/// Nobody has waited for a while: the thread may end, unless somebody has just begun to, who still took it
/// for one that watches.
fn retires(tracker: &Tracker) -> bool {
    IS_WATCHING.store(false, Ordering::Relaxed);
    // Pairs with the fence in `publish`: either that wait is seen here, or who waits sees that nobody watches.
    fence(Ordering::SeqCst);
    waits(tracker).is_empty() || IS_WATCHING.swap(true, Ordering::Relaxed)
}

/// Says what keeps others waiting for long, each wait once. Returns how long they have to.
fn tell_stalls(tracker: &Tracker, stalls: &mut Stalls) -> Duration {
    let Stall::After(threshold) = tracker.config().stall else { return Duration::MAX };
    let threshold_ns = u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX);
    while let Some(stall) = stalls.look(tracker, threshold_ns) {
        os::write_stderr(&report::stalled(&stall));
    }
    threshold.max(SHORTEST)
}

#[derive(Default)]
struct Watch {
    /// What was waited for at the last look.
    waits: Vec<(AgentId, u64)>,
}

/// Who waits, each with the number of its wait.
fn waits(tracker: &Tracker) -> Vec<(AgentId, u64)> {
    let waiting = tracker.agents.iter().filter(|agent| agent.is_live());
    let waits = waiting.map(|agent| (agent.id(), agent.wait.seq()));
    waits.filter(|(_, seq)| seq % 2 == 1).collect()
}

fn look(tracker: &Tracker) {
    let Some(cycle) = tracker.standstill(None) else { return };
    let still = || os::stillness(&super::excepted(tracker));
    let Some(before) = still() else { return };
    if still() != Some(before) {
        return;
    }
    let Some(first) = cycle.involved().next() else { return };
    let agent = first.agent;
    let response = reaction::choose(tracker.config(), Place::Bound(None));
    if let Verdict::Found(finding) = tracker.decide(agent, &cycle, response.outcome()) {
        reaction::respond(tracker, agent, response, &finding, Working::begin());
    }
}
