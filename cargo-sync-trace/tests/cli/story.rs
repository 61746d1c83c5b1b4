//! Small crates that tests make, and the real program that is run on them.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

/// A crate of its own for one test. What it depends on is built once for all, in one target directory.
pub(crate) struct Story {
    dir: PathBuf,
}

/// What a run of the program came to.
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Story {
    /// A crate with these files, below the folder of the crate.
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stories").join(name);
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let library = workspace.join("sync-trace");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nsync-trace = {{ path = {library:?} }}\n\n[profile.dev]\ndebug = false\n\
             [profile.release]\nopt-level = 0\n"
        );
        write(&dir.join("Cargo.toml"), &manifest);
        // What Cargo.lock names is there, so that nothing has to be fetched. Cargo takes out of it what it does not
        // need, so a copy tells whether it is to be made anew.
        let lock = fs::read_to_string(workspace.join("Cargo.lock")).unwrap();
        if write(&dir.join("target/Cargo.lock"), &lock) {
            write(&dir.join("Cargo.lock"), &lock);
        }
        for (path, text) in files {
            write(&dir.join(path), text);
        }
        Self { dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Runs `cargo sync-trace` with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, &[])
    }

    pub(crate) fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ended {
        let output = self.command(args, variables).output();
        Ended::new(output.expect("the program starts"))
    }

    /// Runs it as a terminal does, and interrupts it, with all that it has started, when somebody says on standard error
    /// that it is `time`.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self, args: &[&str], time: &str) -> Ended {
        use std::io::{BufRead, BufReader, Read};
        use std::os::unix::process::CommandExt;
        use std::process::Stdio;

        let mut command = self.command(args, &[]);
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut program = command.spawn().expect("the program starts");
        let mut lines = BufReader::new(program.stderr.take().unwrap());
        let mut said = String::new();
        while !said.ends_with(&format!("{time}\n")) {
            assert_ne!(lines.read_line(&mut said).unwrap(), 0, "it has ended:\n{said}");
        }
        let group = format!("-{}", program.id());
        let kill = Command::new("kill").args(["-INT", "--", &group]).status();
        assert!(kill.unwrap().success());
        lines.read_to_string(&mut said).unwrap();
        let status = program.wait().unwrap();
        Ended { status: status.code(), stdout: String::new(), stderr: said }
    }

    fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stories-target");
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-sync-trace"));
        for (name, _) in std::env::vars_os() {
            let shown = name.to_string_lossy();
            if ["SYNC_TRACE", "NEXTEST", "GITHUB_"].iter().any(|it| shown.starts_with(it)) {
                command.env_remove(&name);
            }
        }
        command
            .arg("sync-trace")
            .args(args)
            .current_dir(&self.dir)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            .env("RUST_BACKTRACE", "0")
            .envs(variables.iter().copied());
        command
    }
}

/// Writes a file at one go, as another test may use the same crate. What has not changed keeps its time, so that it is
/// not built again. Returns whether it has.
fn write(path: &Path, text: &str) -> bool {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return false;
    }
    let dir = path.parent().unwrap();
    fs::create_dir_all(dir).unwrap();
    let new = tempfile::NamedTempFile::new_in(dir).unwrap();
    fs::write(new.path(), text).unwrap();
    new.persist(path).unwrap();
    true
}

impl Ended {
    fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// It ended so, and said these things on standard error.
    #[track_caller]
    pub(crate) fn expect(self, status: i32, on_stderr: &[&str]) -> Self {
        assert_eq!(self.status, Some(status), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        for text in on_stderr {
            assert!(self.stderr.contains(text), "no `{text}` in:\n{}", self.stderr);
        }
        self
    }

    /// The directory of the run, which the last line names.
    pub(crate) fn run_dir(&self) -> PathBuf {
        let line = self.stderr.lines().rev().find_map(|line| line.split("; run: ").nth(1));
        PathBuf::from(line.unwrap_or_else(|| panic!("no run in:\n{}", self.stderr)))
    }

    /// The lines of JSON on standard output.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let lines = self.stdout.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Whether nextest is there. Says so if it is not.
pub(crate) fn has_nextest() -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let is_there = Command::new(cargo)
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: cargo-nextest is not installed");
    }
    is_there
}

/// A directory with a run that is written by hand.
pub(crate) fn run_of(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    for (pid, text) in files.iter().enumerate() {
        fs::write(dir.path().join(format!("{}-{now}.jsonl", pid + 1)), text).unwrap();
    }
    dir
}
