//! Source files of a run, looked for where its processes say.

use crate::merge::Run;
use crate::read::record::Site;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

/// Reads source files, each once.
#[derive(Debug, Default)]
pub struct Sources {
    roots: Vec<PathBuf>,
    files: RefCell<HashMap<String, Option<Rc<str>>>>,
}

/// A word in a file.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The whole file.
    pub text: Rc<str>,
    /// The bytes of the word.
    pub span: Range<usize>,
}

impl Sources {
    /// Files are looked for in the workspaces of the run's processes, and here.
    pub fn of(run: &Run) -> Self {
        let headers = run.processes.iter().map(|process| &process.header);
        let named = headers
            .flat_map(|header| [&header.workspace_root, &header.source_dir, &header.manifest_dir]);
        let named: BTreeSet<PathBuf> = named.flatten().map(PathBuf::from).collect();
        Self::below(named.into_iter().chain(std::env::current_dir()).collect())
    }

    /// Files are looked for below `roots`, in this order.
    pub fn below(roots: Vec<PathBuf>) -> Self {
        Self { roots, files: RefCell::default() }
    }

    /// The call of `op` at a site; `None` if something else stands there, because then the file was edited after it
    /// was compiled.
    pub fn call(&self, site: &Site, op: &str) -> Option<Spot> {
        let spot = self.at(site)?;
        let code = &spot.text[spot.span.clone()];
        let word = code
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .unwrap_or(code.len());
        let word = match &code[..word] {
            "" => return None,
            // A macro that expands to the call.
            name if code[word..].starts_with('!') => name.len() + 1,
            name if name == op || name.ends_with(&format!("::{op}")) => name.len(),
            _ => return None,
        };
        Some(Spot { span: spot.span.start..spot.span.start + word, ..spot })
    }

    /// The position of a site, and the rest of its line.
    fn at(&self, site: &Site) -> Option<Spot> {
        if site.is_unknown() {
            return None;
        }
        let text = self.text(&site.file)?;
        let mut start = 0;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            if number == site.line {
                let line = line.trim_end_matches(['\n', '\r']);
                let column = (site.column as usize).checked_sub(1)?;
                let (at, _) = line.char_indices().nth(column)?;
                let span = start + at..start + line.len();
                return Some(Spot { text: text.clone(), span });
            }
            start += line.len();
        }
        None
    }

    fn text(&self, file: &str) -> Option<Rc<str>> {
        let mut files = self.files.borrow_mut();
        if let Some(known) = files.get(file) {
            return known.clone();
        }
        let path = self.roots.iter().map(|root| root.join(file)).find(|path| path.is_file());
        let text = path.and_then(|path| std::fs::read_to_string(path).ok());
        let text = text.map(|text| Rc::from(text.strip_prefix('\u{feff}').unwrap_or(&text)));
        files.insert(file.to_owned(), text.clone());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_where_it_still_stands() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.rs"), "fn f() {\n    déjà.lock();\n    take!(x);\n}\n")
            .unwrap();
        let sources = Sources::below(vec![dir.path().to_owned()]);
        let found = |line, column, op| {
            let site = Site { file: "a.rs".into(), line, column };
            sources.call(&site, op).map(|spot| spot.text[spot.span].to_owned())
        };
        assert_eq!(found(2, 10, "lock").as_deref(), Some("lock"));
        assert_eq!(found(2, 10, "read"), None);
        assert_eq!(found(3, 5, "lock").as_deref(), Some("take!"));
        for (line, column) in [(0, 1), (9, 1), (2, 0), (2, 99)] {
            assert_eq!(found(line, column, "lock"), None);
        }
    }
}
