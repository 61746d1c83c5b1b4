//! `#[derive(LockFields)]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Ident, Token};

use super::class::registered;
use super::declaration::{check_class, declaration, entry, options};
use super::{Halves, Library, at, position};
use crate::attr::{Options, Position};
use crate::model::{Field, Fields};

pub(crate) fn lock_fields(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2::<DeriveInput>(input)
        .and_then(|input| Fields::of(&input).map(|fields| expand(&input, &fields)));
    expanded.unwrap_or_else(syn::Error::into_compile_error)
}

fn expand(input: &DeriveInput, fields: &Fields) -> TokenStream {
    let library = Library::new(fields.path.as_ref());
    let declared = library.declared();
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let named = fields.list.iter().enumerate().map(|(index, field)| name(&library, index, field));
    let checks = fields.list.iter().map(|field| {
        let (member, class, this) = (&field.member, &field.class, this());
        let span = at(field.ty.span());
        let class = class.as_ref().map(|class| check_class(&library, class));
        let declared = library.declared_at(span);
        quote_spanned!(span=> #declared::check_lock(&#this.#member); #class)
    });
    let implementation = |body: TokenStream| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #declared::LockFields for #ident #ty_generics #where_clause {
                fn name_locks(&self) {
                    #body
                }
            }
        }
    };
    let order = order(&library, ident, fields);
    let on = implementation(quote!(#(#named)*));
    library.either(Halves {
        on: quote!(#on #order),
        off: implementation(quote!(if false { #(#checks)* })),
    })
}

/// The `self` of the method that we write.
fn this() -> Token![self] {
    Token![self](Span::call_site())
}

fn name(library: &Library, index: usize, field: &Field) -> TokenStream {
    let declared = library.declared();
    let [label, class] = ["LABEL", "CLASS"]
        .map(|word| Ident::new(&format!("__SYNC_TRACE_{word}_{index}"), Span::call_site()));
    let (name, member, this) = (&field.name, &field.member, this());
    // By its span this is where the field stands, and with that the locks' place in reports.
    let place = field.ty.span();
    let library_there = library.declared_at(place);
    let new = quote_spanned!(place=> #library_there::label(#name));
    let (own, in_class) = match &field.class {
        Some(path) => (None, Some(quote!(.in_class(&#path)))),
        None if field.is_leaf => {
            let registered = registered(library, &quote!(&#class));
            let own = quote! {
                static #class: #declared::LockClass = #declared::LockClass::new(#name).leaf();
                #registered
            };
            (Some(own), Some(quote!(.in_class(&#class))))
        }
        None => (None, None),
    };
    let span = at(field.ty.span());
    let naming = library.declared_at(span);
    let call = quote_spanned!(span=> #naming::name_field(&#this.#member, &#label););
    quote! {
        #own
        static #label: #library::__private::Label = #new #in_class;
        #call
    }
}

/// The declaration of the order of the fields, if one is stated.
fn order(library: &Library, ident: &Ident, fields: &Fields) -> Option<TokenStream> {
    if fields.links.is_empty() {
        return None;
    }
    let declared = library.declared();
    let here = Position::of(ident.span());
    let options = options(library, Options { global: true, ..Options::default() });
    let clauses = fields.links.iter().map(|link| {
        let ends = [&link.from, &link.to].map(|end| {
            let name = &end.name;
            let span = position(library, end.written.position().unwrap_or(here));
            quote! {
                #declared::Element {
                    what: #declared::What::Name(#name),
                    mode: ::core::option::Option::None,
                    ordered: false,
                    span: #span,
                    text: #name,
                }
            }
        });
        let span = position(library, link.word.position().unwrap_or(here));
        let text = link.word.text();
        quote! {
            #declared::Clause {
                rule: #declared::Rule::Order { chains: &[&[#(#ends),*]], options: #options },
                span: #span,
                text: #text,
            }
        }
    });
    let name = ident.unraw().to_string();
    let item = quote!(::core::concat!(::core::module_path!(), "::", #name));
    let declaration = declaration(library, &item, here, clauses);
    let entry = entry(library);
    Some(quote! {
        const _: () = {
            static __SYNC_TRACE_DECLARATION: #declared::Declaration = #declaration;
            #entry
        };
    })
}
