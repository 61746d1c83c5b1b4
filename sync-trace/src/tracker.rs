//! The tracker: an ordinary value that owns all that is known, and judges each wait.
//!
//! One static holds the tracker of the process; tests make their own. Nothing here panics, prints
//! or ends the process because of what it finds: that is [`reaction`](crate::reaction)'s part.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::{Agent, Agents};
use crate::allow::{Allow, AllowList};
use crate::atomics::{AtomicBool, AtomicU64, AtomicUsize, Mutex, Ordering, fence, lock, push};
use crate::config::{Config, Overrides};
#[cfg(not(loom))]
use crate::contention::timed::Recording;
use crate::declared::book::Book;
use crate::evidence;
use crate::finding::{AgentId, Blocker, Finding, Outcome, TestId};
use crate::foresight::ledger::Ledger;
use crate::held::Held;
use crate::op::Mode;
#[cfg(not(loom))]
use crate::perturb::SCHEDULE;
use crate::registry::Resource;
#[cfg(not(loom))]
use crate::run::RUN;
use crate::waits::cycle::{Chain, Cycle, Member, MemberState};
use crate::waits::filter::Filter;
use crate::waits::graph::{self, Hop, Node, Queues, Via};
use crate::waits::slot::{Behind, Wait};

/// What a user wants to be called with each finding.
pub(crate) type Handler = Arc<dyn Fn(&Finding) + Send + Sync>;

/// All that is known about the agents and locks of one process (or of one test of ours).
pub(crate) struct Tracker {
    pub(crate) agents: Agents,
    waited_for: Filter,
    /// Serialises verdicts: of two agents that close one cycle together, one gets it. A leaf lock
    /// under which nothing is allocated.
    verdict: Mutex<()>,
    findings: Mutex<Vec<Arc<Finding>>>,
    handler: Mutex<Option<Handler>>,
    /// The root threads that have panicked since the first finding.
    panicked_roots: Mutex<Vec<AgentId>>,
    /// The tests in which a thread has panicked that they started, and not because of a finding. At most
    /// [`FAILED_MAX`], the newest.
    failed_tests: Mutex<VecDeque<TestId>>,
    config: Mutex<Config>,
    overrides: Overrides,
    /// How many agents have ended with something held.
    graves: AtomicU64,
    /// A guard was dropped by another agent than the one that took it, so an owner's end does not
    /// prove that nobody can release its locks.
    guards_travel: AtomicBool,
    pub(crate) limits: Limits,
    /// The orders of locks, and what they could lead to.
    pub(crate) ledger: Ledger,
    /// What is declared for more than one call.
    pub(crate) declared: Book,
    /// Findings that wait for a thread of theirs in which to be raised.
    deferred: Mutex<Vec<Arc<Finding>>>,
    any_deferred: AtomicBool,
    /// Whether waits are counted.
    #[cfg(not(loom))]
    pub(crate) contention: Recording,
    /// What is accepted, and why. Source files may be read under this mutex: as under that of the
    /// orders, nobody who comes here can be in the memory allocator.
    allowed: Mutex<AllowList>,
    started: Instant,
    /// How many of the findings are those of the process that this one was forked from.
    inherited: AtomicUsize,
    #[cfg_attr(loom, expect(dead_code, reason = "the model forks nothing"))]
    is_child: AtomicBool,
}

/// How often, and after how long each time, others are looked at again before what seems to come of their waits
/// is confirmed or dropped.
#[cfg(not(loom))]
pub(crate) const PATIENCE: u32 = 20;
#[cfg(not(loom))]
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// Counts of what could not be recorded or decided.
#[derive(Default)]
pub(crate) struct Limits {
    /// Operations that the tracker's own work caused, such as a lock in the user's allocator.
    pub(crate) reentered: AtomicU64,
    /// Acquisitions of the memory allocator's own locks, which are not recorded.
    pub(crate) in_allocator: AtomicU64,
    /// Waits under such a lock, which are not judged.
    pub(crate) unjudged: AtomicU64,
    /// Agents whose held stack changed too fast for a consistent copy.
    pub(crate) unread: AtomicU64,
    /// Possible deadlocks through a queued writer that could not be confirmed, so were not reported.
    pub(crate) unconfirmed: AtomicU64,
    /// Ended agents whose leaked holds were forgotten to bound memory.
    pub(crate) forgotten: AtomicU64,
    /// Findings that were reported but not kept for [`findings`](crate::findings).
    pub(crate) unkept: AtomicU64,
    /// Deadlocks that could happen like ones that had been reported, with other locks.
    pub(crate) repeated: AtomicU64,
    /// Findings that the allow list accepts.
    pub(crate) allowed: AtomicU64,
    /// Findings that a function is exempt from.
    pub(crate) exempted: AtomicU64,
}

/// Ended agents with leaked guards are remembered up to this number.
const MAX_GRAVES: u64 = 4096;

/// Findings are kept up to this number; further ones are reported all the same.
const MAX_FINDINGS: usize = 10_000;

/// More tests do not run at one time.
const FAILED_MAX: usize = 256;

impl Limits {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The counters that are not zero, in words.
    pub(crate) fn lines(&self) -> Vec<(&'static str, u64)> {
        [
            (
                "lock operations passed through while the tracker itself was at work",
                &self.reentered,
            ),
            ("unrecorded acquisitions of locks of the memory allocator", &self.in_allocator),
            ("unjudged waits inside the memory allocator", &self.unjudged),
            ("threads whose held locks changed too fast to be read", &self.unread),
            (
                "suspected deadlocks behind a queued writer that could not be confirmed",
                &self.unconfirmed,
            ),
            ("ended threads whose leaked guards were forgotten", &self.forgotten),
            ("findings that were reported but not kept", &self.unkept),
            ("possible deadlocks like one that was reported, with other locks", &self.repeated),
            ("findings that the allow list accepts", &self.allowed),
            ("findings inside `lock_exempt`", &self.exempted),
        ]
        .into_iter()
        .map(|(text, counter)| (text, counter.load(Ordering::Relaxed)))
        .filter(|&(_, count)| count != 0)
        .collect()
    }
}

/// What a wait would lead to.
pub(crate) enum Judgement<'t> {
    /// Somebody who is not stuck will end it.
    Live,
    /// The lock was free after all, and the retry took it.
    Acquired,
    /// It would close this cycle.
    Stuck(Cycle<'t>),
    /// It would close this cycle if what cannot be seen from outside is as it seems.
    Suspect(Cycle<'t>),
}

/// What a wait would lead to, if it were begun now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    Live,
    Stuck,
    /// It cannot be told before it is begun.
    Suspect,
}

/// What became of a cycle when it was to be made a finding.
pub(crate) enum Verdict {
    /// It is one.
    Found(Arc<Finding>),
    /// An agent of it has moved on: judge again.
    Moved,
    /// A finding has named it already.
    Known,
}

impl Tracker {
    pub(crate) fn new(overrides: Overrides) -> Self {
        Self {
            agents: Agents::new(),
            waited_for: Filter::new(),
            verdict: Mutex::new(()),
            findings: Mutex::new(Vec::new()),
            handler: Mutex::new(None),
            panicked_roots: Mutex::new(Vec::new()),
            failed_tests: Mutex::new(VecDeque::with_capacity(FAILED_MAX)),
            config: Mutex::new(overrides.over(Config::new())),
            #[cfg(not(loom))]
            contention: Recording::new(overrides.over(Config::new()).contention),
            overrides,
            graves: AtomicU64::new(0),
            guards_travel: AtomicBool::new(false),
            limits: Limits::default(),
            ledger: Ledger::default(),
            declared: Book::default(),
            deferred: Mutex::new(Vec::new()),
            any_deferred: AtomicBool::new(false),
            allowed: Mutex::new(AllowList::default()),
            started: Instant::now(),
            inherited: AtomicUsize::new(0),
            is_child: AtomicBool::new(false),
        }
    }

    // ---- waits -----------------------------------------------------------------------------

    /// Publishes that `me` waits. From here on every agent that blocks later sees it.
    pub(crate) fn publish(&self, me: &Agent, wait: &Wait) {
        // What runs in the call that a wait was published for, such as a panic hook at the end of a
        // scope or an allocator, may wait itself: by then the outer wait is over.
        if me.wait.is_waiting() {
            self.unpublish(me, me.wait.target());
        }
        self.waited_for.add(wait.target);
        me.wait.begin(wait, self.now_ns());
        if wait.access.op.is_endless() {
            self.agents.falls_asleep();
        }
        // Pairs with itself in other agents: of two agents that each publish and then look, the
        // one whose fence comes second sees the other's wait (Dekker's pattern).
        fence(Ordering::SeqCst);
    }

    /// Takes `me`'s wait for `target` back, unless a verdict already has.
    pub(crate) fn unpublish(&self, me: &Agent, target: Resource) {
        if me.wait.is_waiting() {
            if me.wait.is_endless() {
                self.agents.wakes_up();
            }
            me.wait.end();
            self.waited_for.remove(target);
        }
    }

    /// Judges the wait that `me` has published. `owner` is who holds the target alone, or whose end
    /// it is, if that is known; `retry` tries to take the real lock.
    pub(crate) fn judge<'t>(
        &'t self,
        me: &'t Agent,
        wait: &Wait,
        owner: Option<&Agent>,
        retry: &mut dyn FnMut() -> bool,
    ) -> Judgement<'t> {
        let may_queue = wait.mode() == Mode::Read && owner.is_none();
        if may_queue && self.confirm_queue(me, wait, retry) {
            return Judgement::Acquired;
        }
        if owner.is_none() && wait.access.kind.is_once() {
            // Nobody runs the initialiser yet, and whoever will looks at this wait before its own.
            return Judgement::Live;
        }
        if let Some(cycle) = self.wait_for_ended(me, wait) {
            return Judgement::Suspect(cycle);
        }
        if owner.is_some_and(|owner| !std::ptr::eq(owner, me) && !owner.wait.is_waiting()) {
            return Judgement::Live;
        }
        if !self.is_waited_for(me) {
            return Judgement::Live;
        }
        self.look_for_cycle(me)
    }

    /// Whether anybody may wait for something that only `me` can give: else it closes no cycle.
    fn is_waited_for(&self, me: &Agent) -> bool {
        let wanted = |resource| self.waited_for.may_be_wanted(resource);
        let mut any = wanted(Resource::End(me.id()))
            || me.scope().is_some_and(|scope| wanted(Resource::Scope(scope)));
        me.held.for_each(|held| any = any || wanted(Resource::Lock(held.lock)));
        any
    }

    /// Finds out which read holds keep the reader `me` out. True if `retry` got the lock.
    ///
    /// A reader that cannot get in although nobody holds the lock alone queues behind a writer,
    /// and that writer cannot go before the present readers have left. A reader that held the lock
    /// before and after the failed try is such a one, whatever happens next: nobody can join the
    /// readers while the writer queues.
    fn confirm_queue(&self, me: &Agent, wait: &Wait, retry: &mut dyn FnMut() -> bool) -> bool {
        let readers_now = |agent: &Agent| {
            let holds = if agent.held.depth() == 0 { None } else { agent.holds() };
            let reads = holds.unwrap_or_default().into_iter().filter(|held| {
                Some(held.lock) == wait.lock_id() && !held.access.mode.blocks(Mode::Read)
            });
            let reader = agent.id();
            reads.map(move |held| Behind { reader, stamp: held.stamp })
        };
        let before: Vec<(&Agent, Behind)> = self
            .agents
            .iter()
            .flat_map(|agent| readers_now(agent).map(move |reader| (agent, reader)))
            .collect();
        if before.is_empty() {
            return false;
        }
        if retry() {
            return true;
        }
        let still = |(agent, reader): &(&Agent, Behind)| {
            readers_now(agent).any(|now| now == *reader).then_some(*reader)
        };
        me.wait.set_behind(before.iter().filter_map(still).collect());
        false
    }

    /// The wait of `me` for a lock whose owner has ended without releasing it.
    fn wait_for_ended<'t>(&'t self, me: &'t Agent, wait: &Wait) -> Option<Cycle<'t>> {
        if self.graves.load(Ordering::Relaxed) == 0 || self.guards_travel.load(Ordering::Relaxed) {
            return None;
        }
        let id = wait.lock_id()?;
        let graves = self.agents.iter().filter(|agent| agent.has_ended());
        let (ended, held) = graves
            .filter_map(|agent| {
                let mut holds = agent.holds()?.into_iter();
                let blocks = |held: &Held| held.lock == id && held.access.mode.blocks(wait.mode());
                Some((agent, holds.find(blocks)?))
            })
            .next()?;
        let members = vec![self.read_member(me)?];
        Some(Cycle { members, chain: Chain::Ended(ended, held) })
    }

    /// Builds the wait-for graph from a copy of all waits and looks for a cycle through `me`.
    fn look_for_cycle<'t>(&'t self, me: &'t Agent) -> Judgement<'t> {
        let waiting = self.agents.iter().filter(|agent| agent.wait.is_waiting());
        let members: Vec<Member<'t>> =
            waiting.filter_map(|agent| self.read_member(agent)).collect();
        let nodes: Vec<Node> = members.iter().map(Member::node).collect();
        let Some(start) = members.iter().position(|member| std::ptr::eq(member.agent, me)) else {
            return Judgement::Live;
        };
        if let Some(hops) = graph::cycle_through(&nodes, start, Queues::Confirmed) {
            return Judgement::Stuck(Cycle { members, chain: Chain::Hops(hops) });
        }
        match graph::cycle_through(&nodes, start, Queues::Suspected) {
            Some(hops) => Judgement::Suspect(Cycle { members, chain: Chain::Hops(hops) }),
            None => Judgement::Live,
        }
    }

    /// Whether a wait that `me` has published seems to close a cycle now.
    pub(crate) fn outlook(&self, me: &Agent) -> Outlook {
        match self.look_for_cycle(me) {
            Judgement::Stuck(_) => Outlook::Stuck,
            Judgement::Suspect(_) => Outlook::Suspect,
            Judgement::Live | Judgement::Acquired => Outlook::Live,
        }
    }

    /// Whether each thread of what is predicted holds just now what it holds there, so that it may be
    /// about to happen.
    pub(crate) fn is_imminent(&self, finding: &Finding) -> bool {
        let holders = finding.links.iter().cycle().skip(1);
        finding.links.iter().zip(holders).all(|(link, holder)| {
            let (Blocker::Holds(hold) | Blocker::QueuedWriter { hold, .. }) = &link.blocker else {
                return false;
            };
            let agent = self.agents.iter().find(|agent| agent.id() == holder.agent.id);
            let holds = agent.filter(|agent| agent.is_live()).and_then(Agent::holds);
            holds.is_some_and(|holds| holds.iter().any(|held| held.lock == hold.lock.id))
        })
    }

    /// Reads one waiting agent. What it holds cannot change while it waits, so an unchanged wait
    /// number afterwards means that wait and holds belong to one moment.
    pub(crate) fn read_member<'t>(&'t self, agent: &'t Agent) -> Option<Member<'t>> {
        let published = agent.wait.read()?;
        let Some(holds) = agent.holds_and_permits() else {
            Limits::count(&self.limits.unread);
            return None;
        };
        (agent.wait.seq() == published.seq).then_some(Member { agent, published, holds })
    }

    /// Whether a suspicion has become certain: every member sleeps in the kernel, in the very call
    /// that it published, and so has not been given its lock.
    pub(crate) fn is_confirmed(&self, cycle: &Cycle<'_>, me: &Agent) -> bool {
        let Chain::Hops(hops) = &cycle.chain else { return self.is_lost(cycle) };
        let others = cycle.involved().filter(|member| !std::ptr::eq(member.agent, me));
        let queue_is_real = |hop: &Hop| {
            let target = cycle.members[hop.from].published.wait.target;
            cycle.members.iter().any(|member| {
                let wait = &member.published.wait;
                wait.target == target && wait.mode() == Mode::Exclusive && member.is_asleep()
            })
        };
        let mut queues = hops.iter().filter(|hop| matches!(hop.via, Via::Queue(_)));
        others.into_iter().all(Member::is_asleep) && queues.all(queue_is_real)
    }

    /// Whether nobody can release the lock of an agent that has ended: its thread is really gone, and
    /// guards do not change threads here.
    fn is_lost(&self, cycle: &Cycle<'_>) -> bool {
        let Chain::Ended(owner, _) = &cycle.chain else { return false };
        owner.has_ended()
            && !self.guards_travel.load(Ordering::Relaxed)
            && owner.os_id().and_then(crate::os::is_gone) != Some(false)
    }

    /// Makes the cycle that `me` would close a finding, if all its members are still in it.
    ///
    /// Each member was read while it waited and is still in the same wait now, so there was a
    /// moment at which all of them waited. With [`Outcome::Panicked`], `me` takes its wait back
    /// before anybody else can come to a verdict; else the wait stays and is marked.
    pub(crate) fn decide(&self, me: &Agent, cycle: &Cycle<'_>, outcome: Outcome) -> Verdict {
        let finding = Arc::new(evidence::finding(self, me, cycle, outcome));
        let verdict = lock(&self.verdict);
        for member in cycle.relied_on() {
            match member.state() {
                MemberState::Same => {}
                MemberState::Moved => return Verdict::Moved,
                MemberState::Reported => return Verdict::Known,
            }
        }
        if outcome == Outcome::Panicked {
            if let Some(own) = cycle.member_of(me) {
                self.unpublish(me, own.published.wait.target);
            }
        } else {
            me.wait.set_reported();
        }
        drop(verdict);
        self.drop_deferred_like(&finding);
        self.keep(&finding);
        Verdict::Found(finding)
    }

    /// Keeps a finding for whoever asks.
    fn keep(&self, finding: &Arc<Finding>) {
        if lock(&self.findings).len() < MAX_FINDINGS {
            push(&self.findings, Arc::clone(finding));
        } else {
            Limits::count(&self.limits.unkept);
        }
    }

    // ---- what could happen -----------------------------------------------------------------

    /// Makes a prospect a finding, unless the same threads' tree has one like it.
    pub(crate) fn found(&self, finding: Finding) -> Option<Arc<Finding>> {
        let locks = finding.locks_waited_for();
        let is_like = |other: &Arc<Finding>| {
            let is_of_these = other.locks_waited_for() == locks;
            let is_alike = is_of_these
                || other.fingerprint == finding.fingerprint && other.sites() == finding.sites();
            let is_as_sure = other.level <= finding.level && other.root_ids == finding.root_ids;
            // What threads do whose deadlock was broken by a panic is nothing to go by.
            is_alike && is_as_sure || other.has_happened() && other.shares_a_thread_with(&finding)
        };
        if lock(&self.findings).iter().any(is_like) {
            Limits::count(&self.limits.repeated);
            return None;
        }
        let finding = Arc::new(finding);
        self.keep(&finding);
        if finding.outcome == Outcome::Deferred {
            push(&self.deferred, Arc::clone(&finding));
            self.any_deferred.store(true, Ordering::Release);
        }
        Some(finding)
    }

    /// Takes back what was predicted: it could not have happened.
    pub(crate) fn withdraw(&self, gone: &Finding) {
        let locks = gone.locks_waited_for();
        let mut findings = self.findings();
        findings.retain(|finding| {
            finding.may_be_withdrawn()
                && finding.outcome == Outcome::Deferred
                && finding.fingerprint == gone.fingerprint
                && finding.locks_waited_for() == locks
        });
        self.forget(&findings);
    }

    /// Makes a broken declaration a finding. Returns whether it is the first one like it.
    pub(crate) fn broken(&self, finding: Finding) -> (Arc<Finding>, bool) {
        let is_like = |other: &&Arc<Finding>| {
            other.breach.is_some()
                && other.fingerprint == finding.fingerprint
                && other.sites() == finding.sites()
                && other.root_ids == finding.root_ids
        };
        let known = lock(&self.findings).iter().any(|other| is_like(&other));
        let finding = Arc::new(finding);
        if known {
            Limits::count(&self.limits.repeated);
        } else {
            self.keep(&finding);
        }
        (finding, !known)
    }

    /// Whether the program or its allow list accepts a finding.
    pub(crate) fn is_allowed(&self, finding: &Finding) -> bool {
        let is_allowed = self.accepts(finding);
        if is_allowed {
            Limits::count(&self.limits.allowed);
        }
        is_allowed
    }

    /// The same, without counting it.
    pub(crate) fn accepts(&self, finding: &Finding) -> bool {
        let names = crate::report::lock_namer();
        let acceptance = lock(&self.allowed).permits(finding, &names);
        #[cfg(not(loom))]
        if let Some(acceptance) = &acceptance {
            crate::run::RUN.accepted(finding, acceptance);
        }
        acceptance.is_some()
    }

    /// Accepts what `allow` says, from now on.
    #[track_caller]
    pub(crate) fn allow(&self, allow: Allow) {
        lock(&self.allowed).push(allow);
    }

    /// Where the entries of the allow list stand that have silenced nothing so far.
    pub(crate) fn unused_allowances(&self) -> Vec<String> {
        lock(&self.allowed).unused().collect()
    }

    /// Whether there may be a deferred finding.
    pub(crate) fn any_deferred(&self) -> bool {
        self.any_deferred.load(Ordering::Acquire)
    }

    /// What was predicted has happened.
    fn drop_deferred_like(&self, finding: &Finding) {
        if self.any_deferred() {
            let locks = finding.locks_waited_for();
            let mut gone = lock(&self.deferred).clone();
            gone.retain(|deferred| deferred.locks_waited_for() == locks);
            self.forget(&gone);
        }
    }

    /// A deferred finding with a link of `me`'s, which is now that one's to raise.
    pub(crate) fn take_deferred(&self, me: &Agent, outcome: Outcome) -> Option<Arc<Finding>> {
        let is_mine = |finding: &Arc<Finding>| {
            !finding.may_be_withdrawn() && finding.links.iter().any(|link| link.agent.id == me.id())
        };
        let mut deferred = lock(&self.deferred);
        let at = deferred.iter().position(is_mine)?;
        let old = deferred.swap_remove(at);
        drop(deferred);
        let raised_in_root = me.identity().started_by.is_none();
        let raised = Arc::new(Finding { outcome, raised_in_root, ..(*old).clone() });
        let mut findings = lock(&self.findings);
        let kept = findings.iter_mut().find(|finding| Arc::ptr_eq(finding, &old))?;
        let same = std::mem::replace(kept, Arc::clone(&raised));
        drop(findings);
        drop(same);
        Some(raised)
    }

    // ---- agents ----------------------------------------------------------------------------

    /// `agent`'s thread ends. If it holds something, its record stays, so that who waits for it can
    /// be told; else the record is used again.
    pub(crate) fn retire(&self, agent: &Agent) {
        if agent.has_to_settle() {
            agent.settle_elsewhere();
        }
        if let Some(end) = agent.time.end().filter(|_| agent.has_something_to_say()) {
            end.publish(agent);
        }
        if agent.held.depth() == 0 {
            self.agents.dismiss(agent);
        } else if self.graves.fetch_add(1, Ordering::Relaxed) < MAX_GRAVES {
            agent.set_ended();
            self.agents.falls_asleep();
        } else {
            self.graves.fetch_sub(1, Ordering::Relaxed);
            Limits::count(&self.limits.forgotten);
            self.agents.dismiss(agent);
        }
    }

    /// All threads but the calling one, which is `me` if it is on record, are gone: this is the child of a fork,
    /// where only atomics may be written.
    #[cfg(not(loom))]
    pub(crate) fn remain_alone(&self, me: Option<&Agent>) {
        let is_other = |agent: &&Agent| !me.is_some_and(|me| std::ptr::eq(me, *agent));
        for agent in self.agents.iter().filter(|agent| agent.is_live()).filter(is_other) {
            self.unpublish(agent, agent.wait.target());
            let is_grave = agent.has_ended();
            agent.vanish();
            if agent.has_ended() && !is_grave {
                self.graves.fetch_add(1, Ordering::Relaxed);
            }
        }
        // A thread that took a snapshot may have been in anybody's, also in one that waits for its next agent.
        for agent in self.agents.iter() {
            agent.account.remain_alone();
            agent.stacks().into_iter().for_each(|stack| stack.remain_alone());
        }
        self.agents.have_one_awake(me);
        if let (Some(me), Some(id)) = (me, crate::os::thread_id()) {
            me.set_os_id(id);
        }
        self.any_deferred.store(false, Ordering::Release);
        // Where somebody is about to add one, it cannot be known how many there are.
        let inherited = self.findings.try_lock().map_or(0, |findings| findings.len());
        self.inherited.store(inherited, Ordering::Relaxed);
        self.is_child.store(true, Ordering::Relaxed);
    }

    /// Whether this process was forked after the tracker had begun its work.
    #[cfg(not(loom))]
    pub(crate) fn is_child(&self) -> bool {
        self.is_child.load(Ordering::Relaxed)
    }

    /// The findings without those of the process that this one was forked from.
    #[cfg(not(loom))]
    pub(crate) fn own_findings(&self) -> Vec<Arc<Finding>> {
        let mut findings = self.findings();
        findings.drain(..self.inherited.load(Ordering::Relaxed).min(findings.len()));
        findings
    }

    /// Another agent than the one that acquired it has released a hold that `matches`.
    pub(crate) fn released_elsewhere(
        &self,
        owner: Option<&Agent>,
        matches: impl Fn(&Held) -> bool,
    ) {
        let found = match owner {
            Some(owner) => owner.release_elsewhere(&matches),
            None => self.agents.iter().any(|agent| {
                agent.is_live() && agent.held.depth() > 0 && agent.release_elsewhere(&matches)
            }),
        };
        if found {
            self.guards_travel.store(true, Ordering::Relaxed);
        }
    }

    // ---- what is known ---------------------------------------------------------------------

    pub(crate) fn now_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn age(&self, since_ns: u64) -> Duration {
        Duration::from_nanos(self.now_ns().saturating_sub(since_ns))
    }

    pub(crate) fn findings(&self) -> Vec<Arc<Finding>> {
        // Allocates before the leaf lock is taken.
        let mut copy = Vec::new();
        loop {
            let findings = lock(&self.findings);
            if findings.len() <= copy.capacity() {
                copy.extend(findings.iter().cloned());
                return copy;
            }
            let wanted = findings.len();
            drop(findings);
            copy = Vec::with_capacity(wanted);
        }
    }

    /// Keeps these findings no longer.
    pub(crate) fn forget(&self, taken: &[Arc<Finding>]) {
        let is_taken = |finding: &Arc<Finding>| taken.iter().any(|one| Arc::ptr_eq(one, finding));
        let mut findings = lock(&self.findings);
        findings.retain(|finding| !is_taken(finding));
        let inherited = self.inherited.load(Ordering::Relaxed).min(findings.len());
        self.inherited.store(inherited, Ordering::Relaxed);
        drop(findings);
        lock(&self.deferred).retain(|finding| !is_taken(finding));
    }

    pub(crate) fn config(&self) -> Config {
        *lock(&self.config)
    }

    pub(crate) fn install(&self, config: Config) {
        let config = self.overrides.over(config);
        *lock(&self.config) = config;
        #[cfg(not(loom))]
        self.contention.set(config.contention);
    }

    /// A root thread panics, so whoever runs it learns that something failed.
    pub(crate) fn note_panic(&self, root: AgentId) {
        if !lock(&self.findings).is_empty() && !self.has_panicked(root) {
            push(&self.panicked_roots, root);
        }
    }

    pub(crate) fn has_panicked(&self, root: AgentId) -> bool {
        lock(&self.panicked_roots).contains(&root)
    }

    /// A thread of a test has panicked, and not because of a finding.
    pub(crate) fn note_failure(&self, test: TestId) {
        let mut failed = lock(&self.failed_tests);
        if !failed.contains(&test) {
            if failed.len() == FAILED_MAX {
                failed.pop_front();
            }
            failed.push_back(test);
        }
    }

    pub(crate) fn has_failed(&self, test: TestId) -> bool {
        lock(&self.failed_tests).contains(&test)
    }

    pub(crate) fn handler(&self) -> Option<Handler> {
        lock(&self.handler).clone()
    }

    /// Returns the old one, which is the user's to drop.
    #[must_use]
    pub(crate) fn set_handler(&self, handler: Option<Handler>) -> Option<Handler> {
        std::mem::replace(&mut *lock(&self.handler), handler)
    }
}

/// A race between threads makes several and keeps one: whoever comes first to a lock must not wait
/// for another thread here.
#[cfg(not(loom))]
static GLOBAL: once_cell::race::OnceBox<Tracker> = once_cell::race::OnceBox::new();

/// The tracker of this process, if there is one yet.
#[cfg(not(loom))]
pub(crate) fn existing() -> Option<&'static Tracker> {
    GLOBAL.get()
}

/// The tracker of this process, made at the first call.
#[cfg(not(loom))]
pub(crate) fn global() -> &'static Tracker {
    static COMPLAINED: AtomicBool = AtomicBool::new(false);
    if let Some(tracker) = existing() {
        return tracker;
    }
    let working = crate::current::Working::begin();
    let (overrides, errors) = from_environment();
    let (allowed, mistakes) = AllowList::find();
    // Before anybody can become an agent.
    let config = overrides.over(Config::new());
    SCHEDULE.follow(config.perturb);
    RUN.follow(config.run_dir);
    let tracker = GLOBAL.get_or_init(|| {
        Box::new(Tracker { allowed: Mutex::new(allowed), ..Tracker::new(overrides) })
    });
    meet_the_allocator();
    drop(working);
    // Several threads may have come here at once; one of them speaks.
    if !COMPLAINED.swap(true, Ordering::Relaxed) {
        for error in errors {
            crate::os::write_stderr(&format!("error: {error}\n"));
        }
        for mistake in mistakes {
            crate::os::write_stderr(&format!("error: {mistake}\n"));
        }
        crate::reaction::begin(tracker.config());
        crate::fork::prepare();
    }
    tracker
}

/// Has every lock that the memory allocator may take met by the tracker's own work, which is how it
/// is known for one: it may have a lock for each size.
#[cfg(not(loom))]
fn meet_the_allocator() {
    for bits in 3..=20 {
        std::hint::black_box(Vec::<u8>::with_capacity(1 << bits));
    }
}

#[cfg(not(loom))]
fn from_environment() -> (Overrides, Vec<crate::config::SettingError>) {
    let (overrides, errors) = match std::env::var("SYNC_TRACE") {
        Ok(text) => Overrides::parse(&text),
        Err(std::env::VarError::NotPresent) => Default::default(),
        Err(std::env::VarError::NotUnicode(_)) => {
            (Overrides::default(), vec![crate::config::SettingError::NotUnicode])
        }
    };
    (overrides.with_run_dir(std::env::var_os("SYNC_TRACE_DIR")), errors)
}
