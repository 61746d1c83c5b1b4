//! `lock_hierarchy! { A < { B, C } < D }`.

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::token::{Brace, Paren};
use syn::{Error, Ident, LitStr, Path, Result, Token, braced};

use super::{Lock, Reference, Target, Written, capture, comma, crate_option};

pub(crate) struct Hierarchy {
    pub(crate) chains: Group,
    pub(crate) path: Option<Path>,
    /// All of it but `crate = ".."`.
    pub(crate) written: Written,
}

/// Chains with no order between them.
pub(crate) type Group = Vec<Vec<Level>>;

pub(crate) enum Level {
    Lock(Box<Lock>),
    Group(Group),
}

impl Parse for Hierarchy {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let path = crate_option(input)?;
        if path.is_some() {
            comma(input)?;
        }
        let (chains, written) = capture(input, |input| group(input, Span::call_site()))?;
        for chain in &chains {
            if let [Level::Lock(alone)] = chain.as_slice() {
                let text = format!("`{alone}` alone is in no order: `{alone} < ..`");
                return Err(Error::new_spanned(&alone.written, text));
            }
        }
        Ok(Self { chains, path, written })
    }
}

fn group(input: ParseStream<'_>, whole: Span) -> Result<Group> {
    let mut group = Vec::new();
    while !input.is_empty() {
        let mut chain = vec![level(input)?];
        while input.peek(Token![<]) {
            let less: Token![<] = input.parse()?;
            if input.is_empty() {
                return Err(Error::new(less.span, "no lock comes behind this"));
            }
            chain.push(level(input)?);
        }
        group.push(chain);
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected `<` or `,`"));
        }
        comma(input)?;
    }
    if group.is_empty() {
        return Err(Error::new(whole, "no locks: `A < B`, or `A < { B, C }`"));
    }
    Ok(group)
}

fn level(input: ParseStream<'_>) -> Result<Level> {
    if input.peek(Brace) {
        let content;
        let brace = braced!(content in input);
        return group(&content, brace.span.join()).map(Level::Group);
    }
    const EXPECTED: &str = "expected a class, a name in quotes, or a group `{ A, B }`";
    let called = input.peek(Ident) && input.peek2(Paren);
    if called || input.peek(LitStr) {
        let lock: Lock = input.parse()?;
        return match lock.target {
            Target::One(Reference::Class(_) | Reference::Name(_)) => {
                Ok(Level::Lock(Box::new(lock)))
            }
            _ => Err(Error::new_spanned(&lock.written, EXPECTED)),
        };
    }
    let (path, written) = capture(input, |input| {
        input.call(Path::parse_mod_style).map_err(|error| Error::new(error.span(), EXPECTED))
    })?;
    if path.is_ident("self") || input.peek(Token![.]) {
        let text = "a hierarchy has no `self`: it is made of classes and of names in quotes";
        return Err(Error::new_spanned(&path, text));
    }
    let target = Target::One(Reference::Class(path));
    Ok(Level::Lock(Box::new(Lock { mode: None, target, written })))
}
