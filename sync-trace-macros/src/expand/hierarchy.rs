//! `lock_hierarchy!`.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use super::declaration::{check_class, declaration, element, entry, options, ranks};
use super::{Halves, Library, position};
use crate::attr::{Hierarchy, Lock, Options, Position, Reference};
use crate::model::chains;

pub(crate) fn lock_hierarchy(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2::<Hierarchy>(input).and_then(|hierarchy| {
        let chains = chains(&hierarchy)?;
        Ok(expand(&hierarchy, &chains))
    });
    expanded.unwrap_or_else(syn::Error::into_compile_error)
}

fn expand(hierarchy: &Hierarchy, chains: &[Vec<&Lock>]) -> TokenStream {
    let library = Library::new(hierarchy.path.as_ref());
    let declared = library.declared();
    let rows = chains.iter().map(|chain| {
        let locks = chain.iter().map(|lock| element(&library, lock, None));
        quote!(&[#(#locks),*])
    });
    let options = options(&library, Options { global: true, ..Options::default() });
    let here = Position::of(Span::call_site());
    let span = position(&library, hierarchy.written.position().unwrap_or(here));
    let text = hierarchy.written.text();
    let clause = quote! {
        #declared::Clause {
            rule: #declared::Rule::Order { chains: &[#(#rows),*], options: #options },
            span: #span,
            text: #text,
        }
    };
    let item = quote!(::core::module_path!());
    let declaration = declaration(&library, &item, here, [clause].into_iter());
    let entry = entry(&library);
    let pairs = chains.iter().flat_map(|chain| chain.windows(2));
    let ranks: TokenStream = pairs.map(|pair| ranks(&library, pair[0], pair[1])).collect();
    let classes = chains.iter().flatten().flat_map(|lock| lock.references());
    let checks = classes.filter_map(|reference| match reference {
        Reference::Class(path) => Some(check_class(&library, path)),
        _ => None,
    });
    library.either(Halves {
        on: quote! {
            const _: () = {
                static __SYNC_TRACE_DECLARATION: #declared::Declaration = #declaration;
                #entry
                #ranks
            };
        },
        off: quote! { const _: () = { #ranks #(#checks)* }; },
    })
}
