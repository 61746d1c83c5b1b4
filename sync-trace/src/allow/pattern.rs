//! What an entry says about locks and sites.

use crate::site::{Site, is_of_std};

/// A text in which `*` stands for any characters, also for none.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob(Box<str>);

impl Glob {
    fn new(text: &str) -> Self {
        Self(text.into())
    }

    fn fits(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return *self.0 == *text };
        let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(mut text) = text.strip_prefix(first) else { return false };
        for part in between.split('*') {
            // The first place is the best one: it leaves most for the parts that follow.
            let Some(at) = text.find(part) else { return false };
            text = &text[at + part.len()..];
        }
        text.ends_with(last)
    }
}

/// Names of locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LockPattern {
    whole: Glob,
    /// As a name is pasted from a report, its number may stand behind it.
    unnumbered: Option<Glob>,
}

impl LockPattern {
    /// `None` for a blank text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unnumbered = without_number(text).map(Glob::new);
        (!text.trim().is_empty()).then(|| Self { whole: Glob::new(text), unnumbered })
    }

    /// Whether it fits a name.
    pub(super) fn fits(&self, name: &str) -> bool {
        self.whole.fits(name) || self.unnumbered.as_ref().is_some_and(|glob| glob.fits(name))
    }
}

/// The name in `Mutex<u8> #4`.
fn without_number(text: &str) -> Option<&str> {
    let (name, number) = text.rsplit_once(" #")?;
    (!name.is_empty() && number_of(number).is_some()).then_some(name)
}

/// A file, and maybe a line in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SitePattern {
    /// The last components of the path.
    components: Vec<Glob>,
    line: Option<u32>,
    column: Option<u32>,
}

impl SitePattern {
    /// `None` for a text that names no file, and for a line or column that is not a number from 1.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (file, line, column) = match numbered(text) {
            None => (text, None, None),
            Some((rest, last)) => match numbered(rest) {
                None => (rest, Some(last), None),
                Some((file, line)) => (file, Some(line), Some(last)),
            },
        };
        let name = components(file).next_back()?;
        let is_file = !name.trim().is_empty() && !name.contains(':');
        let components = components(file).map(Glob::new).collect();
        is_file.then_some(Self { components, line, column })
    }

    /// Whether it fits a site. Where the user's own line is not known, none does.
    pub(super) fn fits(&self, at: Position<'_>) -> bool {
        let mut path = components(at.file).rev();
        !is_of_std(at.file)
            && self.line.is_none_or(|line| line == at.line)
            && self.column.is_none_or(|column| column == at.column)
            && self.components.iter().rev().all(|glob| path.next().is_some_and(|it| glob.fits(it)))
    }
}

/// A site, of this process or of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position<'a> {
    pub(super) file: &'a str,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl From<Site> for Position<'_> {
    fn from(site: Site) -> Self {
        Self { file: site.file(), line: site.line(), column: site.column() }
    }
}

/// Splits `text:88`.
fn numbered(text: &str) -> Option<(&str, u32)> {
    let (text, number) = text.rsplit_once(':')?;
    Some((text, number_of(number).filter(|number| *number > 0)?))
}

fn number_of(digits: &str) -> Option<u32> {
    // `parse` would take a sign as well.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The components of a path in the manner of any platform. Of an absolute one the first is empty, so
/// that it fits no other.
fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split(['/', '\\']).filter(|component| *component != ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (glob, fitting, other) in [
            ("a", &["a"][..], &["", "b", "aa", "A"][..]),
            ("", &[""], &["a"]),
            ("*", &["", "a", "a b"], &[]),
            ("Cache.*", &["Cache.", "Cache.index"], &["Cache", "MyCache.index"]),
            ("*.index", &["Cache.index", ".index"], &["index", "Cache.index2"]),
            ("a*a", &["aa", "aba"], &["a", "ab"]),
            ("a*b*c", &["abc", "axbxbc"], &["acb", "abcb", "ac"]),
            ("a**b", &["ab", "axb"], &["a"]),
            ("Mutex<*> [_]?", &["Mutex<u8> [_]?"], &["Mutex<u8> ax"]),
            ("dé*à", &["déjà", "déà"], &["déja", "de`à"]),
            ("*ab*ab", &["abab", "xabab"], &["ab", "aba"]),
        ] {
            fitting.iter().for_each(|text| assert!(Glob::new(glob).fits(text), "{glob} {text}"));
            other.iter().for_each(|text| assert!(!Glob::new(glob).fits(text), "{glob} {text}"));
        }
    }

    #[test]
    fn many_stars_are_quick() {
        assert!(!Glob::new(&"a*".repeat(1_000)).fits(&"a".repeat(999)));
        assert!(!Glob::new(&("*a".repeat(1_000) + "b")).fits(&"a".repeat(100_000)));
    }

    #[test]
    fn the_number_behind_a_pasted_name_does_not_matter() {
        for (pattern, name, expected) in [
            ("Mutex<u8> #4", "Mutex<u8>", true),
            ("Mutex<*> #4", "Mutex<u8>", true),
            ("shard #1", "shard #1", true),
            ("shard #1", "shard #2", false),
            ("shard #", "shard", false),
            ("shard #x", "shard", false),
            ("shard#1", "shard", false),
        ] {
            let fits = LockPattern::parse(pattern).unwrap().fits(name);
            assert_eq!(fits, expected, "{pattern} {name}");
        }
        assert_eq!([LockPattern::parse(""), LockPattern::parse(" \t")], [None, None]);
    }

    #[test]
    fn a_site_fits_from_the_end_of_its_path_by_whole_components() {
        let site = Site::caller();
        let (file, line, column) = (site.file(), site.line(), site.column());
        assert!(file.ends_with("src/allow/pattern.rs") || cfg!(windows), "{file}");
        for (pattern, expected) in [
            ("pattern.rs".to_owned(), true),
            ("allow/pattern.rs".to_owned(), true),
            ("./src/allow/./pattern.rs".to_owned(), true),
            ("src\\allow\\pattern.rs".to_owned(), true),
            (file.to_owned(), true),
            (format!("pattern.rs:{line}"), true),
            (format!("{file}:{line}:{column}"), true),
            ("src/*/pat*.rs".to_owned(), true),
            ("src/*.rs".to_owned(), false),
            ("attern.rs".to_owned(), false),
            ("low/pattern.rs".to_owned(), false),
            ("src/pattern.rs".to_owned(), false),
            (format!("/{file}"), false),
            (format!("x/{file}"), false),
            (format!("pattern.rs:{}", line + 1), false),
            (format!("pattern.rs:{line}:{}", column + 1), false),
        ] {
            assert_eq!(
                SitePattern::parse(&pattern).unwrap().fits(site.into()),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_position_in_the_standard_library_fits_nothing() {
        let site = crate::report::cases::unknown_site();
        assert!(!SitePattern::parse("*.rs").unwrap().fits(site.into()), "{site}");
    }

    #[test]
    fn what_names_no_file_or_line_is_refused() {
        for text in ["", " ", ":88", "a.rs:", "a.rs:x", "a.rs:0", "a.rs:-1", "a.rs:+1", "src/", "."]
        {
            assert_eq!(SitePattern::parse(text), None, "{text}");
        }
        for text in ["a.rs:4294967296", "a.rs:1:2:3", "C:a.rs"] {
            assert_eq!(SitePattern::parse(text), None, "{text}");
        }
        let windows = SitePattern::parse(r"C:\src\a.rs:88").unwrap();
        assert_eq!((windows.line, windows.column, windows.components.len()), (Some(88), None, 3));
    }
}
