//! What an attribute stands on: a function, or a block with functions in it.
//!
//! Bodies are kept as tokens. So one that is half typed neither stops the expansion nor changes, and an editor
//! can go on completing it.

mod block;
mod function;
mod kind;

pub(crate) use block::{Block, BlockKind, Member};
pub(crate) use function::Function;
pub(crate) use kind::{Item, read, read_test};

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::quote;
use syn::{Attribute, Error, Path};

use crate::attr::{Attribute as Ours, Clauses, attribute_of};

/// What the attributes of ours below the outermost one say.
#[derive(Default)]
pub(crate) struct Absorbed {
    pub(crate) clauses: Clauses,
    pub(crate) errors: Vec<Error>,
    paths: Vec<Path>,
}

/// Takes the attributes of ours out of `attrs`, also if they are wrong.
pub(crate) fn absorb(attrs: &mut Vec<Attribute>) -> Absorbed {
    let mut found: Vec<(Ours, Attribute)> = Vec::new();
    attrs.retain(|attr| {
        let ours = attribute_of(attr.path());
        found.extend(ours.map(|ours| (ours, attr.clone())));
        ours.is_none()
    });
    let mut absorbed = Absorbed::default();
    for (ours, attr) in found {
        match Clauses::parse_sibling(ours, &attr.meta) {
            Ok(clauses) => absorbed.clauses = absorbed.clauses.and(clauses),
            Err(error) => absorbed.errors.push(error),
        }
        absorbed.paths.push(attr.path().clone());
    }
    absorbed
}

impl Absorbed {
    /// Uses of what was taken out: its imports are not superfluous, since we have only been first.
    pub(crate) fn uses(&self) -> TokenStream {
        let paths = &self.paths;
        quote!(#(#[allow(unused_imports)] use #paths as _;)*)
    }
}

/// `tokens` in braces at `span`.
pub(crate) fn braced(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    group
}
