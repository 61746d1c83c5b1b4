//! An `impl` block, or an inline module, and the functions in it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Result};

use super::kind::{Kind, is_naked, kind};
use super::{Function, braced};
use crate::attr::capture;

#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) kind: BlockKind,
    /// All up to the brace.
    header: TokenStream,
    brace: Span,
    inner: Vec<Attribute>,
    pub(crate) members: Vec<Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Impl,
    /// Only inside a module.
    Trait,
    Mod,
}

#[derive(Clone)]
pub(crate) enum Member {
    /// One that can have an extent.
    Function(Box<Function>),
    Block(Block),
    Other(TokenStream),
}

impl Block {
    pub(super) fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let kind = match kind(input)? {
            Kind::Mod => BlockKind::Mod,
            Kind::Trait(_) => BlockKind::Trait,
            _ => BlockKind::Impl,
        };
        let (header, body) = head(input)?;
        let parser = |input: ParseStream<'_>| {
            let inner = input.call(Attribute::parse_inner)?;
            let mut members = Vec::new();
            while !input.is_empty() {
                members.push(member(input, kind == BlockKind::Mod)?);
            }
            Ok((inner, members))
        };
        let (inner, members) = parser.parse2(body.stream())?;
        Ok(Self { attrs, kind, header, brace: body.span(), inner, members })
    }

    /// The block with `body` in place of its members.
    pub(crate) fn with(&self, body: TokenStream) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in &self.attrs {
            attr.to_tokens(&mut tokens);
        }
        tokens.extend(self.header.clone());
        let mut inside = TokenStream::new();
        for attr in &self.inner {
            attr.to_tokens(&mut inside);
        }
        inside.extend(body);
        braced(inside, self.brace).to_tokens(&mut tokens);
        tokens
    }
}

/// All up to the first brace that is no generic argument, and what is in the brace.
fn head(input: ParseStream<'_>) -> Result<(TokenStream, Group)> {
    let (mut header, mut depth, mut arrow) = (TokenStream::new(), 0_usize, false);
    loop {
        if input.is_empty() {
            return Err(input.error("expected `{`"));
        }
        let token: TokenTree = input.parse()?;
        let mut dash = false;
        match token {
            TokenTree::Group(body) if depth == 0 && body.delimiter() == Delimiter::Brace => {
                return Ok((header, body));
            }
            TokenTree::Punct(ref punct) => match punct.as_char() {
                '<' => depth += 1,
                '>' if !arrow => depth = depth.saturating_sub(1),
                '-' | '=' => dash = true,
                _ => {}
            },
            _ => {}
        }
        arrow = dash;
        header.extend([token]);
    }
}

fn member(input: ParseStream<'_>, in_mod: bool) -> Result<Member> {
    let ahead = input.fork();
    let fit = match kind(&ahead) {
        Ok(Kind::Function(words)) if words.constness.is_none() && words.generator.is_none() => {
            let function = ahead.parse::<Function>().ok();
            let checked = function.filter(|it| !it.attrs.iter().any(|attr| is_naked(&attr.meta)));
            checked.map(|function| Member::Function(Box::new(function)))
        }
        Ok(Kind::Impl | Kind::Mod | Kind::Trait(_)) if in_mod => {
            Block::parse(&ahead).ok().map(Member::Block)
        }
        _ => None,
    };
    if let Some(member) = fit {
        input.advance_to(&ahead);
        return Ok(member);
    }
    // Tried on copies: what cannot be read is handed on as it is, with all behind it.
    let kinds: &[fn(ParseStream<'_>) -> Result<()>] = if in_mod {
        &[|input| input.parse::<syn::Item>().map(drop)]
    } else {
        &[
            |input| input.parse::<syn::ImplItem>().map(drop),
            |input| input.parse::<syn::TraitItem>().map(drop),
        ]
    };
    for parse in kinds {
        let ahead = input.fork();
        if let Ok(((), written)) = capture(&ahead, parse) {
            input.advance_to(&ahead);
            return Ok(Member::Other(written.0));
        }
    }
    input.parse().map(Member::Other)
}
