//! Which item it is, and whether an attribute can stand on it.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::token::Brace;
use syn::{Attribute, Error, Ident, LitStr, Meta, Result, Token, Visibility};

use super::{Block, Function};

pub(crate) enum Item {
    Function(Box<Function>),
    Block(Block),
}

/// What begins here, by its first words.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Function(Qualifiers),
    Impl,
    Trait(Span),
    Mod,
    /// Nothing that has or holds a body, its word, and what to call it.
    Other(Span, &'static str),
}

/// Where words before `fn` are that make a function unfit.
#[derive(Clone, Copy, Default)]
pub(super) struct Qualifiers {
    pub(super) constness: Option<Span>,
    pub(super) generator: Option<Span>,
}

/// The item, if `attribute` can stand on it.
pub(crate) fn read(attribute: &str, tokens: TokenStream) -> Result<Item> {
    let parser = |input: ParseStream<'_>| match kind(input)? {
        Kind::Function(qualifiers) => {
            unfit(attribute, input, qualifiers)?;
            input.parse().map(|function| Item::Function(Box::new(function)))
        }
        Kind::Impl => Block::parse(input).map(Item::Block),
        Kind::Mod => match without_body(input) {
            Some(semicolon) => {
                let text =
                    format!("`#[{attribute}]` needs a module whose functions are in this file");
                Err(Error::new(semicolon, text))
            }
            None => Block::parse(input).map(Item::Block),
        },
        Kind::Trait(word) => {
            let text = format!(
                "`#[{attribute}]` on a trait would not bind its implementations: put it on methods with a body",
            );
            Err(Error::new(word, text))
        }
        Kind::Other(word, what) => {
            let text = format!(
                "`#[{attribute}]` belongs on a function, an `impl` block or an inline module, not on {what}",
            );
            Err(Error::new(word, text))
        }
    };
    parser.parse2(tokens)
}

/// The function that shall be a test.
pub(crate) fn read_test(tokens: TokenStream) -> Result<Function> {
    syn::parse2(tokens.clone())
        .map_err(|_| Error::new_spanned(tokens, "`#[sync_trace::test]` belongs on a function"))
}

/// What is next, without taking it.
pub(super) fn kind(input: ParseStream<'_>) -> Result<Kind> {
    let input = input.fork();
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let first = input.span();
    let is_macro = input.peek(Ident) && (input.peek2(Token![!]) || input.peek2(Token![::]));
    if is_macro || input.peek(Token![::]) {
        return Ok(Kind::Other(first, "a macro"));
    }
    let mut qualifiers = Qualifiers::default();
    let mut external = false;
    loop {
        let word = input.call(Ident::parse_any)?;
        match word.to_string().as_str() {
            "fn" => return Ok(Kind::Function(qualifiers)),
            "const" if external || !is_qualifier(&input) => {
                return Ok(Kind::Other(first, "a constant"));
            }
            "const" => qualifiers.constness = Some(word.span()),
            "gen" => qualifiers.generator = Some(word.span()),
            "async" | "unsafe" | "safe" | "default" | "auto" => {}
            "extern" => {
                external = true;
                input.parse::<Option<LitStr>>()?;
                if input.peek(Brace) || input.peek(Token![crate]) {
                    return Ok(Kind::Other(first, "a foreign item"));
                }
            }
            "impl" => return Ok(Kind::Impl),
            "trait" => return Ok(Kind::Trait(word.span())),
            "mod" => return Ok(Kind::Mod),
            "struct" => return Ok(Kind::Other(word.span(), "a struct")),
            "enum" => return Ok(Kind::Other(word.span(), "an enum")),
            "union" => return Ok(Kind::Other(word.span(), "a union")),
            "static" => return Ok(Kind::Other(word.span(), "a static")),
            "type" => return Ok(Kind::Other(word.span(), "a type")),
            "use" => return Ok(Kind::Other(word.span(), "an import")),
            _ => return Ok(Kind::Other(first, "this")),
        }
    }
}

/// Whether `const` was a word before `fn`, and not the start of a constant.
fn is_qualifier(input: ParseStream<'_>) -> bool {
    let words = ["fn", "async", "unsafe", "extern", "gen", "safe"];
    input.fork().call(Ident::parse_any).is_ok_and(|next| words.iter().any(|word| next == word))
}

fn without_body(input: ParseStream<'_>) -> Option<Span> {
    let tokens: TokenStream = input.fork().parse().ok()?;
    match tokens.into_iter().last()? {
        proc_macro2::TokenTree::Punct(last) if last.as_char() == ';' => Some(last.span()),
        _ => None,
    }
}

/// The error about a function that can have no extent.
fn unfit(attribute: &str, input: ParseStream<'_>, qualifiers: Qualifiers) -> Result<()> {
    if let Some(span) = qualifiers.constness {
        let text =
            format!("`#[{attribute}]` cannot check a `const fn`: it may run in the compiler");
        return Err(Error::new(span, text));
    }
    if let Some(span) = qualifiers.generator {
        let text = format!("`#[{attribute}]` cannot check a `gen fn`: it stops in the middle");
        return Err(Error::new(span, text));
    }
    let ahead = input.fork();
    let attrs = ahead.call(Attribute::parse_outer)?;
    if let Some(naked) = attrs.iter().find(|attr| is_naked(&attr.meta)) {
        let text = format!(
            "`#[{attribute}]` cannot check a naked function: there is no code around its own"
        );
        return Err(Error::new_spanned(naked, text));
    }
    ahead.parse::<Visibility>()?;
    let sig: syn::Signature = ahead.parse()?;
    if ahead.peek(Token![;]) {
        let text = format!(
            "`{}` has no body here: put `#[{attribute}]` on the methods that implement it",
            sig.ident,
        );
        return Err(Error::new(sig.ident.span(), text));
    }
    Ok(())
}

pub(super) fn is_naked(meta: &Meta) -> bool {
    if meta.path().is_ident("naked") {
        return true;
    }
    match meta {
        Meta::List(list) if list.path.is_ident("unsafe") => {
            list.parse_args::<Meta>().is_ok_and(|inside| is_naked(&inside))
        }
        _ => false,
    }
}
