//! What comes of the files of several processes, most of it as a table.

use super::inversions::Condition;
use super::{Gathered, Run};
use std::fmt::Write as _;
use std::path::Path;

/// The file of a process, from orders such as `a b:r` (b was asked for, to read it, while a was held), with what
/// else was held in front, and `w:a` (a was written). Threads have been started by others, unless it begins with `root`.
fn file(script: &str) -> String {
    let mut text =
        "{\"record\":\"header\",\"format\":1,\"library\":\"0.1.0\",\"pid\":1}\n".to_owned();
    let mut classes: Vec<String> = Vec::new();
    let (script, started) = match script.strip_prefix("root ") {
        Some(rest) => (rest, ""),
        None => (script, ",\"started_by\":{\"id\":9}"),
    };
    let _ = writeln!(text, "{{\"record\":\"thread\",\"thread\":1,\"name\":\"t\"{started}}}");
    let mut hold = |text: &mut String, word: &str| -> String {
        let (name, mode) = word.split_once(':').unwrap_or((word, "x"));
        let mode = match mode {
            "x" => "exclusive",
            "r" => "read",
            "rr" => "recursive_read",
            "u" => "upgradable",
            other => panic!("no mode {other}"),
        };
        let number = classes.iter().position(|known| known == name).unwrap_or_else(|| {
            classes.push(name.to_owned());
            let kind = if name.starts_with("sem") { "semaphore" } else { "rwlock" };
            let _ = writeln!(
                text,
                "{{\"record\":\"class\",\"class\":{},\"key\":\"name:{name}\",\"name\":\"{name}\",\
                 \"label\":\"{name}\",\"kind\":\"{kind}\",\"type\":\"u8\"}}",
                classes.len()
            );
            classes.len() - 1
        }) + 1;
        format!(
            "{{\"class\":{number},\"mode\":\"{mode}\",\"op\":\"lock\",\
             \"site\":{{\"file\":\"a.rs\",\"line\":{number},\"column\":1}}}}"
        )
    };
    for order in script.split(',') {
        let words: Vec<&str> = order.split_whitespace().collect();
        if let [word] = words[..] {
            let wanted = hold(&mut text, word.strip_prefix("w:").unwrap());
            let _ = writeln!(text, "{{\"record\":\"writer\",\"thread\":1,\"wanted\":{wanted}}}");
            continue;
        }
        let (wanted, held) = words.split_last().unwrap();
        let held: Vec<_> = held.iter().map(|word| hold(&mut text, word)).collect();
        let wanted = hold(&mut text, wanted);
        let _ = writeln!(
            text,
            "{{\"record\":\"order\",\"thread\":1,\"held\":[{}],\"wanted\":{wanted}}}",
            held.join(",")
        );
    }
    text
}

fn run(processes: &[&str]) -> Run {
    let mut gathered = Gathered::default();
    for (number, script) in processes.iter().enumerate() {
        let path = format!("{number}.jsonl");
        gathered.take_in_bytes(Path::new(&path), file(script).as_bytes());
    }
    let run = gathered.finish();
    assert_eq!(run.problems, [], "{processes:?}");
    run
}

/// The circles that are told, each with what would weaken it.
#[track_caller]
fn check(processes: &[&str], expected: &[&str]) {
    let run = run(processes);
    let name = |class| run.classes.get(class).label.clone();
    let mut told: Vec<_> = run
        .inversions
        .inversions
        .iter()
        .map(|inversion| {
            let mut circle: Vec<_> =
                inversion.halves.iter().map(|half| name(half.pair.held)).collect();
            let first = circle.iter().enumerate().min_by_key(|(_, name)| *name).unwrap().0;
            circle.rotate_left(first);
            let why = match inversion.condition {
                None => String::new(),
                Some(Condition::Gate(gate)) => format!(" gate {}", name(gate)),
                Some(Condition::NoWriter(class)) => format!(" no writer of {}", name(class)),
                Some(Condition::OneThread) => " one thread each".to_owned(),
            };
            format!("{}{why}", circle.join(" "))
        })
        .collect();
    told.sort();
    assert_eq!(told, expected, "{processes:?}");
}

#[test]
fn two_processes_that_show_a_half_each_show_an_inversion() {
    check(&["a b", "b a"], &["a b"]);
    check(&["a b", "c d", "b a", "a b"], &["a b"]);
    check(&["a b", "b c", "c a"], &["a b c"]);
    check(&["a b", "b a", "b c", "c b"], &["a b", "b c"]);
    check(&["a b, b c, c d, d e", "e a"], &["a b c d e"]);
}

#[test]
fn orders_that_agree_show_none() {
    check(&["a b", "a b"], &[]);
    check(&["a b", "b c", "a c"], &[]);
    check(&["a a", "a a"], &[]);
    check(&[], &[]);
}

#[test]
fn what_one_process_saw_whole_is_left_to_it() {
    check(&["a b, b a"], &[]);
    check(&["a b, b a", "a b", "b a"], &[]);
    assert_eq!(run(&["a b, b a", "b a"]).inversions.seen_whole, 1);
    check(&["a b, b c, c a"], &[]);
    check(&["a b, b c", "c a, a b"], &["a b c"]);
}

#[test]
fn a_gate_around_both_weakens_it() {
    check(&["g a b", "g b a"], &["a b gate g"]);
    check(&["g:r a b", "g b a"], &["a b gate g"]);
    check(&["g:r a b", "g:r b a"], &["a b"]);
    check(&["g a b, a b", "g b a"], &["a b"]);
    check(&["g a b", "h b a"], &["a b"]);
}

#[test]
fn readers_need_a_writer() {
    check(&["a b:r", "b:r a"], &["a b no writer of b"]);
    check(&["a b:r, w:b", "b:r a"], &["a b"]);
    check(&["a b:r", "b:r a", "w:b"], &["a b"]);
    check(&["a b", "b:r a"], &["a b"]);
    check(&["a b:rr", "b:r a"], &[]);
    check(&["a b:u", "b:u a"], &["a b"]);
    // The stronger sighting counts.
    check(&["a b:r", "a b", "b:r a"], &["a b"]);
}

#[test]
fn a_thread_that_nobody_started_may_be_the_only_one() {
    check(&["root a b", "root b a"], &["a b one thread each"]);
    check(&["root a b", "b a"], &["a b"]);
}

#[test]
fn who_holds_a_permit_keeps_nobody_in_particular_waiting() {
    check(&["a sem", "sem a"], &[]);
}

#[test]
fn an_inversion_has_one_fingerprint_whichever_file_comes_first() {
    let fingerprint =
        |processes: &[&str]| run(processes).inversions.inversions[0].fingerprint.clone();
    assert_eq!(fingerprint(&["a b", "b a"]), fingerprint(&["b a", "a b"]));
    assert_ne!(fingerprint(&["a b", "b a"]), fingerprint(&["a c", "c a"]));
}

#[test]
fn each_circle_explains_an_order_that_no_other_one_has() {
    check(&["a b", "b c", "c d", "d a", "c a"], &["a b c", "a b c d"]);
    check(&["a b", "b c", "c a", "d e", "e f", "f d"], &["a b c", "d e f"]);
    // Who turns round one of the two has dealt with the three as well.
    check(&["a b", "b a", "b c", "c b", "a c", "c a"], &["a b", "a c", "b c"]);
}

#[test]
fn a_deep_chain_needs_no_deep_stack() {
    let chain: Vec<String> = (0..5_000).map(|n| format!("l{n:05} l{:05}", n + 1)).collect();
    // One line for each class is looked up by going through all, so parts are processes of their own.
    let parts: Vec<String> = chain.chunks(200).map(|part| part.join(",")).collect();
    let mut processes: Vec<&str> = parts.iter().map(String::as_str).collect();
    processes.push("l05000 l00000");
    let run = std::thread::Builder::new()
        .stack_size(256 << 10)
        .spawn({
            let processes: Vec<String> = processes.iter().map(|it| (*it).to_owned()).collect();
            move || run(&processes.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(run.inversions.inversions.len(), 1);
    assert_eq!(run.inversions.inversions[0].halves.len(), 5_001);
}
