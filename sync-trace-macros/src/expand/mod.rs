//! The code. Nothing here can fail: what is wrong has been found before.
//!
//! A macro cannot see whether sync-trace is on, so it gives both halves and sync-trace picks one.

mod attribute;
mod class;
mod declaration;
mod extent;
mod fields;
mod function;
mod hierarchy;
mod scope;
mod test;

pub(crate) use attribute::attribute;
pub(crate) use class::lock_class;
pub(crate) use fields::lock_fields;
pub(crate) use hierarchy::lock_hierarchy;
pub(crate) use scope::lock_scope;
pub(crate) use test::test;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Path;

use crate::attr::Position;

/// What is emitted where sync-trace is on, and where it is compiled out.
pub(crate) struct Halves {
    pub(crate) on: TokenStream,
    pub(crate) off: TokenStream,
}

/// The path of sync-trace.
#[derive(Clone)]
pub(crate) struct Library(TokenStream);

impl Library {
    pub(crate) fn new(path: Option<&Path>) -> Self {
        Self(path.map_or_else(|| quote!(::sync_trace), ToTokens::to_token_stream))
    }

    /// `__private::declared`.
    fn declared(&self) -> TokenStream {
        let Self(path) = self;
        quote!(#path::__private::declared)
    }

    /// The same, so that what is wrong with a call is shown at `span`.
    fn declared_at(&self, span: Span) -> TokenStream {
        respanned(self.declared(), span)
    }

    /// Both halves, of which sync-trace keeps one.
    pub(crate) fn either(&self, Halves { on, off }: Halves) -> TokenStream {
        let Self(path) = self;
        quote! { #path::__if_enabled! { on { #on } off { #off } } }
    }

    /// A `static` of type `&T` in one of the lists that are collected over the whole program.
    fn entry(&self, list: &str, name: &str, ty: &str, value: &TokenStream) -> TokenStream {
        let Self(path) = self;
        let declared = self.declared();
        let [list, name, ty] = [list, name, ty].map(|word| Ident::new(word, Span::call_site()));
        quote! {
            #[#path::__private::linkme::distributed_slice(#declared::#list)]
            #[linkme(crate = #path::__private::linkme)]
            static #name: &#declared::#ty = #value;
        }
    }
}

impl ToTokens for Library {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// A variable that no code of the user's can see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// At `span`, yet not to be taken for code that the user wrote.
fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respanned = tokens.into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    respanned.collect()
}

fn position(library: &Library, Position { line, column, end }: Position) -> TokenStream {
    let declared = library.declared();
    quote!(#declared::Span { line: #line, column: #column, end: #end })
}
