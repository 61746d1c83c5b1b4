//! From the text of a `sync-trace.toml` to entries and mistakes.

use super::entry::{Entry, Origin, Used, may_be_allowed};
use super::error::{AllowError, KEYS, Mistake, Place};
use super::pattern::{LockPattern, SitePattern};
use crate::config::similar;
use crate::finding::{Code, Fingerprint};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads what can be read. The mistakes come in the order of their places.
pub(super) fn read(text: &str, file: &str) -> (Vec<Entry>, Vec<AllowError>) {
    // Spans count from behind a byte order mark, as columns do.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { file: file.into(), lines: Lines::of(text), errors: Vec::new() };
    let entries = match DeTable::parse(text) {
        Ok(document) => reader.document(document.get_ref()),
        Err(error) => {
            let at = error.span().unwrap_or_default();
            reader.refuse(&at, Mistake::NotToml(error.message().to_owned()));
            Vec::new()
        }
    };
    // The tables that are read are sorted by key.
    reader.errors.sort_by_key(|error| error.place);
    (entries, reader.errors)
}

/// The mistake of a file that is not UTF-8 from byte `at` on, and has `text` before that.
pub(super) fn not_unicode(text: &str, file: &str) -> AllowError {
    let place = Lines::of(text).place(text.len());
    let mistake = Mistake::NotToml("this byte is not valid UTF-8".to_owned());
    AllowError { file: file.into(), place: Some(place), mistake }
}

struct Reader<'a> {
    file: Arc<str>,
    lines: Lines<'a>,
    errors: Vec<AllowError>,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn refuse(&mut self, at: &Range<usize>, mistake: Mistake) {
        let place = Some(self.lines.place(at.start));
        self.errors.push(AllowError { file: self.file.clone(), place, mistake });
    }

    fn document(&mut self, document: &DeTable<'_>) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (key, value) in document {
            if key.get_ref() == "allow" {
                entries = self.list(value);
            } else {
                let similar = similar(key.get_ref(), ["allow"].into_iter());
                let key_text = key.get_ref().to_string();
                self.refuse(&key.span(), Mistake::TopKey { key: key_text, similar });
            }
        }
        entries
    }

    fn list(&mut self, list: &Value<'_>) -> Vec<Entry> {
        let DeValue::Array(items) = list.get_ref() else {
            self.refuse(&list.span(), Mistake::List(list.get_ref().type_str()));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, item: &Value<'_>) -> Option<Entry> {
        match item.get_ref() {
            DeValue::Table(table) => self.entry(&item.span(), table),
            other => {
                self.refuse(&item.span(), Mistake::Table(other.type_str()));
                None
            }
        }
    }

    /// An entry without a mistake. Of one that has any, all are told.
    fn entry(&mut self, at: &Range<usize>, table: &DeTable<'_>) -> Option<Entry> {
        let errors_before = self.errors.len();
        let mut entry = Entry {
            origin: Origin::File(self.file.clone(), self.lines.place(at.start).line),
            code: None,
            fingerprint: None,
            locks: Vec::new(),
            sites: Vec::new(),
            reason: String::new(),
            used: Used::default(),
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "code" => entry.code = self.text("code", value, code),
                "fingerprint" => {
                    entry.fingerprint = self.text("fingerprint", value, fingerprint);
                }
                "locks" => entry.locks = self.texts("locks", value, lock),
                "sites" => entry.sites = self.texts("sites", value, site),
                "reason" => {
                    entry.reason = self.text("reason", value, reason).unwrap_or_default();
                }
                unknown => {
                    let similar = similar(unknown, KEYS.iter().map(|(key, ..)| *key));
                    self.refuse(&key.span(), Mistake::Key { key: unknown.to_owned(), similar });
                }
            }
        }
        let has = |key| table.contains_key(key);
        if !has("reason") {
            self.refuse(at, Mistake::Missing("reason"));
        }
        if !has("code") && !has("fingerprint") {
            self.refuse(at, Mistake::Missing("code"));
        }
        if !has("locks") && !has("sites") && !has("fingerprint") {
            self.refuse(at, Mistake::Aimless);
        }
        (self.errors.len() == errors_before).then_some(entry)
    }

    /// A string that `parse` understands.
    fn text<T>(&mut self, key: &'static str, value: &Value<'_>, parse: Parse<T>) -> Option<T> {
        let found = value.get_ref().type_str();
        let text = value.get_ref().as_str().ok_or(Mistake::Type { key, found });
        text.and_then(parse).map_err(|mistake| self.refuse(&value.span(), mistake)).ok()
    }

    /// An array of strings that `parse` understands.
    fn texts<T>(&mut self, key: &'static str, value: &Value<'_>, parse: Parse<T>) -> Vec<T> {
        let Some(items) = value.get_ref().as_array() else {
            let found = value.get_ref().type_str();
            self.refuse(&value.span(), Mistake::Type { key, found });
            return Vec::new();
        };
        if items.is_empty() {
            self.refuse(&value.span(), Mistake::Empty(key));
        }
        items.iter().filter_map(|item| self.text(key, item, parse)).collect()
    }
}

type Parse<T> = fn(&str) -> Result<T, Mistake>;

fn code(text: &str) -> Result<Code, Mistake> {
    match Code::ALL.into_iter().find(|code| code.as_str() == text) {
        Some(code) if may_be_allowed(code) => Ok(code),
        Some(code) => Err(Mistake::Forbidden(code)),
        None => {
            let codes = Code::ALL.into_iter().filter(|code| may_be_allowed(*code));
            let similar = similar(text, codes.map(Code::as_str));
            Err(Mistake::Code { code: text.to_owned(), similar })
        }
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, Mistake> {
    let is_printed = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u64::from_str_radix(text, 16).ok().filter(|_| is_printed);
    number.map(Fingerprint).ok_or_else(|| Mistake::Fingerprint(text.to_owned()))
}

fn lock(text: &str) -> Result<LockPattern, Mistake> {
    LockPattern::parse(text).ok_or(Mistake::Blank("locks"))
}

fn site(text: &str) -> Result<SitePattern, Mistake> {
    SitePattern::parse(text).ok_or_else(|| Mistake::Site(text.to_owned()))
}

fn reason(text: &str) -> Result<String, Mistake> {
    let text = text.trim();
    if text.is_empty() { Err(Mistake::Blank("reason")) } else { Ok(text.to_owned()) }
}

/// Where the lines of a text begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The place of byte `at`.
    fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at);
        let before = self.text.get(self.starts[line - 1]..at).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }
}
