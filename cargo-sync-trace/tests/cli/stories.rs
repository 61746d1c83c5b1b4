//! What the program says of crates with and without mistakes.

use crate::story::{Story, has_nextest};
use std::fs;

const CACHE: &str = "\
use sync_trace::sync::Mutex;

pub static INDEX: Mutex<Vec<u8>> = Mutex::new(Vec::new());
pub static STATS: Mutex<u64> = Mutex::new(0);

pub fn hit() {
    let index = INDEX.lock().unwrap();
    *STATS.lock().unwrap() += index.len() as u64;
}

pub fn evict() {
    let stats = STATS.lock().unwrap();
    INDEX.lock().unwrap().truncate(*stats as usize);
}
";
const HITS: &str = "\
#[test]
fn hits_are_counted() {
    let hits = sync_trace::thread::Builder::new().name(\"hitter\".into());
    hits.spawn(split::hit).unwrap().join().unwrap();
}
";
const EVICTS: &str = "\
#[test]
fn what_is_old_is_evicted() {
    let evictor = sync_trace::thread::Builder::new().name(\"evictor\".into());
    evictor.spawn(split::evict).unwrap().join().unwrap();
}
";

fn split() -> Story {
    let files = [("src/lib.rs", CACHE), ("tests/hits.rs", HITS), ("tests/evicts.rs", EVICTS)];
    Story::new("split", &files)
}

/// What is said of the crate above, whoever runs its two test binaries.
const SPLIT: [&str; 8] = [
    "warning[ST0101]: possible deadlock: ",
    "are taken in both orders, by different processes",
    " 7 |     let index = INDEX.lock().unwrap();",
    "12 |     let stats = STATS.lock().unwrap();",
    "test hits_are_counted, process split::hits (",
    "test what_is_old_is_evicted, process split::evicts (",
    "no process saw the whole of it, so no test could fail",
    "sync-trace: 1 warning (ST0101 x1), 2 classes of locks, 2 orders, 2 processes; run: ",
];

#[test]
fn an_inversion_whose_halves_are_in_two_processes_of_nextest_is_a_warning() {
    if !has_nextest() {
        return;
    }
    let story = split();
    story.run(&["nextest", "run"]).expect(0, &SPLIT).expect(0, &["2 tests run: 2 passed"]);
    // `run` may be left out, and the inner command gets what is not ours.
    let ended = story.run(&["nextest", "--deny", "order", "--no-fail-fast"]);
    ended.expect(66, &["error[ST0101]: possible deadlock", "sync-trace: 1 error (ST0101 x1)"]);
}

#[test]
fn so_is_one_in_two_test_binaries_of_plain_cargo() {
    let ended = split().run(&["test"]).expect(0, &SPLIT);
    assert_eq!(ended.stdout.matches("test result: ok. 1 passed").count(), 2, "{}", ended.stdout);
    assert!(!ended.stdout.contains("sync-trace:"), "{}", ended.stdout);
}

#[cfg(unix)]
#[test]
fn who_interrupts_tests_that_hang_is_told_what_was_seen_until_then() {
    // A thread keeps a lock for ever, because of something that is not traced, after a mistake.
    const HANGS: &str = "\
#[test]
fn hangs() {
    std::thread::spawn(hangs::hit).join().unwrap();
    std::thread::spawn(hangs::evict).join().unwrap();
    let _index = hangs::INDEX.lock().unwrap();
    eprintln!(\"it hangs\");
    loop {
        std::thread::park();
    }
}
";
    let story = Story::new("hangs", &[("src/lib.rs", CACHE), ("tests/hangs.rs", HANGS)]);
    let args = ["test", "--test", "hangs", "--", "--nocapture"];
    let ended = story.interrupt(&args, "it hangs").expect(
        130,
        &[
            "note: interrupted; this is what was seen until then",
            "warning[ST0101]: inconsistent lock order: `INDEX` and `STATS` are taken in both orders",
            "= help: `cargo sync-trace report --notes` shows the whole of it",
            "sync-trace: 1 warning (ST0101 x1)",
        ],
    );
    let run = ended.run_dir();
    let whole = story.run(&["report", "--notes", run.to_str().unwrap()]).stdout;
    assert!(whole.contains(" = condition: one came before the other in every schedule"), "{whole}");
}

#[test]
fn an_inversion_that_is_accepted_is_not_told() {
    let story = Story::new(
        "accepted",
        &[
            ("src/lib.rs", CACHE),
            ("tests/hits.rs", &HITS.replace("split", "accepted")),
            ("tests/evicts.rs", &EVICTS.replace("split", "accepted")),
        ],
    );
    let [file, baseline] = ["sync-trace.toml", "sync-trace-baseline.toml"].map(|it| story.path(it));
    for path in [&file, &baseline] {
        let _ = fs::remove_file(path);
    }
    let ended = story.run(&["test", "--deny", "order"]).expect(66, &["1 error (ST0101 x1)"]);
    let run = ended.run_dir();
    let run = run.to_str().unwrap();

    // By hand, as the report says.
    let entry = ended.stderr.split("with the reason:").nth(1).unwrap();
    let entry: Vec<_> = entry.lines().skip(1).take(4).map(str::trim).collect();
    fs::write(&file, entry.join("\n").replace("reason = \"\"", "reason = 'known'")).unwrap();
    let ended = story.run(&["report", run, "--deny", "order"]);
    assert!(ended.stdout.contains("nothing found, 1 accepted"), "{}", ended.stdout);
    let ended = ended.expect(0, &[]);
    assert!(!ended.stdout.contains("of no use"), "{}", ended.stdout);
    fs::write(&file, "[[allow]]\ncode = 'ST0104'\nlocks = ['x']\nreason = 'y'\n").unwrap();
    let ended = story.run(&["report", run, "--deny", "order"]).expect(66, &[]);
    assert!(
        ended.stdout.contains("sync-trace.toml:1 was of no use in this run"),
        "{}",
        ended.stdout
    );
    fs::remove_file(&file).unwrap();

    // By the baseline, which a second call leaves as it is.
    story
        .run(&["baseline", run, "--reason", "see #1"])
        .expect(0, &["1 finding new, 0 taken out, 1 in all"]);
    story.run(&["baseline", run]).expect(0, &["0 findings new, 0 taken out, 1 in all"]);
    let text = fs::read_to_string(&baseline).unwrap();
    assert!(text.contains("code = \"ST0101\"") && text.contains("reason = \"see #1\""), "{text}");
    let ended = story.run(&["test", "--deny", "order"]).expect(0, &["nothing found, 1 accepted"]);
    drop(ended);

    // What is new fails all the same, and what is old is told and pruned.
    let fingerprint = text.split("fingerprint = \"").nth(1).unwrap()[..16].to_owned();
    fs::write(&baseline, text.replace(&fingerprint, "00000000deadbeef")).unwrap();
    let ended = story.run(&["report", run, "--deny", "order"]).expect(66, &[]);
    assert!(
        ended.stdout.contains("1 entry of the baseline was not found in this run"),
        "{}",
        ended.stdout
    );
    story.run(&["baseline", run, "--prune"]).expect(0, &["1 finding new, 1 taken out, 1 in all"]);
}

#[test]
fn a_deadlock_fails_its_test_and_is_reported_with_the_status_of_the_command() {
    let test = "\
use sync_trace::sync::{Barrier, Mutex};
use sync_trace::thread;

#[test]
fn deposits_are_audited() {
    let (accounts, audit, both) = (Mutex::new(1), Mutex::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let accounts = accounts.lock().unwrap();
            both.wait();
            *audit.lock().unwrap() += *accounts;
        });
        scope.spawn(|| {
            let audit = audit.lock().unwrap();
            both.wait();
            *accounts.lock().unwrap() += *audit;
        });
    });
}
";
    let story = Story::new("deadlock", &[("src/lib.rs", ""), ("tests/bank.rs", test)]);
    let ended = story.run(&["test", "--test", "bank", "--", "--quiet"]).expect(
        101,
        &[
            "error[ST0001]: deadlock: 2 threads each hold a lock that the other is waiting for",
            "= seen: test deposits_are_audited of deadlock::bank",
            "sync-trace: 1 error (ST0001 x1)",
        ],
    );
    // The inner command's arguments have come through.
    assert!(!ended.stdout.contains("running 1 test\ntest "), "{}", ended.stdout);
    let run = ended.run_dir();
    let run = run.to_str().unwrap();
    let ended = story.run(&["report", run]);
    assert!(ended.stdout.starts_with("error[ST0001]: deadlock"), "{}", ended.stdout);
    story.run(&["report", run]).expect(66, &[]);
    story.run(&["report", run, "--deny", "nothing"]).expect(0, &[]);
    story.run(&["baseline", run]).expect(66, &["ST0001 cannot be accepted, as it has happened"]);
    crate::formats::check_all(&story, run, "ST0001");
}

#[test]
fn a_declared_order_that_is_broken_is_reported() {
    let code = "\
use sync_trace::lock_order;
use sync_trace::sync::Mutex;

#[lock_order(accounts < audit)]
pub fn transfer(accounts: &Mutex<i64>, audit: &Mutex<Vec<i64>>) {
    let mut audit = audit.lock().unwrap();
    let accounts = accounts.lock().unwrap();
    audit.push(*accounts);
}

#[test]
fn money_is_moved() {
    transfer(&Mutex::new(1), &Mutex::new(Vec::new()));
}
";
    let story = Story::new("declared", &[("src/lib.rs", code)]);
    let ended = story.run(&["test", "--lib"]).expect(
        101,
        &["error[ST0102]: ", "#[lock_order(accounts < audit)]", "sync-trace: 1 error (ST0102 x1)"],
    );
    let run = ended.run_dir();
    crate::formats::check_all(&story, run.to_str().unwrap(), "ST0102");
}

#[test]
fn of_a_clean_program_nothing_is_found() {
    let code = "\
use sync_trace::sync::Mutex;

fn main() {
    let (one, other) = (Mutex::new(1), Mutex::new(2));
    let held = one.lock().unwrap();
    println!(\"{} {}\", *held + *other.lock().unwrap(), std::env::args().skip(1).collect::<String>());
}
";
    let story = Story::new("clean", &[("src/main.rs", code)]);
    let clean = "sync-trace: nothing found, 2 classes of locks, 1 order, 1 process; run: ";
    let ended = story.run(&["run", "--quiet", "--deny", "order", "--", "--deny"]);
    assert_eq!(ended.stdout, "3 --deny\n", "{}", ended.stderr);
    let ended = ended.expect(0, &[clean]);
    let run = ended.run_dir();
    crate::formats::check_all(&story, run.to_str().unwrap(), "");

    // Where tracing is compiled out it is switched on, and that is said.
    let ended = story.run(&["run", "--release", "--no-report"]);
    let ended = ended.expect(0, &["note: tracing is compiled out of this profile, so `--features sync-trace/always` is added"]);
    let line = ended.stderr.lines().find_map(|line| line.strip_prefix("sync-trace: run: "));
    let ended = story.run(&["report", line.unwrap()]).expect(0, &[]);
    assert!(ended.stdout.contains("1 order, 1 process"), "{}", ended.stdout);
    // The status of the inner command is its own.
    story.run(&["run", "--bin", "none"]).expect(101, &["no bin target named `none`"]);
}

#[test]
fn what_a_test_expects_or_a_file_allows_fails_nothing_and_is_told_as_accepted() {
    let code = "\
use sync_trace::lock_order;
use sync_trace::sync::Mutex;

#[lock_order(accounts < audit)]
pub fn transfer(accounts: &Mutex<i64>, audit: &Mutex<Vec<i64>>) {
    let mut audit = audit.lock().unwrap();
    audit.push(*accounts.lock().unwrap());
}

pub fn both_ways(one: &Mutex<u8>, other: &Mutex<u8>) {
    let held = one.lock().unwrap();
    drop((other.lock(), held));
    let held = other.lock().unwrap();
    drop((one.lock(), held));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sync_trace::test(expect = \"ST0102\")]
    fn an_order_is_broken_on_purpose() {
        transfer(&Mutex::new(1), &Mutex::new(Vec::new()));
    }

    #[test]
    fn both_ways_by_one_thread() {
        both_ways(&Mutex::new(1), &Mutex::new(2));
    }
}
";
    let allow = "[[allow]]\ncode = 'ST0101'\nsites = ['lib.rs']\nreason = 'one thread only'\n\n\
                 [[allow]]\ncode = 'ST0104'\nlocks = ['*']\nreason = 'for nothing'\n";
    let story = Story::new("expected", &[("src/lib.rs", code), ("sync-trace.toml", allow)]);
    let ended = story.run(&["test", "--lib", "--deny", "order"]).expect(
        0,
        &["sync-trace: nothing found, 2 accepted, ", "sync-trace.toml:6 was of no use in this run"],
    );
    assert!(!ended.stderr.contains("sync-trace.toml:1"), "{}", ended.stderr);
    let run = ended.run_dir();
    let json = story.run(&["report", run.to_str().unwrap(), "--format", "json"]).expect(0, &[]);
    crate::formats::check_json(&json.stdout);
    let mut reasons: Vec<_> = json
        .lines()
        .iter()
        .filter_map(|line| line["accepted"]["reason"].as_str().map(str::to_owned))
        .collect();
    reasons.sort();
    assert_eq!(
        reasons,
        ["one thread only", "the program knows of it: it has taken it, or a test expects it"]
    );
}
