//! What an item declares: the static that tells it, and how a call fills in its own locks.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ExprClosure, Path, ReturnType};

use super::{Library, at, local, position};
use crate::attr::{
    Budget, By, Clause, Limit, Lock, Mode, Options, Place, Position, Reference, Rule, Step, Target,
};
use crate::model::{Slot, Slots};

pub(crate) struct Declared<'c> {
    pub(crate) library: &'c Library,
    /// An expression for the name of the item.
    item: TokenStream,
    name: Position,
    clauses: &'c [Clause],
    slots: Slots<'c>,
}

impl<'c> Declared<'c> {
    /// Of the item called `name` in the module at hand.
    pub(crate) fn new(
        library: &'c Library,
        name: &str,
        position: Position,
        clauses: &'c [Clause],
    ) -> Self {
        let item = quote!(::core::concat!(::core::module_path!(), "::", #name));
        Self { library, item, name: position, clauses, slots: Slots::of(clauses) }
    }

    /// The declaration, its entry in the list of all, and the checks of ranks.
    pub(crate) fn statics(&self) -> TokenStream {
        let declared = self.library.declared();
        let clauses = self.clauses.iter().map(|clause| self.clause(clause));
        let declaration = declaration(self.library, &self.item, self.name, clauses);
        let ranks = self.ranks();
        let entry = entry(self.library);
        quote! {
            static __SYNC_TRACE_DECLARATION: #declared::Declaration = #declaration;
            #entry
            #ranks
        }
    }

    /// The closure that gives a call's own locks.
    pub(crate) fn fill(&self) -> TokenStream {
        let members = local("__members");
        let adds: Vec<_> = self.slots.iter().map(|(number, slot)| add(number, slot)).collect();
        if adds.is_empty() { quote!(|_| {}) } else { quote!(|#members| { #(#adds)* }) }
    }

    /// What is left where sync-trace is compiled out: the references, so that they cannot rot.
    pub(crate) fn checks(&self) -> TokenStream {
        let mut checks = TokenStream::new();
        for (_, slot) in self.slots.iter() {
            checks.extend(check(self.library, slot));
        }
        for reference in self.locks().flat_map(|lock| lock.references()) {
            if let Reference::Class(path) = reference {
                checks.extend(check_class(self.library, path));
            }
        }
        let ranks = self.ranks();
        if checks.is_empty() {
            ranks
        } else {
            quote! { #ranks if false { #checks } }
        }
    }

    fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.clauses.iter().flat_map(Clause::locks)
    }

    fn ranks(&self) -> TokenStream {
        let chains = self.clauses.iter().flat_map(|clause| match &clause.rule {
            Rule::Order(order) => order.chains.as_slice(),
            _ => &[],
        });
        chains
            .flat_map(|chain| chain.windows(2))
            .map(|pair| ranks(self.library, &pair[0], &pair[1]))
            .collect()
    }

    fn clause(&self, clause: &Clause) -> TokenStream {
        let declared = self.library.declared();
        let rule = self.rule(clause);
        let span = position(self.library, clause.position());
        let text = clause.text();
        quote!(#declared::Clause { rule: #rule, span: #span, text: #text })
    }

    fn rule(&self, clause: &Clause) -> TokenStream {
        let declared = self.library.declared();
        let elements = |locks: &[Lock]| {
            let elements =
                locks.iter().map(|lock| element(self.library, lock, self.slots.number(lock)));
            quote!(&[#(#elements),*])
        };
        let name = match &clause.rule {
            Rule::Order(order) => {
                let chains: Vec<_> = order.chains.iter().map(|chain| elements(chain)).collect();
                let options = options(self.library, order.options);
                return quote!(#declared::Rule::Order { chains: &[#(#chains),*], options: #options });
            }
            Rule::Requires { locks, entry } => {
                let locks = elements(locks);
                return quote!(#declared::Rule::Requires { locks: #locks, entry: #entry });
            }
            Rule::NoBlock => return quote!(#declared::Rule::NoBlock),
            Rule::MayBlock => return quote!(#declared::Rule::MayBlock),
            Rule::Budget(Budget { hold, wait, await_hold }) => {
                let [hold, wait, await_hold] = [hold, wait, await_hold].map(nanoseconds);
                return quote! {
                    #declared::Rule::Budget { hold: #hold, wait: #wait, await_hold: #await_hold }
                };
            }
            Rule::Exempt(exempt) => {
                let reason = &exempt.reason;
                let codes = exempt.codes.iter().map(|code| code.text);
                return quote!(#declared::Rule::Exempt { reason: #reason, codes: &[#(#codes),*] });
            }
            Rule::Excludes(_) => quote!(Excludes),
            Rule::Only(_) => quote!(Only),
            Rule::Acquires(_) => quote!(Acquires),
            Rule::Releases(_) => quote!(Releases),
        };
        let locks = clause.locks().map(|lock| element(self.library, lock, self.slots.number(lock)));
        quote!(#declared::Rule::#name { locks: &[#(#locks),*] })
    }
}

/// `Declaration::new(..)`.
pub(crate) fn declaration(
    library: &Library,
    item: &TokenStream,
    name: Position,
    clauses: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let declared = library.declared();
    let name = position(library, name);
    quote!(#declared::Declaration::new(#item, ::core::file!(), #name, &[#(#clauses),*]))
}

/// The entry of `__SYNC_TRACE_DECLARATION` in the list of all.
pub(crate) fn entry(library: &Library) -> TokenStream {
    let value = quote!(&__SYNC_TRACE_DECLARATION);
    library.entry("DECLARATIONS", "__SYNC_TRACE_ENTRY", "Declaration", &value)
}

pub(crate) fn options(library: &Library, options: Options) -> TokenStream {
    let declared = library.declared();
    let Options { global, strict, local, inherit } = options;
    quote! {
        #declared::Options { global: #global, strict: #strict, local: #local, inherit: #inherit }
    }
}

fn nanoseconds(limit: &Option<Limit>) -> TokenStream {
    match limit {
        Some(Limit { nanoseconds, .. }) => quote!(::core::option::Option::Some(#nanoseconds)),
        None => quote!(::core::option::Option::None),
    }
}

/// A lock in a rule; `slot` is its number if a call gives it.
pub(crate) fn element(library: &Library, lock: &Lock, slot: Option<usize>) -> TokenStream {
    let declared = library.declared();
    let what = match (slot, lock.references()) {
        (Some(slot), _) => quote!(#declared::What::Slot(#slot)),
        (None, [Reference::Name(name), ..]) => {
            let name = name.value();
            quote!(#declared::What::Name(#name))
        }
        (None, [Reference::Class(path), ..]) => {
            let span = at(path.span());
            let class = library.declared_at(span);
            let name = quote_spanned!(span=> #class::LockClass::name(&#path));
            quote!(#declared::What::Class(#name))
        }
        (None, _) => unreachable!("what has no name has a number"),
    };
    let mode = match lock.mode {
        None => quote!(::core::option::Option::None),
        Some(mode) => {
            let mode = match mode {
                Mode::Read => quote!(Read),
                Mode::Write => quote!(Write),
                Mode::Upgradable => quote!(Upgradable),
            };
            quote!(::core::option::Option::Some(#declared::HeldMode::#mode))
        }
    };
    let ordered = matches!(lock.target, Target::Each(_));
    let place = lock.written.position().unwrap_or_else(|| Position::of(Span::call_site()));
    let span = position(library, place);
    let text = lock.written.text();
    quote! {
        #declared::Element { what: #what, mode: #mode, ordered: #ordered, span: #span, text: #text }
    }
}

/// The comparison of two classes that stand next to each other in a chain, by the compiler.
pub(crate) fn ranks(library: &Library, left: &Lock, right: &Lock) -> TokenStream {
    let ([Reference::Class(first)], [Reference::Class(second)]) =
        (left.references(), right.references())
    else {
        return TokenStream::new();
    };
    // So that the error is under both.
    let mut arguments = Group::new(proc_macro2::Delimiter::Parenthesis, quote!(&#first, &#second));
    arguments.set_span(at(right.written.last()));
    let span = at(left.written.first());
    let declared = library.declared_at(span);
    let check = quote_spanned!(span=> #declared::check_ranks);
    quote!(const _: () = #check #arguments;)
}

fn add(number: usize, slot: Slot<'_>) -> TokenStream {
    let members = local("__members");
    let span = at(slot.lock.written.first());
    let references = slot.lock.references().iter();
    references
        .map(|reference| match reference {
            Reference::Of(ty) => quote_spanned!(span=> #members.of_type::<#ty>(#number);),
            Reference::Place(place) => locks_at(place, |lock, owner| match slot.by {
                None => quote_spanned!(span=> #members.add(#number, #lock);),
                Some(By::Addr) => quote_spanned!(span=> #members.add_by_addr(#number, #lock);),
                Some(By::Id) => quote_spanned!(span=> #members.add_by_id(#number, #lock);),
                Some(By::Key(closure)) => {
                    let key = key(closure, &owner);
                    quote_spanned!(span=> #members.add_by_key(#number, #lock, #key);)
                }
            }),
            Reference::Name(_) | Reference::Class(_) => TokenStream::new(),
        })
        .collect()
}

fn check(library: &Library, slot: Slot<'_>) -> TokenStream {
    let span = at(slot.lock.written.first());
    let declared = library.declared_at(span);
    let references = slot.lock.references().iter();
    references
        .map(|reference| match reference {
            Reference::Of(ty) => quote!(let _: ::core::marker::PhantomData<#ty>;),
            Reference::Place(place) => locks_at(place, |lock, owner| {
                let check = quote_spanned!(span=> #declared::check_lock(#lock););
                match slot.by {
                    Some(By::Key(closure)) => {
                        let key = key(closure, &owner);
                        let span = at(closure.body.span());
                        let declared = library.declared_at(span);
                        quote_spanned!(span=> #check #declared::check_key(#key);)
                    }
                    _ => check,
                }
            }),
            Reference::Name(_) | Reference::Class(_) => TokenStream::new(),
        })
        .collect()
}

/// The closure's result for `owner`. Not a call: the compiler would not know the parameter's type in time.
fn key(closure: &ExprClosure, owner: &TokenStream) -> TokenStream {
    let parameter = closure.inputs.first().map(|parameter| quote!(let #parameter = &#owner;));
    let body = &closure.body;
    let span = at(body.span());
    match &closure.output {
        ReturnType::Default => quote_spanned!(span=> { #parameter #body }),
        ReturnType::Type(_, ty) => {
            let result = local("__key");
            quote_spanned!(span=> { #parameter let #result: #ty = #body; #result })
        }
    }
}

/// The type check of a class.
pub(crate) fn check_class(library: &Library, path: &Path) -> TokenStream {
    let span = at(path.span());
    let declared = library.declared_at(span);
    quote_spanned!(span=> #declared::check_class(&#path);)
}

/// Code that does something with every lock at `place`, given as a reference to the lock and an expression for
/// what owns it.
fn locks_at(place: &Place, act: impl Fn(TokenStream, TokenStream) -> TokenStream) -> TokenStream {
    let root = &place.root;
    let mut loops: Vec<TokenStream> = Vec::new();
    let mut base = quote!(#root);
    let mut value = base.clone();
    let mut owner = None;
    for step in &place.steps {
        match step {
            Step::Member(dot, member) => {
                owner = Some(value);
                base = quote!(#base #dot #member);
                value = base.clone();
            }
            Step::Elements(bracket) => {
                let name = format!("__element{}", loops.len());
                let element = Ident::new(&name, at(bracket.span.close()));
                let span = at(bracket.span.join());
                loops.push(quote_spanned!(span=> for #element in #base.iter()));
                base = quote!(#element);
                let span = at(root.span());
                value = quote_spanned!(span=> *#element);
                owner = None;
            }
        }
    }
    let star = &place.deref;
    // As if the user had borrowed it, so that what is wrong with it is shown under all of it: from the first
    // token to the last one, if both count as written by the same.
    let first = star.as_ref().map_or_else(|| root.span(), |star| star.span());
    let lock = match place.steps.last() {
        Some(Step::Elements(_)) => {
            let span = at(first);
            let star = star.as_ref().map(|_| quote_spanned!(span=> *));
            quote_spanned!(span=> &#star #value)
        }
        _ => quote_spanned!(first=> &#star #value),
    };
    let inside = act(lock, owner.unwrap_or(value));
    loops.into_iter().rev().fold(inside, |inside, head| quote!(#head { #inside }))
}
