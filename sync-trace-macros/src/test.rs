//! `#[sync_trace::test]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Error, ItemFn, Result};

/// The test as an ordinary `#[test]` that runs its body under the tracker's eyes.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match check(arguments, item.clone()) {
        Ok(function) => wrapped(&function),
        // Keep the item: one mistake should give one error.
        Err(error) => {
            let error = error.into_compile_error();
            quote! { #error #item }
        }
    }
}

fn check(arguments: TokenStream, item: TokenStream) -> Result<ItemFn> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "`#[sync_trace::test]` takes no arguments"));
    }
    let span = item.span();
    let function: ItemFn = syn::parse2(item)
        .map_err(|_| Error::new(span, "`#[sync_trace::test]` belongs on a function"))?;
    let signature = &function.sig;
    if let Some(token) = &signature.asyncness {
        let text = "`#[sync_trace::test]` cannot run an `async fn`: block on the future inside";
        return Err(Error::new(token.span(), text));
    }
    if !signature.inputs.is_empty() {
        let text = "a test function takes no parameters";
        return Err(Error::new_spanned(&signature.inputs, text));
    }
    if let Some(double) = function.attrs.iter().find(|attr| attr.path().is_ident("test")) {
        let text = "`#[sync_trace::test]` already makes this a test: remove `#[test]`";
        return Err(Error::new_spanned(double, text));
    }
    Ok(function)
}

fn wrapped(function: &ItemFn) -> TokenStream {
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let output = &sig.output;
    quote! {
        #[::core::prelude::v1::test]
        #(#attrs)*
        #vis #sig {
            ::sync_trace::__private::run_test(|| #output #block)
        }
    }
}
