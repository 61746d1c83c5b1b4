//! The lock fields of a type: which they are, what they are called, and their order.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Data, DeriveInput, Error, Fields as SynFields, GenericArgument, Member, Path, PathArguments,
    Result, Type,
};

use super::order::{Edge, Node, errors};
use crate::attr::{
    FieldOptions, Neighbour, Origin, Written, combined, field_options, similar, struct_options,
};

pub(crate) struct Fields {
    pub(crate) path: Option<Path>,
    pub(crate) list: Vec<Field>,
    pub(crate) links: Vec<Link>,
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// `Type.field`, or what `name = ".."` says.
    pub(crate) name: String,
    pub(crate) class: Option<Path>,
    pub(crate) is_leaf: bool,
}

/// `from < to`, by names.
pub(crate) struct Link {
    pub(crate) from: End,
    pub(crate) to: End,
    /// `before = audit`: both ends are shown here, because the other one is only where its field is.
    pub(crate) word: Written,
}

#[derive(Clone)]
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) written: Written,
}

impl Fields {
    pub(crate) fn of(input: &DeriveInput) -> Result<Self> {
        let path = struct_options(&input.attrs)?;
        let fields = match &input.data {
            Data::Struct(data) => &data.fields,
            Data::Enum(data) => return Err(no_struct(&data.enum_token)),
            Data::Union(data) => return Err(no_struct(&data.union_token)),
        };
        let all = read(input, fields)?;
        let found: Vec<_> = all.iter().filter(|(_, _, options)| options.is_some()).collect();
        if found.is_empty() {
            let text = format!(
                "no field of `{}` looks like a lock: mark what is one with `#[lock]`",
                input.ident,
            );
            return Err(Error::new(input.ident.span(), text));
        }
        let list: Vec<Field> = found
            .iter()
            .map(|(member, ty, options)| {
                let options = options.as_ref();
                Field {
                    member: member.clone(),
                    ty: ty.clone(),
                    name: name(input, member, options),
                    class: options.and_then(|options| options.class.clone()),
                    is_leaf: options.is_some_and(|options| options.leaf.is_some()),
                }
            })
            .collect();
        combined(list.iter().zip(&found).filter_map(|(field, (_, _, options))| {
            let leaf = options.as_ref()?.leaf?;
            let text = "a class says itself whether it is a leaf: `lock_class!(.., leaf)`";
            field.class.as_ref().map(|_| Error::new(leaf, text))
        }))?;
        let links = links(input, &all)?;
        combined(errors(&links.iter().map(edge).collect::<Vec<_>>()))?;
        Ok(Self { path, list, links })
    }
}

type Read = (Member, Type, Option<FieldOptions>);

/// Each field; its options only if it is a lock.
fn read(input: &DeriveInput, fields: &SynFields) -> Result<Vec<Read>> {
    let mut errors = Vec::new();
    let mut all = Vec::new();
    let members = fields.members();
    for (field, member) in fields.iter().zip(members) {
        match field_options(&field.attrs) {
            Ok(Some(options)) if options.skip.is_some() => {
                all.push((member, field.ty.clone(), None))
            }
            Ok(Some(options)) => all.push((member, field.ty.clone(), Some(options))),
            Ok(None) => {
                let options = looks_like_a_lock(&field.ty).then(FieldOptions::default);
                all.push((member, field.ty.clone(), options));
            }
            Err(error) => errors.push(error),
        }
    }
    combined(errors)?;
    if let SynFields::Unit = fields {
        let text = format!("`{}` has no fields", input.ident);
        return Err(Error::new(input.ident.span(), text));
    }
    Ok(all)
}

fn no_struct(word: &impl ToTokens) -> Error {
    Error::new_spanned(word, "`LockFields` is for structs: only their fields are always there")
}

/// By its last name, through what a lock is often wrapped in.
fn looks_like_a_lock(ty: &Type) -> bool {
    const WRAPPERS: &[&str] =
        &["Arc", "Rc", "Box", "Option", "Vec", "Pin", "LazyLock", "CachePadded"];
    match ty {
        Type::Array(array) => looks_like_a_lock(&array.elem),
        Type::Slice(slice) => looks_like_a_lock(&slice.elem),
        Type::Reference(reference) => looks_like_a_lock(&reference.elem),
        Type::Paren(inner) => looks_like_a_lock(&inner.elem),
        Type::Group(inner) => looks_like_a_lock(&inner.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            if last.ident == "Mutex" || last.ident == "RwLock" {
                return true;
            }
            let wraps = WRAPPERS.iter().any(|wrapper| last.ident == wrapper);
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
            let first = arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            wraps && first.is_some_and(looks_like_a_lock)
        }),
        _ => false,
    }
}

fn name(input: &DeriveInput, member: &Member, options: Option<&FieldOptions>) -> String {
    match options.and_then(|options| options.name.as_ref()) {
        Some(name) => name.value(),
        None => {
            let ty = syn::ext::IdentExt::unraw(&input.ident);
            format!("{ty}.{}", plain(member))
        }
    }
}

fn plain(member: &Member) -> String {
    match member {
        Member::Named(ident) => syn::ext::IdentExt::unraw(ident).to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

fn links(input: &DeriveInput, all: &[Read]) -> Result<Vec<Link>> {
    let (mut links, mut errors) = (Vec::new(), Vec::new());
    for (member, _, options) in all {
        let Some(options) = options else { continue };
        let written = Written(quote!(#member));
        let here = End { name: name(input, member, Some(options)), written };
        let sides = options.before.iter().map(|neighbour| (neighbour, true));
        let sides = sides.chain(options.after.iter().map(|neighbour| (neighbour, false)));
        for (neighbour, is_before) in sides {
            match end(input, all, neighbour) {
                Ok(there) => {
                    let word = there.written.clone();
                    let (from, to) =
                        if is_before { (here.clone(), there) } else { (there, here.clone()) };
                    links.push(Link { from, to, word });
                }
                Err(error) => errors.push(error),
            }
        }
    }
    combined(errors)?;
    Ok(links)
}

fn end(input: &DeriveInput, all: &[Read], neighbour: &Neighbour) -> Result<End> {
    let member = match neighbour {
        Neighbour::Name(name) => {
            return Ok(End { name: name.value(), written: Written(quote!(#name)) });
        }
        Neighbour::Field(member) => member,
    };
    let ty = &input.ident;
    match all.iter().find(|(known, _, _)| known == member) {
        Some((_, _, Some(options))) => {
            Ok(End { name: name(input, member, Some(options)), written: Written(quote!(#member)) })
        }
        Some((_, _, None)) => {
            let text = format!(
                "the field `{}` is no lock: mark it with `#[lock]` if it is",
                plain(member)
            );
            Err(Error::new_spanned(member, text))
        }
        None => {
            let known: Vec<_> = all.iter().map(|(member, _, _)| plain(member)).collect();
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            let near = match similar(&plain(member), &known) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => String::new(),
            };
            let text = format!("no field `{}` in `{ty}`{near}", plain(member));
            Err(Error::new_spanned(member, text))
        }
    }
}

fn edge(link: &Link) -> Edge {
    let node = |end: &End| Node { keys: vec![end.name.clone()], mode: None };
    Edge {
        from: node(&link.from),
        to: node(&link.to),
        shown: TokenStream::from_iter([link.word.to_token_stream()]),
        text: format!("{} < {}", link.from.name, link.to.name),
        origin: Origin::Own,
    }
}
