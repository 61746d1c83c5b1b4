//! A crate outside the workspace, and what cargo says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Nothing that is run here is silent nearly as long, unless it hangs.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);

/// A crate in which what is read from `std` is compiled and run.
pub(crate) struct Crate(sync_trace_tests::outside::Crate);

impl Crate {
    /// A crate without any source, with `manifest` added to its manifest.
    pub(crate) fn new(what: &str, manifest: &str) -> Self {
        let name = format!("std_{what}");
        Self(sync_trace_tests::outside::Crate::new(&name, manifest, env!("CARGO_TARGET_TMPDIR")))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.0.write(path, text);
    }

    /// Runs cargo in the crate, and ends it if it hangs.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Outcome {
        run(self.0.cargo(arguments), LONGEST_SILENCE)
    }
}

/// Runs a command until it ends, or says nothing for too long.
fn run(mut command: Command, longest_silence: Duration) -> Outcome {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().expect("cargo runs");
    let (sender, pieces) = mpsc::channel();
    hand_on(child.stdout.take().expect("it is piped"), Stream::Out, sender.clone());
    hand_on(child.stderr.take().expect("it is piped"), Stream::Err, sender);

    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let hangs = loop {
        match pieces.recv_timeout(longest_silence) {
            Ok((Stream::Out, piece)) => stdout.extend(piece),
            Ok((Stream::Err, piece)) => stderr.extend(piece),
            Err(RecvTimeoutError::Disconnected) => break false,
            Err(RecvTimeoutError::Timeout) => break true,
        }
    };
    if hangs {
        end_with_descendants(&mut child);
    }
    let status = child.wait().expect("it has been started");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Outcome { success: status.success(), hangs, stdout: text(stdout), stderr: text(stderr) }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// Sends what comes from `pipe` as it comes, in a thread that nobody waits for: what hangs would
/// otherwise hang its reader.
fn hand_on(mut pipe: impl Read + Send + 'static, stream: Stream, to: Sender<(Stream, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if to.send((stream, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
}

/// Ends cargo and what it has started, which hangs.
fn end_with_descendants(child: &mut Child) {
    if cfg!(unix) {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    }
    let _ = child.kill();
}

/// How a cargo command ended, and all it said.
pub(crate) struct Outcome {
    success: bool,
    hangs: bool,
    stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    pub(crate) fn is_success(&self) -> bool {
        self.success
    }

    #[track_caller]
    pub(crate) fn expect_success(&self, what: &str) {
        assert!(self.success, "not so: {what}\n{}\n{}", self.stdout, self.stderr);
    }

    /// The codes of all compiler errors.
    pub(crate) fn error_codes(&self) -> BTreeSet<String> {
        let codes = self.stderr.split("error[").skip(1).filter_map(|rest| rest.split(']').next());
        codes.map(str::to_owned).collect()
    }

    /// What `--list` names.
    #[track_caller]
    pub(crate) fn listed_tests(&self) -> Vec<String> {
        self.expect_success("the tests can be listed");
        self.stdout
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect()
    }

    /// Fails unless each of `expected` is reported as passed or as ignored by its own attribute.
    #[track_caller]
    pub(crate) fn expect_all_ok(&self, expected: &[String]) {
        let results = self.results();
        let mut wrong = String::new();
        for name in expected {
            match results.get(name.as_str()).copied() {
                Some(result) if result == "ok" || result.starts_with("ignored") => {}
                Some(result) => wrong += &format!("{name}: {result}\n"),
                // It, or another one in the same process, never came to an end.
                None => wrong += &format!("{name}: no result\n"),
            }
        }
        let end = if self.hangs { "ended because it hangs" } else { "ended by itself" };
        assert!(
            wrong.is_empty() && self.success,
            "{wrong}the run {end}\n{}\n{}",
            self.stdout,
            self.stderr
        );
    }

    /// What the test harness says of each test; of an example, under the path that documents it.
    fn results(&self) -> BTreeMap<&str, &str> {
        let lines = self.stdout.lines().filter_map(|line| line.strip_prefix("test "));
        let results = lines.filter_map(|line| line.rsplit_once(" ... "));
        results.map(|(name, result)| (documented_path(name), result)).collect()
    }
}

/// The path in the name of a documentation test, such as `src/lib.rs - a::b (line 3) - compile`. A
/// test that should panic says so after its name.
fn documented_path(name: &str) -> &str {
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    let Some((_, path)) = name.split_once(" - ") else { return name };
    path.split_once(" (line ").map_or(path, |(path, _)| path)
}

#[test]
fn results_are_found_in_what_a_test_harness_prints() {
    let outcome = Outcome {
        success: false,
        hangs: false,
        stdout: "test a::b ... ok\ntest src/lib.rs - c::d (line 3) - compile fail ... FAILED\n\
                 test e - should panic ... ok\n"
            .to_owned(),
        stderr: String::new(),
    };
    let results: Vec<_> = outcome.results().into_iter().collect();
    assert_eq!(results, [("a::b", "ok"), ("c::d", "FAILED"), ("e", "ok")]);
}

#[test]
#[cfg(unix)]
fn a_command_that_hangs_is_ended_with_its_children() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo said; sleep 1000; echo never"]);
    let outcome = run(shell, Duration::from_millis(500));
    assert!(outcome.hangs);
    assert_eq!(outcome.stdout, "said\n");
}
