//! Waits that last long and keep others from what they want: stalled, which is no proof that they are stuck.
//!
//! Where some thread goes on, it might still give what is waited for, so there is nothing to fail. But
//! somebody who looks at a program that seems to hang wants to be told where. What is told of has to
//! be told apart from what a healthy program does for hours:
//!
//! - Idle workers, an accept loop, a logger: they wait for what nobody owns, and nobody waits for them. So
//!   there has to be a *victim*, which wants a lock whose holder is kept waiting. A join is no such thing: that
//!   `main` waits for its workers is no news.
//! - A pool that takes turns at its queue, `queue.lock().unwrap().recv()`: the others want the lock only to do
//!   the same. So the lock must not have been taken at the very line that wants it, nor protect the receiver that is
//!   waited at.
//! - Long work that somebody waits for: who gave something the last time will give again, if it goes on.
//!   So the fixpoint of [`stuck`] is asked, with everything that anybody could give to be
//!   given by those who have done so before. A wait that has not lasted long counts as one that ends.

use crate::agent::Agent;
use crate::evidence;
use crate::finding::{AgentId, LockKind, Stalled};
use crate::held::Held;
use crate::op::Op;
use crate::registry::Resource;
use crate::tracker::Tracker;
use crate::waits::cycle::{Member, MemberState};
use crate::waits::graph::{self, HeldNow, Holders, Node, Queues, Via};
use crate::waits::stuck::{Need, circle, path, stuck};

/// What was told, and what was looked at, so that neither is done twice.
#[derive(Default)]
pub(super) struct Stalls {
    /// The waits that have been told of, and still last.
    told: Vec<(AgentId, u64)>,
    /// Those that were old when it was looked the last time.
    old: Vec<(AgentId, u64)>,
}

impl Stalls {
    /// What there is to tell now that has not been told. Waits that are no older than `threshold_ns` count as
    /// ones that end. Nothing is looked at again until another wait has grown old.
    pub(super) fn look(&mut self, tracker: &Tracker, threshold_ns: u64) -> Option<Stalled> {
        let since = tracker.now_ns().checked_sub(threshold_ns)?;
        let is_old = |agent: &Agent| agent.wait.since_ns().is_some_and(|begun| begun <= since);
        let old = tracker.agents.iter().filter(|agent| agent.is_live() && is_old(agent));
        let old: Vec<_> = old.map(|agent| (agent.id(), agent.wait.seq())).collect();
        if old == self.old {
            return None;
        }
        self.told.retain(|wait| old.contains(wait));
        self.old = old;
        if self.old.len() < 2 {
            return None;
        }
        let scene = Scene::read(tracker, since);
        let core = scene.core(&self.told)?;
        let is_same = |&at: &usize| matches!(scene.members[at].state(), MemberState::Same);
        if !core.agents.iter().all(is_same) {
            return None;
        }
        self.told.extend(core.agents.iter().map(|&at| scene.wait(at)));
        // There may be more.
        self.old.clear();
        let agent = |at: usize| scene.members[at].agent;
        let agents: Vec<&Agent> = core.agents.iter().map(|&at| agent(at)).collect();
        Some(Stalled {
            core: evidence::states(tracker, &agents),
            is_circle: core.is_circle,
            behind: scene.behind(&core).map(|at| agent(at).participant()).collect(),
            threshold: std::time::Duration::from_nanos(threshold_ns),
        })
    }
}

/// Who keeps whom waiting.
struct Core {
    /// Each waits for the next one.
    agents: Vec<usize>,
    is_circle: bool,
}

/// Everybody, and what each needs.
struct Scene<'t> {
    /// Those that have waited long, which come first among all.
    members: Vec<Member<'t>>,
    /// Whom each of them waits for, and why.
    blockers: Vec<Vec<(usize, Via)>>,
    /// The same with those who have given it so far.
    leads: Vec<Vec<usize>>,
    is_stuck: Vec<bool>,
}

impl<'t> Scene<'t> {
    /// Reads all agents. Who has not waited since `since` goes on.
    fn read(tracker: &'t Tracker, since: u64) -> Self {
        let mut members = Vec::new();
        let mut others: Vec<(&Agent, Vec<Held>)> = Vec::new();
        for agent in tracker.agents.iter().filter(|agent| agent.is_live()) {
            let is_old = |member: &Member<'_>| {
                member.published.since_ns <= since && !member.published.wait.access.op.is_timed()
            };
            match tracker.read_member(agent).filter(is_old) {
                Some(member) => members.push(member),
                None => others.push((agent, agent.holds_and_permits().unwrap_or_default())),
            }
        }
        let mut nodes: Vec<Node> = members.iter().map(Member::node).collect();
        nodes.extend(others.iter().map(|(agent, holds)| goes_on(agent, holds)));
        let all = members.iter().map(|member| member.agent);
        let all: Vec<&Agent> = all.chain(others.iter().map(|&(agent, _)| agent)).collect();
        let holders = Holders::of(&nodes);
        let blockers_of = |node: &Node| {
            let all = holders.blockers(&nodes, node, Queues::Confirmed);
            let is_past = |&(to, via): &(usize, Via)| {
                node.fails_if_poisoned && graph::recovers(&nodes, to, via)
            };
            all.filter(|blocker| !is_past(blocker)).collect::<Vec<_>>()
        };
        let blockers: Vec<Vec<_>> = nodes[..members.len()].iter().map(blockers_of).collect();
        let givers = members.iter().map(|member| givers(member, &all, &nodes));
        let givers: Vec<Option<Vec<usize>>> = givers.collect();
        let needs = members.iter().zip(&blockers).zip(&givers);
        let mut needs: Vec<Vec<Need>> =
            needs.map(|((member, blockers), givers)| needs_of(member, blockers, givers)).collect();
        needs.resize(nodes.len(), Vec::new());
        let is_stuck = stuck(&needs, true);
        let leads = blockers.iter().zip(givers).map(|(blockers, givers)| {
            let waits_for = blockers.iter().map(|&(to, _)| to);
            waits_for.chain(givers.into_iter().flatten()).filter(|&to| is_stuck[to]).collect()
        });
        let leads = leads.collect();
        Self { members, blockers, leads, is_stuck }
    }

    fn wait(&self, at: usize) -> (AgentId, u64) {
        (self.members[at].agent.id(), self.members[at].published.seq)
    }

    /// The waits that keep somebody from a lock, none of which is among those `told` or has been named by a
    /// finding.
    fn core(&self, told: &[(AgentId, u64)]) -> Option<Core> {
        let mut victims: Vec<usize> =
            (0..self.members.len()).filter(|&at| self.is_stuck[at]).collect();
        victims.sort_by_key(|&at| self.members[at].published.since_ns);
        let cores = victims.into_iter().filter_map(|victim| {
            let holder = self.holder(victim)?;
            self.through(victim, holder)
        });
        let is_new = |core: &Core| {
            let mut agents = core.agents.iter();
            !agents.any(|&at| {
                let member = &self.members[at];
                // Of a chain, whoever is kept waiting by it may be somebody else by now.
                let is_first = core.agents.first() == Some(&at) && !core.is_circle;
                !is_first && told.contains(&self.wait(at))
                    || member.state() == MemberState::Reported
            })
        };
        let mut cores = cores.filter(is_new);
        cores.next()
    }

    /// Who holds the lock that `victim` wants and is kept waiting itself, though not to take its turn at the same
    /// thing.
    fn holder(&self, victim: usize) -> Option<usize> {
        let wait = &self.members[victim].published.wait;
        let keeps = |&(to, via): &(usize, Via)| {
            let Via::Hold(which) = via else { return false };
            let Some(hold) = self.members.get(to).and_then(|member| member.holds.get(which)) else {
                return false;
            };
            let takes_turns =
                hold.site == wait.site || (hold.access.type_name)().contains(RECEIVER);
            self.is_stuck[to] && !takes_turns
        };
        self.blockers[victim].iter().find(|blocker| keeps(blocker)).map(|&(to, _)| to)
    }

    /// What `victim` and `holder` are part of: a circle, or else the way to a wait that nobody owns.
    fn through(&self, victim: usize, holder: usize) -> Option<Core> {
        let any_signal =
            |agents: &[usize]| agents.iter().any(|&at| is_for_signal(&self.members[at]));
        if let Some(agents) = circle(&self.leads, holder).filter(|agents| any_signal(agents)) {
            return Some(Core { agents, is_circle: true });
        }
        let is_end = |at: usize| is_for_signal(&self.members[at]) && self.leads[at].is_empty();
        let way = path(&self.leads, holder, is_end)?;
        Some(Core { agents: std::iter::once(victim).chain(way).collect(), is_circle: false })
    }

    /// Those that wait for somebody in `core`, one way or another.
    fn behind(&self, core: &Core) -> impl Iterator<Item = usize> {
        let is_in_core = |at: usize| core.agents.contains(&at);
        let all = (0..self.members.len()).filter(|&at| self.is_stuck[at]);
        all.filter(move |&at| !is_in_core(at) && path(&self.leads, at, is_in_core).is_some())
    }
}

/// What the type of a lock is called that protects the end of a channel.
const RECEIVER: &str = "Receiver<";

/// Whether it waits for what nobody owns.
fn is_for_signal(member: &Member<'_>) -> bool {
    member.published.source.is_some() || member.published.wait.access.op == Op::Park
}

/// Who is known to have given what it waits for, by index into `all`, or holds some of that; `None` if nobody
/// has to, because it has just been given, or has an owner.
fn givers(member: &Member<'_>, all: &[&Agent], nodes: &[Node]) -> Option<Vec<usize>> {
    let Some(awaited) = &member.published.source else {
        return is_for_signal(member).then(Vec::new);
    };
    let last = awaited.source.last().and_then(|given| given.agent());
    let last = last.and_then(|last| all.iter().position(|agent| std::ptr::eq(*agent, last)));
    let is_permit = |held: &HeldNow| {
        awaited.source.kind == LockKind::Semaphore
            && held.resource == Resource::Lock(awaited.source.id)
    };
    let holders = (0..nodes.len()).filter(|&at| nodes[at].holds.iter().any(is_permit));
    Some(holders.chain(last).collect())
}

/// What has to happen for a wait to end, as far as is known who does what. That nothing has means that it ends.
fn needs_of(
    member: &Member<'_>,
    blockers: &[(usize, Via)],
    givers: &Option<Vec<usize>>,
) -> Vec<Need> {
    let is_given = member.published.source.as_ref().is_some_and(|awaited| awaited.is_given());
    let mut needs: Vec<Need> = blockers.iter().map(|&(by, _)| Need::Of(vec![by])).collect();
    if let Some(givers) = givers.as_ref().filter(|_| !is_given) {
        needs.push(Need::Of(givers.clone()));
    }
    needs
}

/// An agent that goes on: it is there for what it holds.
fn goes_on(agent: &Agent, holds: &[Held]) -> Node {
    Node {
        agent: agent.id(),
        scope: agent.scope(),
        wants: Resource::Wakeup(agent.id()),
        mode: crate::op::Mode::Exclusive,
        fails_if_poisoned: false,
        has_no_owner: true,
        holds: holds.iter().map(HeldNow::of).collect(),
        behind: Vec::new(),
    }
}
