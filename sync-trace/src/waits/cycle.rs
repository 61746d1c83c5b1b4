//! A stuck set as it was found: the agents' waits and holds as they were read.

use crate::agent::Agent;
use crate::held::Held;
use crate::op::Op;
use crate::registry::Resource;
use crate::waits::graph::{HeldNow, Hop, Node};
use crate::waits::slot::Published;

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
            fails_if_poisoned: access.op.fails_if_poisoned(access.kind),
            holds: self.holds.iter().map(held_now).collect(),
            behind: self.published.behind.to_vec(),
        }
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

fn held_now(held: &Held) -> HeldNow {
    HeldNow {
        resource: Resource::Lock(held.lock),
        mode: held.access.mode,
        stamp: held.stamp,
        recovers: held.access.op == Op::Recover,
    }
}

impl<'t> Cycle<'t> {
    /// The members that take part, in wait order.
    pub(crate) fn involved(&self) -> impl Iterator<Item = &Member<'t>> {
        let hops = match &self.chain {
            Chain::Hops(hops) => hops.as_slice(),
            Chain::Ended(..) => &[],
        };
        let alone = matches!(self.chain, Chain::Ended(..)).then_some(0);
        hops.iter().map(|hop| hop.from).chain(alone).map(|at| &self.members[at])
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
