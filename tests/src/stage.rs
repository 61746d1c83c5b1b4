//! Plays scripts with real threads.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use sync_trace::finding::{AgentState, Blocker, Finding, LockId, Target};
use sync_trace::sync::{
    Condvar, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc,
};
use sync_trace::thread::{self, JoinHandle};

use crate::is_asleep;
use crate::script::{Op, Step, parse};

/// A script that cannot go on ends its test after this time.
const DEADLINE: Duration = Duration::from_secs(20);

/// What playing a script led to.
#[derive(Debug)]
pub struct Outcome {
    /// The findings, rendered as [`check`](crate::check) describes.
    pub findings: Vec<String>,
    /// The threads that were still waiting when the last step had been done.
    pub blocked: Vec<String>,
}

/// Everything that goes by one name. Leaked, so that guards may be kept anywhere.
struct Things {
    mutex: Mutex<()>,
    rwlock: RwLock<()>,
    condvar: Condvar,
    once: OnceLock<()>,
    sender: mpsc::Sender<()>,
    receiver: StdMutex<Option<mpsc::Receiver<()>>>,
}

impl Things {
    fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        Self {
            mutex: Mutex::default(),
            rwlock: RwLock::default(),
            condvar: Condvar::default(),
            once: OnceLock::new(),
            sender,
            receiver: StdMutex::new(Some(receiver)),
        }
    }
}

#[expect(dead_code, reason = "guards are kept for what dropping them does")]
enum Guard {
    Mutex(MutexGuard<'static, ()>),
    Read(RwLockReadGuard<'static, ()>),
    Write(RwLockWriteGuard<'static, ()>),
}

/// Lets guards change threads, as `unsafe` code in the wild does.
struct Sent(String, Guard);

// SAFETY: not sound for every platform's locks, which is why `std`'s guards are not `Send`; those of
// the platforms that the tests run on can be released by any thread.
unsafe impl Send for Sent {}

/// What a thread is told to do.
enum Order {
    Do(Op),
    Keep(Sent),
}

/// What the threads share beside the locks under test.
struct Stage {
    things: StdMutex<BTreeMap<String, &'static Things>>,
    numbers: StdMutex<BTreeMap<LockId, String>>,
    actors: StdMutex<BTreeMap<String, Actor>>,
}

struct Actor {
    orders: Sender<Order>,
    /// One message for each order done; disconnected when the thread has ended.
    done: Option<Receiver<()>>,
    /// Whether the last order was not done yet when the director went on.
    owes: bool,
    thread: thread::Thread,
    handle: Option<JoinHandle<()>>,
}

fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Plays `script` until every thread has ended, and returns the findings made by its threads. If
/// `expected` is not 0, it first waits until so many have been made.
///
/// # Panics
///
/// If the script is malformed, asks for the impossible, or hangs.
#[track_caller]
pub fn play(script: &str, expected: usize) -> Outcome {
    let stage = Arc::new(Stage {
        things: StdMutex::default(),
        numbers: StdMutex::default(),
        actors: StdMutex::default(),
    });
    // A thread of its own, so that the findings can be told from those of other tests: its name is
    // the root of all threads of the script.
    let root = unique_name();
    let director = {
        let (stage, steps) = (Arc::clone(&stage), parse(script));
        let root = root.clone();
        std::thread::Builder::new()
            .name(root.clone())
            .spawn(move || direct(&stage, steps, expected, &root))
            .expect("a thread for the script")
    };
    match director.join() {
        Ok(outcome) => outcome,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn unique_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("script {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn direct(stage: &Arc<Stage>, steps: Vec<Step>, expected: usize, root: &str) -> Outcome {
    for step in &steps {
        stage.name_things(&step.op);
        stage.do_step(step);
    }
    let deadline = Instant::now() + DEADLINE;
    while count_findings(root) < expected && Instant::now() < deadline {
        thread::yield_now();
    }
    let names: Vec<String> = lock(&stage.actors).keys().cloned().collect();
    let blocked = names.into_iter().filter(|name| is_waiting(name, root)).collect();
    stage.end_all(root);
    let numbers = lock(&stage.numbers);
    let is_own = |finding: &Finding| finding.roots.iter().any(|name| name == root);
    let findings = sync_trace::take_findings_where(is_own);
    let findings = findings.iter().map(|finding| line(finding, &numbers)).collect();
    Outcome { findings, blocked }
}

impl Stage {
    /// Makes what the step names, and learns its locks' numbers by taking them once.
    fn name_things(&self, op: &Op) {
        let names: &[&String] = match op {
            Op::Lock(a) | Op::TryLock(a) | Op::Read(a) | Op::TryRead(a) | Op::Write(a) => &[a],
            Op::TryWrite(a) | Op::Notify(a) | Op::Recv(a) => &[a],
            Op::Init(o) | Op::Use(o) | Op::Await(o) => &[o],
            Op::Wait(c, a) | Op::WaitTimeout(c, a) => &[c, a],
            _ => &[],
        };
        for name in names {
            if lock(&self.things).contains_key(*name) {
                continue;
            }
            let things: &'static Things = Box::leak(Box::new(Things::new()));
            for is_mutex in [true, false] {
                let guard = if is_mutex {
                    Guard::Mutex(things.mutex.lock().expect("nobody else has it yet"))
                } else {
                    Guard::Read(things.rwlock.read().expect("nobody else has it yet"))
                };
                lock(&self.numbers).insert(newest_hold(), (*name).clone());
                drop(guard);
            }
            // An initialiser that fails leaves its cell as it was.
            let failed = catch_unwind(AssertUnwindSafe(|| {
                things.once.get_or_init(|| {
                    lock(&self.numbers).insert(newest_hold(), (*name).clone());
                    std::panic::resume_unwind(Box::new("only to learn the number"))
                });
            }));
            assert!(failed.is_err());
            lock(&self.things).insert((*name).clone(), things);
        }
    }

    fn things(&self, name: &str) -> &'static Things {
        lock(&self.things)[name]
    }

    /// Has the step done, and waits until it is or its thread waits.
    fn do_step(self: &Arc<Self>, step: &Step) {
        if !lock(&self.actors).contains_key(&step.thread) {
            let actor = start(self, &step.thread);
            lock(&self.actors).insert(step.thread.clone(), actor);
        }
        let (orders, done, owes) = {
            let mut actors = lock(&self.actors);
            let actor = actors.get_mut(&step.thread).expect("just started");
            let done = actor.done.take().expect("only the director waits");
            (actor.orders.clone(), done, actor.owes)
        };
        // A thread that was left waiting has to finish that step first.
        if owes {
            let ended = done.recv_timeout(DEADLINE);
            assert_ne!(ended, Err(RecvTimeoutError::Timeout), "still waiting at {step:?}");
        }
        let root = std::thread::current().name().unwrap_or_default().to_owned();
        let _ = orders.send(Order::Do(step.op.clone()));
        let deadline = Instant::now() + DEADLINE;
        let mut seen_waiting = 0;
        let owes = loop {
            match done.try_recv() {
                Ok(()) | Err(TryRecvError::Disconnected) => break false,
                Err(TryRecvError::Empty) => {}
            }
            // Three times in a row, lest it be a moment's sleep over a look like this one.
            seen_waiting = if is_waiting(&step.thread, &root) { seen_waiting + 1 } else { 0 };
            if seen_waiting == 3 {
                break true;
            }
            assert!(Instant::now() < deadline, "neither done nor waiting: {step:?}");
            thread::yield_now();
        };
        // The thread has said that it ends; its thread-local destructors come after that.
        while matches!(step.op, Op::End | Op::EndHolding) && runs(&step.thread, &root) {
            assert!(Instant::now() < deadline, "never ended: {step:?}");
            thread::yield_now();
        }
        let mut actors = lock(&self.actors);
        let actor = actors.get_mut(&step.thread).expect("never removed");
        (actor.done, actor.owes) = (Some(done), owes);
    }

    /// Lets every thread end, wakes who waits for a signal, and waits until all are gone.
    fn end_all(&self, root: &str) {
        for actor in lock(&self.actors).values_mut() {
            actor.orders = channel().0;
        }
        let handles: Vec<_> =
            lock(&self.actors).values_mut().filter_map(|actor| actor.handle.take()).collect();
        let deadline = Instant::now() + DEADLINE;
        while !handles.iter().all(JoinHandle::is_finished) {
            for things in lock(&self.things).values() {
                things.condvar.notify_all();
                let _ = things.sender.send(());
            }
            lock(&self.actors).values().for_each(|actor| actor.thread.unpark());
            if Instant::now() > deadline {
                panic!("{root}: some threads never ended\n{}", sync_trace::snapshot());
            }
            thread::yield_now();
        }
    }
}

/// The number of the lock that the calling thread took last.
fn newest_hold() -> LockId {
    let me = std::thread::current();
    let agents = sync_trace::snapshot().agents;
    let mine = agents.iter().find(|state| state.agent.name.as_deref() == me.name());
    let holds = mine.map(|state| state.holds.as_slice()).unwrap_or_default();
    holds.last().expect("a lock is held").lock.id
}

/// Whether the script's thread `name` waits, and sleeps over it.
fn is_waiting(name: &str, root: &str) -> bool {
    state_of(name, root).is_some_and(|state| state.wait.is_some() && is_asleep(&state.agent))
}

/// Whether the script's thread `name` is on record as one that has not ended.
fn runs(name: &str, root: &str) -> bool {
    state_of(name, root).is_some_and(|state| !state.ended)
}

fn state_of(name: &str, root: &str) -> Option<AgentState> {
    let agents = sync_trace::snapshot().agents;
    agents.into_iter().find(|state| {
        let parent = state.agent.started_by.as_ref().and_then(|by| by.name.as_deref());
        state.agent.name.as_deref() == Some(name) && parent == Some(root)
    })
}

fn start(stage: &Arc<Stage>, name: &str) -> Actor {
    let (orders, inbox) = channel();
    let (report, done) = channel();
    let stage = Arc::clone(stage);
    let play = move || Part { stage, guards: Vec::new(), inbox, report, has_ended: false }.play();
    let handle = thread::Builder::new().name(name.to_owned()).spawn(play).expect("a thread");
    let thread = handle.thread().clone();
    Actor { orders, done: Some(done), owes: false, thread, handle: Some(handle) }
}

/// A thread of the script, from inside.
struct Part {
    stage: Arc<Stage>,
    guards: Vec<(String, Guard)>,
    inbox: Receiver<Order>,
    /// Told of each order done.
    report: Sender<()>,
    has_ended: bool,
}

impl Part {
    /// Does what it is told, until told to end. The panic of a finding ends the thread; what it holds
    /// goes with it.
    fn play(mut self) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.obey(&Op::End)));
    }

    /// Does what it is told until it has done `last`, was told to end, or cannot go on.
    fn obey(&mut self, last: &Op) {
        while let Ok(order) = self.inbox.recv() {
            match order {
                Order::Keep(Sent(name, guard)) => self.guards.push((name, guard)),
                Order::Do(op) => {
                    self.perform(&op);
                    if op == *last || self.has_ended {
                        return;
                    }
                    let _ = self.report.send(());
                }
            }
        }
    }

    fn perform(&mut self, op: &Op) {
        let things = |name: &str| self.stage.things(name);
        match op {
            Op::Lock(a) => self.keep(a, Guard::Mutex(things(a).mutex.lock().unwrap())),
            Op::TryLock(a) => {
                if let Ok(guard) = things(a).mutex.try_lock() {
                    self.keep(a, Guard::Mutex(guard));
                }
            }
            Op::Read(a) => self.keep(a, Guard::Read(things(a).rwlock.read().unwrap())),
            Op::TryRead(a) => {
                if let Ok(guard) = things(a).rwlock.try_read() {
                    self.keep(a, Guard::Read(guard));
                }
            }
            Op::Write(a) => self.keep(a, Guard::Write(things(a).rwlock.write().unwrap())),
            Op::TryWrite(a) => {
                if let Ok(guard) = things(a).rwlock.try_write() {
                    self.keep(a, Guard::Write(guard));
                }
            }
            Op::Downgrade(a) => match self.take(a) {
                Guard::Write(guard) => {
                    self.keep(a, Guard::Read(RwLockWriteGuard::downgrade(guard)));
                }
                _ => panic!("only a write guard can be downgraded"),
            },
            Op::Release(a) => drop(self.take(a)),
            Op::Forget(a) => std::mem::forget(self.take(a)),
            Op::Give(a, to) => {
                let sent = Sent(a.clone(), self.take(a));
                let orders = lock(&self.stage.actors)[to].orders.clone();
                orders.send(Order::Keep(sent)).expect("the receiver lives");
            }
            Op::Wait(c, a) => {
                let guard = self.take_mutex(a);
                let guard = self.stage.things(c).condvar.wait(guard).unwrap();
                self.keep(a, Guard::Mutex(guard));
            }
            Op::WaitTimeout(c, a) => {
                let guard = self.take_mutex(a);
                let hour = Duration::from_secs(3600);
                let (guard, _) = self.stage.things(c).condvar.wait_timeout(guard, hour).unwrap();
                self.keep(a, Guard::Mutex(guard));
            }
            Op::Notify(c) => things(c).condvar.notify_all(),
            Op::Init(o) => {
                let things = things(o);
                things.once.get_or_init(|| {
                    let _ = self.report.send(());
                    self.obey(&Op::Done(o.clone()));
                });
            }
            // The end of the initialiser is reported as the end of `Init`.
            Op::Done(_) => {}
            Op::Use(o) => {
                things(o).once.get_or_init(|| ());
            }
            Op::Await(o) => {
                things(o).once.wait();
            }
            Op::Recv(q) => {
                let receiver = lock(&things(q).receiver).take().expect("received by one thread");
                let received = receiver.recv();
                *lock(&things(q).receiver) = Some(receiver);
                received.expect("the sender lives");
            }
            Op::Park => thread::park(),
            Op::Join(other) => {
                let handle =
                    lock(&self.stage.actors).get_mut(other).expect("named before").handle.take();
                let _ = handle.expect("a thread is joined once").join();
            }
            Op::End => {
                self.guards.clear();
                self.has_ended = true;
            }
            Op::EndHolding => {
                self.guards.drain(..).for_each(std::mem::forget);
                self.has_ended = true;
            }
        }
    }

    fn keep(&mut self, name: &str, guard: Guard) {
        self.guards.push((name.to_owned(), guard));
    }

    fn take(&mut self, name: &str) -> Guard {
        let at = self.guards.iter().rposition(|(held, _)| held == name);
        self.guards.remove(at.unwrap_or_else(|| panic!("`{name}` is not held"))).1
    }

    fn take_mutex(&mut self, name: &str) -> MutexGuard<'static, ()> {
        match self.take(name) {
            Guard::Mutex(guard) => guard,
            _ => panic!("`{name}` is not held as a mutex"),
        }
    }
}

fn count_findings(root: &str) -> usize {
    let all = sync_trace::findings();
    all.iter().filter(|finding| finding.roots.iter().any(|name| name == root)).count()
}

/// The finding as its code and its cycle from the thread with the first name on.
fn line(finding: &Finding, locks: &BTreeMap<LockId, String>) -> String {
    let name = |id: LockId| locks.get(&id).cloned().unwrap_or_else(|| "?".to_owned());
    let mut hops: Vec<(String, String)> = finding
        .links
        .iter()
        .map(|link| {
            let what = match (&link.wait.target, &link.blocker) {
                (Target::Lock(lock, _), Blocker::QueuedWriter { writer, .. }) => {
                    let writer = writer.as_ref().and_then(|(writer, _)| writer.name.as_deref());
                    format!("{} behind {}", name(lock.id), writer.unwrap_or("?"))
                }
                (Target::Lock(lock, _), Blocker::Ended { owner, .. }) => {
                    format!("{} of {}", name(lock.id), owner.name.as_deref().unwrap_or("?"))
                }
                (Target::Lock(lock, _), _) => name(lock.id),
                (Target::Thread(_), _) => "end".to_owned(),
                (other, _) => format!("{other:?}"),
            };
            (link.agent.name.as_deref().unwrap_or("?").to_owned(), what)
        })
        .collect();
    let first = (0..hops.len()).min_by_key(|&at| hops[at].0.clone()).unwrap_or(0);
    hops.rotate_left(first);
    let mut text = finding.code.to_string();
    for (thread, what) in &hops {
        text += &format!(" {thread} -> {what} ->");
    }
    match finding.code.as_str() {
        "ST0003" => text.trim_end_matches(" ->").to_owned(),
        _ => text + " " + &hops[0].0,
    }
}
