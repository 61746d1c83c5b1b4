//! An attribute with its item.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::{Error, Result};

use super::function::function;
use super::{Halves, Library};
use crate::attr::{Attribute, Clauses, Origin};
use crate::item::{Block, BlockKind, Function, Item, Member, absorb, read};
use crate::model::{Shape, check, check_fit, without_self};

/// What takes the place of `item`, on which `attribute` stands.
pub(crate) fn attribute(
    attribute: Attribute,
    arguments: TokenStream,
    item: TokenStream,
) -> TokenStream {
    let own = Clauses::parse(attribute, Span::call_site(), arguments);
    match read(attribute.name(), item.clone()) {
        Ok(Item::Function(function)) => on_function(own, *function),
        Ok(Item::Block(block)) => on_block(own, block),
        Err(error) => with_errors([error], without_ours(item)),
    }
}

fn on_function(own: Result<Clauses>, mut item: Function) -> TokenStream {
    let mut errors = Vec::new();
    let own = own.unwrap_or_else(|error| {
        errors.push(error);
        Clauses::default()
    });
    let shape = Shape::of(&item);
    let clauses = of_function(&mut item, own, &shape, &mut errors);
    if !errors.is_empty() {
        // Keep the function: one mistake should give one error, not one more per caller.
        return with_errors(errors, item.into_token_stream());
    }
    let library = Library::new(clauses.path.as_ref());
    library.either(function(&library, &item, shape, &clauses.list))
}

/// The clauses that are in force in the function: the given ones, and those of its other attributes.
fn of_function(
    item: &mut Function,
    given: Clauses,
    shape: &Shape,
    errors: &mut Vec<Error>,
) -> Clauses {
    let absorbed = absorb(&mut item.attrs);
    item.uses = absorbed.uses();
    errors.extend(absorbed.errors);
    let says_nothing_new = absorbed.clauses.list.is_empty()
        && given.list.iter().all(|clause| clause.origin == Origin::Block);
    let clauses = given.and(absorbed.clauses);
    if !says_nothing_new {
        errors.extend(check(&clauses.list).err());
        errors.extend(check_fit(&clauses.list, &item.sig, shape.is_future()).err());
    }
    clauses
}

fn on_block(own: Result<Clauses>, item: Block) -> TokenStream {
    let mut errors = Vec::new();
    let own = own.unwrap_or_else(|error| {
        errors.push(error);
        Clauses::default()
    });
    let tokens = block(item.clone(), own, &mut errors);
    // As for a function: what is called from elsewhere has to stay, and nothing else is said of it.
    let tokens = if errors.is_empty() { tokens } else { plain(item) };
    with_errors(errors, tokens)
}

/// The block with the clauses, and its own, in force in each of its functions.
fn block(mut item: Block, given: Clauses, errors: &mut Vec<Error>) -> TokenStream {
    // One on a trait stays, and says itself that it cannot be there.
    let absorbed = match item.kind {
        BlockKind::Trait => Default::default(),
        BlockKind::Impl | BlockKind::Mod => absorb(&mut item.attrs),
    };
    let uses = absorbed.uses();
    errors.extend(absorbed.errors);
    let mut given = given.and(absorbed.clauses);
    for clause in &mut given.list {
        clause.origin = Origin::Block;
    }
    if let Err(error) = check(&given.list) {
        errors.push(error);
        given = Clauses::default();
    }
    let (mut on, mut off) = (TokenStream::new(), TokenStream::new());
    for member in std::mem::take(&mut item.members) {
        match member {
            Member::Function(function) => {
                let (library, halves) = member_function(*function, &given, errors);
                match item.kind {
                    BlockKind::Mod => on.extend(library.either(halves)),
                    BlockKind::Impl | BlockKind::Trait => {
                        on.extend(halves.on);
                        off.extend(halves.off);
                    }
                }
            }
            Member::Block(inner) => on.extend(block(inner, given.clone(), errors)),
            Member::Other(tokens) => {
                on.extend(tokens.clone());
                off.extend(tokens);
            }
        }
    }
    let tokens = match item.kind {
        // Each of its functions has its own two halves, so that nothing else is inside a macro.
        BlockKind::Mod => item.with(on),
        // Attributes on the block that run later shall find functions in it.
        BlockKind::Impl | BlockKind::Trait => {
            let halves = Halves { on: item.with(on), off: item.with(off) };
            Library::new(given.path.as_ref()).either(halves)
        }
    };
    if uses.is_empty() { tokens } else { quote!(const _: () = { #uses }; #tokens) }
}

fn member_function(
    mut item: Function,
    given: &Clauses,
    errors: &mut Vec<Error>,
) -> (Library, Halves) {
    let has_self = item.receiver().is_some();
    let list = given
        .list
        .iter()
        .filter_map(|clause| if has_self { Some(clause.clone()) } else { without_self(clause) });
    let given = Clauses { list: list.collect(), path: given.path.clone() };
    let shape = Shape::of(&item);
    let clauses = of_function(&mut item, given, &shape, errors);
    let library = Library::new(clauses.path.as_ref());
    let halves = if clauses.list.is_empty() {
        let tokens = item.into_token_stream();
        Halves { on: tokens.clone(), off: tokens }
    } else {
        function(&library, &item, shape, &clauses.list)
    };
    (library, halves)
}

/// The block without any attribute of ours.
fn plain(mut item: Block) -> TokenStream {
    if item.kind != BlockKind::Trait {
        absorb(&mut item.attrs);
    }
    let members = std::mem::take(&mut item.members).into_iter().map(|member| match member {
        Member::Function(mut function) => {
            function.uses = absorb(&mut function.attrs).uses();
            function.into_token_stream()
        }
        Member::Block(block) => plain(block),
        Member::Other(tokens) => tokens,
    });
    let members = members.collect();
    item.with(members)
}

/// The item without other attributes of ours, each of which would say again what is wrong.
fn without_ours(item: TokenStream) -> TokenStream {
    let parser = |input: ParseStream<'_>| {
        let mut attrs = input.call(syn::Attribute::parse_outer)?;
        absorb(&mut attrs);
        let rest: TokenStream = input.parse()?;
        Ok(quote!(#(#attrs)* #rest))
    };
    parser.parse2(item.clone()).unwrap_or(item)
}

/// `tokens`, with what is wrong in front.
pub(crate) fn with_errors(
    errors: impl IntoIterator<Item = Error>,
    tokens: TokenStream,
) -> TokenStream {
    let errors = errors.into_iter().map(Error::into_compile_error);
    quote!(#(#errors)* #tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::Word;

    fn expanded(arguments: &str, item: &str) -> String {
        let tokens = |source: &str| source.parse().expect("tokens");
        attribute(Attribute::One(Word::Order), tokens(arguments), tokens(item)).to_string()
    }

    /// The same tokens, however they are set.
    fn tokens(source: &str) -> String {
        source.parse::<TokenStream>().expect("tokens").to_string()
    }

    #[test]
    fn a_half_typed_body_is_expanded_all_the_same() {
        let on_and_off = expanded("self.a < self.b", "fn f(&self) -> u8 { self.accounts. }");
        assert!(!on_and_off.contains("compile_error"), "{on_and_off}");
        let halves = on_and_off.matches("self . accounts .").count();
        assert_eq!(halves, 2, "{on_and_off}");
        let in_a_block =
            expanded("self.a < self.b", "impl A { fn f(&self) { self. } fn g(&self) {} }");
        assert!(!in_a_block.contains("compile_error"), "{in_a_block}");
        assert_eq!(in_a_block.matches("__members").count(), 6, "{in_a_block}");
    }

    #[test]
    fn what_cannot_be_read_in_a_block_is_handed_on() {
        let item = "impl A { fn f(&self) {} what is this; fn g(&self) {} }";
        let expanded = expanded("\"a\" < \"b\"", item);
        assert!(expanded.contains("what is this ; fn g"), "{expanded}");
    }

    #[test]
    fn a_mistake_leaves_the_item_as_it_was() {
        let item = "pub async fn f<T>(self: &T) -> u8 where T: X { self.a(). }";
        let expanded = expanded("a <", item);
        assert!(expanded.starts_with(":: core :: compile_error"), "{expanded}");
        assert!(expanded.ends_with(&tokens(item)), "{expanded}");
    }

    #[test]
    fn a_mistake_in_a_block_leaves_the_block_as_it_was() {
        let item = "impl<const N: usize> A<{ N }> { const X: u8 = 1; fn f(&self) {} }";
        let expanded = expanded("a < b, b < a", item);
        assert!(expanded.ends_with(&tokens(item)), "{expanded}");
    }

    #[test]
    fn only_what_has_no_self_is_free_of_what_names_it() {
        let item = "impl A { fn f() {} fn g(&self) {} const fn h(&self) {} }";
        let expanded = expanded("self.a < self.b", item);
        assert_eq!(expanded.matches("\"g\"").count(), 1, "{expanded}");
        assert!(!expanded.contains("\"f\"") && !expanded.contains("\"h\""), "{expanded}");
        assert_eq!(expanded.matches("fn f () { }").count(), 2, "{expanded}");
    }
}
