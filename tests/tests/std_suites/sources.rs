//! Where `std`'s material is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set where the material has to be there: then its absence is a failure.
const REQUIRED: &str = "SYNC_TRACE_TESTS_REQUIRE_STD";

/// The toolchain's documentation.
pub(crate) struct Docs {
    /// The folder with a page for each source file.
    pub(crate) pages: PathBuf,
    /// Of the toolchain, such as `1.95.0`.
    pub(crate) version: String,
}

impl Docs {
    /// The documentation; `None`, with a word about it, if it is not installed.
    pub(crate) fn find() -> Option<Self> {
        let pages = sysroot().join("share/doc/rust/html/src");
        if pages.join("std/sync").is_dir() {
            return Some(Self { pages, version: toolchain_version() });
        }
        let absent = "the documentation of std is not installed (rustup component add rust-docs)";
        assert!(std::env::var_os(REQUIRED).is_none(), "{absent}, and {REQUIRED} is set");
        println!("skipped: {absent}");
        None
    }
}

/// The source of `std`.
pub(crate) struct Library {
    /// The folder `library` of Rust's repository.
    pub(crate) folder: PathBuf,
    /// Of the source, such as `1.96.0`.
    pub(crate) version: String,
}

impl Library {
    /// The toolchain's own source, or else the newest that a distribution has installed; `None`, with a
    /// word about it, if there is none.
    pub(crate) fn find() -> Option<Self> {
        let own = sysroot().join("lib/rustlib/src/rust/library");
        let own = Self { folder: own, version: toolchain_version() };
        let found = [own].into_iter().chain(packaged()).find(Self::has_tests);
        if found.is_none() {
            println!("skipped: no source of std with its tests is installed (Debian: rust-src)");
        }
        found
    }

    fn has_tests(&self) -> bool {
        ["std/tests/sync", "std/src/sync/mutex", "std/src/sync/poison/mutex"]
            .iter()
            .any(|folder| self.folder.join(folder).is_dir())
    }
}

/// What distributions install, newest first.
fn packaged() -> Vec<Library> {
    let mut found: Vec<Library> = subfolders(Path::new("/usr/src"))
        .into_iter()
        .filter_map(|folder| {
            let version = folder.file_name()?.to_str()?.strip_prefix("rustc-")?.to_owned();
            Some(Library { folder: folder.join("library"), version })
        })
        .collect();
    found.sort_by_key(|library| std::cmp::Reverse(numbers(&library.version)));
    found
}

/// The numbers of a version, so that 1.100 comes after 1.99.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

/// The folders directly in `folder`; none if it cannot be read.
fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// All files below `folder` whose name ends with `ending`, sorted; none if there is no such folder.
pub(crate) fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let (folders, files): (Vec<_>, Vec<_>) =
        entries.map(|entry| entry.path()).partition(|path| path.is_dir());
    let mut found: Vec<_> = folders.iter().flat_map(|inner| files_below(inner, ending)).collect();
    found.extend(files.into_iter().filter(|path| path.to_string_lossy().ends_with(ending)));
    found.sort();
    found
}

fn sysroot() -> PathBuf {
    PathBuf::from(rustc(&["--print", "sysroot"]))
}

fn toolchain_version() -> String {
    rustc(&["--version"]).split(' ').nth(1).expect("a version").to_owned()
}

fn rustc(arguments: &[&str]) -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let output = Command::new(rustc).args(arguments).output().expect("rustc runs");
    String::from_utf8(output.stdout).expect("rustc answers with text").trim_end().to_owned()
}
