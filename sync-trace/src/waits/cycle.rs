//! A stuck set as it was found: the agents' waits and holds as they were read.

use crate::agent::Agent;
use crate::held::Held;
use crate::op::Op;
use crate::registry::Resource;
use crate::waits::graph::{HeldNow, Hop, Node, Via};
use crate::waits::slot::Published;
use crate::waits::source::Given;

/// A cycle, or one wait for an agent that has ended: the agents' waits and holds as they were read.
pub(crate) struct Cycle<'t> {
    pub(crate) members: Vec<Member<'t>>,
    pub(crate) chain: Chain<'t>,
}

pub(crate) enum Chain<'t> {
    /// In wait order, beginning with the agent that was judged.
    Hops(Vec<Hop>),
    /// The only member waits for what this agent took and can no longer release.
    Ended(&'t Agent, Held),
    /// Every member waits, and nobody is left who could end one of these waits: each leads to the next one,
    /// or nowhere.
    Still {
        steps: Vec<Step>,
        /// The agent that is judged waits like all others, and has not just come.
        is_late: bool,
    },
}

/// One member of what stands still.
pub(crate) struct Step {
    pub(crate) from: usize,
    pub(crate) why: Why,
}

impl Step {
    pub(crate) fn leads_nowhere(&self) -> bool {
        matches!(self.why, Why::Nobody(_))
    }
}

/// Why it cannot go on.
pub(crate) enum Why {
    /// It waits for this member, the next step's.
    Waits { to: usize, via: Via },
    /// Anybody could give it what it waits for, but the next step's member is who has done that so far.
    Given(Given),
    /// Nobody is left who could, and who did it last is gone, if anybody did.
    Nobody(Option<Given>),
}

/// One waiting agent as it was read.
pub(crate) struct Member<'t> {
    pub(crate) agent: &'t Agent,
    pub(crate) published: Published,
    pub(crate) holds: Vec<Held>,
}

impl Member<'_> {
    pub(crate) fn node(&self) -> Node {
        let access = self.published.wait.access;
        Node {
            agent: self.agent.id(),
            scope: self.agent.scope(),
            wants: self.published.wait.target,
            mode: self.published.wait.mode(),
            has_no_owner: self.published.source.is_some() && !access.op.is_condvar_wait(),
            fails_if_poisoned: access.op.fails_if_poisoned(access.kind),
            holds: self.holds_meanwhile(),
            behind: self.published.behind.to_vec(),
        }
    }

    /// What it holds while it waits, each in the place that it has in `holds`. A condition variable's mutex
    /// may not be given up yet, but will be: what stands there is nothing that anybody could want.
    fn holds_meanwhile(&self) -> Vec<HeldNow> {
        let wait = &self.published.wait;
        let given_up = wait.lock_id().filter(|_| wait.access.op.is_condvar_wait());
        let nothing = Resource::Wakeup(self.agent.id());
        let meanwhile = |held: &Held| match Some(held.lock) == given_up {
            true => HeldNow { resource: nothing, ..HeldNow::of(held) },
            false => HeldNow::of(held),
        };
        self.holds.iter().map(meanwhile).collect()
    }

    /// Whether its thread sleeps in the kernel, in the very call that it published, and so has not been
    /// given what it waits for.
    pub(crate) fn is_asleep(&self) -> bool {
        let seq = self.published.seq;
        self.agent.wait.is_blocking(seq)
            && self.agent.os_id().and_then(crate::os::is_asleep) == Some(true)
            && self.agent.wait.seq() == seq
    }

    /// Whether it is still in the very wait that was read, and no finding has named that.
    pub(crate) fn state(&self) -> MemberState {
        if self.agent.wait.seq() != self.published.seq {
            MemberState::Moved
        } else if self.agent.wait.is_reported(self.published.seq) {
            MemberState::Reported
        } else {
            MemberState::Same
        }
    }
}

/// What has become of a member since it was read.
#[derive(PartialEq, Eq)]
pub(crate) enum MemberState {
    /// It is in the same wait.
    Same,
    /// It is not.
    Moved,
    /// It is, and a finding has named that wait.
    Reported,
}

impl HeldNow {
    pub(crate) fn of(held: &Held) -> Self {
        Self {
            resource: Resource::Lock(held.lock),
            mode: held.access.mode,
            stamp: held.stamp,
            recovers: held.access.op == Op::Recover,
        }
    }
}

impl<'t> Cycle<'t> {
    /// The members that take part, in wait order.
    pub(crate) fn involved(&self) -> impl Iterator<Item = &Member<'t>> {
        let (hops, steps, alone) = match &self.chain {
            Chain::Hops(hops) => (hops.as_slice(), &[][..], None),
            Chain::Still { steps, .. } => (&[][..], steps.as_slice(), None),
            Chain::Ended(..) => (&[][..], &[][..], Some(0)),
        };
        let at = hops.iter().map(|hop| hop.from).chain(steps.iter().map(|step| step.from));
        at.chain(alone).map(|at| &self.members[at])
    }

    /// The members that must not have moved for it to be so.
    pub(crate) fn relied_on(&self) -> impl Iterator<Item = &Member<'t>> {
        let all =
            if matches!(self.chain, Chain::Still { .. }) { self.members.as_slice() } else { &[] };
        let some = self.involved().filter(move |_| all.is_empty());
        all.iter().chain(some)
    }

    pub(crate) fn member_of(&self, me: &Agent) -> Option<&Member<'t>> {
        self.members.iter().find(|member| std::ptr::eq(member.agent, me))
    }

    /// Whether a panic of `me` would leave somebody waiting all the same: one that waits for an
    /// initialiser, which `me` runs, to succeed. It need not be in the cycle.
    pub(crate) fn outlasts_a_panic_of(&self, me: &Agent) -> bool {
        let Some(own) = self.member_of(me) else { return false };
        self.members.iter().any(|member| {
            let wait = &member.published.wait;
            let runs = |held: &Held| Some(held.lock) == wait.lock_id();
            !std::ptr::eq(member.agent, me)
                && wait.access.op.waits_for_success(wait.access.kind)
                && own.holds.iter().any(runs)
        })
    }
}
