//! `#[lock(..)]` on the fields of a type that derives `LockFields`, and on the type.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::token::Paren;
use syn::{Attribute, Error, Ident, LitStr, Member, Meta, Path, Result, Token, parenthesized};

use super::{combined, comma, crate_option, did_you_mean, list, once, plain_name};

#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) class: Option<Path>,
    pub(crate) leaf: Option<Span>,
    pub(crate) skip: Option<Span>,
    pub(crate) before: Vec<Neighbour>,
    pub(crate) after: Vec<Neighbour>,
}

/// What comes before or after a field.
#[derive(Clone)]
pub(crate) enum Neighbour {
    /// Of the same type.
    Field(Member),
    /// Any lock's name.
    Name(LitStr),
}

const OPTIONS: &[&str] = &["name", "class", "before", "after", "leaf", "skip"];

/// What the `#[lock(..)]` of a field say; `None` if it has none.
pub(crate) fn field_options(attrs: &[Attribute]) -> Result<Option<FieldOptions>> {
    let mut options = None;
    let parse = |attr: &Attribute| {
        let options = options.get_or_insert_with(FieldOptions::default);
        match &attr.meta {
            Meta::Path(_) => Ok(()),
            _ => attr.parse_args_with(|input: ParseStream<'_>| field(options, input)),
        }
    };
    combined(locks(attrs).map(parse).filter_map(Result::err))?;
    let Some(FieldOptions { name, class, leaf, skip, before, after }) = &options else {
        return Ok(None);
    };
    let says_more = name.is_some() || class.is_some() || leaf.is_some();
    match skip {
        Some(skip) if says_more || !before.is_empty() || !after.is_empty() => {
            Err(Error::new(*skip, "`skip` leaves the field out, so nothing else can be said of it"))
        }
        _ => Ok(options),
    }
}

/// The path of sync-trace, if `#[lock(crate = "..")]` on the type gives one.
pub(crate) fn struct_options(attrs: &[Attribute]) -> Result<Option<Path>> {
    let mut path = None;
    for attr in locks(attrs) {
        let parser = |input: ParseStream<'_>| match crate_option(input)? {
            Some(found) => Ok(found),
            None => Err(input.error("on the type itself only `crate = \"..\"` can be said")),
        };
        let tokens = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            other => {
                return Err(Error::new_spanned(other, "write it as `#[lock(crate = \"..\")]`"));
            }
        };
        path = Some(parser.parse2(tokens)?);
    }
    Ok(path)
}

fn locks(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("lock"))
}

fn field(options: &mut FieldOptions, input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() {
        let word = input.call(Ident::parse_any)?;
        let name = word.to_string();
        match name.as_str() {
            "name" => {
                input.parse::<Token![=]>()?;
                once(&mut options.name, plain_name(input)?, &name, word.span())?;
            }
            "class" => {
                input.parse::<Token![=]>()?;
                once(&mut options.class, input.call(Path::parse_mod_style)?, &name, word.span())?;
            }
            "leaf" => once(&mut options.leaf, word.span(), &name, word.span())?,
            "skip" => once(&mut options.skip, word.span(), &name, word.span())?,
            "before" => neighbours(&mut options.before, &word, input)?,
            "after" => neighbours(&mut options.after, &word, input)?,
            _ => {
                let near = did_you_mean(&name, OPTIONS);
                return Err(Error::new(word.span(), format!("unknown option `{name}`{near}")));
            }
        }
        comma(input)?;
    }
    Ok(())
}

/// `= audit` or `(audit, "Other.lock")`.
fn neighbours(all: &mut Vec<Neighbour>, word: &Ident, input: ParseStream<'_>) -> Result<()> {
    if !all.is_empty() {
        let text = format!("`{word}` is given twice: write `{word}(a, b)`");
        return Err(Error::new(word.span(), text));
    }
    if input.peek(Paren) {
        let content;
        parenthesized!(content in input);
        all.extend(list(&content, neighbour)?);
        if all.is_empty() {
            return Err(Error::new(word.span(), format!("`{word}` names no lock")));
        }
    } else {
        input.parse::<Token![=]>()?;
        all.push(neighbour(input)?);
    }
    Ok(())
}

fn neighbour(input: ParseStream<'_>) -> Result<Neighbour> {
    if input.peek(LitStr) {
        return input.parse().map(Neighbour::Name);
    }
    let member = input.parse().map_err(|error: Error| {
        Error::new(error.span(), "expected a field of this type, or a name in quotes")
    })?;
    if input.peek(Token![.]) || input.peek(Token![::]) {
        let text = "expected a field of this type by its name alone, or any lock's name in quotes";
        return Err(Error::new_spanned(&member, text));
    }
    Ok(Neighbour::Field(member))
}
