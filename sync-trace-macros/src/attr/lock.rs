//! How one lock is named: `self.accounts`, `read("bank.*")`, `each(self.shards[_] by addr)`.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::token::{Bracket, Paren};
use syn::{
    Error, ExprClosure, Ident, Index, Lit, LitFloat, LitStr, Member, Path, Result, Token, Type,
    bracketed, parenthesized,
};

use super::{Written, capture, did_you_mean, similar};

/// What stands for a lock in a clause.
#[derive(Clone)]
pub(crate) struct Lock {
    pub(crate) mode: Option<Mode>,
    pub(crate) target: Target,
    pub(crate) written: Written,
}

/// How the lock is wanted or held. Without one: in any way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    Write,
    Upgradable,
}

#[derive(Clone)]
pub(crate) enum Target {
    One(Reference),
    /// Several of one kind, in ascending order.
    Each(Each),
}

#[derive(Clone)]
pub(crate) struct Each {
    pub(crate) members: Vec<Reference>,
    pub(crate) by: By,
}

/// What ascends.
#[derive(Clone)]
pub(crate) enum By {
    Addr,
    Id,
    Key(Box<ExprClosure>),
}

#[derive(Clone)]
pub(crate) enum Reference {
    Place(Place),
    Name(LitStr),
    Class(Path),
    Of(Box<Type>),
}

/// `*self.shards[_].lock`.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) deref: Option<Token![*]>,
    pub(crate) root: Path,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone)]
pub(crate) enum Step {
    Member(Token![.], Member),
    /// `[_]`: every element.
    Elements(Bracket),
}

const MODES: &[(&str, Mode)] =
    &[("read", Mode::Read), ("write", Mode::Write), ("upgradable", Mode::Upgradable)];
const WORDS: &[&str] = &["read", "write", "upgradable", "class", "of", "each"];
const EXPECTED: &str = "expected a lock: a place such as `self.accounts`, a name in quotes, `class(..)`, `of(..)` or `each(..)`";

impl Lock {
    /// The references in it.
    pub(crate) fn references(&self) -> &[Reference] {
        match &self.target {
            Target::One(one) => std::slice::from_ref(one),
            Target::Each(each) => &each.members,
        }
    }

    /// Its one word, if it is that and no more.
    pub(crate) fn as_word(&self) -> Option<&Ident> {
        match (&self.mode, &self.target) {
            (None, Target::One(Reference::Place(place))) if place.steps.is_empty() => {
                place.deref.is_none().then(|| place.root.get_ident())?
            }
            _ => None,
        }
    }

    /// Whether naming it takes a `self`.
    pub(crate) fn names_self(&self) -> bool {
        self.references().iter().any(|reference| match reference {
            Reference::Place(place) => place.root.is_ident("self"),
            _ => false,
        })
    }
}

impl Parse for Lock {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let ((mode, target), written) = capture(input, |input| {
            let Some((_, mode)) = called(input, MODES) else {
                return Ok((None, target(input)?));
            };
            let word: Ident = input.parse()?;
            let content;
            parenthesized!(content in input);
            if content.is_empty() {
                return Err(Error::new(word.span(), format!("`{word}` of what? {EXPECTED}")));
            }
            if called(&content, MODES).is_some() {
                return Err(content.error("a lock has one mode"));
            }
            let target = target(&content)?;
            if !content.is_empty() {
                let text = format!("`{word}(..)` takes one lock: give each its own");
                return Err(content.error(text));
            }
            Ok((Some(*mode), target))
        })?;
        Ok(Self { mode, target, written })
    }
}

/// The one of `words` that is called next: an identifier, and parentheses behind it.
fn called<'w, T>(input: ParseStream<'_>, words: &'w [(&'w str, T)]) -> Option<&'w (&'w str, T)> {
    if !(input.peek(Ident) && input.peek2(Paren)) {
        return None;
    }
    let word: Ident = input.fork().parse().ok()?;
    words.iter().find(|(known, _)| word == known)
}

fn target(input: ParseStream<'_>) -> Result<Target> {
    if called(input, &[("each", ())]).is_some() {
        return each(input).map(Target::Each);
    }
    reference(input).map(Target::One)
}

fn each(input: ParseStream<'_>) -> Result<Each> {
    let word: Ident = input.parse()?;
    let content;
    parenthesized!(content in input);
    if content.is_empty() {
        return Err(Error::new(word.span(), format!("`each` of what? {EXPECTED}")));
    }
    let mut members = Vec::new();
    let mut by = None;
    while !content.is_empty() {
        if called(&content, MODES).is_some() {
            return Err(content.error("the mode goes outside: `read(each(..))`"));
        }
        if called(&content, &[("each", ())]).is_some() {
            return Err(content.error("`each` inside `each` means nothing more"));
        }
        let (member, written) = capture(&content, reference)?;
        members.push((member, written));
        if content.peek(Token![,]) {
            content.parse::<Token![,]>()?;
            continue;
        }
        if content.is_empty() {
            break;
        }
        by = Some(ascending(&content)?);
        if !content.is_empty() {
            return Err(content.error("`by` ends the list: `each(a, b by addr)`"));
        }
    }
    let is_place = |member: &Reference| matches!(member, Reference::Place(_));
    let stray = members.iter().find(|(member, _)| !is_place(member));
    if let (Some((_, written)), true) = (stray, members.len() > 1) {
        return Err(Error::new_spanned(written, "only places can be listed in one `each`"));
    }
    let by = match (stray, by) {
        (None, None) => By::Addr,
        (_, None) => By::Id,
        (None, Some((by, _))) => by,
        (Some(_), Some((By::Id, _))) => By::Id,
        (Some((_, written)), Some((_, span))) => {
            let text = format!(
                "`{}` is no place of this call, so only `by id` can order what it stands for",
                written.text(),
            );
            return Err(Error::new(span, text));
        }
    };
    Ok(Each { members: members.into_iter().map(|(member, _)| member).collect(), by })
}

/// `by addr`, `by id` or `by |lock| key`, and the span of what follows `by`.
fn ascending(input: ParseStream<'_>) -> Result<(By, Span)> {
    let word =
        input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), "expected `by`"))?;
    if word != "by" {
        return Err(Error::new(word.span(), "expected `by`"));
    }
    let span = input.span();
    if input.peek(Token![|]) || input.peek(Token![move]) {
        let closure: ExprClosure = input.parse()?;
        if closure.inputs.len() > 1 {
            let text = "the closure takes what owns the lock, or nothing";
            return Err(Error::new_spanned(&closure.inputs, text));
        }
        return Ok((By::Key(Box::new(closure)), span));
    }
    if !input.peek(Ident) {
        return Err(Error::new(span, "expected `addr`, `id` or a closure"));
    }
    let what: Ident = input.parse()?;
    if what == "addr" {
        Ok((By::Addr, span))
    } else if what == "id" {
        Ok((By::Id, span))
    } else {
        let near = did_you_mean(&what.to_string(), &["addr", "id"]);
        Err(Error::new(span, format!("unknown order `{what}`{near} (or a closure)")))
    }
}

fn reference(input: ParseStream<'_>) -> Result<Reference> {
    if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        if name.value().trim().is_empty() {
            return Err(Error::new(name.span(), "the name is empty"));
        }
        return Ok(Reference::Name(name));
    }
    if input.peek(Lit) || input.is_empty() {
        return Err(input.error(EXPECTED));
    }
    if input.peek(Token![&]) {
        return Err(input.error("name the lock itself, without `&`"));
    }
    if !(input.peek(Ident) && input.peek2(Paren)) {
        return place(input).map(Reference::Place);
    }
    let word: Ident = input.parse()?;
    let content;
    let parentheses = parenthesized!(content in input);
    if word == "class" {
        let path = content.call(Path::parse_mod_style).map_err(|error| {
            Error::new(error.span(), "expected the path of a class: `class(ACCOUNTS)`")
        })?;
        rest(&content, "`class(..)` takes one path")?;
        Ok(Reference::Class(path))
    } else if word == "of" {
        let ty: Type = content.parse().map_err(|error| {
            Error::new(error.span(), "expected the type that the lock protects: `of(Account)`")
        })?;
        rest(&content, "`of(..)` takes one type")?;
        Ok(Reference::Of(Box::new(ty)))
    } else if let Some(near) = similar(&word.to_string(), WORDS) {
        Err(Error::new(word.span(), format!("unknown word `{word}`; did you mean `{near}`?")))
    } else {
        Err(call(&parentheses))
    }
}

fn rest(content: ParseStream<'_>, text: &str) -> Result<()> {
    if content.is_empty() { Ok(()) } else { Err(content.error(text)) }
}

fn place(input: ParseStream<'_>) -> Result<Place> {
    let deref: Option<Token![*]> = input.parse()?;
    let root =
        input.call(Path::parse_mod_style).map_err(|error| Error::new(error.span(), EXPECTED))?;
    let mut steps = Vec::new();
    loop {
        if input.peek(Paren) {
            let content;
            let parentheses = parenthesized!(content in input);
            drop(content);
            return Err(call(&parentheses));
        }
        if input.peek(Token![?]) || input.peek(Token![!]) || input.peek(Token![as]) {
            return Err(input.error(NO_CALLS));
        }
        if input.peek(Bracket) {
            let content;
            let bracket = bracketed!(content in input);
            let every = content.parse::<Token![_]>().is_ok() && content.is_empty();
            if !every {
                let text = "only `[_]`, for every element, can be written here";
                return Err(Error::new(bracket.span.join(), text));
            }
            steps.push(Step::Elements(bracket));
        } else if input.peek(Token![.]) {
            let dot: Token![.] = input.parse()?;
            if input.peek(Token![await]) {
                return Err(input.error(NO_CALLS));
            }
            if input.peek(LitFloat) {
                // `self.0.1`: the compiler reads `0.1` as one number.
                let float: LitFloat = input.parse()?;
                for part in float.to_string().split('.') {
                    let index = part.parse().map_err(|_| Error::new(float.span(), EXPECTED))?;
                    let index = Index { index, span: float.span() };
                    steps.push(Step::Member(dot, Member::Unnamed(index)));
                }
            } else {
                steps.push(Step::Member(dot, input.parse()?));
            }
        } else {
            return Ok(Place { deref, root, steps });
        }
    }
}

const NO_CALLS: &str =
    "a lock is named by a place such as `self.accounts`, without calls or operators";

fn call(parentheses: &Paren) -> Error {
    Error::new(parentheses.span.join(), NO_CALLS)
}

impl Place {
    /// The tokens of the place up to `end` steps of it, none of which is `[_]`.
    fn tokens_of(steps: &[Step]) -> TokenStream {
        let mut tokens = TokenStream::new();
        for step in steps {
            match step {
                Step::Member(dot, member) => {
                    dot.to_tokens(&mut tokens);
                    member.to_tokens(&mut tokens);
                }
                Step::Elements(bracket) => {
                    let underscore = Token![_](bracket.span.join());
                    bracket.surround(&mut tokens, |tokens| underscore.to_tokens(tokens));
                }
            }
        }
        tokens
    }
}

impl ToTokens for Place {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.deref.to_tokens(tokens);
        self.root.to_tokens(tokens);
        tokens.extend(Self::tokens_of(&self.steps));
    }
}

impl Reference {
    /// Equal for two ways of writing one reference. A dereference changes nothing about which lock it is.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Place(place) => {
                let mut place = place.clone();
                place.deref = None;
                place.to_token_stream().to_string()
            }
            Self::Name(name) => format!("{:?}", name.value()),
            Self::Class(path) => format!("class({})", path.to_token_stream()),
            Self::Of(ty) => format!("of({})", ty.to_token_stream()),
        }
    }
}

impl Mode {
    pub(crate) fn overlaps(left: Option<Self>, right: Option<Self>) -> bool {
        left.is_none() || right.is_none() || left == right
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock in few words: its mode, its kind, and how it is written.
    fn seen(source: &str) -> String {
        let lock: Lock = match syn::parse_str(source) {
            Ok(lock) => lock,
            Err(error) => {
                let start = error.span().start();
                return format!("{}: {error}", start.column);
            }
        };
        let mode = lock.mode.map_or_else(String::new, |mode| format!("{mode:?} "));
        let kinds = lock.references().iter().map(|reference| match reference {
            Reference::Place(place) => format!("place {}", place.steps.len()),
            Reference::Name(name) => format!("name {}", name.value()),
            Reference::Class(_) => "class".to_owned(),
            Reference::Of(_) => "type".to_owned(),
        });
        let kinds: Vec<_> = kinds.collect();
        let by = match &lock.target {
            Target::One(_) => "",
            Target::Each(Each { by: By::Addr, .. }) => " by addr",
            Target::Each(Each { by: By::Id, .. }) => " by id",
            Target::Each(Each { by: By::Key(_), .. }) => " by key",
        };
        format!("{mode}{}{by}", kinds.join(", "))
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(seen(source), expected, "{source}");
    }

    #[test]
    fn places_have_members_numbers_and_elements() {
        check("self.accounts", "place 1");
        check("POOL", "place 0");
        check("crate::db::POOL", "place 0");
        check("Self::POOL", "place 0");
        check("*self.0.1.x", "place 3");
        check("self.0.1.2.3", "place 4");
        check("self.shards[_].lock", "place 3");
        check("self.rows[_][_]", "place 3");
        check("r#type.r#fn", "place 1");
    }

    #[test]
    fn words_of_the_language_are_places_where_nothing_is_called() {
        for word in ["read", "write", "upgradable", "class", "of", "each", "by", "addr"] {
            check(word, "place 0");
            check(&format!("{word}.lock"), "place 1");
        }
        check("read(read)", "Read place 0");
    }

    #[test]
    fn other_references_and_modes() {
        check("\"bank.*\"", "name bank.*");
        check("class(db::ACCOUNTS)", "class");
        check("of(Vec<[u8; 4]>)", "type");
        check("write(\"x\")", "Write name x");
        check("upgradable(class(A))", "Upgradable class");
        check("read(each(self.shards[_] by id))", "Read place 2 by id");
    }

    #[test]
    fn each_ascends_by_address_unless_it_has_none() {
        check("each(from)", "place 0 by addr");
        check("each(from, to.lock by addr,)", "26: `by` ends the list: `each(a, b by addr)`");
        check("each(from, to.lock by addr)", "place 0, place 1 by addr");
        check("each(from by |f| f.id)", "place 0 by key");
        check("each(from by || from.id)", "place 0 by key");
        check("each(\"x*\")", "name x* by id");
        check("each(class(A) by id)", "class by id");
        check("each(of(T))", "type by id");
    }

    #[test]
    fn each_mistake_is_shown_under_its_word() {
        let no_calls =
            "a lock is named by a place such as `self.accounts`, without calls or operators";
        check("self.a()", &format!("6: {no_calls}"));
        check("f(x)", &format!("1: {no_calls}"));
        check("a.await", &format!("2: {no_calls}"));
        check("a?", &format!("1: {no_calls}"));
        check("a!", &format!("1: {no_calls}"));
        check("a[1]", "1: only `[_]`, for every element, can be written here");
        check("a[_, _]", "1: only `[_]`, for every element, can be written here");
        check("red(a)", "0: unknown word `red`; did you mean `read`?");
        check(
            "each(\"x\" by addr)",
            "12: `\"x\"` is no place of this call, so only `by id` can order what it stands for",
        );
        check("each(a, \"x\")", "8: only places can be listed in one `each`");
        check("each(each(a))", "5: `each` inside `each` means nothing more");
        check("each(a bye addr)", "7: expected `by`");
        check("class(A, B)", "7: `class(..)` takes one path");
        check("of(A, B)", "4: `of(..)` takes one type");
        check("5", &format!("0: {EXPECTED}"));
        check("<T as X>::Y", &format!("0: {EXPECTED}"));
    }

    #[test]
    fn a_dereference_and_the_width_of_gaps_do_not_make_another_lock() {
        let key = |source: &str| syn::parse_str::<Lock>(source).ok().unwrap().references()[0].key();
        assert_eq!(key("*self . a"), key("self.a"));
        assert_ne!(key("self.a"), key("self.b"));
        assert_ne!(key("\"a\""), key("a"));
        assert_ne!(key("class(a)"), key("of(a)"));
    }
}
