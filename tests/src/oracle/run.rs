//! One run of a program: real threads, real locks.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier as StdBarrier};
use std::time::{Duration, Instant};

use sync_trace::finding::{Blocker, Finding, Level, Outcome, Target};
use sync_trace::named;
use sync_trace::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, mpsc};
use sync_trace::thread::{self, JoinHandle, Scope, ScopedJoinHandle};

use super::explore::Wait;
use super::program::{Lock, MESSAGES, Mode, Program, Random, Step};

/// What one run led to.
#[derive(Debug)]
pub(super) struct Run {
    /// In the order in which they were made.
    pub(super) findings: Vec<Found>,
    /// What was going on when the run had to be given up.
    pub(super) hung: Option<String>,
}

/// A finding, as far as it is compared.
#[derive(Debug)]
pub(super) struct Found {
    /// How sure it is.
    pub(super) level: Level,
    /// Which thread waits for what, in a circle.
    pub(super) links: Vec<(usize, Wait)>,
    /// In words, for people.
    pub(super) text: String,
}

/// A run that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(20);

/// What the threads of a run share.
struct World {
    locks: [AnyLock; 6],
    program: Program,
    /// How many threads have been started and have not ended.
    live: AtomicUsize,
    /// How many threads start together, if they do.
    together: Option<StdBarrier>,
}

enum AnyLock {
    Mutex(Mutex<()>),
    RwLock(RwLock<()>),
}

#[expect(dead_code, reason = "guards are kept for what dropping them does")]
enum Guard<'w> {
    Mutex(MutexGuard<'w, ()>),
    Read(RwLockReadGuard<'w, ()>),
    Write(RwLockWriteGuard<'w, ()>),
}

/// Runs the program once, in threads below a root of their own, and takes its findings.
///
/// A thread whose wait at the end of a scope is stuck stays so for ever: `on_stuck` has to be `wait`.
pub(super) fn run(program: &Program, random: &mut Random) -> Run {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let root = format!("program {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let (program, mut random) = (program.clone(), Random(random.below(1 << 31) as u64));
    let direct = {
        let root = root.clone();
        move || direct(program, &root, &mut random)
    };
    let director = std::thread::Builder::new().name(root).spawn(direct).expect("a thread");
    director.join().expect("it panics nowhere")
}

fn direct(program: Program, root: &str, random: &mut Random) -> Run {
    let first: Vec<usize> =
        (0..program.0.len()).filter(|&thread| program.parent(thread).is_none()).collect();
    let together = random.one_in(2).then(|| StdBarrier::new(first.len()));
    let mutex = |lock: Mutex<()>| AnyLock::Mutex(lock);
    let rwlock = |lock: RwLock<()>| AnyLock::RwLock(lock);
    let locks = [
        mutex(named!("a", Mutex::new(()))),
        mutex(named!("b", Mutex::new(()))),
        mutex(named!("c", Mutex::new(()))),
        rwlock(named!("l", RwLock::new(()))),
        rwlock(named!("m", RwLock::new(()))),
        rwlock(named!("n", RwLock::new(()))),
    ];
    let world = Arc::new(World { locks, program, live: AtomicUsize::new(0), together });
    let (mut senders, mut receivers) = (HashMap::new(), HashMap::new());
    for message in 0..MESSAGES {
        let (sender, receiver) = mpsc::channel();
        senders.insert(message, sender);
        receivers.insert(message, receiver);
    }
    let hurry = random.below(3);
    let mut parts: Vec<Part> = Vec::new();
    for &thread in &first {
        let make = &mut |thread| Part {
            world: Arc::clone(&world),
            thread,
            starts_together: false,
            random: Random(random.below(1 << 31) as u64),
            hurry,
            senders: HashMap::new(),
            receivers: HashMap::new(),
            children: HashMap::new(),
        };
        let mut part =
            Part::with_children(thread, &world.program, &mut senders, &mut receivers, make);
        part.starts_together = true;
        parts.push(part);
    }
    drop((senders, receivers));
    let mut threads = Threads::default();
    parts.into_iter().for_each(|part| threads.start(part));
    let hung = wait_for_end(&world, root);
    let is_own = |finding: &Finding| finding.roots.iter().any(|name| name == root);
    let findings = sync_trace::take_findings_where(is_own);
    Run { findings: findings.iter().map(|finding| Found::new(finding)).collect(), hung }
}

/// Waits until all threads have ended, or are stuck where even a finding could not free them.
fn wait_for_end(world: &World, root: &str) -> Option<String> {
    let deadline = Instant::now() + DEADLINE;
    let mut stuck_since = None;
    while world.live.load(Ordering::Acquire) != 0 {
        std::thread::sleep(Duration::from_micros(100));
        let is_stuck = |finding: &Arc<Finding>| {
            finding.outcome == Outcome::Logged && finding.roots.iter().any(|name| name == root)
        };
        if stuck_since.is_none() && sync_trace::findings().iter().any(is_stuck) {
            stuck_since = Some(Instant::now());
        }
        // The others get as far as they can.
        if stuck_since.is_some_and(|since: Instant| since.elapsed() > Duration::from_millis(100)) {
            return None;
        }
        if Instant::now() > deadline {
            return Some(sync_trace::snapshot().to_string());
        }
    }
    None
}

impl Found {
    fn new(finding: &Finding) -> Self {
        let link = |link: &sync_trace::finding::Link| {
            let wait = match &link.wait.target {
                Target::Lock(lock, _) => lock.name.and_then(Lock::named).map(Wait::Lock),
                Target::Thread(_) | Target::Scope => Some(Wait::End),
                _ => None,
            };
            (thread_of(&link.agent).unwrap_or(usize::MAX), wait.unwrap_or(Wait::Message))
        };
        let links: Vec<_> = finding.links.iter().map(link).collect();
        let mut text = format!("{} ({:?})", finding.code, finding.outcome);
        for ((_, wait), link) in links.iter().zip(&finding.links) {
            let name = link.agent.name.as_deref().unwrap_or("?");
            let what = match wait {
                Wait::Lock(lock) => Lock::NAMES[lock.0],
                Wait::End => "end",
                Wait::Message => "?",
            };
            text += &format!(" {name} -> {what}");
            match &link.blocker {
                Blocker::QueuedWriter { writer: Some((writer, _)), .. } => {
                    text += &format!(" behind {}", writer.name.as_deref().unwrap_or("?"));
                }
                Blocker::Holds(hold) => {
                    if let Some(owner) = &hold.taken_by {
                        text += &format!(" taken by {}", owner.name.as_deref().unwrap_or("?"));
                    }
                }
                _ => {}
            }
            text += " ->";
        }
        Self { level: finding.level, links, text }
    }
}

fn thread_of(agent: &sync_trace::finding::Participant) -> Option<usize> {
    agent.name.as_deref()?.strip_prefix('t')?.parse::<usize>().ok()?.checked_sub(1)
}

/// What a thread is given.
struct Part {
    world: Arc<World>,
    thread: usize,
    starts_together: bool,
    random: Random,
    /// How seldom it dawdles.
    hurry: usize,
    senders: HashMap<usize, mpsc::Sender<()>>,
    receivers: HashMap<usize, mpsc::Receiver<()>>,
    /// What those are given that it starts. If it never does, their senders go with it.
    children: HashMap<usize, Part>,
}

impl Part {
    fn with_children(
        thread: usize,
        program: &Program,
        senders: &mut HashMap<usize, mpsc::Sender<()>>,
        receivers: &mut HashMap<usize, mpsc::Receiver<()>>,
        make: &mut dyn FnMut(usize) -> Self,
    ) -> Self {
        let mut part = make(thread);
        for message in 0..MESSAGES {
            if program.sender(message) == Some(thread) {
                part.senders.extend(senders.remove_entry(&message));
            }
            if program.receiver(message) == Some(thread) {
                part.receivers.extend(receivers.remove_entry(&message));
            }
        }
        for child in thread + 1..program.0.len() {
            if program.parent(child) == Some(thread) {
                let its = Self::with_children(child, program, senders, receivers, make);
                part.children.insert(child, its);
            }
        }
        part
    }

    fn name(&self) -> String {
        format!("t{}", self.thread + 1)
    }

    /// The whole life of the thread. A finding's panic ends it, and so does a message that will never
    /// come.
    fn live(mut self) {
        let world = Arc::clone(&self.world);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if let Some(together) = world.together.as_ref().filter(|_| self.starts_together) {
                together.wait();
            }
            let (mut guards, mut threads) = (Vec::new(), Threads::default());
            self.block(&world, &world.program.0[self.thread], &mut guards, &mut threads)
        }));
        drop(self);
        world.live.fetch_sub(1, Ordering::Release);
    }

    /// `None` if the thread cannot go on.
    fn block<'w>(
        &mut self,
        world: &'w World,
        steps: &[Step],
        guards: &mut Vec<(Lock, Guard<'w>)>,
        starter: &mut dyn Starter,
    ) -> Option<()> {
        for step in steps {
            self.dawdle();
            match step {
                Step::Take(lock, mode) => guards.push((*lock, world.take(*lock, *mode))),
                Step::Try(lock, mode, body) => {
                    if let Some(guard) = world.try_to_take(*lock, *mode) {
                        guards.push((*lock, guard));
                        self.block(world, body, guards, starter)?;
                    }
                }
                Step::Release(lock) => {
                    let at = guards.iter().rposition(|(held, _)| held == lock);
                    drop(guards.remove(at.expect("a sound program holds it")));
                }
                Step::Spawn(child) => {
                    starter.start(self.children.remove(child).expect("started once"));
                }
                Step::Join(child) => starter.join(*child),
                Step::Send(message) => {
                    // Nobody may be there any more to receive it.
                    let _ = self.senders[message].send(());
                }
                Step::Receive(message) => self.receivers[message].recv().ok()?,
                Step::Scope(body) => thread::scope(|scope| {
                    let mut inner = Vec::new();
                    let mut starter =
                        ScopeThreads { scope, handles: HashMap::new(), outer: &mut *starter };
                    self.block(world, body, &mut inner, &mut starter)
                })?,
            }
        }
        Some(())
    }

    fn dawdle(&mut self) {
        if !self.random.one_in(self.hurry + 1) {
            return;
        }
        match self.random.below(8) {
            0..3 => std::thread::yield_now(),
            3..6 => (0..self.random.below(2_000)).for_each(|_| std::hint::spin_loop()),
            6 => std::thread::sleep(Duration::from_micros(self.random.below(200) as u64)),
            _ => {}
        }
    }
}

impl World {
    fn take(&self, lock: Lock, mode: Mode) -> Guard<'_> {
        match (&self.locks[lock.0], mode) {
            (AnyLock::Mutex(mutex), _) => Guard::Mutex(mutex.lock().expect("no poison")),
            (AnyLock::RwLock(lock), Mode::Shared) => Guard::Read(lock.read().expect("no poison")),
            (AnyLock::RwLock(lock), Mode::Alone) => Guard::Write(lock.write().expect("no poison")),
        }
    }

    fn try_to_take(&self, lock: Lock, mode: Mode) -> Option<Guard<'_>> {
        match (&self.locks[lock.0], mode) {
            (AnyLock::Mutex(mutex), _) => mutex.try_lock().ok().map(Guard::Mutex),
            (AnyLock::RwLock(lock), Mode::Shared) => lock.try_read().ok().map(Guard::Read),
            (AnyLock::RwLock(lock), Mode::Alone) => lock.try_write().ok().map(Guard::Write),
        }
    }
}

/// Starts and joins threads: in a scope, or without one.
trait Starter {
    fn start(&mut self, part: Part);
    fn join(&mut self, child: usize);
}

#[derive(Default)]
struct Threads(HashMap<usize, JoinHandle<()>>);

impl Starter for Threads {
    fn start(&mut self, part: Part) {
        part.world.live.fetch_add(1, Ordering::Relaxed);
        let (number, builder) = (part.thread, thread::Builder::new().name(part.name()));
        self.0.insert(number, builder.spawn(move || part.live()).expect("a thread"));
    }

    fn join(&mut self, child: usize) {
        // One that could not be started has none.
        if let Some(handle) = self.0.remove(&child) {
            handle.join().expect("a thread catches its panics");
        }
    }
}

struct ScopeThreads<'scope, 'env, 'o> {
    scope: &'scope Scope<'scope, 'env>,
    handles: HashMap<usize, ScopedJoinHandle<'scope, ()>>,
    outer: &'o mut dyn Starter,
}

impl Starter for ScopeThreads<'_, '_, '_> {
    fn start(&mut self, part: Part) {
        part.world.live.fetch_add(1, Ordering::Relaxed);
        let (number, builder) = (part.thread, thread::Builder::new().name(part.name()));
        let live = move || part.live();
        self.handles.insert(number, builder.spawn_scoped(self.scope, live).expect("a thread"));
    }

    fn join(&mut self, child: usize) {
        match self.handles.remove(&child) {
            Some(handle) => handle.join().expect("a thread catches its panics"),
            None => self.outer.join(child),
        }
    }
}
