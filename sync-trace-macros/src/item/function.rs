//! A function with its body as tokens.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Block, FnArg, Result, Signature, Stmt, Token, Visibility};

use super::braced;

#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// `#![..]` at the start of the body.
    pub(crate) inner: Vec<Attribute>,
    pub(crate) brace: Span,
    /// Statements of ours in front of the body.
    pub(crate) uses: TokenStream,
    /// The body without its braces and inner attributes.
    pub(crate) body: TokenStream,
}

impl Function {
    /// The token `self` of a method.
    pub(crate) fn receiver(&self) -> Option<Token![self]> {
        match self.sig.inputs.first() {
            Some(FnArg::Receiver(receiver)) => Some(receiver.self_token),
            _ => None,
        }
    }

    /// The statements of the body; `None` if it is not complete.
    pub(crate) fn statements(&self) -> Option<Vec<Stmt>> {
        Block::parse_within.parse2(self.body.clone()).ok()
    }

    /// The body in its own braces, without inner attributes.
    pub(crate) fn block(&self) -> Group {
        braced(self.body.clone(), self.brace)
    }

    /// The function with `body` in place of its own.
    pub(crate) fn with(&self, body: TokenStream) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in &self.attrs {
            attr.to_tokens(&mut tokens);
        }
        self.vis.to_tokens(&mut tokens);
        self.sig.to_tokens(&mut tokens);
        let mut inside = TokenStream::new();
        for attr in &self.inner {
            attr.to_tokens(&mut inside);
        }
        inside.extend(self.uses.clone());
        inside.extend(body);
        braced(inside, self.brace).to_tokens(&mut tokens);
        tokens
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let group: Group = input.parse()?;
        if group.delimiter() != Delimiter::Brace {
            return Err(syn::Error::new(group.span_open(), "expected `{`"));
        }
        let body = |input: ParseStream<'_>| {
            let inner = input.call(Attribute::parse_inner)?;
            Ok((inner, input.parse::<TokenStream>()?))
        };
        let (inner, body) = body.parse2(group.stream())?;
        let uses = TokenStream::new();
        Ok(Self { attrs, vis, sig, inner, brace: group.span(), uses, body })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.with(self.body.clone()));
    }
}
