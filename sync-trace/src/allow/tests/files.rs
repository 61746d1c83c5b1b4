//! Files in every form, and where they are looked for.

use super::super::AllowList;
use super::{inversion, list, shown};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[test]
fn files_in_any_clothes_are_read() {
    for text in ["", "\n", "# nothing\n", "\u{feff}", "allow = []"] {
        assert_eq!(list(text).unused().count(), 0, "{text:?}");
    }
    let text = "[[allow]]\nreason = \"Grüße 🦀\"\ncode = \"ST0101\"\nlocks = [\"Bänk.*\"]\n";
    let inline = "allow = [{ code = 'ST0104', sites = ['a.rs:1'], reason = 'why' }]";
    let sub_table = "[[allow]]\nfingerprint='0123456789abcdef'\nreason='why'\n[[ 'allow' ]]\n\
                     fingerprint='0123456789abcdef'\nreason='why'";
    for (text, lines) in [
        (text.to_owned(), &[1][..]),
        (text.replace('\n', "\r\n"), &[1]),
        (format!("\u{feff}\r\n{text}"), &[2]),
        (inline.to_owned(), &[1]),
        (sub_table.to_owned(), &[1, 4]),
    ] {
        let places: Vec<_> = lines.iter().map(|line| format!("sync-trace.toml:{line}")).collect();
        assert_eq!(list(&text).unused().collect::<Vec<_>>(), places, "{text:?}");
    }
}

#[test]
fn any_beginning_of_a_file_is_read_or_refused() {
    let text = "[[allow]]\r\ncode = 'ST0101'\nlocks = ['ä', \"\"\"\nb\"\"\"]\nreason = 'déjà' # é\n\
                [[allow]]\nfingerprint = \"1f2e3d4c5b6a7988\"\nsites = [\n 'a.rs:1' ]\nreason = 'x'\n";
    for end in 0..=text.len() {
        let (list, errors) = AllowList::parse_bytes(&text.as_bytes()[..end], "f");
        assert!(list.unused().count() <= 2);
        assert!(errors.iter().all(|error| error.to_string().starts_with("f:")));
    }
}

#[test]
fn a_huge_file_is_quick() {
    let mut text = String::new();
    for n in 0..10_000 {
        let line =
            format!("[[allow]]\ncode = 'ST0101'\nlocks = ['l{n}.*', 'm{n}']\nreason = 'r{n}'\n\n");
        text.push_str(&line);
    }
    text.push_str("[[allow]]\ncode = 'ST0101'\nlocks = ['Bank.*']\nreason = 'last'\n");
    let start = Instant::now();
    let list = list(&text);
    assert_eq!(list.reason(&inversion(), &shown).as_deref(), Some("last"));
    assert_eq!(list.unused().last().unwrap(), "sync-trace.toml:49996");
    let (_, errors) = AllowList::parse(&text.replace("reason", "raison"), "f");
    assert_eq!(errors.len(), 20_002);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// A folder of its own for one test, with a folder `a/b` in it.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let dir = format!("sync-trace-allow-{test}-{}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        fs::create_dir_all(dir.join("a/b")).unwrap();
        Self(dir)
    }

    fn write(&self, dir: &str, content: impl AsRef<[u8]>) {
        fs::write(self.0.join(dir).join(AllowList::FILE), content).unwrap();
    }

    fn find(&self) -> (Vec<String>, Vec<String>) {
        let (list, errors) = AllowList::find_from(&self.0.join("a/b"), None);
        let root = self.0.to_string_lossy().into_owned() + std::path::MAIN_SEPARATOR_STR;
        let relative = |text: String| text.replace(&root, "");
        (
            list.unused().map(relative).collect(),
            errors.iter().map(|error| relative(error.to_string())).collect(),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_nearest_file_is_read() {
    let folder = Folder::new("nearest");
    let none: (Vec<String>, Vec<String>) = Default::default();
    assert_eq!(folder.find(), none);
    let entry = "[[allow]]\nfingerprint = '0000000000007c1d'\nreason = 'why'\n";
    folder.write("", format!("\n{entry}"));
    assert_eq!(folder.find().0, ["sync-trace.toml:2"]);
    let name = folder.0.join(AllowList::FILE);
    let (list, _) = AllowList::find_from(&folder.0.join("a"), None);
    assert_eq!(list.unused().next(), Some(format!("{}:2", name.display())));
    folder.write("a", entry);
    let path = PathBuf::from("a").join(AllowList::FILE);
    assert_eq!(folder.find().0, [format!("{}:1", path.display())]);
    folder.write("a/b", "");
    assert_eq!(folder.find(), none);
}

#[test]
fn a_baseline_is_read_beside_the_file_and_its_entries_are_not_called_unused() {
    let folder = Folder::new("baseline");
    let fingerprint = inversion().fingerprint;
    let entry = format!("[[allow]]\nfingerprint = '{fingerprint}'\nreason = 'REASON'\n");
    let reason_below = |named| {
        let (list, errors) = AllowList::find_from(&folder.0.join("a/b"), named);
        assert!(errors.is_empty(), "{errors:?}");
        let why = list.reason(&inversion(), &shown);
        (why, list.unused().count())
    };
    assert_eq!(reason_below(None), (None, 0));
    fs::write(folder.0.join("a/sync-trace-baseline.toml"), entry.replace("REASON", "found"))
        .unwrap();
    assert_eq!(reason_below(None), (Some("found".to_owned()), 0));
    fs::write(folder.0.join("other.toml"), entry.replace("REASON", "named")).unwrap();
    let named = folder.0.join("other.toml");
    assert_eq!(reason_below(Some(&named)), (Some("named".to_owned()), 0));
    // An entry that somebody has thought about gives the reason.
    folder.write("", entry.replace("REASON", "thought about"));
    assert_eq!(reason_below(None), (Some("thought about".to_owned()), 0));
    let other = entry.replace(&fingerprint.to_string(), "00000000deadbeef");
    fs::write(folder.0.join("a/sync-trace-baseline.toml"), &other).unwrap();
    folder.write("", &other);
    assert_eq!(reason_below(None), (None, 1));
}

#[test]
fn the_search_begins_where_the_process_is() {
    let here = AllowList::find_from(&std::env::current_dir().unwrap(), None);
    let (list, errors) = AllowList::find();
    assert_eq!(errors, here.1);
    assert!(list.unused().eq(here.0.unused()));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let folder = Folder::new("unreadable");
    folder.write("a/b", b"# gr\xfc\xdfe\n");
    let expected = "sync-trace.toml:1:5: this is not TOML: this byte is not valid UTF-8\n  \
                    = note: nothing in this file holds\n  = help: accepted: [[allow]], and below it \
                    code, locks, sites, fingerprint, reason";
    assert_eq!(folder.find().1, [expected]);
    let path = folder.0.join("a/b").join(AllowList::FILE);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let expected = "sync-trace.toml: the file cannot be read: it is not a regular file\n  \
                    = note: nothing in this file holds\n  = help: make it a readable file, or remove it";
    assert_eq!(folder.find().1, [expected]);
}
