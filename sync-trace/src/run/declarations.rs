//! What is declared, as records.

use super::record::{self, DeclaredOrder, Element, Known, Meant};
use crate::declared::frame::{Member, Which};
use crate::declared::model::{self, Clause, HeldMode, Rule, What};
use crate::declared::{DECLARATIONS, Declaration};
use crate::finding::Passage;

/// Writes the orders behind `out` that only speak of names and classes: they are known before anything
/// has run.
pub(super) fn write_named(out: &mut String) {
    let all =
        DECLARATIONS.iter().flat_map(|one| one.clauses.iter().map(move |clause| (one, clause)));
    for (declaration, clause) in all.filter(|(_, clause)| is_known_at_once(clause)) {
        record::line(&clause_of(declaration, clause, &[]), out);
    }
}

/// Writes the other clauses behind `out`, of a function that has run with these locks.
pub(super) fn write_run(declaration: &'static Declaration, members: &[Member], out: &mut String) {
    for clause in declaration.clauses.iter().filter(|clause| !is_known_at_once(clause)) {
        record::line(&clause_of(declaration, clause, members), out);
    }
}

fn is_known_at_once(clause: &Clause) -> bool {
    let Rule::Order { chains, .. } = &clause.rule else { return false };
    let is_named = |element: &model::Element| !matches!(element.what, What::Slot(_));
    chains.iter().all(|chain| chain.iter().all(is_named))
}

fn clause_of(
    declaration: &'static Declaration,
    clause: &'static Clause,
    members: &[Member],
) -> record::Declaration {
    let span = clause.span;
    let order = match &clause.rule {
        Rule::Order { chains, options } => Some(DeclaredOrder {
            chains: chains
                .iter()
                .map(|chain| chain.iter().map(|one| element(one, members)).collect())
                .collect(),
            global: options.global,
            strict: options.strict,
            local: options.local,
            inherit: options.inherit,
        }),
        _ => None,
    };
    record::Declaration {
        item: declaration.path(),
        attribute: clause.rule.attribute(),
        text: clause.text,
        at: Passage { file: declaration.file, line: span.line, column: span.column, end: span.end },
        order,
    }
}

fn element(element: &'static model::Element, members: &[Member]) -> Element {
    Element {
        text: element.text,
        what: match element.what {
            What::Name(name) => Meant::Name(name),
            What::Class(name) => Meant::Class(name),
            What::Slot(slot) => place(members.iter().filter(|member| member.slot == slot)),
        },
        mode: element.mode.map(|mode| match mode {
            HeldMode::Read => "read",
            HeldMode::Write => "write",
            HeldMode::Upgradable => "upgradable",
        }),
        is_ordered: element.ordered,
    }
}

/// What a place stood for: thousands of locks of a collection are mostly of one kind.
fn place<'m>(members: impl Iterator<Item = &'m Member>) -> Meant {
    let (mut locks, mut types) = (Vec::new(), Vec::new());
    for member in members {
        match member.what {
            Which::Lock { origin, .. } => {
                let known = origin.name().map_or(Known::Created(origin.site()), Known::Name);
                if !locks.contains(&known) {
                    locks.push(known);
                }
            }
            Which::Type(name) => types.push(name()),
            Which::Unknown => {}
        }
    }
    Meant::Place { locks, types }
}
