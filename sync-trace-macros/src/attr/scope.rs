//! `lock_scope!(order(a < b), only(a, b); { … })`.

use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprAsync, ExprBlock, ExprClosure, Result, Token};

use super::{Clauses, comma, crate_option};

pub(crate) struct Scope {
    pub(crate) clauses: Clauses,
    pub(crate) extent: Extent,
}

/// What the clauses are in force for.
pub(crate) enum Extent {
    Block(ExprBlock),
    /// Each of its calls.
    Closure(ExprClosure),
    Async(ExprAsync),
}

impl Parse for Scope {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut clauses = Clauses::default();
        while !input.peek(Token![;]) {
            if input.is_empty() {
                return Err(
                    input.error("expected `;` and a block: `lock_scope!(order(a < b); { .. })`")
                );
            }
            clauses = match crate_option(input)? {
                Some(path) => Clauses { path: Some(path), ..clauses },
                None => clauses.and(Clauses::clause(input)?),
            };
            if !input.peek(Token![;]) && !input.peek(Token![,]) && !input.is_empty() {
                return Err(input.error("expected `,` or `;`"));
            }
            if input.peek(Token![,]) {
                comma(input)?;
            }
        }
        if clauses.list.is_empty() {
            return Err(input.error("`lock_scope!` needs clauses: `order(a < b)`"));
        }
        input.parse::<Token![;]>()?;
        const EXPECTED: &str = "expected a block, a closure or an async block";
        if input.is_empty() {
            return Err(input.error(EXPECTED));
        }
        let extent = match input.parse()? {
            Expr::Block(block) => Extent::Block(block),
            Expr::Closure(closure) => Extent::Closure(closure),
            Expr::Async(future) => Extent::Async(future),
            other => return Err(Error::new_spanned(other, EXPECTED)),
        };
        Ok(Self { clauses, extent })
    }
}
