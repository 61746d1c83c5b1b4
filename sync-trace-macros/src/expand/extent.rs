//! A stretch of code in which a declaration is in force.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{ReturnType, Token, Type};

use super::declaration::Declared;
use super::{at, local};

/// Statements that end with the value of `block`.
pub(crate) fn entered(declared: &Declared<'_>, output: Output, block: TokenStream) -> TokenStream {
    let library = declared.library.declared();
    let fill = declared.fill();
    let scope = local("__sync_trace_scope");
    let enter = quote! {
        let #scope = #library::enter(&__SYNC_TRACE_DECLARATION, #fill);
    };
    let ty = match output {
        // `!` cannot be named; what never ends is also a value of a type that has none.
        Output::Never => {
            let never = local("__sync_trace_never");
            return quote! {
                #enter
                #[allow(clippy::diverging_sub_expression)]
                let #never: ::core::convert::Infallible = #block;
                #[allow(unreachable_code)]
                match #never {};
            };
        }
        Output::Type(ty) => quote!(: #ty),
        Output::Unknown => TokenStream::new(),
    };
    let result = local("__sync_trace_result");
    // Not as the last expression: before edition 2024 its temporaries, guards perhaps, would outlive the scope.
    quote! {
        #enter
        #[allow(clippy::diverging_sub_expression)]
        let #result #ty = #block;
        #[allow(unreachable_code)]
        #scope.leave();
        #result
    }
}

/// The statement after which `around` can be used.
pub(crate) fn prepared(declared: &Declared<'_>) -> TokenStream {
    let library = declared.library.declared();
    let fill = declared.fill();
    let scope = local("__sync_trace_scope");
    quote! { let #scope = #library::prepare(&__SYNC_TRACE_DECLARATION, #fill); }
}

/// The future in its extent.
pub(crate) fn around(future: TokenStream) -> TokenStream {
    let scope = local("__sync_trace_scope");
    quote!(#scope.around(#future))
}

/// The type of a block's value.
#[derive(Clone)]
pub(crate) enum Output {
    Type(TokenStream),
    Unknown,
    Never,
}

impl Output {
    pub(crate) fn of(output: &ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else { return Self::Type(quote!(())) };
        let mut ty = (**ty).clone();
        Erase.visit_type_mut(&mut ty);
        match ty {
            Type::Never(_) => Self::Never,
            Type::Infer(_) => Self::Unknown,
            ty => Self::Type(quote!(#ty)),
        }
    }

    /// An early return that never happens, so that a wrong type is shown at the function's own.
    pub(crate) fn edge(&self) -> TokenStream {
        let Self::Type(ty) = self else { return TokenStream::new() };
        let span = at(ty.span());
        let value = Ident::new("__sync_trace_result", span);
        let value = quote_spanned!(span=> let #value: #ty = loop {}; return #value;);
        quote! {
            #[allow(
                unreachable_code,
                clippy::diverging_sub_expression,
                clippy::empty_loop,
                clippy::let_unit_value,
                clippy::let_with_type_underscore,
                clippy::needless_return,
                clippy::unused_unit
            )]
            if false { #value }
        }
    }
}

/// Puts `_` where `impl Trait` is, which a `let` cannot name.
struct Erase;

impl VisitMut for Erase {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        match ty {
            Type::ImplTrait(opaque) => {
                let underscore_token = Token![_](opaque.impl_token.span);
                *ty = Type::Infer(syn::TypeInfer { attrs: Vec::new(), underscore_token });
            }
            _ => visit_mut::visit_type_mut(self, ty),
        }
    }
}
