//! Who waits for whom, where signals take part.

use crate::agent::Agent;
use crate::finding::{AgentId, LockKind};
use crate::held::Held;
use crate::op::Op;
use crate::registry::Resource;
use crate::stall;
use crate::tracker::Tracker;
use crate::waits::cycle::{Chain, Cycle, Member, Step, Why};
use crate::waits::graph::{self, HeldNow, Holders, Node, Queues, Via};
use crate::waits::source::Given;
use crate::waits::stuck::{Need, circle, stuck};

/// So many waits that lead nowhere are shown.
const SHOWN: usize = 4;

impl Tracker {
    /// What there is to show if no thread goes on but those that are known, and these only as far as what
    /// is on record lets them; `None` if one of them does.
    pub(crate) fn standstill<'t>(&'t self, me: Option<&Agent>) -> Option<Cycle<'t>> {
        let mut members = Vec::new();
        let mut ended = Vec::new();
        for agent in self.agents.iter().filter(|agent| agent.is_live()) {
            if agent.has_ended() {
                ended.push(agent);
            } else if agent.wait.is_waiting() {
                members.push(self.read_member(agent)?);
            } else if !stall::is_aside(agent) {
                return None;
            }
        }
        let scene = Scene::of(&members, &ended, me.is_some())?;
        let steps = scene.steps(me);
        (!steps.is_empty())
            .then_some(Cycle { members, chain: Chain::Still { steps, is_late: me.is_none() } })
    }
}

/// Everybody who waits, by index, and what that leads to.
struct Scene<'a, 't> {
    members: &'a [Member<'t>],
    /// Whom each waits for, and why.
    blockers: Vec<Vec<(usize, Via)>>,
    /// Who gave last what it waits for, and which member that is, if it is one.
    given: Vec<Option<(Given, Option<usize>)>>,
}

impl<'a, 't> Scene<'a, 't> {
    /// `None` if somebody goes on. `is_early` says whether what was just given may not have been heard yet,
    /// so that whoever waits for it counts as going on, though it may have been meant for another one.
    fn of(members: &'a [Member<'t>], ended: &[&Agent], is_early: bool) -> Option<Self> {
        let mut nodes: Vec<Node> = members.iter().map(Member::node).collect();
        nodes.extend(ended.iter().map(|agent| tomb(agent)));
        let holders = Holders::of(&nodes);
        let blockers: Vec<Vec<(usize, Via)>> = nodes[..members.len()]
            .iter()
            .map(|node| {
                let all = holders.blockers(&nodes, node, Queues::Suspected);
                let is_past = |&(to, via): &(usize, Via)| {
                    node.fails_if_poisoned && graph::recovers(&nodes, to, via)
                };
                all.filter(|blocker| !is_past(blocker)).collect()
            })
            .collect();
        let meets = |member: &Member<'_>| members.iter().any(|other| meet(member, other));
        let needs = members.iter().zip(&blockers).map(|(member, blockers)| match meets(member) {
            true if is_early => Vec::new(),
            _ => of(member, blockers, is_early),
        });
        let mut needs: Vec<Vec<Need>> = needs.collect();
        needs.extend(ended.iter().map(|_| vec![Need::Nobody]));
        if stuck(&needs, false).contains(&false) {
            return None;
        }
        let given = members.iter().map(|member| {
            let last = member.published.source.as_ref()?.source.last()?;
            let is_it = |member: &Member<'_>| {
                last.agent().is_some_and(|agent| std::ptr::eq(agent, member.agent))
            };
            let member = members.iter().position(is_it);
            Some((last, member))
        });
        Some(Self { members, blockers, given: given.collect() })
    }

    /// The shortest circle, one through `me` if there is one; or else what leads nowhere.
    fn steps(&self, me: Option<&Agent>) -> Vec<Step> {
        let count = self.members.len();
        let leads: Vec<Vec<usize>> = (0..count).map(|from| self.leads(from)).collect();
        let mine = self
            .members
            .iter()
            .position(|member| me.is_some_and(|me| std::ptr::eq(me, member.agent)));
        let any = || (0..count).filter_map(|start| circle(&leads, start)).min_by_key(Vec::len);
        if let Some(path) = mine.and_then(|start| circle(&leads, start)).or_else(any) {
            let nexts = path.iter().copied().cycle().skip(1);
            return path.iter().zip(nexts).map(|(&from, to)| self.step(from, to)).collect();
        }
        let mut ends: Vec<usize> = (0..count).filter(|&from| leads[from].is_empty()).collect();
        ends.sort_by_key(|&from| (Some(from) != mine, self.members[from].published.since_ns));
        let nowhere = |from: usize| {
            let last = self.given[from].as_ref().map(|(given, _)| given.clone());
            Step { from, why: Why::Nobody(last) }
        };
        ends.into_iter().take(SHOWN).map(nowhere).collect()
    }

    /// Who would have to go on for this one to go on, as far as that is known.
    fn leads(&self, from: usize) -> Vec<usize> {
        let waits_for = self.blockers[from].iter().map(|&(to, _)| to);
        let given_by = self.given[from].as_ref().and_then(|&(_, by)| by);
        let leads = waits_for.chain(given_by).filter(|&to| to < self.members.len());
        leads.chain(self.permits(from).map(|(to, _)| to)).collect()
    }

    /// Who holds permits of the semaphore that this one waits for: others, if there are any.
    fn permits(&self, from: usize) -> impl Iterator<Item = (usize, usize)> {
        let wait = &self.members[from].published.wait;
        let is_one = |held: &Held| {
            wait.access.kind == LockKind::Semaphore && Some(held.lock) == wait.lock_id()
        };
        let of = |to: usize| {
            let which = self.members[to].holds.iter().rposition(is_one)?;
            Some((to, which))
        };
        let all: Vec<_> = (0..self.members.len()).filter_map(of).collect();
        let only_itself = all.iter().all(|&(to, _)| to == from);
        all.into_iter().filter(move |&(to, _)| only_itself || to != from)
    }

    fn step(&self, from: usize, to: usize) -> Step {
        let blocker = self.blockers[from].iter().find(|&&(blocker, _)| blocker == to);
        let permit = self.permits(from).find(|&(holder, _)| holder == to);
        let why = match (blocker, permit, &self.given[from]) {
            (Some(&(to, via)), ..) => Why::Waits { to, via },
            (None, Some((to, which)), _) => Why::Waits { to, via: Via::Hold(which) },
            (None, None, Some((given, _))) => Why::Given(given.clone()),
            (None, None, None) => Why::Nobody(None),
        };
        Step { from, why }
    }
}

/// Whether each of the two ends the other one's wait by coming, as who is about to wait has not done yet:
/// one receives what the other one sends.
fn meet(one: &Member<'_>, other: &Member<'_>) -> bool {
    let [one, other] = [one, other].map(|member| &member.published.wait);
    one.access.kind == LockKind::Channel
        && one.target == other.target
        && (one.access.op == Op::Send) != (other.access.op == Op::Send)
}

/// What has to happen for a wait to end.
fn of(member: &Member<'_>, blockers: &[(usize, Via)], is_early: bool) -> Vec<Need> {
    let wait = &member.published.wait;
    let op = wait.access.op;
    let mut needs: Vec<Need> = blockers.iter().map(|&(by, _)| Need::Of(vec![by])).collect();
    let is_signal = member.published.source.is_some() || op == Op::Park;
    let is_given = member.published.source.as_ref().is_some_and(|awaited| awaited.is_given());
    if is_signal && !(is_early && is_given) && !op.is_timed() {
        needs.push(Need::Anybody);
    }
    needs
}

/// An agent that has ended with something held: it is there for what it holds, and its end has come.
fn tomb(agent: &Agent) -> Node {
    let holds = agent.holds().unwrap_or_default();
    Node {
        agent: AgentId(0),
        scope: None,
        wants: Resource::Wakeup(AgentId(0)),
        mode: crate::op::Mode::Exclusive,
        fails_if_poisoned: false,
        has_no_owner: true,
        holds: holds.iter().map(HeldNow::of).collect(),
        behind: Vec::new(),
    }
}
