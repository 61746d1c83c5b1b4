//! A crate outside the workspace that uses sync-trace as a user's does.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate in a folder of its own, built without a network from the workspace's versions; removed when
/// this is dropped.
#[derive(Debug)]
pub struct Crate {
    name: String,
    folder: PathBuf,
    target: PathBuf,
}

impl Crate {
    /// A crate without any source that depends on sync-trace. `manifest` is added to its manifest;
    /// `target_tmp` is the test's own `CARGO_TARGET_TMPDIR`, where what is built is kept.
    ///
    /// # Panics
    ///
    /// If the files cannot be written.
    pub fn new(name: &str, manifest: &str, target_tmp: &str) -> Self {
        let folder = format!("sync-trace-{name}-{}", std::process::id());
        let it = Self {
            name: name.to_owned(),
            folder: std::env::temp_dir().join(folder),
            // The same for all, so that sync-trace is built once, and kept from run to run.
            target: Path::new(target_tmp).join("outside"),
        };
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let library = workspace.join("sync-trace");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nsync-trace = {{ path = {library:?} }}\n\n{manifest}"
        );
        it.write("Cargo.toml", &manifest);
        fs::copy(workspace.join("Cargo.lock"), it.folder.join("Cargo.lock"))
            .expect("the workspace has a lock file");
        it
    }

    /// Writes a file of the crate.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    /// Cargo in the crate, as if from a fresh shell.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        command.args(arguments).current_dir(&self.folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_this_run(name)) {
            command.env_remove(name);
        }
        command.env("CARGO_TARGET_DIR", &self.target);
        command.env("CARGO_NET_OFFLINE", "true");
        command.env("CARGO_TERM_COLOR", "never");
        command
    }
}

impl Drop for Crate {
    fn drop(&mut self) {
        // What cannot be cleaned away stays; the test has its result.
        let _ = self.cargo(&["clean", "--package", &self.name]).output();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Whether an environment variable speaks to the build or the tests that are running now.
fn is_of_this_run(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let speaks = ["CARGO_", "RUST_", "RUSTC", "RUSTFLAGS", "RUSTDOCFLAGS", "NEXTEST", "SYNC_TRACE"]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    speaks && name != "CARGO_HOME"
}
