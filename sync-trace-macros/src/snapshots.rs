//! Expansions, compared with what is written down in `snapshots/`.
//!
//! Each `snapshots/<name>.rs` holds one item with an attribute, a derive or a macro call of ours;
//! `<name>.expanded.rs` holds what becomes of it, both halves. With `BLESS=1` in the environment that is written
//! instead of compared.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, Item, ItemMacro, Meta};

use crate::attr::attribute_of;
use crate::expand;

#[test]
fn expansions_are_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let is_source = |file: &PathBuf| {
        let name = file.to_string_lossy();
        name.ends_with(".rs") && !name.ends_with(".expanded.rs")
    };
    let mut files: Vec<_> = files.filter(is_source).collect();
    files.sort();
    assert!(files.len() >= 10, "the sources are not where they are looked for");
    let wrong: Vec<_> = files.iter().filter_map(|file| compare(file)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the file's expansion.
fn compare(file: &Path) -> Option<String> {
    let source = fs::read_to_string(file).expect("text");
    let expanded = pretty(&expansion(&source));
    let written = file.with_extension("expanded.rs");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&written, expanded).expect("it can be written");
        return None;
    }
    let expected = fs::read_to_string(&written).unwrap_or_default();
    (expected != expanded)
        .then(|| format!("{}: expected\n{expected}\nbut it is\n{expanded}", written.display()))
}

/// What the attribute, derive or call in `source` becomes.
fn expansion(source: &str) -> TokenStream {
    let file = syn::parse_file(source).expect("one item");
    if let [Item::Macro(call)] = file.items.as_slice() {
        return called(call);
    }
    let tokens: TokenStream = source.parse().expect("tokens");
    let parts = |input: syn::parse::ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        Ok((attrs, input.parse::<TokenStream>()?))
    };
    let (mut attrs, rest) = syn::parse::Parser::parse2(parts, tokens).expect("an item");
    let ours = attrs.iter().position(|attr| {
        let path = attr.path();
        attribute_of(path).is_some() || path.is_ident("derive") || is_test(path)
    });
    let attr = attrs.remove(ours.expect("an attribute of ours"));
    let arguments = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let item = quote!(#(#attrs)* #rest);
    match attribute_of(attr.path()) {
        Some(ours) => expand::attribute(ours, arguments, item),
        None if is_test(attr.path()) => expand::test(arguments, item),
        None => expand::lock_fields(item),
    }
}

fn is_test(path: &syn::Path) -> bool {
    path.segments.len() == 2 && path.segments[0].ident == "sync_trace"
}

fn called(ItemMacro { mac, .. }: &ItemMacro) -> TokenStream {
    let input = mac.tokens.clone();
    let name = mac.path.segments.last().expect("a name").ident.to_string();
    match name.as_str() {
        "lock_class" => expand::lock_class(input),
        "lock_hierarchy" => expand::lock_hierarchy(input),
        "lock_scope" => {
            let scope = expand::lock_scope(input);
            quote!(fn scope() { let value = #scope; })
        }
        other => panic!("`{other}!` is not ours"),
    }
}

/// Formatted, with each `__if_enabled!` as two modules, `on` and `off`, or two blocks.
fn pretty(tokens: &TokenStream) -> String {
    let tokens = halves(tokens.clone());
    let file: syn::File = syn::parse2(tokens.clone()).unwrap_or_else(|error| {
        panic!("what comes out cannot be read: {error}\n{tokens}");
    });
    // Long and everywhere the same.
    prettyplease::unparse(&file).replace("::sync_trace::__private::declared::", "declared::")
}

/// Replaces `path::__if_enabled! { on { .. } off { .. } }`, which the printer would not look into.
fn halves(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Ident(ref word) if *word == "__if_enabled" => {
                // `:: sync_trace ::` or `my :: path ::`.
                while matches!(kept.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
                {
                    kept.truncate(kept.len() - 2);
                    if matches!(kept.last(), Some(TokenTree::Ident(_))) {
                        kept.pop();
                    }
                }
                rest.next();
                let Some(TokenTree::Group(both)) = rest.next() else { panic!("no halves") };
                let both: Vec<TokenTree> = both.stream().into_iter().collect();
                let [_, TokenTree::Group(on), _, TokenTree::Group(off)] = both.as_slice() else {
                    panic!("not two halves");
                };
                kept.extend(one_after_the_other(halves(on.stream()), halves(off.stream())));
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), halves(group.stream()));
                inner.set_span(Span::call_site());
                kept.push(inner.into());
            }
            token => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

fn one_after_the_other(on: TokenStream, off: TokenStream) -> TokenStream {
    let half = |name: &str, tokens: TokenStream| {
        let name = proc_macro2::Ident::new(name, Span::call_site());
        if syn::parse2::<syn::File>(tokens.clone()).is_ok() {
            let body = Group::new(Delimiter::Brace, tokens);
            return (true, quote!(mod #name #body));
        }
        (false, quote!((#name, #tokens)))
    };
    let ((is_item, on), (_, off)) = (half("on", on), half("off", off));
    // A value is shown as a pair of the half's name and its expression.
    if is_item { quote!(#on #off) } else { quote!((#on, #off)) }
}
