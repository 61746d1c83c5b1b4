//! Whether the clauses fit the function.

use syn::{Error, Result, Signature};

use crate::attr::{Clause, Lock, Origin, Rule, combined};

/// Finds clauses that can mean nothing in a function that is not `async`.
pub(crate) fn check_fit(clauses: &[Clause], sig: &Signature, is_future: bool) -> Result<()> {
    let own = clauses.iter().filter(|clause| clause.origin == Origin::Own && !is_future);
    combined(own.filter_map(|clause| match &clause.rule {
        Rule::Budget(budget) => budget.await_hold.as_ref().map(|limit| {
            let text = format!("`{}` never waits at an `.await`: it is no `async fn`", sig.ident);
            Error::new(limit.word, text)
        }),
        _ => None,
    }))
}

/// What of a block's clauses can be said of a function without `self`.
///
/// A chain or list loses what it cannot name; a `lock_only` that lost a part would forbid too much, and goes.
pub(crate) fn without_self(clause: &Clause) -> Option<Clause> {
    let mut clause = clause.clone();
    let keep = |locks: &mut Vec<Lock>| {
        locks.retain(|lock| !lock.names_self());
        !locks.is_empty()
    };
    let something_is_left = match &mut clause.rule {
        Rule::Order(order) => {
            order.chains.retain(|chain| !chain.iter().any(Lock::names_self));
            !order.chains.is_empty()
        }
        Rule::Only(locks) => !locks.iter().any(Lock::names_self),
        Rule::Requires { locks, .. } | Rule::Excludes(locks) => keep(locks),
        Rule::Acquires(locks) | Rule::Releases(locks) => keep(locks),
        Rule::NoBlock | Rule::MayBlock | Rule::Budget(_) | Rule::Exempt(_) => true,
    };
    something_is_left.then_some(clause)
}
