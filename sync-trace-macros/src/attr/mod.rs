//! What was written: the grammar of the arguments. Nothing here asks whether it makes sense.
//!
//! Each part keeps its tokens, so that a mistake is shown under the very word and a report can quote
//! the source.

mod class;
mod clause;
mod code;
mod duration;
mod fields;
mod hierarchy;
mod lock;
mod order;
mod scope;
mod suggest;
mod test;
mod written;

pub(crate) use class::{Class, ClassOption};
pub(crate) use clause::{
    Attribute, Budget, Clause, Clauses, Limit, Origin, Rule, Word, attribute_of,
};
pub(crate) use code::Code;
pub(crate) use fields::{FieldOptions, Neighbour, field_options, struct_options};
pub(crate) use hierarchy::{Group, Hierarchy, Level};
pub(crate) use lock::{By, Lock, Mode, Place, Reference, Step, Target};
pub(crate) use order::{Options, Order};
pub(crate) use scope::{Extent, Scope};
pub(crate) use suggest::{did_you_mean, similar};
pub(crate) use test::TestArguments;
pub(crate) use written::{Position, Written, capture};

use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Error, LitStr, Path, Result, Token};

/// `crate = "path"`, if it is next.
fn crate_option(input: ParseStream<'_>) -> Result<Option<Path>> {
    if !(input.peek(Token![crate]) && input.peek2(Token![=])) {
        return Ok(None);
    }
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    let path = text.parse_with(Path::parse_mod_style).map_err(|_| {
        Error::new(text.span(), "not a path: write it as in `crate = \"my_crate::sync_trace\"`")
    })?;
    Ok(Some(path))
}

/// The comma after an argument, unless it was the last one.
fn comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// Takes the place of an earlier value for an argument that may be given once.
fn once<T>(slot: &mut Option<T>, value: T, name: &str, span: proc_macro2::Span) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(span, format!("`{name}` is given twice"))),
    }
}

/// A name for a lock or a class: something, and no pattern.
fn plain_name(input: ParseStream<'_>) -> Result<LitStr> {
    let name: LitStr = input.parse()?;
    let text = name.value();
    if text.is_empty() {
        return Err(Error::new(name.span(), "the name is empty"));
    }
    if text.contains(['*', '?']) {
        return Err(Error::new(
            name.span(),
            "a name, not a pattern: `*` and `?` have no place in it",
        ));
    }
    Ok(name)
}

/// All errors as one, which shows each at its place.
pub(crate) fn combined(errors: impl IntoIterator<Item = Error>) -> Result<()> {
    let all = errors.into_iter().reduce(|mut all, error| {
        all.combine(error);
        all
    });
    all.map_or(Ok(()), Err)
}

/// A list with commas between its parts and perhaps after the last.
fn list<T>(
    input: ParseStream<'_>,
    part: fn(ParseStream<'_>) -> Result<T>,
) -> Result<Punctuated<T, Token![,]>> {
    Punctuated::parse_terminated_with(input, part)
}
