//! A function with rules.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, Label, Lifetime, ReturnType, Stmt};

use super::declaration::Declared;
use super::extent::{Output, around, entered, prepared};
use super::{Halves, Library, local};
use crate::attr::{Clause, Position};
use crate::item::{Function, braced};
use crate::model::{Shape, each_return, tail_future};

pub(crate) fn function(
    library: &Library,
    function: &Function,
    shape: Shape,
    clauses: &[Clause],
) -> Halves {
    let name = &function.sig.ident;
    let declared =
        Declared::new(library, &name.unraw().to_string(), Position::of(name.span()), clauses);
    let checks = declared.checks();
    let body = &function.body;
    Halves {
        on: function.with(on(&declared, function, shape)),
        off: function.with(quote!(#checks #body)),
    }
}

fn on(declared: &Declared<'_>, function: &Function, shape: Shape) -> TokenStream {
    let library = declared.library;
    let statics = declared.statics();
    let names = function.receiver().map(|receiver| quote!(#library::__name_locks_of!(#receiver);));
    let output = Output::of(&function.sig.output);
    let body = match shape {
        Shape::Plain => entered(declared, output, function.block().to_token_stream()),
        Shape::Async => {
            let (prepared, edge, body) = (prepared(declared), output.edge(), &function.body);
            let block = braced(quote!(#edge #body), function.brace);
            let future = around(quote!(async move #block));
            quote!(#prepared #future.await)
        }
        Shape::Tail(mut statements) => {
            if let Some(Stmt::Expr(tail, None)) = statements.last_mut()
                && let Some(future) = tail_future(tail)
            {
                *future = Expr::Verbatim(around(future.to_token_stream()));
            }
            let prepared = prepared(declared);
            quote!(#prepared #(#statements)*)
        }
        Shape::Returned { boxed, statements } => {
            let prepared = prepared(declared);
            let future = local("__sync_trace_future");
            let ty = match (&function.sig.output, boxed) {
                (ReturnType::Type(_, ty), true) => quote!(: #ty),
                _ => TokenStream::new(),
            };
            let value = returned(statements, function);
            let entered = around(quote!(#future));
            let entered = if boxed { quote!(::std::boxed::Box::pin(#entered)) } else { entered };
            quote!(#prepared let #future #ty = #value; #entered)
        }
    };
    quote!(#statics #names #body)
}

/// The body as an expression whose value is what the function would have returned.
fn returned(mut statements: Vec<Stmt>, function: &Function) -> TokenStream {
    let label = Lifetime::new("'__sync_trace_returned", proc_macro2::Span::mixed_site());
    let mut found = false;
    each_return(&mut statements, &mut |expr| {
        if let Expr::Return(early) = expr {
            found = true;
            let value = &early.expr;
            *expr = Expr::Verbatim(quote!(break #label #value));
        }
    });
    let block = braced(quote!(#(#statements)*), function.brace);
    let label = found.then(|| Label { name: label, colon_token: Default::default() });
    quote!(#label #block)
}
