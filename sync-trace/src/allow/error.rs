//! Mistakes in the file, and how they are told.

use crate::finding::Code;
use std::fmt;
use std::sync::Arc;

/// Something in a `sync-trace.toml` that cannot be read, or the whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowError {
    pub(super) file: Arc<str>,
    /// `None` for the file as such.
    pub(super) place: Option<Place>,
    pub(super) mistake: Mistake,
}

impl AllowError {
    /// The file as such cannot be read.
    pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self { file: file.into(), place: None, mistake: Mistake::Unreadable(error.to_string()) }
    }
}

/// A line and a column, in characters, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The file cannot be read, for this reason.
    Unreadable(String),
    /// The file is not TOML, for this reason.
    NotToml(String),
    /// A key beside `allow`.
    TopKey { key: String, similar: Option<&'static str> },
    /// `allow` is a value of this type, and no list of tables.
    List(&'static str),
    /// An element of `allow` is a value of this type, and no table.
    Table(&'static str),
    /// A key that no entry has.
    Key { key: String, similar: Option<&'static str> },
    /// An entry has to have this key.
    Missing(&'static str),
    /// The entry does not say which findings it is for.
    Aimless,
    /// The value, or an element of it, has a wrong type, this one.
    Type { key: &'static str, found: &'static str },
    /// The text is empty or blank.
    Blank(&'static str),
    /// The array is empty.
    Empty(&'static str),
    /// There is no such code.
    Code { code: String, similar: Option<&'static str> },
    /// What has this code cannot be allowed.
    Forbidden(Code),
    /// Not a file or line.
    Site(String),
    /// Not a fingerprint.
    Fingerprint(String),
}

/// The keys of an entry, each with an example and what else there is to say about its value.
pub(super) const KEYS: [(&str, &str, &str); 5] = [
    (
        "code",
        r#"code = "ST0101""#,
        r#", "ST0102", "ST0103", "ST0104", "ST0201", "ST0202", "ST0203", "ST0204", "ST0301", "ST0303", "ST0401", "ST0402" or "ST0501""#,
    ),
    ("locks", r#"locks = ["Cache.index", "Cache.*"]"#, ", with names as the report shows them"),
    (
        "sites",
        r#"sites = ["src/cache.rs", "cache.rs:88"]"#,
        ", each the end of a path, maybe with a line",
    ),
    ("fingerprint", r#"fingerprint = "1f2e3d4c5b6a7988""#, ", as the report prints it"),
    ("reason", r#"reason = "why the finding is no problem""#, ""),
];

/// The accepted forms of the value of `key`.
pub(super) fn form(key: &str) -> String {
    let known = KEYS.iter().find(|(name, ..)| *name == key);
    known.map_or(String::new(), |(_, example, more)| format!("{example}{more}"))
}

fn names_of_keys() -> String {
    KEYS.map(|(name, ..)| name).join(", ")
}

impl fmt::Display for AllowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.mistake)?;
        write!(f, "\n  = note: {}\n  = help: {}", self.mistake.loss(), self.mistake.help())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "the file cannot be read: {why}"),
            Self::NotToml(why) => write!(f, "this is not TOML: {why}"),
            Self::TopKey { key, similar } => {
                write!(f, "unknown key `{}`", key.escape_debug())?;
                suggest(f, *similar)
            }
            Self::List(found) => {
                write!(f, "`allow` has to be a list of tables, and this is {}", a(found))
            }
            Self::Table(found) => {
                write!(f, "an entry of `allow` has to be a table, and this is {}", a(found))
            }
            Self::Key { key, similar } => {
                write!(f, "unknown key `{}` in this [[allow]]", key.escape_debug())?;
                suggest(f, *similar)
            }
            Self::Missing(key) => write!(f, "`{key}` is missing in this [[allow]]"),
            Self::Aimless => write!(f, "this [[allow]] does not say which findings it is for"),
            Self::Type { key, found } => {
                let wanted = if is_list(key) { "an array of strings" } else { "a string" };
                write!(f, "`{key}` has to be {wanted}, and this is {}", a(found))
            }
            Self::Blank(key) if is_list(key) => write!(f, "a text in `{key}` is blank"),
            Self::Blank(key) => write!(f, "`{key}` is blank"),
            Self::Empty(key) => write!(f, "`{key}` is empty"),
            Self::Code { code, similar } => {
                write!(f, "`{}` is not a code", code.escape_debug())?;
                suggest(f, *similar)
            }
            Self::Forbidden(code) => {
                write!(f, "`{code}` cannot be allowed: it is a deadlock that has happened")
            }
            Self::Site(site) => write!(f, "`{}` is not a file or line", site.escape_debug()),
            Self::Fingerprint(text) => {
                write!(f, "`{}` is not a fingerprint", text.escape_debug())
            }
        }
    }
}

fn suggest(f: &mut fmt::Formatter<'_>, similar: Option<&str>) -> fmt::Result {
    similar.map_or(Ok(()), |similar| write!(f, "; did you mean `{similar}`?"))
}

fn is_list(key: &str) -> bool {
    matches!(key, "locks" | "sites")
}

/// The type with its article.
fn a(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {type_name}")
}

impl Mistake {
    /// What is lost by it.
    fn loss(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::NotToml(_) => "nothing in this file holds",
            Self::TopKey { .. } => "it is ignored; the entries hold",
            Self::List(_) => "it is ignored, so this file allows nothing",
            _ => "the entry is ignored; the others hold",
        }
    }

    /// What to do: mostly, the accepted forms.
    fn help(&self) -> String {
        let key = match self {
            Self::Unreadable(_) => return "make it a readable file, or remove it".to_owned(),
            Self::NotToml(_) | Self::TopKey { .. } | Self::List(_) | Self::Table(_) => {
                return format!("accepted: [[allow]], and below it {}", names_of_keys());
            }
            Self::Key { .. } => return format!("accepted: {}", names_of_keys()),
            Self::Aimless => return "add at least one of locks, sites, fingerprint".to_owned(),
            Self::Missing(key) | Self::Blank(key) | Self::Empty(key) => key,
            Self::Type { key, .. } => key,
            Self::Code { .. } | Self::Forbidden(_) => "code",
            Self::Site(_) => "sites",
            Self::Fingerprint(_) => "fingerprint",
        };
        format!("accepted: {}", form(key))
    }
}
