//! `lock_scope!`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;
use syn::{ExprClosure, Result, ReturnType};

use super::declaration::Declared;
use super::extent::{Output, around, entered, prepared};
use super::{Halves, Library};
use crate::attr::{Extent, Position, Scope};
use crate::item::braced;
use crate::model::check;

pub(crate) fn lock_scope(input: TokenStream) -> TokenStream {
    let scope: Result<Scope> = syn::parse2::<Scope>(input).and_then(|scope| {
        check(&scope.clauses.list)?;
        Ok(scope)
    });
    match scope {
        Ok(scope) => expand(&scope),
        Err(error) => {
            let error = error.into_compile_error();
            quote!({ #error })
        }
    }
}

fn expand(Scope { clauses, extent }: &Scope) -> TokenStream {
    let library = Library::new(clauses.path.as_ref());
    let here = Position::of(Span::call_site());
    let declared = Declared::new(&library, "{scope}", here, &clauses.list);
    let (statics, checks) = (declared.statics(), declared.checks());
    library.either(match extent {
        Extent::Block(block) => {
            let entered = entered(&declared, Output::Unknown, block.to_token_stream());
            let mut off = block.clone();
            let body = &block.block.stmts;
            off.block.stmts =
                vec![syn::Stmt::Expr(syn::Expr::Verbatim(quote!(#checks #(#body)*)), None)];
            Halves { on: quote!({ #statics #entered }), off: off.into_token_stream() }
        }
        Extent::Closure(closure) => {
            let output = match &closure.output {
                ReturnType::Default => Output::Unknown,
                written => Output::of(written),
            };
            let body = &closure.body;
            let entered = if closure.asyncness.is_some() {
                let (prepared, edge) = (prepared(&declared), output.edge());
                // Not `move`: what the closure has borrowed stays so.
                let around = around(quote!(async { #edge #body }));
                quote!(#prepared #around.await)
            } else {
                entered(&declared, output, body.to_token_stream())
            };
            Halves {
                on: calls(closure, quote!(#statics #entered)),
                off: calls(closure, quote!(#checks #body)),
            }
        }
        Extent::Async(future) => {
            let (prepared, around) = (prepared(&declared), around(future.to_token_stream()));
            Halves {
                on: quote!({ #statics #prepared #around }),
                // Outside the future, which must not hold on to more than it does without us.
                off: quote!({ #checks #future }),
            }
        }
    })
}

/// The closure with another body.
fn calls(closure: &ExprClosure, body: TokenStream) -> TokenStream {
    let mut closure = closure.clone();
    let body = braced(body, closure.body.span());
    *closure.body = syn::Expr::Verbatim(body.to_token_stream());
    closure.into_token_stream()
}
