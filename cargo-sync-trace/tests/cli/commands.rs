//! What the program does with its arguments, and with runs that are written by hand.

use crate::story::{Story, run_of};
use std::fs;

const HEADER: &str = "{\"record\":\"header\",\"format\":1,\"library\":\"0.1.0\",\"pid\":1}\n";

fn class(number: u32, name: &str) -> String {
    format!(
        "{{\"record\":\"class\",\"class\":{number},\"key\":\"name:{name}\",\"name\":\"{name}\",\
         \"label\":\"{name}\",\"kind\":\"mutex\",\"type\":\"u8\"}}\n"
    )
}

fn order(held: u32, wanted: u32) -> String {
    let hold = |class, line| {
        format!(
            "{{\"class\":{class},\"mode\":\"exclusive\",\"op\":\"lock\",\
             \"site\":{{\"file\":\"a.rs\",\"line\":{line},\"column\":1}}}}"
        )
    };
    let (held, wanted) = (hold(held, 1), hold(wanted, 2));
    format!("{{\"record\":\"order\",\"thread\":1,\"held\":[{held}],\"wanted\":{wanted}}}\n")
}

fn process(held: u32, wanted: u32) -> String {
    format!("{HEADER}{}{}{}", class(1, "a"), class(2, "b"), order(held, wanted))
}

fn empty() -> Story {
    Story::new("empty", &[("src/lib.rs", "")])
}

#[test]
fn arguments_that_make_no_sense_end_with_status_2() {
    let story = empty();
    for args in [
        &["--no-such"][..],
        &["report", "--format", "pdf"],
        &["test", "--deny", "everything"],
        &["merge"],
        &["diff", "a"],
        &["show-env", "--sh", "--fish"],
        &["test", "--no-report", "--format", "json"],
    ] {
        story.run(args).expect(2, &["error: "]);
    }
    story.run(&[]).expect(2, &["Examples:\n  cargo sync-trace test "]);
}

#[test]
fn help_begins_with_examples_and_says_with_which_status_it_ends() {
    let story = empty();
    let help = story.run(&["--help"]).expect(0, &[]).stdout;
    assert!(help.starts_with("Examples:\n  cargo sync-trace test"), "{help}");
    assert!(help.contains("66  findings reach the level of --deny"), "{help}");
    for command in [
        "test", "nextest", "run", "bench", "report", "merge", "diff", "baseline", "explain",
        "clean", "show-env",
    ] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        let help = story.run(&[command, "--help"]).expect(0, &[]).stdout;
        assert!(help.starts_with("Examples:\n"), "{help}");
    }
}

#[test]
fn a_code_is_explained() {
    let story = empty();
    let text = story.run(&["explain", "st0102"]).expect(0, &[]).stdout;
    assert!(text.starts_with("ST0102: a lock is taken against a declared order\n\n"), "{text}");
    assert_eq!(story.run(&["explain"]).expect(0, &[]).stdout.lines().count(), 16);
    story
        .run(&["explain", "ST9999"])
        .expect(1, &["error: `ST9999` is no code; there are ST0001, "]);
}

#[test]
fn damaged_files_are_told_with_their_place_and_the_rest_counts() {
    let cut = process(2, 1);
    let cut = &cut[..cut.len() - 5];
    let newer = HEADER.replace("\"format\":1", "\"format\":7");
    let bad = format!("{}garbage\n{}", process(1, 2), order(2, 9));
    let run = run_of(&[&process(1, 2), cut, &newer, &bad, &process(2, 1)]);
    let ended = empty().run(&["report", run.path().to_str().unwrap()]).expect(0, &[]);
    let file = |pid: u32| {
        let is_it = |name: &str| name.starts_with(&format!("{pid}-"));
        let mut names = fs::read_dir(run.path()).unwrap().map(|it| it.unwrap().path());
        names.find(|path| is_it(path.file_name().unwrap().to_str().unwrap())).unwrap()
    };
    let at = cut.rfind('\n').unwrap() + 1;
    let bad_at = bad.find("garbage").unwrap();
    for text in [
        format!("{}: byte {at}: the last line is cut off", file(2).display()),
        format!("{}: byte 0: the file has format 7", file(3).display()),
        format!("{}: byte {bad_at}: this is no record", file(4).display()),
        format!("{}: byte {}: class 9 is not known", file(4).display(), bad_at + 8),
        "1 warning (ST0101 x1), 2 classes of locks, 2 orders, 5 processes".to_owned(),
    ] {
        assert!(ended.stdout.contains(&text), "no `{text}` in:\n{}", ended.stdout);
    }
}

#[test]
fn runs_are_merged_and_nothing_is_lost() {
    let (one, other) = (run_of(&[&process(1, 2)]), run_of(&[&process(2, 1), &process(2, 1)]));
    let (one_path, other_path) = (one.path().to_str().unwrap(), other.path().to_str().unwrap());
    let story = empty();
    let quiet = story.run(&["report", one_path, "--deny", "order"]).expect(0, &[]);
    assert!(quiet.stdout.contains("nothing found"), "{}", quiet.stdout);
    let to = one.path().join("all");
    let to = to.to_str().unwrap();
    story
        .run(&["merge", one_path, other_path, other_path, "-o", to])
        .expect(0, &["5 processes of 3 runs in "]);
    for runs in [&[to][..], &[one_path, other_path]] {
        let args: Vec<_> = ["report", "--deny", "order"].iter().chain(runs).copied().collect();
        let ended = story.run(&args).expect(66, &[]);
        assert!(ended.stdout.contains("1 error (ST0101 x1)"), "{}", ended.stdout);
    }
}

#[test]
fn two_runs_are_compared() {
    let (one, both) = (run_of(&[&process(1, 2)]), run_of(&[&process(1, 2), &process(2, 1)]));
    let (one, both) = (one.path().to_str().unwrap(), both.path().to_str().unwrap());
    let story = empty();
    let ended = story.run(&["diff", one, both]).expect(0, &[]);
    for text in [
        "+ ST0101 possible deadlock: `a` and `b` are taken in both orders",
        "+ order name:b -> name:a",
        "sync-trace: 1 finding new, 0 gone, 0 still there; 1 order new, 0 gone",
    ] {
        assert!(ended.stdout.contains(text), "no `{text}` in:\n{}", ended.stdout);
    }
    story.run(&["diff", one, both, "--deny", "order"]).expect(66, &[]);
    let ended = story.run(&["diff", both, one, "--deny", "order"]).expect(0, &[]);
    assert!(ended.stdout.contains("0 findings new, 1 gone"), "{}", ended.stdout);
    story.run(&["diff", both, both, "--deny", "order"]).expect(0, &[]);
    let lines = story.run(&["diff", one, both, "--format", "json"]).lines();
    assert_eq!(
        (lines.len(), &lines[0]["change"], &lines[1]["type"]),
        (2, &"new".into(), &"order".into())
    );
}

#[test]
fn the_last_run_is_reported_and_runs_are_cleaned_away() {
    let story = empty();
    let target = story.path("own-target");
    let _ = fs::remove_dir_all(&target);
    let target_dir = target.to_str().unwrap();
    let here = |args: &[&str]| story.run(&[args, &["--target-dir", target_dir]].concat());
    here(&["report"])
        .expect(1, &["error: there is no run in ", "`cargo sync-trace test` makes one"]);
    let env = here(&["show-env"]).expect(0, &[]).stdout;
    let dir = env.trim().strip_prefix("SYNC_TRACE_DIR=").unwrap().to_owned();
    fs::write(format!("{dir}/1-1.jsonl"), process(1, 2)).unwrap();
    let ended = here(&["report"]).expect(0, &[]);
    assert!(ended.stdout.contains(&format!("1 order, 1 process; run: {dir}")), "{}", ended.stdout);
    for (shell, start) in [
        ("--sh", "export SYNC_TRACE_DIR='"),
        ("--pwsh", "$env:SYNC_TRACE_DIR='"),
        ("--fish", "set -gx SYNC_TRACE_DIR '"),
    ] {
        let line = here(&["show-env", shell]).expect(0, &[]).stdout;
        assert!(line.starts_with(start) && line.ends_with("'\n"), "{line}");
    }
    here(&["clean", "--keep", "1"]).expect(0, &["3 runs removed from "]);
    here(&["clean"]).expect(0, &["1 run removed from "]);
    here(&["clean"]).expect(0, &["0 runs removed from "]);
}

#[test]
fn a_report_goes_where_it_is_told_and_is_coloured_where_that_is_wanted() {
    let run = run_of(&[&process(1, 2), &process(2, 1)]);
    let run = run.path().to_str().unwrap();
    let story = empty();
    let file = story.path("out.jsonl");
    let path = file.to_str().unwrap();
    let ended = story.run(&["report", run, "--format", "json", "--output-path", path]);
    let ended = ended.expect(0, &["sync-trace: 1 warning (ST0101 x1)"]);
    assert_eq!(ended.stdout, "");
    crate::formats::check_json(&fs::read_to_string(&file).unwrap());
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        let ended = story.run_with(&[&["report", run], args].concat(), variables);
        ended.stdout.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]));
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(coloured(&[], &[("CARGO_TERM_COLOR", "always")]));
    assert!(!coloured(&[], &[("CARGO_TERM_COLOR", "always"), ("NO_COLOR", "1")]));
    story
        .run(&["report", run, "--output-path", "/no/such/dir/x"])
        .expect(1, &["cannot be written"]);
}
