//! `lock_class!`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Halves, Library};
use crate::attr::{Class, ClassOption};
use crate::model::check_class;

/// A `static`, so that a class has one address; its constructor is `const`, so ranks are compared by the compiler.
pub(crate) fn lock_class(input: TokenStream) -> TokenStream {
    let class = syn::parse2::<Class>(input).and_then(|class| check_class(&class).map(|()| class));
    match class {
        Ok(class) => expand(&class),
        Err(error) => error.into_compile_error(),
    }
}

fn expand(class: &Class) -> TokenStream {
    let Class { attrs, vis, ident, name, options, path } = class;
    let library = Library::new(path.as_ref());
    let declared = library.declared();
    let options = options.iter().map(|(option, _)| match option {
        ClassOption::Rank(rank) => quote!(.rank(#rank)),
        ClassOption::Leaf => quote!(.leaf()),
        ClassOption::First => quote!(.first()),
        ClassOption::Multi => quote!(.multi()),
        ClassOption::Spin => quote!(.spin()),
        ClassOption::Untracked => quote!(.untracked()),
    });
    let is_documented = attrs.iter().any(|attr| attr.path().is_ident("doc"));
    let doc = (!is_documented).then(|| {
        let text = format!("The class of the locks `{}`.", name.value());
        quote!(#[doc = #text])
    });
    let registered = registered(&library, &quote!(&#ident));
    quote! {
        #doc
        #(#attrs)*
        #vis static #ident: #declared::LockClass = #declared::LockClass::new(#name)#(#options)*;
        #registered
    }
}

/// The entry of a class in the list of all.
pub(crate) fn registered(library: &Library, class: &TokenStream) -> TokenStream {
    let entry = library.entry("CLASSES", "__SYNC_TRACE_CLASS", "LockClass", class);
    library.either(Halves { on: quote! { const _: () = { #entry }; }, off: TokenStream::new() })
}
