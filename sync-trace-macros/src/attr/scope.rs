//! `lock_scope!(order(a < b), only(a, b); { … })`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::visit_mut::{self, VisitMut};
use syn::{Error, Expr, ExprAsync, ExprAwait, ExprBlock, ExprClosure, Item, Macro, Result, Token};

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
            Expr::Block(block) => {
                awaits_nothing(&block)?;
                Extent::Block(block)
            }
            Expr::Closure(closure) => Extent::Closure(closure),
            Expr::Async(future) => Extent::Async(future),
            other => return Err(Error::new_spanned(other, EXPECTED)),
        };
        Ok(Self { clauses, extent })
    }
}

/// A block is left by the thread that entered it, before all that is around it: a task cannot be suspended
/// in it.
fn awaits_nothing(block: &ExprBlock) -> Result<()> {
    let mut awaits = Awaits { first: None };
    awaits.visit_expr_block_mut(&mut block.clone());
    let text = "a block cannot be suspended while its rules are in force: \
                put the `async` inside, as in `lock_scope!(order(a < b); async { .. }).await`";
    awaits.first.map_or(Ok(()), |span| Err(Error::new(span, text)))
}

/// The first `.await` of the block itself, as far as it can be seen.
struct Awaits {
    first: Option<Span>,
}

impl VisitMut for Awaits {
    fn visit_expr_await_mut(&mut self, expr: &mut ExprAwait) {
        visit_mut::visit_expr_await_mut(self, expr);
        self.first.get_or_insert(expr.await_token.span);
    }

    // Of what a macro is given it is not known what becomes of it. An `async` in there may be around.
    fn visit_macro_mut(&mut self, call: &mut Macro) {
        if !has_async(call.tokens.clone())
            && let Some(span) = first_await(call.tokens.clone())
        {
            self.first.get_or_insert(span);
        }
    }

    // These are not suspended with it.
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

fn has_async(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "async",
        TokenTree::Group(group) => has_async(group.stream()),
        _ => false,
    })
}

fn first_await(tokens: TokenStream) -> Option<Span> {
    let mut is_behind_dot = false;
    for token in tokens {
        match &token {
            TokenTree::Ident(word) if is_behind_dot && word == "await" => return Some(word.span()),
            TokenTree::Group(group) => {
                if let Some(span) = first_await(group.stream()) {
                    return Some(span);
                }
            }
            _ => {}
        }
        is_behind_dot = matches!(&token, TokenTree::Punct(dot) if dot.as_char() == '.');
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[track_caller]
    fn check(block: &str, is_suspended: bool) {
        let scope = syn::parse_str::<Scope>(&format!("order(a < b); {block}"));
        let error = scope.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error.contains("cannot be suspended"), is_suspended, "{block}: {error}");
    }

    #[test]
    fn a_block_that_awaits_is_refused() {
        check("{ x.await }", true);
        check("{ if y { loop { x().await?; } } }", true);
        check("{ f(|| 1, x.await) }", true);
        check("{ join!(x.await, 1) }", true);
        check("{ assert!(f(&[x.await])) }", true);
    }

    #[test]
    fn what_is_awaited_by_something_inside_is_not_the_blocks() {
        check("{ x }", false);
        check("{ run(async { x.await }) }", false);
        check("{ run(async move { x.await }); 1 }", false);
        check("{ let f = async |x| x.await; }", false);
        check("{ async fn f() { x.await } }", false);
        check("{ vec![async { x.await }] }", false);
        check("{ assert_eq!(await_it.x, 1.) }", false);
        check("async { x.await }", false);
        check("async |x| x.await", false);
    }
}
