//! A function with rules.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, FnArg, Label, Lifetime, Pat, PatIdent, PatType, ReturnType, Stmt};

use super::declaration::Declared;
use super::extent::{Output, around, entered, prepared};
use super::{Halves, Library, local};
use crate::attr::{Clause, Position, Rule};
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
    let gives_back = clauses.iter().any(|clause| matches!(clause.rule, Rule::Releases(_)));
    let (outside, moves) = if gives_back { moved_in(function) } else { Default::default() };
    let entered = on(&declared, function, shape, &moves);
    Halves {
        on: outside.as_ref().unwrap_or(function).with(entered),
        off: function.with(quote!(#checks #body)),
    }
}

/// The function, and statements that move its parameters into a block: what they hold is released within it.
fn moved_in(function: &Function) -> (Option<Function>, TokenStream) {
    let mut outside = function.clone();
    let mut moves = TokenStream::new();
    for input in &mut outside.sig.inputs {
        let FnArg::Typed(PatType { attrs, pat, .. }) = input else { continue };
        let Pat::Ident(PatIdent { by_ref: None, subpat: None, mutability, ident, .. }) = &mut **pat
        else {
            continue;
        };
        if attrs.is_empty() {
            let mutability = mutability.take();
            moves.extend(quote!(let #mutability #ident = #ident;));
        }
    }
    (Some(outside), moves)
}

fn on(
    declared: &Declared<'_>,
    function: &Function,
    shape: Shape,
    moves: &TokenStream,
) -> TokenStream {
    let library = declared.library;
    let statics = declared.statics();
    let names = function.receiver().map(|receiver| quote!(#library::__name_locks_of!(#receiver);));
    let output = Output::of(&function.sig.output);
    let body = match shape {
        Shape::Plain => {
            let block = function.block();
            // Not in the block itself: what is borrowed from a parameter at its end lives as long as ever.
            let block = match &output {
                _ if moves.is_empty() => quote!(#block),
                Output::Type(ty) => {
                    let value = local("__sync_trace_value");
                    quote!({ #moves let #value: #ty = #block; #value })
                }
                Output::Unknown => {
                    let value = local("__sync_trace_value");
                    quote!({ #moves let #value = #block; #value })
                }
                Output::Never => quote!({ #moves #block }),
            };
            entered(declared, output, block)
        }
        Shape::Async => {
            let (prepared, edge, body) = (prepared(declared), output.edge(), &function.body);
            let block = if moves.is_empty() {
                braced(quote!(#edge #body), function.brace)
            } else {
                let inner = braced(quote!(#body), function.brace);
                let value = local("__sync_trace_value");
                braced(quote!(#edge #moves let #value = #inner; #value), function.brace)
            };
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
