//! `#[sync_trace::test]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Error, Result};

use super::attribute::with_errors;
use super::extent::Output;
use super::{Library, local};
use crate::attr::TestArguments;
use crate::item::{Function, braced, read_test};

/// The test as an ordinary one that runs its body under the tracker's eyes.
pub(crate) fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = syn::parse2::<TestArguments>(arguments).and_then(|arguments| {
        check(&arguments, item.clone()).map(|function| (arguments, function))
    });
    match parsed {
        Ok((arguments, function)) => expand(&arguments, &function),
        // Keep the item: one mistake should give one error.
        Err(error) => with_errors([error], item),
    }
}

fn check(arguments: &TestArguments, item: TokenStream) -> Result<Function> {
    let function = read_test(item)?;
    if let Some(double) = function.attrs.iter().find(|attr| attr.path().is_ident("test")) {
        let text = "`#[sync_trace::test]` already makes this a test: remove `#[test]`";
        return Err(Error::new_spanned(double, text));
    }
    let other = function.attrs.iter().find(|attr| is_test(attr));
    if let (Some(_), Some(second)) = (&arguments.stacked, other) {
        return Err(Error::new_spanned(second, "one test attribute is enough"));
    }
    let runs_itself = arguments.stacked.is_none() && other.is_none();
    if !runs_itself {
        return Ok(function);
    }
    if let Some(token) = &function.sig.asyncness {
        let text = "an `async` test needs somebody to run it: `#[sync_trace::test(tokio::test)]`";
        return Err(Error::new(token.span, text));
    }
    if !function.sig.inputs.is_empty() {
        let text = "a test function takes no parameters";
        return Err(Error::new_spanned(&function.sig.inputs, text));
    }
    Ok(function)
}

/// Whether it makes a test, as `#[tokio::test]` does.
fn is_test(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "test")
}

fn expand(arguments: &TestArguments, function: &Function) -> TokenStream {
    let library = Library::new(arguments.path.as_ref());
    let attribute = match &arguments.stacked {
        Some(stacked) => Some(quote!(#[#stacked])),
        None if function.attrs.iter().any(is_test) => None,
        None => Some(quote!(#[::core::prelude::v1::test])),
    };
    let settings = settings(&library, arguments);
    let (output, block) = (&function.sig.output, function.block());
    let body = if function.sig.asyncness.is_some() {
        let (edge, body) = (Output::of(output).edge(), &function.body);
        let block = braced(quote!(#edge #body), function.brace);
        let settings = settings.unwrap_or_else(|| values(&library, arguments));
        let future = local("__sync_trace_future");
        quote! {
            let #future = #library::__private::run_async_test(#settings, async move #block);
            #future.await
        }
    } else {
        match settings {
            None => quote!(#library::__private::run_test(|| #output #block)),
            Some(settings) => {
                quote!(#library::__private::run_test_with(#settings, move || #output #block))
            }
        }
    };
    let test = function.with(body);
    quote!(#attribute #test)
}

/// The settings, if any was given.
fn settings(library: &Library, arguments: &TestArguments) -> Option<TokenStream> {
    let any = arguments.expect.is_some() || arguments.deadline_ms.is_some();
    any.then(|| values(library, arguments))
}

fn values(library: &Library, arguments: &TestArguments) -> TokenStream {
    let codes = arguments.expect.iter().flatten().map(|code| code.text);
    let deadline = match arguments.deadline_ms {
        Some(milliseconds) => quote!(::core::option::Option::Some(#milliseconds)),
        None => quote!(::core::option::Option::None),
    };
    quote!(#library::__private::Settings { expect: &[#(#codes),*], deadline: #deadline })
}
