//! The baseline: a file of `[[allow]]` entries, one for each fingerprint.
//!
//! The library reads it as it reads `sync-trace.toml`, so that a test fails only because of what is new, too. What stands
//! in it between entries is lost when it is written again, so remarks belong into the reasons.

use crate::exit::Failure;
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::Path;

/// What the file begins with.
const HEAD: &str = "\
# What sync-trace found when this file was made, and nothing new: `cargo sync-trace baseline` writes it, and
# both the library and `cargo sync-trace` read it, beside sync-trace.toml. Change the reasons as you like; who has
# dealt with an entry takes it out, or lets `cargo sync-trace baseline --prune` do that.
";

/// The entries of a baseline.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    #[serde(default)]
    allow: Vec<Entry>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The code.
    pub code: String,
    /// The fingerprint.
    pub fingerprint: String,
    /// Why it is accepted.
    pub reason: String,
    /// What was found; goes in as a remark.
    #[serde(skip)]
    pub title: String,
    /// Where; goes in as a remark.
    #[serde(skip)]
    pub site: Option<String>,
}

impl Entry {
    /// Whether it is no deadlock that has happened.
    pub fn may_be_accepted(&self) -> bool {
        !matches!(&*self.code, "ST0001" | "ST0002" | "ST0003")
    }
}

impl Baseline {
    /// Reads the file; without one, it is empty.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Failure(format!("{} cannot be read: {error}", path.display())));
            }
        };
        Self::parse(&text).map_err(|why| Failure(format!("{}: {why}", path.display())))
    }

    /// Reads the text of a file, with the remarks before each entry.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut baseline: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut remark: Vec<&str> = Vec::new();
        let mut entries = baseline.allow.iter_mut();
        for line in text.lines() {
            if let Some(text) = line.strip_prefix("# ") {
                remark.push(text);
            } else if line.trim() == "[[allow]]" {
                if let (Some(entry), Some(last)) = (entries.next(), remark.last()) {
                    (entry.title, entry.site) = match last.rsplit_once(" (at ") {
                        Some((title, at)) if at.ends_with(')') => {
                            (title.to_owned(), Some(at[..at.len() - 1].to_owned()))
                        }
                        _ => ((*last).to_owned(), None),
                    };
                }
                remark.clear();
            } else {
                remark.clear();
            }
        }
        Ok(baseline)
    }

    /// Adds an entry, unless its finding is in already.
    pub fn add(&mut self, entry: Entry) -> bool {
        let same =
            |known: &Entry| (&known.code, &known.fingerprint) == (&entry.code, &entry.fingerprint);
        let is_new = !self.allow.iter().any(same);
        if is_new {
            self.allow.push(entry);
        }
        is_new
    }

    /// Keeps the entries that `keep` says, and tells how many were taken out.
    pub fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) -> usize {
        let before = self.allow.len();
        self.allow.retain(keep);
        before - self.allow.len()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.allow.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty()
    }

    /// The text of the file, in which entries are sorted, so that two people who add some merge them easily.
    pub fn text(&self) -> String {
        let mut entries: Vec<_> = self.allow.iter().collect();
        entries.sort_by_key(|entry| (&entry.code, &entry.fingerprint));
        let mut text = HEAD.to_owned();
        for entry in entries {
            let Entry { code, fingerprint, reason, title, site } = entry;
            let at = site.as_ref().map(|site| format!(" (at {site})")).unwrap_or_default();
            text.push('\n');
            if !title.is_empty() {
                let _ = writeln!(text, "# {}{at}", title.replace(char::is_control, " "));
            }
            let [code, fingerprint, reason] = [code, fingerprint, reason].map(|text| quoted(text));
            let _ = write!(
                text,
                "[[allow]]\ncode = {code}\nfingerprint = {fingerprint}\nreason = {reason}\n"
            );
        }
        text
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        std::fs::write(path, self.text())
            .map_err(|error| Failure(format!("{} cannot be written: {error}", path.display())))
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(fingerprint: &str) -> Entry {
        Entry {
            code: "ST0101".into(),
            fingerprint: fingerprint.into(),
            reason: "a \"reason\" \\ with\nlines".into(),
            title: "`a` and `b` are taken in both orders".into(),
            site: Some("src/a.rs:1:2".into()),
        }
    }

    #[test]
    fn what_is_written_is_read_again_by_us_and_by_the_library() {
        let mut baseline = Baseline::default();
        assert!(baseline.add(entry("00000000000000b0")));
        assert!(baseline.add(entry("00000000000000a0")));
        assert!(!baseline.add(entry("00000000000000a0")));
        let text = baseline.text();
        let again = Baseline::parse(&text).unwrap();
        assert_eq!(again.text(), text);
        assert_eq!(again.allow, [entry("00000000000000a0"), entry("00000000000000b0")]);

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sync-trace-baseline.toml");
        baseline.write(&path).unwrap();
        let (rules, mistakes) =
            sync_trace::__private::told::Rules::find_from(dir.path(), Some(&path));
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(rules.baseline().collect::<Vec<_>>(), [0xa0, 0xb0]);
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        for text in ["x", "[[allow]]\ncode = 1", "[[deny]]\n", "[[allow]]\ncode = 'ST0101'\n"] {
            assert!(Baseline::parse(text).is_err(), "{text}");
        }
        assert!(Baseline::parse("").unwrap().is_empty());
    }
}
