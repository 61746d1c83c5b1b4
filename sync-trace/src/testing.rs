//! What `#[sync_trace::test]` expands to, and the findings of a piece of code.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::process::{ExitCode, Termination};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::agent::Agent;
use crate::api::{is_on, take_findings_where};
use crate::config::EXIT_STATUS;
use crate::contention::Snapshot;
use crate::contention::attributed::{self, Observation};
use crate::current::{self, Working};
use crate::finding::{AgentId, Finding, Outcome, TestId};
use crate::numbers::next_number;
use crate::os;
use crate::stall::{self, Aside};
use crate::tracker::global;

/// What a test says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The codes of the findings that it is there to make.
    pub expect: &'static [&'static str],
    /// After so many milliseconds it hangs.
    pub deadline: Option<u64>,
}

impl Settings {
    const NONE: Self = Self { expect: &[], deadline: None };
}

/// Runs the body of a test, and fails it if a finding was made in which its thread or one of its
/// descendants takes part, even if nobody noticed that thread's panic.
#[doc(hidden)]
#[track_caller]
pub fn run_test<R>(body: impl FnOnce() -> R) -> R {
    let test = Running::begin(Settings::NONE);
    let result = body();
    test.end(None);
    result
}

/// The same for a test that expects findings, or that has a deadline.
#[doc(hidden)]
#[track_caller]
pub fn run_test_with<R: Verdict>(
    settings: Settings,
    body: impl FnOnce() -> R + Send + 'static,
) -> R {
    if settings.cannot_be_met() {
        return R::passed();
    }
    let Some(deadline) = settings.deadline else {
        let test = Running::begin(settings);
        let result = catch_unwind(AssertUnwindSafe(body));
        return test.judge(result);
    };
    let test = Running::begin(settings);
    let result = in_time(Duration::from_millis(deadline), move || body().verdict());
    test.judge::<Result<(), String>>(result).unwrap_or_else(|error| panic!("{error}"));
    R::passed()
}

/// The same for a test that is a future. Past its deadline the process ends with a dump: what hangs may
/// be the thread that polls it.
#[doc(hidden)]
pub async fn run_async_test<R: Verdict>(settings: Settings, body: impl Future<Output = R>) -> R {
    if settings.cannot_be_met() {
        return R::passed();
    }
    let test = Running::begin(settings);
    let watchdog = settings.deadline.map(|limit| Watchdog::begin(Duration::from_millis(limit)));
    let result = CatchUnwind(pin!(body)).await;
    drop(watchdog);
    test.judge(result)
}

impl Settings {
    /// Without tracing nothing is found, and what the test would provoke really happens.
    fn cannot_be_met(&self) -> bool {
        let cannot = !self.expect.is_empty() && !is_on();
        if cannot {
            os::write_stderr("note: a test that expects a finding was skipped: tracing is off\n");
        }
        cannot
    }
}

/// What a test function may return.
#[diagnostic::on_unimplemented(
    message = "a `#[sync_trace::test]` with `expect` or `deadline` cannot return `{Self}`",
    note = "it may return `()`, a `Result` of one of these, or an `ExitCode`"
)]
pub trait Verdict: Sized {
    /// That of a test that has passed.
    fn passed() -> Self;
    /// Whether it has, or why not.
    fn verdict(self) -> Result<(), String>;
}

impl Verdict for () {
    fn passed() -> Self {}

    fn verdict(self) -> Result<(), String> {
        Ok(())
    }
}

impl Verdict for ExitCode {
    fn passed() -> Self {
        Self::SUCCESS
    }

    fn verdict(self) -> Result<(), String> {
        match self.report() == Self::SUCCESS {
            true => Ok(()),
            false => Err("the test has ended with a status of failure".to_owned()),
        }
    }
}

impl<T: Verdict, E: fmt::Debug> Verdict for Result<T, E> {
    fn passed() -> Self {
        Ok(T::passed())
    }

    fn verdict(self) -> Result<(), String> {
        self.map_err(|error| format!("Error: {error:?}")).and_then(T::verdict)
    }
}

type Panic = Box<dyn Any + Send>;

/// While this lives, the calling thread and the threads it starts belong to a test.
struct Running {
    test: TestId,
    settings: Settings,
    before: Option<Before>,
}

/// Whose test was which.
struct Before {
    agent: &'static Agent,
    id: AgentId,
    test: Option<TestId>,
}

impl Running {
    fn begin(settings: Settings) -> Self {
        let test = TestId(next_number().get());
        Self { test, settings, before: Before::set(test) }
    }

    /// The end of a body that has returned or panicked.
    #[track_caller]
    fn judge<R: Verdict>(self, result: Result<R, Panic>) -> R {
        match result {
            Ok(result) => {
                self.end(None);
                result
            }
            Err(panic) => {
                self.end(Some(panic));
                R::passed()
            }
        }
    }

    /// The end of a body that has not failed, or else may go on with its panic.
    #[track_caller]
    fn end(self, panic: Option<Panic>) {
        let (expect, test) = (self.settings.expect, self.test);
        let findings = self.take();
        drop(self);
        let is_expected = |finding: &&Arc<Finding>| expect.contains(&finding.code.as_str());
        let (expected, others): (Vec<_>, Vec<_>) = findings.iter().partition(is_expected);
        if let Some(panic) = panic
            && !follows_from(&panic, &expected, test)
        {
            resume_unwind(panic);
        }
        if !others.is_empty() {
            let reports: Vec<String> = others.iter().map(ToString::to_string).collect();
            let made = match others.len() {
                1 => "a finding".to_owned(),
                many => format!("{many} findings"),
            };
            panic!(
                "sync-trace made {made} in this test's threads, and nothing else failed the test\n\n{}",
                reports.join("\n\n"),
            );
        }
        let is_missing =
            |code: &&&str| !expected.iter().any(|finding| finding.code.as_str() == **code);
        let missing: Vec<&str> = expect.iter().filter(is_missing).copied().collect();
        assert!(
            missing.is_empty(),
            "the test expects {}, which was not found",
            missing.join(" and ")
        );
    }

    fn take(&self) -> Vec<Arc<Finding>> {
        take_findings_where(|finding| finding.tests.contains(&self.test))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            before.restore();
        }
        // A test that panics fails, or was expected to: either way its findings are noticed.
        if std::thread::panicking() {
            drop(self.take());
        }
    }
}

impl Before {
    /// Attributes the calling thread to a test, also if it is not recorded just now.
    fn set(test: TestId) -> Option<Self> {
        let agent = current::recording().or_else(current::home)?;
        let _working = Working::begin();
        let before = agent.identity().test;
        agent.set_test(Some(test));
        Some(Self { agent, id: agent.id(), test: before })
    }

    /// To that agent and no other, whatever the calling thread is by now, and whether it is recorded.
    fn restore(&self) {
        let _working = Working::begin();
        if self.agent.is_live() && self.agent.id() == self.id {
            self.agent.set_test(self.test);
        }
    }
}

/// Whether a panic is that of one of these findings, or hands one on from another thread.
fn follows_from(panic: &Panic, findings: &[&Arc<Finding>], test: TestId) -> bool {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    // Also inside what a test says of the result of a join.
    if findings.iter().any(|finding| message.contains(&finding.to_string())) {
        return true;
    }
    // What std says of another thread's panic does not say of which. If all of them were ours, it was.
    let has_panicked = findings.iter().any(|finding| finding.outcome == Outcome::Panicked);
    let is_handed_on = message == SCOPED || message.ends_with(UNWRAPPED);
    is_handed_on && has_panicked && !global().has_failed(test)
}

/// The panic of `std::thread::scope` after a thread's in it.
const SCOPED: &str = "a scoped thread panicked";
/// The end of that of an `unwrap` or `expect` of what a join returns.
const UNWRAPPED: &str = ": Any { .. }";

/// Runs `body` in a thread of its own and waits for it so long. A thread that hangs is left behind.
#[track_caller]
fn in_time<T: Send + 'static>(
    limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panic> {
    let (sender, receiver) = mpsc::channel();
    let run = move || {
        // If nobody listens any more the test has failed already.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(body)));
    };
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    let thread = crate::thread::Builder::new().name(name).spawn(run);
    let _thread = thread.unwrap_or_else(|error| panic!("no thread for the test: {error}"));
    let aside = Aside::step();
    let received = receiver.recv_timeout(limit);
    drop(aside);
    match received {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => {
            let dump = crate::snapshot();
            panic!("the test has not ended after {limit:?}; what its threads wait for:\n\n{dump}");
        }
        Err(RecvTimeoutError::Disconnected) => panic!("the test's thread has ended without a word"),
    }
}

/// Ends the process if it is not dropped in time.
struct Watchdog {
    _over: mpsc::Sender<()>,
}

impl Watchdog {
    fn begin(limit: Duration) -> Self {
        let (over, receiver) = mpsc::channel::<()>();
        let watch = move || {
            let _service = stall::serve();
            if receiver.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                os::write_stderr(&format!(
                    "error: the test has not ended after {limit:?}; what its threads wait for:\n\n{}\n",
                    crate::snapshot()
                ));
                os::exit_at_once(EXIT_STATUS);
            }
        };
        // Without a thread to watch, the test has no deadline; that is no reason to fail it.
        let _ = std::thread::Builder::new().name("sync-trace deadline".to_owned()).spawn(watch);
        Self { _over: over }
    }
}

/// A future whose panic is its result.
struct CatchUnwind<F>(F);

impl<F: Future + Unpin> Future for CatchUnwind<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => Poll::Ready(Ok(result)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// What a piece of code came to; made by [`catch_findings`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Caught<R> {
    /// What it returned, or its panic.
    pub result: std::thread::Result<R>,
    /// The findings that its thread, or one that it started, took part in, oldest first.
    pub findings: Vec<Arc<Finding>>,
    /// What its thread and those that it started have waited for, also behind locks that others held: not what others
    /// waited for at the same time. The threads of a `catch_findings` inside are that one's.
    pub contention: Snapshot,
}

/// Runs `body`, and takes the findings that its thread or the threads it starts take part in. Says, too, what made
/// these threads wait.
///
/// They count as noticed, so neither a test nor the process fails because of them. A panic in `body`,
/// such as that of a finding, is part of the result.
///
/// # Example
///
/// ```
/// use sync_trace::finding::Code;
/// use sync_trace::sync::Mutex;
///
/// # if !sync_trace::ENABLED { return; }
/// let caught = sync_trace::catch_findings(|| {
///     let lock = Mutex::new(0);
///     let _guard = lock.lock().unwrap();
///     *lock.lock().unwrap()
/// });
/// assert!(caught.result.is_err());
/// assert_eq!(caught.findings[0].code, Code::SelfDeadlock);
/// ```
///
/// What a test may take of other threads' time:
///
/// ```
/// use std::time::Duration;
/// use sync_trace::{sync::Mutex, thread};
///
/// let total = Mutex::new(0);
/// let caught = sync_trace::catch_findings(|| {
///     thread::scope(|scope| {
///         (0..4).for_each(|_| drop(scope.spawn(|| *total.lock().unwrap() += 1)));
///     });
/// });
/// caught.result.unwrap();
/// let contention = &caught.contention;
/// assert!(contention.total_wait() < Duration::from_secs(4), "{contention}");
/// ```
pub fn catch_findings<R>(body: impl FnOnce() -> R) -> Caught<R> {
    let running = Running::begin(Settings::NONE);
    let observation =
        running.before.as_ref().map(|before| attributed::observe(before.agent, running.test));
    let result = catch_unwind(AssertUnwindSafe(body));
    let contention = observation.map(Observation::end).unwrap_or_default();
    Caught { result, findings: running.take(), contention }
}
