//! Findings for the tests of the renderers. Their positions are real: the lines of [`bank`] and
//! [`report`].

mod bank;
pub(super) mod inversions;
mod report;

use crate::finding::{
    AgentId, AgentState, Blocker, Code, Dump, Finding, Fingerprint, Hold, Level, Link, Lock,
    LockId, LockKind, Mode, Op, Outcome, Participant, Signal, Site, StartedBy, Target, Wait,
};
use bank::Bank;
use std::time::Duration;

/// One of each.
pub(super) fn all() -> Vec<Finding> {
    let mut all = vec![abba(), abba_of(None), three(), circle(12), relock(), upgrade()];
    all.extend([downgrade(), read_again(), queued_writer(), join_itself(), ended()]);
    all.extend([Op::Join, Op::Scope, Op::Wait, Op::WaitTimeout].map(unended));
    all.extend([
        initialising(),
        initialising_each_other(),
        initialising_itself(),
        joining_in_init(),
    ]);
    all.extend(inversions::all());
    all
}

/// Two threads take two locks in opposite orders.
pub(crate) fn abba() -> Finding {
    let (bank, [accounts, audit]) = bank();
    let ([took_accounts, wants_audit], [took_audit, wants_accounts]) =
        (bank.transfer(), bank.total());
    let mut took_audit = hold(took_audit, &audit);
    took_audit.at_least = Some(Duration::from_micros(980));
    finding(vec![
        link(2, "transfer-0", wait(wants_audit, &audit, None), Blocker::Holds(took_audit)),
        link(
            3,
            "reporter",
            wait(wants_accounts, &accounts, Some(410)),
            holds(took_accounts, &accounts),
        ),
    ])
}

/// The same, where both threads have this name, or none.
pub(super) fn abba_of(name: Option<&str>) -> Finding {
    let mut finding = abba();
    finding.links.iter_mut().for_each(|link| link.agent.name = name.map(Into::into));
    finding
}

/// Three threads at the same lines, each of which waits for the next one's lock.
pub(crate) fn three() -> Finding {
    let (bank, [a, b]) = bank();
    let c = Lock { id: LockId(9), name: Some("c"), ..b.clone() };
    let [took, wants] = bank.transfer();
    finding(vec![
        link(5, "one", wait(wants, &b, None), holds(took, &b)),
        link(6, "two", wait(wants, &c, Some(2_000_000)), holds(took, &c)),
        link(7, "three", wait(wants, &a, Some(30)), holds(took, &a)),
    ])
}

/// This many threads, each of which waits for the next one's element of a collection.
pub(super) fn circle(size: u64) -> Finding {
    let (bank, [a, _]) = bank();
    let lock = |id| Lock { id: LockId(10 + id % size), type_name: "bank::Fork", ..a.clone() };
    let lock = |id| Lock { created: bank.others[0].0, ..lock(id) };
    let [took, wants] = bank.transfer();
    let link_of = |id: u64| {
        let age = (id > 0).then_some(40 + id);
        let name = format!("p{id}");
        link(id + 2, &name, wait(wants, &lock(id + 1), age), holds(took, &lock(id + 1)))
    };
    finding((0..size).map(link_of).collect())
}

/// A thread locks what it has locked already.
pub(super) fn relock() -> Finding {
    let (bank, [lock, _]) = bank();
    let [site, _] = bank.transfer();
    let links = vec![link(5, "solo", wait(site, &lock, None), holds(site, &lock))];
    Finding { code: Code::SelfDeadlock, ..finding(links) }
}

/// A thread reads a lock and then wants to write it.
pub(super) fn upgrade() -> Finding {
    let (bank, [lock, _]) = bank();
    let lock = Lock { kind: LockKind::RwLock, ..lock };
    let [read, write] = bank.rename();
    let wait = Wait { op: Op::Write, ..wait(write, &lock, None) };
    let links = vec![link(5, "solo", wait, Blocker::Holds(reads(read, &lock)))];
    Finding { code: Code::SelfDeadlock, ..finding(links) }
}

/// A thread writes a lock and then wants to read it.
pub(super) fn downgrade() -> Finding {
    let mut finding = upgrade();
    let Link { wait, blocker: Blocker::Holds(hold), .. } = &mut finding.links[0] else {
        unreachable!()
    };
    std::mem::swap(&mut wait.op, &mut hold.op);
    std::mem::swap(&mut wait.site, &mut hold.site);
    hold.mode = Mode::Exclusive;
    wait.target = Target::Lock(hold.lock.clone(), Mode::Read);
    finding
}

/// A thread reads a lock twice, and a writer came between.
pub(super) fn read_again() -> Finding {
    let mut finding = queued_writer();
    finding.links.truncate(1);
    Finding { code: Code::SelfDeadlock, ..finding }
}

/// A thread waits for its own end.
pub(crate) fn join_itself() -> Finding {
    let mut finding = unended(Op::Join);
    let mut end = finding.links.remove(1);
    end.agent = thread(5, "child");
    end.wait.age = None;
    Finding { code: Code::SelfDeadlock, links: vec![end], ..finding }
}

/// Two threads read a lock, and one of them has to read it again behind a queued writer.
pub(crate) fn queued_writer() -> Finding {
    let (bank, [names, audit]) = bank();
    let names = Lock { kind: LockKind::RwLock, ..names };
    let ([read, write], [_, wants_audit]) = (bank.rename(), bank.transfer());
    let [took_audit, _] = bank.total();
    let again = Wait {
        op: Op::Read,
        target: Target::Lock(names.clone(), Mode::Read),
        ..wait(read, &names, None)
    };
    let writer = Some((thread(7, "writer"), write));
    finding(vec![
        link(5, "one", again, Blocker::QueuedWriter { hold: reads(read, &names), writer }),
        link(6, "two", wait(wants_audit, &audit, Some(30)), holds(took_audit, &audit)),
    ])
}

/// A thread waits for another to end (`Op::Join` or `Op::Scope`), or for its signal, and holds what
/// that one wants.
pub(super) fn unended(op: Op) -> Finding {
    let (bank, [accounts, audit]) = bank();
    let ([_, scope, join], [wants, _]) = (bank.close(&bank.audit), bank.transfer());
    let ([took, signal, timeout], [took_audit, _]) = (bank.wait_for(&bank.audit), bank.total());
    let (site, target, blocker) = match op {
        Op::Join => (join, Target::Thread(thread(5, "child")), Blocker::Runs),
        Op::Scope => (scope, Target::Scope, Blocker::Runs),
        _ => (
            if op.is_timed() { timeout } else { signal },
            Target::Lock(audit.clone(), Mode::Exclusive),
            holds(took_audit, &audit),
        ),
    };
    let end = Wait { op, site, target, ..wait(join, &accounts, Some(3_000)) };
    finding(vec![
        link(5, "child", wait(wants, &accounts, None), holds(took, &accounts)),
        link(1, "main", end, blocker),
    ])
}

/// A thread initialises `config` and needs a lock whose holder uses `config`; others wait for
/// messages.
pub(super) fn initialising() -> Finding {
    let (bank, [audit, config]) = bank_with_config();
    let [made, locked, used, received] = bank.configure(&Probe::new());
    let deref = Wait { op: Op::Deref, ..wait(used, &config, Some(410)) };
    let links = vec![
        link(5, "maker", wait(locked, &audit, None), holds(locked, &audit)),
        link(6, "user", deref, Blocker::Holds(initialises(made, &config))),
    ];
    let jobs = Lock { id: LockId(9), kind: LockKind::Channel, type_name: "Job", ..audit };
    let jobs = Lock { name: Some("jobs"), ..jobs };
    let recv = Wait { op: Op::Recv, ..wait(received, &jobs, Some(2_000_000)) };
    let sleep = Wait { op: Op::Sleep, target: Target::Time, ..wait(received, &jobs, Some(5_000)) };
    let sleepers = (0..9).map(|n| (thread(10 + n, &format!("s{n}")), sleep.clone()));
    let also_waiting = std::iter::once((thread(7, "worker"), recv)).chain(sleepers).collect();
    Finding { also_waiting, ..finding(links) }
}

/// Two threads, each in the initialiser of what the other one uses.
pub(super) fn initialising_each_other() -> Finding {
    let (bank, [_, config]) = bank_with_config();
    let [made, _, used, _] = bank.configure(&Probe::new());
    let other = Lock { id: LockId(6), name: Some("OTHER"), ..config.clone() };
    let deref = |lock, age| Wait { op: Op::Deref, ..wait(used, lock, age) };
    finding(vec![
        link(5, "one", deref(&config, None), Blocker::Holds(initialises(made, &config))),
        link(6, "two", deref(&other, Some(30)), Blocker::Holds(initialises(made, &other))),
    ])
}

/// An initialiser that uses what it initialises.
pub(super) fn initialising_itself() -> Finding {
    let (bank, [_, config]) = bank_with_config();
    let [made, _, used, _] = bank.configure(&Probe::new());
    let deref = Wait { op: Op::Deref, ..wait(used, &config, None) };
    let links = vec![link(5, "solo", deref, Blocker::Holds(initialises(made, &config)))];
    Finding { code: Code::SelfDeadlock, ..finding(links) }
}

/// An initialiser that joins a thread which uses what it initialises.
pub(super) fn joining_in_init() -> Finding {
    let (bank, [_, config]) = bank_with_config();
    let ([made, _, used, _], [_, _, join]) =
        (bank.configure(&Probe::new()), bank.close(&Probe::new()));
    let deref = Wait { op: Op::Deref, ..wait(used, &config, Some(30)) };
    let end = Wait { op: Op::Join, target: Target::Thread(thread(5, "child")), ..deref.clone() };
    let end = Wait { site: join, age: None, ..end };
    finding(vec![
        link(1, "main", end, Blocker::Runs),
        link(5, "child", deref, Blocker::Holds(initialises(made, &config))),
    ])
}

/// Threads that wait for all that has no holder.
pub(super) fn signals() -> Dump {
    let (bank, [audit, config]) = bank_with_config();
    let [made, locked, used, received] = bank.configure(&Probe::new());
    let named = |id, name| Lock { id: LockId(id), name: Some(name), ..audit.clone() };
    let jobs = Lock { kind: LockKind::Channel, type_name: "u8", ..named(7, "jobs") };
    let gate = Lock { kind: LockKind::Barrier, type_name: "", ..named(8, "gate") };
    let wait = |op, lock: &Lock| Wait { op, ..wait(received, lock, Some(1_500_000)) };
    let pool = Lock { kind: LockKind::Semaphore, type_name: "", ..named(9, "pool") };
    let permit = |op| {
        let target = Target::Lock(pool.clone(), Mode::RecursiveRead);
        Wait { target, ..wait(op, &pool) }
    };
    let wakeup = |op, target| Wait { target, ..wait(op, &jobs) };
    let maker = thread(2, "maker");
    let waits = [
        (wait(Op::Recv, &jobs), Vec::new()),
        (wait(Op::Send, &jobs), Vec::new()),
        (wait(Op::WaitBarrier, &gate), Vec::new()),
        (permit(Op::Acquire), vec![maker.clone()]),
        (permit(Op::AcquireManyTimeout), vec![maker.clone()]),
        (wakeup(Op::Park, Target::Unpark), Vec::new()),
        (wakeup(Op::Sleep, Target::Time), Vec::new()),
        (Wait { site: used, ..wait(Op::Deref, &config) }, vec![maker.clone()]),
    ];
    let state =
        |agent, wait| AgentState { agent, ended: false, holds: Vec::new(), wait, given: None };
    let makes = AgentState {
        holds: vec![
            hold(locked, &audit),
            initialises(made, &config),
            Hold { mode: Mode::RecursiveRead, op: Op::Acquire, ..hold(made, &pool) },
        ],
        ..state(maker.clone(), None)
    };
    let mut given = Some(Signal {
        by: maker.clone(),
        has_ended: false,
        op: Op::Send,
        site: locked,
        age: Duration::from_millis(2_000),
        in_vain: true,
    });
    let waiting = waits.into_iter().zip(3..).map(|(wait, id)| AgentState {
        given: given.take(),
        ..state(Participant { name: None, ..thread(id, "") }, Some(wait))
    });
    Dump {
        agents: std::iter::once(makes).chain(waiting).collect(),
        limits: Vec::new(),
        perturbed: None,
    }
}

/// The thread that took the lock has ended.
pub(super) fn ended() -> Finding {
    let (bank, [_, audit]) = bank();
    let ([_, wants], [took, _]) = (bank.transfer(), bank.total());
    let blocker = Blocker::Ended { owner: thread(6, "gone"), hold: hold(took, &audit) };
    let links = vec![link(5, "late", wait(wants, &audit, None), blocker)];
    Finding { code: Code::Stuck, outcome: Outcome::Logged, ..finding(links) }
}

/// An idle thread, two that hold and wait, and one without a name that has ended.
pub(super) fn dump() -> Dump {
    let links = abba().links;
    let idle =
        |agent| AgentState { agent, ended: false, holds: Vec::new(), wait: None, given: None };
    let state = |link: &Link, other: &Link| AgentState {
        holds: super::cast::held(&other.blocker).cloned().into_iter().collect(),
        wait: Some((link.wait.clone(), vec![other.agent.clone()])),
        ..idle(link.agent.clone())
    };
    let (first, second) = (state(&links[0], &links[1]), state(&links[1], &links[0]));
    let gone = Participant { name: None, ..thread(6, "") };
    let gone = AgentState { ended: true, holds: first.holds.clone(), ..idle(gone) };
    let agents = vec![idle(thread(1, "main")), first, second, gone];
    Dump { agents, limits: vec![("held stacks that were full", 3)], perturbed: None }
}

/// The position of a method that was called through a value.
pub(crate) fn unknown_site() -> Site {
    let site = [&Bank::new().audit].map(Probe::lock)[0];
    assert!(site.is_unknown(), "{site}");
    site
}

/// The text with this folder's files named as if they stood at the root of the workspace.
pub(super) fn at_root(text: &str) -> String {
    text.replace(Site::caller().file().trim_end_matches("mod.rs"), "")
}

/// A bank, and what the tracker knows about its locks.
fn bank() -> (Bank, [Lock; 2]) {
    let bank = Bank::new();
    let lock = |id, type_name, Probe(created): &Probe| Lock {
        id: LockId(id),
        kind: LockKind::Mutex,
        type_name,
        name: None,
        created: *created,
    };
    let accounts = lock(3, "std::collections::HashMap<u8, bank::Account>", &bank.accounts);
    let audit = lock(4, "alloc::vec::Vec<bank::Entry>", &bank.audit);
    (bank, [accounts, audit])
}

/// The same with a `LazyLock` in place of the accounts.
fn bank_with_config() -> (Bank, [Lock; 2]) {
    let (bank, [config, audit]) = bank();
    let config = Lock { kind: LockKind::LazyLock, type_name: "bank::Config", ..config };
    (bank, [audit, Lock { name: Some("CONFIG"), ..config }])
}

fn initialises(site: Site, lock: &Lock) -> Hold {
    Hold { op: Op::GetOrInit, ..hold(site, lock) }
}

fn finding(links: Vec<Link>) -> Finding {
    Finding {
        code: Code::Deadlock,
        level: Level::Actual,
        links,
        condition: None,
        breach: None,
        also_waiting: Vec::new(),
        outcome: Outcome::Panicked,
        roots: vec!["main".to_owned()],
        fingerprint: Fingerprint(0x7c1d),
        tests: Vec::new(),
        root_ids: Vec::new(),
        pairing: None,
        seed: None,
        raised_in_root: false,
        raised_by: None,
    }
}

fn link(id: u64, name: &str, wait: Wait, blocker: Blocker) -> Link {
    Link { agent: thread(id, name), wait, blocker, seen: None, stated: None }
}

fn thread(id: u64, name: &str) -> Participant {
    let parent = StartedBy { id: AgentId(1), name: Some("main".into()), site: Bank::new().audit.0 };
    Participant {
        id: AgentId(id),
        name: Some(name.into()),
        os_id: Some(21_850 + id),
        started_by: (id > 1).then_some(parent),
    }
}

fn wait(site: Site, lock: &Lock, age_us: Option<u64>) -> Wait {
    let target = Target::Lock(lock.clone(), Mode::Exclusive);
    Wait { op: Op::Lock, site, target, age: age_us.map(Duration::from_micros), stack: None }
}

fn holds(site: Site, lock: &Lock) -> Blocker {
    Blocker::Holds(hold(site, lock))
}

fn hold(site: Site, lock: &Lock) -> Hold {
    Hold {
        lock: lock.clone(),
        mode: Mode::Exclusive,
        op: Op::Lock,
        site,
        at_least: None,
        taken_by: None,
    }
}

fn reads(site: Site, lock: &Lock) -> Hold {
    Hold { mode: Mode::Read, op: Op::Read, ..hold(site, lock) }
}

/// A stand-in for a lock or thread whose methods only say where they were called.
struct Probe(Site);

impl Probe {
    #[track_caller]
    fn new() -> Self {
        Self(Site::caller())
    }
}

macro_rules! calls {
    ($($method:ident),*) => {
        impl Probe {$(
            #[track_caller]
            fn $method(&self) -> Site {
                Site::caller()
            }
        )*}
    };
}
calls!(lock, read, write, join, scope, wait, wait_timeout, get_or_init, recv);

impl std::ops::Deref for Probe {
    type Target = Site;

    #[track_caller]
    fn deref(&self) -> &Site {
        Box::leak(Box::new(Site::caller()))
    }
}
