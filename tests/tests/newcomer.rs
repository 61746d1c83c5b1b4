//! What a newcomer does: a crate of their own, the tests of the README, `cargo test`.
// Their build is a debug build whatever this one is, so once is enough.
#![cfg(debug_assertions)]

use sync_trace_tests::outside::Crate;

const README: &str = include_str!("../../README.md");
const IN_ORDER: &str = include_str!("newcomer/bank_in_order.rs");

#[test]
fn a_deadlock_fails_its_test_with_the_report_of_the_readme() {
    let bank = Newcomer::with_test("deadlocks", readme_block("rust", "fn deposits_are_audited"));
    let run = bank.cargo(&["test"]);
    assert_ne!(run.status, Some(0), "{}", run.text);
    let took = run.finished_in();
    assert!(took < 1.0, "the test binary took {took} s\n{}", run.text);

    let section = run.section("deposits_are_audited");
    assert_shows_both_threads(section);
    let shown = readme_block("text", "error[ST0001]");
    assert_eq!(
        words(report(section)),
        words(shown),
        "the report differs from the one that README.md shows, and should be pasted there:\n{}",
        report(section),
    );
}

#[test]
fn so_it_does_under_nextest() {
    let bank = Newcomer::with_test("deadlocks_nextest", readme_block("rust", "fn deposits_are"));
    let Some(run) = bank.nextest() else { return };
    assert_eq!(run.status, Some(100), "{}", run.text);
    assert!(run.text.contains("FAIL ["), "{}", run.text);
    assert_shows_both_threads(&run.text);
}

#[test]
fn the_same_locks_in_one_order_pass() {
    let bank = Newcomer::with_test("in_order", IN_ORDER);
    let run = bank.cargo(&["test"]);
    assert_eq!(run.status, Some(0), "{}", run.text);
    assert!(run.text.contains("test deposits_are_audited ... ok"), "{}", run.text);
    assert!(!run.text.contains("error"), "{}", run.text);

    let Some(run) = bank.nextest() else { return };
    assert_eq!(run.status, Some(0), "{}", run.text);
    assert!(run.text.contains("1 test run: 1 passed"), "{}", run.text);
}

#[test]
fn a_swallowed_deadlock_fails_the_test_that_has_the_attribute() {
    let counter = Newcomer::with_test("swallowed", readme_block("rust", "#[sync_trace::test]"));
    let run = counter.cargo(&["test"]);
    assert_ne!(run.status, Some(0), "{}", run.text);
    let section = run.section("visitors_are_counted");
    for text in [
        "sync-trace made a finding in this test's threads, and nothing else failed the test",
        "error[ST0002]",
        "tests/swallowed.rs:9",
        "tests/swallowed.rs:10",
    ] {
        assert!(section.contains(text), "no `{text}` in:\n{section}");
    }
}

/// The threads, and for each its two lines of the test file, with their text.
#[track_caller]
fn assert_shows_both_threads(text: &str) {
    for part in [
        "error[ST0001]: deadlock",
        "'teller'",
        "'auditor'",
        "let mut accounts = accounts.lock().unwrap();",
        "audit_log.lock().unwrap().push(\"deposit\");",
        "let mut log = audit_log.lock().unwrap();",
        "assert!(accounts.lock().unwrap().iter().sum::<i32>() >= 30);",
        "started by 'deposits_are_audited' at tests/",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    // The lines as a snippet numbers them, and those to change as an editor can jump to.
    for line in [12, 14, 18, 20] {
        let numbered =
            text.lines().any(|shown| shown.trim_start().starts_with(&format!("{line} |")));
        assert!(numbered, "no line {line} in:\n{text}");
    }
    for line in [12, 18] {
        assert!(text.contains(&format!(".rs:{line}")), "no `….rs:{line}` in:\n{text}");
    }
}

/// The code block of the README in `language` that contains `part`.
#[track_caller]
fn readme_block(language: &str, part: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let mut blocks =
        README.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.contains(part)).unwrap_or_else(|| panic!("README.md has no `{part}`"))
}

/// The report in a test's output.
#[track_caller]
fn report(section: &str) -> &str {
    let from = section.find("error[ST").expect("a report");
    let to = section[from..].find("\nnote: run with").map_or(section.len(), |end| from + end);
    &section[from..to]
}

/// The words of a report, sorted. Which thread comes last is chance, and so are numbers and times;
/// so both threads and both locks count as the same word, and numbers do not count.
fn words(report: &str) -> Vec<String> {
    let mut words: Vec<String> = report
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            "teller" | "auditor" => "THREAD".to_owned(),
            "accounts" | "audit_log" => "LOCK".to_owned(),
            "ns" | "us" | "µs" | "ms" | "s" => "UNIT".to_owned(),
            // The file.
            "deadlocks" => "bank".to_owned(),
            word => word.to_owned(),
        })
        .filter(|word| !is_number(word) && !is_fingerprint(word))
        .collect();
    words.sort();
    words
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit())
}

fn is_fingerprint(word: &str) -> bool {
    word.len() == 16 && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// A crate with one test file.
struct Newcomer(Crate);

impl Newcomer {
    fn with_test(name: &str, source: &str) -> Self {
        let newcomer = Crate::new(&format!("bank_{name}"), "", env!("CARGO_TARGET_TMPDIR"));
        newcomer.write("src/lib.rs", "");
        newcomer.write(&format!("tests/{name}.rs"), source);
        Self(newcomer)
    }

    /// Runs cargo in the crate.
    fn cargo(&self, arguments: &[&str]) -> Run {
        let output = self.0.cargo(arguments).output().expect("cargo runs");
        let text = [output.stdout, output.stderr].concat();
        Run { status: output.status.code(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    /// Runs nextest in the crate; `None` if it is not installed.
    fn nextest(&self) -> Option<Run> {
        let version = self.0.cargo(&["nextest", "--version"]).output();
        if version.is_ok_and(|output| output.status.success()) {
            return Some(self.cargo(&["nextest", "run"]));
        }
        println!("skipped: cargo-nextest is not installed");
        None
    }
}

/// How a cargo command ended, and all it said.
struct Run {
    status: Option<i32>,
    text: String,
}

impl Run {
    /// What libtest shows for a test that failed.
    #[track_caller]
    fn section(&self, test: &str) -> &str {
        let heading = format!("---- {test} stdout ----\n");
        let from = self.text.find(&heading).unwrap_or_else(|| panic!("no section:\n{}", self.text));
        let section = &self.text[from + heading.len()..];
        section.split("\n\nfailures:\n").next().unwrap_or(section)
    }

    /// How long the slowest test binary ran, in seconds.
    #[track_caller]
    fn finished_in(&self) -> f64 {
        let times = self.text.split("finished in ").skip(1);
        let seconds = times.filter_map(|rest| rest.split('s').next()?.parse().ok());
        seconds.reduce(f64::max).unwrap_or_else(|| panic!("no time:\n{}", self.text))
    }
}
