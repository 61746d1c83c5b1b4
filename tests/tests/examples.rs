//! What the examples say of themselves, and how they end.
#![cfg(debug_assertions)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

const DECLARED_ORDER: &str = include_str!("../../examples/src/bin/declared_order.rs");

#[test]
fn the_report_in_the_documentation_of_declared_order_is_what_it_prints() {
    let run = run("declared_order", &[]);
    let printed = String::from_utf8(run.stdout).expect("it prints text");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{printed}{errors}");
    let start = printed.find("error[").unwrap_or_else(|| panic!("no report in {printed}{errors}"));
    let documented = documented("declared_order", DECLARED_ORDER);
    assert_eq!(comparable(&documented), comparable(&printed[start..]));
}

/// For each story its cure, and its broken variant with the report that its documentation shows.
macro_rules! stories {
    ($($story:ident: $variant:literal, $($status:literal)|+;)*) => {
        mod cures {
            $(
                #[test]
                fn $story() {
                    super::ends_silently(stringify!($story));
                }
            )*
        }

        // What waits for a signal, a message or a permit is found where the system tells who sleeps.
        #[cfg(target_os = "linux")]
        mod broken {
            $(
                #[test]
                fn $story() {
                    let source =
                        include_str!(concat!("../../examples/src/bin/", stringify!($story), ".rs"));
                    let statuses = &[$($status),+];
                    super::ends_with_its_report(stringify!($story), source, $variant, statuses);
                }
            )*
        }
    };
}

stories! {
    bounded_buffer: "wrong", 66;
    connection_pool: "wrong", 101;
    dining_philosophers: "wrong", 66;
    lost_wakeup: "wrong", 101;
    // It is found at once, or a moment later if the last message was only just taken.
    pipeline_shutdown: "wrong", 101 | 66;
}

#[test]
fn a_queue_is_told_with_the_line_that_makes_it() {
    let run = run("queueing", &["wrong"]);
    let printed = String::from_utf8(run.stdout).expect("it prints text");
    assert!(run.status.success(), "{printed}");
    let source = include_str!("../../examples/src/bin/queueing.rs");
    let line = source.lines().position(|line| line.contains("let mut pages = pages.lock()"));
    let site = format!("examples/src/bin/queueing.rs:{}", line.expect("it locks") + 1);
    let heading = "who keeps `pages`, held since";
    let (_, lines) = printed.split_once(heading).unwrap_or_else(|| panic!("{printed}"));
    assert!(lines.contains(&site), "{printed}");
}

/// Short turns, so that it is over soon. What is fastest on a busy machine is not what this looks at.
#[test]
fn the_workbench_compares_each_kind_with_the_mutex_and_says_what_is_fair() {
    let run = run("lock_workbench", &["--readers=2", "--writers", "2", "--seconds=0.05"]);
    let printed = String::from_utf8(run.stdout).expect("it prints text");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{printed}{errors}");
    assert_eq!(errors, "measuring 6 kinds for 0.3 s\n");
    let factors = |kind: &str| {
        let row = printed.lines().find(|line| line.starts_with(&format!("{kind:<18} ")));
        let row = row.unwrap_or_else(|| panic!("{kind}: {printed}"));
        let words = row[18..].split_whitespace().filter(|word| !["k", "M"].contains(word));
        let numbers: Vec<f64> = words.map_while(|word| word.parse().ok()).collect();
        (numbers[1], numbers[3])
    };
    assert_eq!((factors("Mutex"), factors("queue in a Mutex")), ((1.0, 1.0), (1.0, 1.0)));
    for kind in ["RwLock", "striped", "atomic", "lock-free queue"] {
        let (reads, writes) = factors(kind);
        assert!(reads > 0.0 && writes > 0.0, "{kind}: {printed}");
    }
    for part in ["the same for all: ", "not the same:", "waited for locks in "] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn the_workbench_names_an_argument_that_it_cannot_read() {
    let run = run("lock_workbench", &["--readers", "many"]);
    assert_eq!(run.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&run.stderr);
    let start = "error: `--readers` takes a number of threads from 0 to 256, not `many`\nhelp: ";
    assert!(errors.starts_with(start), "{errors}");
}

#[test]
fn a_variant_that_a_story_does_not_have_is_no_success() {
    let run = run("lost_wakeup", &["wrnog"]);
    assert_eq!(run.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&run.stderr);
    assert_eq!(errors, "there is no variant `wrnog`, but `wrong`\n");
}

#[test]
fn what_differs_from_run_to_run_is_left_out_and_nothing_else() {
    let report =
        "'a' (7)   took `b #65`, at least (2.05 ms) ago (or so) at x.rs:7:9\n  = 3 s,  |  ";
    let left = "'a' (_) took `b _`, at least (_ _) ago (or so) at x.rs:7:9\n= _ _, |";
    assert_eq!(comparable(report), left);
    assert_ne!(comparable("x.rs:7:9"), comparable("x.rs:7:8"));
    assert_ne!(comparable("2 s and 3"), comparable("2 s and 4"));
}

fn ends_silently(story: &str) {
    let run = run(story, &[]);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert_eq!((run.status.code(), &*errors), (Some(0), ""), "{story}");
}

/// It ends with one of these statuses; the documentation shows the report of the first one.
fn ends_with_its_report(story: &str, source: &str, variant: &str, statuses: &[i32]) {
    const LATE: &str =
        "= note: the process ends now, with status 66 unless it was configured to abort";
    let run = run(story, &[variant]);
    let errors = String::from_utf8_lossy(&run.stderr);
    let status = run.status.code().unwrap_or_default();
    assert!(statuses.contains(&status), "{story} {variant}: {:?}\n{errors}", run.status);
    let documented = comparable(&documented(story, source));
    let is_outcome = |line: &str| line.contains("panics instead of waiting");
    let is_late = status != statuses[0];
    let expected: Vec<&str> = documented
        .lines()
        .map(|line| if is_late && is_outcome(line) { LATE } else { line })
        .collect();
    // Who comes last while the others are not quite asleep yet is told of a moment later.
    let in_time = |text: String| text.replace("has been waiting here _ _", "would now wait");
    assert_eq!(in_time(expected.join("\n")), in_time(comparable(report(&errors))), "{errors}");
}

/// The whole report: the message of the first panic, or what is printed if there is none.
fn report(errors: &str) -> &str {
    let panic = errors.find("panicked at ").unwrap_or_default();
    let start = errors[panic..].find("error[").unwrap_or_else(|| panic!("no report in {errors}"));
    let report = &errors[panic + start..];
    let ends = ["\nnote: run with", "\n\n"].map(|end| report.find(end).unwrap_or(report.len()));
    &report[..ends[0].min(ends[1])]
}

/// Runs an example, and ends it if it hangs.
fn run(example: &str, arguments: &[&str]) -> Output {
    /// So long does none of them need on a machine that is not busy with anything else.
    const TOO_LONG: Duration = Duration::from_secs(60);

    let mut child = Command::new(executable(example))
        .args(arguments)
        .env("RUST_BACKTRACE", "0")
        .env_remove("SYNC_TRACE")
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let started = Instant::now();
    // What they print fits into a pipe, so that nobody has to read it before the end.
    while child.try_wait().expect("it can be asked").is_none() {
        if started.elapsed() > TOO_LONG {
            child.kill().expect("it can be killed");
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().expect("it has ended")
}

/// The executable of an example, all of which are built at the first call.
fn executable(example: &str) -> &'static Path {
    static BUILT: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let build = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "sync-trace-examples", "--bins"])
            .arg("--message-format=json")
            .current_dir(root())
            .output()
            .expect("cargo runs");
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        let messages = String::from_utf8(build.stdout).expect("it prints text");
        let paths = messages.lines().filter_map(|message| {
            let (_, path) = message.split_once(r#""executable":""#)?;
            Some(PathBuf::from(path.split_once('"')?.0.replace(r"\\", r"\")))
        });
        paths.collect()
    });
    let is_it = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem == example);
    built.iter().find(is_it).unwrap_or_else(|| panic!("`{example}` is not among {built:?}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace")
}

/// The text block of the documentation.
fn documented(story: &str, source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let block = lines.skip_while(|line| *line != " ```text").skip(1);
    let block = block.take_while(|line| *line != " ```");
    let text = block.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>();
    assert!(!text.is_empty(), "{story} documents no report");
    text.join("\n")
}

/// The report without what differs from run to run: the numbers of threads, `(7)`, and of locks, `#7`, times,
/// and how wide these make a column.
fn comparable(report: &str) -> String {
    let lines = report.trim_end().lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let comparable = (0..words.len()).map(|at| {
            let [before, word, after] = [at.wrapping_sub(1), at, at + 1]
                .map(|at| words.get(at).map_or("", |word| word.trim_matches(['(', ')', ',', '`'])));
            let differs = is_number(word) && (is_unit(after) || words[at].starts_with('('))
                || is_unit(word) && is_number(before)
                || word.strip_prefix('#').is_some_and(is_number);
            if differs { words[at].replace(word, "_") } else { words[at].to_owned() }
        });
        comparable.collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

fn is_unit(word: &str) -> bool {
    ["ns", "us", "µs", "ms", "s"].contains(&word)
}
