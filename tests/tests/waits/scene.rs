//! What the programs are made of.

use std::sync::mpsc::{Receiver, Sender, channel};

use sync_trace::finding::{AgentState, Blocker, Condition, Finding, Level, Op, Target};
use sync_trace::sync::{Arc, Condvar, Mutex};

use crate::programs::below_a_root;

/// What is expected of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing is said.
    Silent,
    /// A deadlock that could happen.
    Predicted,
    /// It is only listed, because what takes part comes one after the other.
    Ordered,
    /// It is only listed, because others give what is waited for, or could.
    OthersGive,
    /// It is only listed, because who joins may have been told.
    MayBeTold,
}

/// Runs `program` and compares what is said of it. Returns all that is.
#[track_caller]
pub(crate) fn check(expected: Expected, program: impl FnOnce() + Send + 'static) -> Vec<Finding> {
    let root = below_a_root(program);
    let is_of_it = |finding: &Finding| finding.roots.contains(&root);
    let found = sync_trace::take_findings_where(is_of_it);
    let mut all: Vec<Finding> = found.iter().map(|finding| (**finding).clone()).collect();
    all.extend(sync_trace::notes().into_iter().filter(is_of_it));
    let said: Vec<Expected> = all.iter().map(what_is_said).collect();
    let expected = if expected == Expected::Silent { vec![] } else { vec![expected] };
    let reports: Vec<String> = all.iter().map(Finding::to_string).collect();
    assert_eq!(said, expected, "{}", reports.join("\n"));
    all
}

fn what_is_said(finding: &Finding) -> Expected {
    match (finding.level, &finding.condition) {
        (Level::Predicted, None) => Expected::Predicted,
        (Level::Order, Some(Condition::Ordered)) => Expected::Ordered,
        (Level::Order, Some(Condition::OtherGivers(_))) => Expected::OthersGive,
        (Level::Order, Some(Condition::MayBeTold(_))) => Expected::MayBeTold,
        (level, condition) => panic!("{level:?}, {condition:?}: {finding}"),
    }
}

/// Who waits for what, and whom it would be given by, of each part of a finding.
pub(crate) fn parts(finding: &Finding) -> Vec<String> {
    let part = |link: &sync_trace::finding::Link| {
        let what = match &link.wait.target {
            Target::Lock(lock, _) => lock.kind.to_string(),
            Target::Thread(_) => "thread".to_owned(),
            other => panic!("{other:?}"),
        };
        let how = match &link.blocker {
            Blocker::Gives(signal) => format!("given by {}", signal.op),
            Blocker::Holds(_) => "held".to_owned(),
            Blocker::Runs => "runs".to_owned(),
            other => panic!("{other:?}"),
        };
        format!("{} {what}, {how}", link.wait.op)
    };
    finding.links.iter().map(part).collect()
}

/// The report says all of this.
#[track_caller]
pub(crate) fn says(finding: &Finding, parts: &[&str]) {
    let report = finding.to_string();
    for part in parts {
        assert!(report.contains(part), "no `{part}` in\n{report}");
    }
}

/// A place in a program that others wait for, unseen by the tracker.
pub(crate) fn gate() -> (Pass, Stand) {
    let (sender, receiver) = channel();
    (Pass(sender), Stand(receiver))
}

/// Lets the other side of a gate go on.
#[derive(Clone)]
pub(crate) struct Pass(Sender<()>);

impl Pass {
    pub(crate) fn open(&self) {
        self.0.send(()).expect("somebody stands there");
    }
}

/// The side that waits.
pub(crate) struct Stand(Receiver<()>);

impl Stand {
    pub(crate) fn wait(&self) {
        self.0.recv().expect("somebody lets this one pass");
    }
}

/// A condition: a number behind a mutex, and what is signalled when it changes.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<(Mutex<u32>, Condvar)>);

impl Count {
    /// Waits until it is `wanted`. When it is certain that it will wait, lets `pass` know: whoever takes the
    /// mutex then does so during the wait.
    pub(crate) fn wait_for(&self, wanted: u32, pass: &Pass) {
        let (mutex, condvar) = &*self.0;
        let count = mutex.lock().expect("not poisoned");
        assert!(*count < wanted, "it waits");
        pass.open();
        let _count = condvar.wait_while(count, |count| *count < wanted).expect("not poisoned");
    }

    /// Adds one and signals that, while the mutex is held.
    pub(crate) fn add_one(&self) {
        let (mutex, condvar) = &*self.0;
        *mutex.lock().expect("not poisoned") += 1;
        condvar.notify_all();
    }

    /// The same, and signals before the mutex is released.
    pub(crate) fn add_one_inside(&self) {
        let (mutex, condvar) = &*self.0;
        let mut count = mutex.lock().expect("not poisoned");
        *count += 1;
        condvar.notify_one();
    }

    pub(crate) fn parts(&self) -> (&Mutex<u32>, &Condvar) {
        (&self.0.0, &self.0.1)
    }
}

/// The calling thread, for others that look what it does.
pub(crate) struct Watched(String);

impl Watched {
    pub(crate) fn me() -> Self {
        Self::named(std::thread::current().name().expect("a root has a name"))
    }

    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Comes back when it waits in such a call.
    pub(crate) fn until_it_waits_in(&self, op: Op) {
        let is_there = |state: &AgentState| {
            state.agent.name.as_deref() == Some(&self.0)
                && state.wait.as_ref().is_some_and(|(wait, _)| wait.op == op)
        };
        while !sync_trace::snapshot().agents.iter().any(is_there) {
            std::thread::yield_now();
        }
    }
}
