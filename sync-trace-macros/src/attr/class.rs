//! `lock_class!(pub ACCOUNTS, "bank.accounts", rank = 10, leaf)`.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, Ident, LitInt, LitStr, Path, Result, Token, Visibility};

use super::{comma, crate_option, did_you_mean, once, plain_name};

pub(crate) struct Class {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) name: LitStr,
    pub(crate) options: Vec<(ClassOption, Span)>,
    pub(crate) path: Option<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClassOption {
    Rank(u32),
    Leaf,
    First,
    Multi,
    Spin,
    Untracked,
}

const OPTIONS: &[(&str, ClassOption)] = &[
    ("leaf", ClassOption::Leaf),
    ("first", ClassOption::First),
    ("multi", ClassOption::Multi),
    ("spin", ClassOption::Spin),
    ("untracked", ClassOption::Untracked),
];

impl ClassOption {
    pub(crate) fn word(self) -> &'static str {
        OPTIONS.iter().find(|(_, option)| *option == self).map_or("rank", |(word, _)| word)
    }
}

impl Parse for Class {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut path = crate_option(input)?;
        if path.is_some() {
            comma(input)?;
        }
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if input.peek(LitStr) {
            return Err(
                input.error("expected the class's own name first: `ACCOUNTS, \"bank.accounts\"`")
            );
        }
        let ident = input.parse()?;
        input.parse::<Token![,]>()?;
        let name = plain_name(input)?;
        comma(input)?;
        let mut options = Vec::new();
        while !input.is_empty() {
            let word = input.span();
            match crate_option(input)? {
                Some(found) => once(&mut path, found, "crate", word)?,
                None => options.push(option(input)?),
            }
            comma(input)?;
        }
        Ok(Self { attrs, vis, ident, name, options, path })
    }
}

fn option(input: ParseStream<'_>) -> Result<(ClassOption, Span)> {
    let word = input.call(Ident::parse_any)?;
    if word == "rank" {
        input.parse::<Token![=]>()?;
        const RANK: &str = "expected a rank: a number from 0 to 4294967295";
        let rank: LitInt = input.parse().map_err(|error: Error| Error::new(error.span(), RANK))?;
        let rank = rank.base10_parse().map_err(|_| Error::new(rank.span(), RANK))?;
        return Ok((ClassOption::Rank(rank), word.span()));
    }
    match OPTIONS.iter().find(|(known, _)| word == known) {
        Some((_, option)) => Ok((*option, word.span())),
        None => {
            let known: Vec<_> = OPTIONS.iter().map(|(word, _)| *word).chain(["rank"]).collect();
            let near = did_you_mean(&word.to_string(), &known);
            Err(Error::new(word.span(), format!("unknown option `{word}`{near}")))
        }
    }
}
