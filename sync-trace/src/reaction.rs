//! What is done about a finding: the only module that prints, panics and ends the process.

use std::cell::Cell;
use std::sync::{Arc, Once};
use std::time::Duration;

use crate::agent::Agent;
use crate::api;
use crate::config::{
    Config, DumpOn, EXIT_STATUS, Notes, OnStuck, OnViolation, Poison, Policy, PrintContention,
};
use crate::contention::printer;
use crate::current::{self, Working};
use crate::finding::{Finding, Outcome};
use crate::foresight::pairs;
use crate::os;
use crate::perturb::SCHEDULE;
use crate::report;
use crate::run::{Closing, Contention, RUN};
use crate::tracker::{self, Tracker};

/// Where a wait stands, as far as a reaction is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A panic unwinds, releases what the thread holds and so frees the others. The lock may have
    /// a reaction of its own.
    Free(Option<OnViolation>),
    /// A panic frees nobody: the thread is unwinding already, or waits for its scope, which it does
    /// even when it panics, or runs an initialiser that another one needs to succeed.
    Bound(Option<OnViolation>),
}

impl Place {
    /// The place of an ordinary operation, whose lock reacts in the given way.
    pub(crate) fn here(own: Option<OnViolation>) -> Self {
        if std::thread::panicking() { Self::Bound(own) } else { Self::Free(own) }
    }

    /// The same place, where a panic frees nobody after all.
    pub(crate) fn bound(self) -> Self {
        let (Self::Free(own) | Self::Bound(own)) = self;
        Self::Bound(own)
    }
}

/// What will be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Response {
    Panic,
    /// Nothing now: somebody else, or the process at its end, will.
    Defer,
    Log,
    Exit,
    Abort,
}

impl Response {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Panic => Outcome::Panicked,
            Self::Defer => Outcome::Deferred,
            Self::Log => Outcome::Logged,
            Self::Exit | Self::Abort => Outcome::Ended,
        }
    }
}

/// What to do about a finding that a wait at `place` would make.
pub(crate) fn choose(config: Config, place: Place) -> Response {
    let (Place::Free(own) | Place::Bound(own)) = place;
    let reaction = own.unwrap_or(config.on_violation);
    match (reaction, place, config.on_stuck) {
        (OnViolation::Log, ..) => Response::Log,
        (OnViolation::Abort, ..) => Response::Abort,
        (OnViolation::Panic, Place::Free(_), _) => Response::Panic,
        (OnViolation::Panic, Place::Bound(_), OnStuck::Exit) => Response::Exit,
        (OnViolation::Panic, Place::Bound(_), OnStuck::Wait) => Response::Log,
        (OnViolation::Panic, Place::Bound(_), OnStuck::Abort) => Response::Abort,
    }
}

/// Does it. Comes back only if the thread is to wait all the same.
///
/// `working` is the tracker's own work, which ends where the user's begins: the handler and the
/// panic machinery.
#[track_caller]
pub(crate) fn respond(
    tracker: &Tracker,
    agent: &Agent,
    response: Response,
    finding: &Arc<Finding>,
    working: Working,
) {
    watch_exit();
    RUN.found(finding);
    os::write_stderr(&report::for_stderr(finding));
    let message = (response == Response::Panic).then(|| report::text(finding));
    // The handler's locks are not traced: it may use one that takes part in the finding.
    let quiet = current::mute();
    drop(working);
    if let Some(handler) = tracker.handler() {
        handler(finding);
    }
    match response {
        Response::Log | Response::Panic | Response::Defer => {}
        Response::Exit => std::process::exit(EXIT_STATUS),
        Response::Abort => std::process::abort(),
    }
    if message.is_some() && tracker.config().poison == Poison::Spare {
        agent.forgive();
    }
    drop(quiet);
    if let Some(message) = message {
        RAISES.set(true);
        panic!("{message}");
    }
}

thread_local! {
    /// Whether the panic that comes next is a finding's.
    static RAISES: Cell<bool> = const { Cell::new(false) };
}

/// Has the end of the process looked at: it may have something to say.
pub(crate) fn watch_exit() {
    os::at_exit(last_word);
}

/// What has to be in place before the first finding.
pub(crate) fn begin(config: Config) {
    if !config.off {
        watch_panics();
    }
    prepare(config);
}

/// Starts what a configuration asks for beyond reacting to findings.
pub(crate) fn prepare(config: Config) {
    static LISTEN: Once = Once::new();
    if let Some(seed) = SCHEDULE.tell() {
        os::write_stderr(&format!("{}\n", report::perturbed_from_now(seed)));
    }
    printer::follow(config.print_contention);
    if RUN.is_on() || config.print_contention != PrintContention::Off {
        watch_exit();
    }
    if config.dump_on == DumpOn::SigQuit && !config.off {
        LISTEN.call_once(|| {
            if let Err(why) = os::on_sigquit(crate::dump) {
                os::write_stderr(&format!("error: {why}\n"));
            }
        });
    }
}

/// Notes which root threads panic after a finding: a test that fails, or was expected to, because a
/// child's failure was handed on to it. And which tests have children that panic, but for a finding. The
/// hook only looks, and calls the one before it.
///
/// Changing the hook has to wait until no other thread is in it. So this is done once, when the
/// process first uses a traced lock: later a thread in its hook might wait for what this one holds.
fn watch_panics() {
    if std::thread::panicking() {
        return;
    }
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let is_ours = RAISES.replace(false);
        if let Some(agent) = current::home() {
            let _working = Working::begin();
            let identity = agent.identity();
            if identity.started_by.is_none() {
                tracker::global().note_panic(agent.id());
            } else if let (Some(test), false) = (identity.test, is_ours) {
                tracker::global().note_failure(test);
            }
        }
        previous(info);
    }));
}

/// The backstop: a process that would end well although a finding's panic was swallowed, or could not
/// be raised, ends with [`EXIT_STATUS`] instead. And what is only listed is listed.
fn last_word(status: Option<i32>) -> Option<i32> {
    let tracker = tracker::global();
    // The parent will tell its own, and cannot be told from the child by them.
    if !tracker.is_child() {
        tell_notes(tracker);
    }
    printer::print_the_rest();
    tell_run_of_waits(tracker);
    let instead = if status.is_none_or(|status| status == 0) { backstop(tracker) } else { None };
    RUN.ends(instead.or(status), || Closing {
        orders: tracker.ledger.orders_seen(),
        limits: [tracker.limits.lines(), tracker.ledger.limits()].concat(),
        waits: waits_for_locks(),
    });
    instead
}

/// How long was waited for locks, as the run directory has it.
fn waits_for_locks() -> Vec<Contention> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let contention = api::counted();
    let stacks = contention.stacks_by_wait().into_iter();
    stacks
        .map(|(stack, pair)| Contention { stack, waits: pair.waits, wait_ns: nanos(pair.total) })
        .collect()
}

/// Writes to the run directory what is known by now of waits for what others give.
fn tell_run_of_waits(tracker: &Tracker) {
    if RUN.is_on() {
        let findings = tracker.findings();
        findings.iter().filter(|finding| finding.may_be_withdrawn()).for_each(|one| RUN.found(one));
        for note in tracker.ledger.notes_of_waits() {
            RUN.noted(&note, || tracker.accepts(&note));
        }
    }
}

/// What a process that would end well ends with instead, if it must not.
fn backstop(tracker: &Tracker) -> Option<i32> {
    let (deferred, others): (Vec<_>, Vec<_>) = tracker
        .own_findings()
        .into_iter()
        .partition(|finding| finding.outcome == Outcome::Deferred);
    let swallowed: Vec<_> = others.into_iter().filter(|finding| is_swallowed(finding)).collect();
    for finding in &deferred {
        os::write_stderr(&report::for_stderr(finding));
    }
    if !swallowed.is_empty() {
        os::write_stderr(&told_again(&swallowed));
    }
    // What is only told of is deferred if it could have been taken back until now.
    let fails = tracker.config().on_violation != OnViolation::Log && !deferred.is_empty();
    (fails || !swallowed.is_empty()).then_some(EXIT_STATUS)
}

/// What the findings were whose panic nobody noticed, and what to do.
fn told_again(swallowed: &[Arc<Finding>]) -> String {
    let mut text = String::from(
        "error: sync-trace made a finding, but its panic was swallowed and nothing failed\n",
    );
    for finding in swallowed {
        let report = report::text(finding);
        text += &format!("  {}\n", report.lines().next().unwrap_or_default());
        for root in &finding.roots {
            text += &format!("    below '{root}'\n");
        }
    }
    text += &format!(
        "  = note: the process ends with status {EXIT_STATUS} instead of success\n  \
         = help: join the thread and unwrap the result, use #[sync_trace::test], or, if it was \
         expected, take it: sync_trace::take_findings()\n"
    );
    text
}

/// Says what orders of locks contradict each other without having become a failure.
fn tell_notes(tracker: &Tracker) {
    let config = tracker.config();
    tell_pairs(tracker, config.notes);
    match config.notes {
        Notes::Off => {}
        _ if config.policy == Policy::Order => {}
        Notes::List => {
            let notes = tracker.ledger.notes().into_iter().chain(tracker.declared.notes());
            for note in notes.filter(|note| !tracker.is_allowed(note)) {
                os::write_stderr(&report::for_stderr(&note));
            }
            for place in tracker.unused_allowances() {
                os::write_stderr(&format!("note: the entry at {place} has allowed nothing\n"));
            }
        }
        Notes::Count => match tracker.ledger.count_notes() + tracker.declared.notes().len() {
            0 => {}
            count => os::write_stderr(&format!(
                "sync-trace: {count} inconsistent lock order{} that could not become a deadlock in what \
                 was seen; SYNC_TRACE=notes=list shows {}\n",
                if count == 1 { "" } else { "s" },
                if count == 1 { "it" } else { "them" },
            )),
        },
    }
}

/// Says which condition variables were used with two mutexes, whatever the policy: that is no order.
fn tell_pairs(tracker: &Tracker, how: Notes) {
    let mut pairs = pairs::notes();
    pairs.retain(|pair| !tracker.is_allowed(pair));
    match (how, pairs.len()) {
        (Notes::Off, _) | (_, 0) => {}
        (Notes::List, _) => {
            pairs.iter().for_each(|pair| os::write_stderr(&report::for_stderr(pair)));
        }
        (Notes::Count, count) => os::write_stderr(&format!(
            "sync-trace: {count} condition variable{} used with two mutexes; SYNC_TRACE=notes=list shows {}\n",
            if count == 1 { " was" } else { "s were" },
            if count == 1 { "it" } else { "them" },
        )),
    }
}

/// Whether nobody can have noticed the finding's panic.
///
/// A panic in a thread that was started through us ends in its join handle, which may be ignored;
/// but if the root thread above it has panicked since, somebody has been told.
/// A panic in any other thread reaches whoever started that: a test harness, which fails the test
/// or expected it. Only `main` itself would have failed the process; that it did not means that
/// the panic was caught. Under a harness `main` may run tests, so there it counts as any other.
fn is_swallowed(finding: &Finding) -> bool {
    let in_main = || finding.roots.iter().any(|root| root == "main") && !os::is_test_harness();
    let handed_on = || finding.root_ids.iter().any(|&root| tracker::global().has_panicked(root));
    match finding.outcome {
        Outcome::Panicked if finding.raised_in_root => in_main(),
        Outcome::Panicked => !handed_on(),
        Outcome::Deferred => true,
        Outcome::Ended | Outcome::Logged | Outcome::Noted => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_chosen_only_where_it_frees_somebody() {
        let config = Config::new();
        assert_eq!(choose(config, Place::Free(None)), Response::Panic);
        assert_eq!(choose(config, Place::Bound(None)), Response::Exit);
        assert_eq!(choose(config.on_stuck(OnStuck::Wait), Place::Bound(None)), Response::Log);
        assert_eq!(choose(config.on_stuck(OnStuck::Abort), Place::Bound(None)), Response::Abort);
    }

    #[test]
    fn who_asks_for_a_log_or_an_abort_gets_it_everywhere() {
        for (reaction, response) in
            [(OnViolation::Log, Response::Log), (OnViolation::Abort, Response::Abort)]
        {
            let config = Config::new().on_violation(reaction);
            assert_eq!(choose(config, Place::Free(None)), response);
            assert_eq!(choose(config, Place::Bound(None)), response);
        }
    }

    #[test]
    fn a_locks_own_reaction_goes_before_the_configured_one() {
        let config = Config::new().on_violation(OnViolation::Log);
        assert_eq!(choose(config, Place::Free(Some(OnViolation::Panic))), Response::Panic);
        let strict = Config::new();
        for place in [Place::Free, Place::Bound] {
            assert_eq!(choose(strict, place(Some(OnViolation::Log))), Response::Log);
        }
    }
}
