//! From a broken declaration to a finding that owns all it names.

use super::book::{AgainstClass, Contradiction, Inverse, Sentence};
use super::check::Breach as Found;
use super::class::LockClass;
use super::extents::{Overrun, Spent};
use super::model::{Clause, Declaration, Element, Rule, Span};
use crate::agent::Agent;
use crate::evidence::{hold_of, wait_for};
use crate::finding::{
    Breach, Broken, Condition, Declared, Finding, Fingerprint, Hold, Level, Outcome, Passage, Wait,
};
use crate::held::Held;
use crate::perturb::SCHEDULE;

/// Who does something, while what is held.
pub(super) struct Scene<'a> {
    agent: &'a Agent,
    holds: &'a [Held],
}

impl<'a> Scene<'a> {
    pub(super) fn of(agent: &'a Agent, holds: &'a [Held]) -> Self {
        Self { agent, holds }
    }

    /// A clause is broken, by a request if there is one.
    pub(super) fn broken(&self, found: &Found, wanted: Option<&Held>) -> Finding {
        let against = found.against.as_ref().map(hold_of);
        self.finding(found.broken, vec![declared_by(found)], wanted.map(wait_for), against)
    }

    /// An assertion does not hold.
    pub(super) fn assertion(
        &self,
        broken: Broken,
        declared: Declared,
        against: Option<&Held>,
    ) -> Finding {
        self.finding(broken, vec![declared], None, against.map(hold_of))
    }

    /// A function is called that may block, where a clause or the class of a lock forbids it.
    pub(super) fn may_not_block(
        &self,
        found: &Found,
        forbids: Option<(&'static Declaration, &'static Clause)>,
    ) -> Finding {
        let forbidden =
            forbids.map(|(declaration, clause)| declared(declaration, clause, [None, None]));
        let class = found.against.as_ref().and_then(|held| held.created.class());
        let spins = class.map(|class| declared_of_class(class, "spin"));
        let declared = [declared_by(found)].into_iter().chain(forbidden).chain(spins).collect();
        self.finding(found.broken, declared, None, found.against.as_ref().map(hold_of))
    }

    /// The agent is about to block where a clause forbids it.
    pub(super) fn blocks(&self, found: &Found, wait: Wait) -> Finding {
        self.finding(found.broken, vec![declared_by(found)], Some(wait), None)
    }

    /// The agent is about to block while it holds a lock of a class for which nobody blocks.
    pub(super) fn blocks_while(&self, held: &Held, class: &LockClass, wait: Wait) -> Finding {
        let declared = vec![declared_of_class(class, "spin")];
        self.finding(Broken::Blocks, declared, Some(wait), Some(hold_of(held)))
    }

    /// What is said of a class is broken.
    pub(super) fn against_class(&self, against: &AgainstClass, wanted: &Held) -> Finding {
        let option = match against.broken {
            Broken::AfterLeaf => "leaf",
            Broken::NotFirst => "first",
            _ => "rank",
        };
        let classes = [against.held.created.class(), wanted.created.class()];
        let declared = match against.broken {
            Broken::RankDescends => classes.into_iter().flatten().collect(),
            _ => vec![against.class],
        };
        let declared = declared.into_iter().map(|class| declared_of_class(class, option)).collect();
        let (wait, held) = (wait_for(wanted), hold_of(&against.held));
        self.finding(against.broken, declared, Some(wait), Some(held))
    }

    /// An order is declared elsewhere by which this request is the wrong way round.
    pub(super) fn inverse(&self, inverse: &Inverse, wanted: &Held) -> Finding {
        let declared = inverse.sentences.iter().map(declared_in).collect();
        let (wait, held) = (wait_for(wanted), hold_of(&inverse.held));
        let finding = self.finding(Broken::OutOfOrder, declared, Some(wait), Some(held));
        match inverse.is_global {
            true => finding,
            false => Finding {
                level: Level::Order,
                condition: Some(Condition::DeclaredElsewhere),
                ..finding
            },
        }
    }

    /// Something has lasted longer than a declaration allows.
    pub(super) fn overrun(&self, declaration: &'static Declaration, overrun: &Overrun) -> Finding {
        let Overrun { what, lock, took, limit } = overrun;
        let is_budget = |clause: &&Clause| matches!(clause.rule, Rule::Budget { .. });
        let clause = declaration.clauses.iter().find(is_budget);
        let declared = clause.map(|clause| declared(declaration, clause, [None, None]));
        let hold = hold_of(lock);
        let (broken, wait, against) = match what {
            Spent::Waiting => (Broken::WaitedTooLong, Some(wait_for(lock)), None),
            Spent::Holding => (Broken::HeldTooLong, None, Some(hold)),
            Spent::Suspended => (Broken::HeldAcrossAwait, None, Some(hold)),
        };
        let mut finding = self.finding(broken, declared.into_iter().collect(), wait, against);
        if let Some(breach) = &mut finding.breach {
            breach.took = Some((*took, *limit));
        }
        finding
    }

    fn finding(
        &self,
        broken: Broken,
        declared: Vec<Declared>,
        wait: Option<Wait>,
        against: Option<Hold>,
    ) -> Finding {
        let breach = Breach {
            broken,
            agent: Some(self.agent.participant()),
            declared,
            wait,
            against,
            held: self.holds.iter().map(hold_of).collect(),
            took: None,
        };
        self.met(of_breach(breach))
    }

    /// A finding that the agent has to answer for.
    pub(super) fn met(&self, finding: Finding) -> Finding {
        let identity = self.agent.identity();
        Finding {
            roots: identity.root_name.as_deref().map(String::from).into_iter().collect(),
            tests: identity.test.into_iter().collect(),
            root_ids: vec![self.agent.root()],
            ..finding
        }
    }
}

/// Declarations that cannot all be kept.
pub(super) fn contradiction(contradiction: &Contradiction) -> Finding {
    let (broken, declared) = match contradiction {
        Contradiction::Circle(sentences) => {
            (Broken::Contradiction, sentences.iter().map(declared_in).collect())
        }
        Contradiction::Classes(classes) => {
            let declared = classes.iter().map(|class| declared_of_class(class, "")).collect();
            (Broken::ClassesDiffer, declared)
        }
    };
    of_breach(Breach {
        broken,
        agent: None,
        declared,
        wait: None,
        against: None,
        held: Vec::new(),
        took: None,
    })
}

fn of_breach(breach: Breach) -> Finding {
    Finding {
        code: breach.broken.code(),
        level: Level::Declared,
        fingerprint: Fingerprint::of_breach(&breach),
        condition: None,
        links: Vec::new(),
        breach: Some(Box::new(breach)),
        also_waiting: Vec::new(),
        outcome: Outcome::Noted,
        roots: Vec::new(),
        tests: Vec::new(),
        root_ids: Vec::new(),
        pairing: None,
        seed: SCHEDULE.seed(),
        raised_in_root: false,
        raised_by: None,
    }
}

fn declared_by(found: &Found) -> Declared {
    declared(found.declaration, found.clause, [found.element, found.other])
}

fn declared_in(sentence: &Sentence) -> Declared {
    let Sentence { declaration, clause, first, then } = *sentence;
    let declared = declared(declaration, clause, [Some(first), Some(then)]);
    Declared { in_force: false, ..declared }
}

fn declared(
    declaration: &'static Declaration,
    clause: &'static Clause,
    parts: [Option<&'static Element>; 2],
) -> Declared {
    Declared {
        item: declaration.path(),
        attribute: clause.rule.attribute(),
        text: clause.text,
        passage: passage(declaration.file, clause.span),
        name: Some(passage(declaration.file, declaration.name)),
        parts: parts.map(|part| part.map(|element| element.text)),
        in_force: true,
    }
}

fn passage(file: &'static str, span: Span) -> Passage {
    Passage { file, line: span.line, column: span.column, end: span.end }
}

/// What is said of a class, by this option of it.
fn declared_of_class(class: &LockClass, option: &'static str) -> Declared {
    let site = class.declared;
    let passage = Passage {
        file: site.file(),
        line: site.line(),
        column: site.column(),
        // The macro's name.
        end: site.column() + LOCK_CLASS.len() as u32,
    };
    Declared {
        item: class.name,
        attribute: LOCK_CLASS,
        text: option,
        passage,
        name: None,
        parts: [None, None],
        in_force: false,
    }
}

const LOCK_CLASS: &str = "lock_class";
