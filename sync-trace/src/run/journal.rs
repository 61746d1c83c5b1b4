//! What a process has written: each thing once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::classes::Classes;
use super::file::Appended;
use super::record::{
    Accepted, ClassHold, Count, End, Found, Json, Note, Order, Place, Started, Taken, Thread,
    Writer, line,
};
use super::{Closing, declarations, header};
use crate::agent::Agent;
use crate::allow::Acceptance;
use crate::atomics::{Mutex, lock};
use crate::declared::Declaration;
use crate::declared::frame::Member;
use crate::finding::{AgentId, Finding};
use crate::lock_order::adjacency::QuickHash;
use crate::lock_order::hold::Guard;
use crate::lock_order::prediction::Request;
use crate::meaning::Outer;
use crate::{os, report};

/// So many orders are told; the rest is counted.
const ORDERS_MAX: usize = 1 << 18;
/// So many holds are told in one order, half of them the oldest and half the newest.
const HELD_MAX: usize = 64;
/// So many other things are known to be told. Then they may be told again.
const TOLD_MAX: usize = 1 << 16;

/// The file of one process in one directory, which is made when there is something to write.
pub(super) struct Journal {
    dir: &'static PathBuf,
    pid: u32,
    forked_from: Option<u32>,
    began: Instant,
    began_ns: u128,
    started: Started,
    /// Everything that is written goes through here, so that a class is described before somebody speaks
    /// of it. As under the mutex of the orders, memory is allocated and source files are read under this one;
    /// nobody who comes here can be in the memory allocator.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    output: Output,
    /// What is to be written next.
    out: String,
    classes: Classes,
    /// Those that are described.
    threads: HashSet<AgentId, QuickHash>,
    orders: HashSet<u64, QuickHash>,
    /// Everything else.
    told: HashSet<u64, QuickHash>,
    findings: usize,
    unwritten: u64,
}

#[derive(Default)]
enum Output {
    #[default]
    NotYet,
    Open(Appended),
    Failed,
}

/// A request, and all that its agent holds.
pub(super) struct Asked<'a> {
    pub(super) held: &'a [Guard],
    pub(super) request: &'a Request,
}

/// Whether something fails or is only listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Finding,
    Note,
}

impl Journal {
    /// Of this process. `before` is what it, or the one that it is a fork of, has written elsewhere.
    pub(super) fn new(dir: &'static PathBuf, before: Option<&Self>) -> Self {
        let pid = std::process::id();
        let (began_ns, started) = header::now();
        Self {
            dir,
            pid,
            forked_from: before.and_then(|before| match before.pid == pid {
                true => before.forked_from,
                false => Some(before.pid),
            }),
            began: Instant::now(),
            began_ns,
            started,
            state: Mutex::default(),
        }
    }

    pub(super) fn is_of_this_process(&self, dir: &Path) -> bool {
        self.pid == std::process::id() && self.dir.as_path() == dir
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// An agent asks for a lock, maybe not for the first time.
    pub(super) fn requested(&self, agent: &Agent, asked: &Asked<'_>) {
        let identity = agent.identity();
        let root = identity.root_name.as_deref();
        let at = self.now();
        let (wanted, meant) = (&asked.request.wanted, asked.request.meant.as_deref());
        let mut state = lock(&self.state);
        let State { output: Output::NotYet | Output::Open(_), classes, out, .. } = &mut *state
        else {
            return;
        };
        let stated = meant.map(|meant| meant.stated).unwrap_or_default();
        let ask = classes.hold(wanted, stated, out);
        let left_out = asked.held.len().saturating_sub(HELD_MAX);
        let is_told = |at: &usize| !(HELD_MAX / 2..HELD_MAX / 2 + left_out).contains(at);
        let told = (0..asked.held.len()).filter(is_told).map(|at| &asked.held[at]);
        let held: Vec<ClassHold> =
            told.map(|guard| classes.hold(&guard.hold, guard.stated(), out)).collect();
        if wanted.is_shared_write() && state.is_new(("writer", ask.class, root)) {
            state.thread(agent, root);
            let thread = agent.id().get();
            line(&Writer { at, thread, wanted: ask }, &mut state.out);
        }
        let under = meant.and_then(|meant| meant.under).map(|outer| match outer {
            Outer::Lock(lock) => Some(lock),
            Outer::Unrecorded => None,
        });
        if !held.is_empty() && state.is_new_order(&held, &ask, (root, under.is_some())) {
            state.thread(agent, root);
            let thread = agent.id().get();
            line(&Order { at, thread, held, left_out, wanted: ask, under }, &mut state.out);
        }
        self.flush(&mut state);
    }

    /// A function with a declaration runs for the first time.
    pub(super) fn ran(&self, declaration: &'static Declaration, members: &[Member]) {
        let mut state = lock(&self.state);
        if state.is_new(("declaration", std::ptr::from_ref(declaration))) {
            declarations::write_run(declaration, members, &mut state.out);
            self.flush(&mut state);
        }
    }

    /// Something was found. Whether it is accepted is asked only if it is new.
    pub(super) fn found(&self, finding: &Finding, kind: Kind, is_accepted: impl FnOnce() -> bool) {
        let at = self.now();
        let condition = finding.condition.as_ref().map(std::mem::discriminant);
        let what = (kind, finding.fingerprint, finding.sites(), &finding.roots);
        let is_new = lock(&self.state).is_new((what, finding.outcome, finding.level, condition));
        if !is_new || is_accepted() {
            return;
        }
        let (json, report) = (finding.to_json(), report::plain_text(finding));
        let found = Found { at, finding: Json(&json), report: &report };
        let mut state = lock(&self.state);
        match kind {
            Kind::Finding => {
                state.findings += 1;
                line(&found, &mut state.out);
            }
            Kind::Note => line(&Note(found), &mut state.out),
        }
        self.flush(&mut state);
    }

    /// Something was found and is accepted. It is told once for each set of entries.
    pub(super) fn accepted(&self, finding: &Finding, acceptance: &Acceptance) {
        let at = self.now();
        let what = ("accepted", finding.fingerprint, finding.sites(), &acceptance.by);
        if !lock(&self.state).is_new(what) {
            return;
        }
        let json = finding.to_json();
        let Acceptance { reason, by } = acceptance;
        let mut state = lock(&self.state);
        line(&Accepted { at, reason, by, finding: Json(&json) }, &mut state.out);
        self.flush(&mut state);
    }

    /// The program has taken a finding.
    pub(super) fn taken(&self, finding: &Finding) {
        let at = self.now();
        let mut state = lock(&self.state);
        line(&Taken { at, finding }, &mut state.out);
        self.flush(&mut state);
    }

    /// The process ends. Says so only if it has said anything.
    pub(super) fn ends(&self, status: Option<i32>, closing: Closing) {
        let Closing { orders, limits, waits } = closing;
        let mut state = lock(&self.state);
        let has_begun = matches!(state.output, Output::Open(_)) || !waits.is_empty();
        if !has_begun || !state.is_new("end") {
            return;
        }
        let State { classes, out, .. } = &mut *state;
        for seen in orders {
            let mut place =
                |hold, level| Place { class: classes.number(hold, level, out), site: hold.site };
            let held = place(&seen.held, seen.levels[0]);
            let wanted = place(&seen.wanted, seen.levels[1]);
            line(&Count { held, wanted, times: seen.times }, out);
        }
        waits.iter().for_each(|waited| line(waited, out));
        let (findings, unwritten) = (state.findings, state.unwritten);
        let end = End { at: self.now(), status, findings, unwritten, limits };
        line(&end, &mut state.out);
        self.flush(&mut state);
    }

    /// Writes what is to be written, and before the first of it what a file begins with.
    fn flush(&self, state: &mut State) {
        let State { output, out, .. } = state;
        if out.is_empty() {
            return;
        }
        if matches!(output, Output::NotYet) {
            let mut first = String::new();
            line(&header::of_process(self.pid, self.forked_from, self.started), &mut first);
            declarations::write_named(&mut first);
            out.insert_str(0, &first);
            *output = match Appended::create(self.dir, self.pid, self.began_ns) {
                Ok(file) => Output::Open(file),
                Err((path, error)) => failed(&path, &error),
            };
        }
        if let Output::Open(file) = output
            && let Err(error) = file.append(out)
        {
            let path = file.path().to_owned();
            *output = failed(&path, &error);
        }
        out.clear();
    }
}

/// Says so.
fn failed(path: &Path, error: &std::io::Error) -> Output {
    os::write_stderr(&format!(
        "error: cannot write `{}`: {error}\n  \
         = note: this process writes nothing more into its run directory; what is found is reported all the same\n",
        path.display()
    ));
    Output::Failed
}

impl State {
    /// Whether this has not been told yet, as far as is known.
    fn is_new(&mut self, what: impl Hash) -> bool {
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        !matches!(self.output, Output::Failed) && self.told.insert(number_of(what))
    }

    /// The same of an order, of which more than there is room for are not told.
    fn is_new_order(&mut self, held: &[ClassHold], wanted: &ClassHold, by: impl Hash) -> bool {
        let identity = |hold: &ClassHold| (hold.class, hold.mode, hold.site);
        let held: Vec<_> = held.iter().map(identity).collect();
        let order = number_of((held, identity(wanted), by));
        if self.orders.len() >= ORDERS_MAX {
            self.unwritten += u64::from(!self.orders.contains(&order));
            return false;
        }
        self.orders.insert(order)
    }

    /// Makes sure that a thread is described.
    fn thread(&mut self, agent: &Agent, root: Option<&str>) {
        if self.threads.len() >= TOLD_MAX {
            self.threads.clear();
        }
        if self.threads.insert(agent.id()) {
            let participant = agent.participant();
            let thread = Thread {
                number: agent.id().get(),
                name: participant.name.as_deref(),
                os_id: participant.os_id,
                started_by: participant.started_by.as_ref(),
                root,
            };
            line(&thread, &mut self.out);
        }
    }
}

/// Two things have the same one with next to no probability.
fn number_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
