//! Files that are damaged in every way: nothing panics, and what is not damaged is read.

use cargo_sync_trace::format::{self, Format, Style};
use cargo_sync_trace::level::Deny;
use cargo_sync_trace::merge::{Gathered, Run};
use cargo_sync_trace::report::Report;
use cargo_sync_trace::report::accepted::Files;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// What processes have written, and a file by hand with a record of every kind.
const CORPUS: [(&str, &str); 4] = [
    ("deadlock", include_str!("fixtures/corpus/deadlock.jsonl")),
    ("declared", include_str!("fixtures/corpus/declared.jsonl")),
    ("split", include_str!("fixtures/corpus/split.jsonl")),
    ("kinds", include_str!("fixtures/corpus/kinds.jsonl")),
];
/// How many damaged files are read.
const FILES: usize = 100_000;
/// Every so many of them are shown in all forms as well.
const SHOWN: usize = 50;

/// Numbers that look random, and are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn range(&mut self, length: usize, longest: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        start..(start + 1 + self.below(longest)).min(length)
    }
}

/// What JSON, paths and numbers break at.
const ODD: [&str; 20] = [
    "null",
    "-1",
    "1e999",
    "18446744073709551616",
    "\"\\ud800\"",
    "{}",
    "[]",
    "[[[[[[[[",
    "\"",
    "\\",
    "\n",
    "\0",
    "\u{feff}",
    "é",
    "{\"record\":\"order\"}",
    "\"held\":[]",
    "4294967295",
    "\"/rustc/x\"",
    "\"class\":1,",
    "true",
];

/// Damages `bytes` once.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    let length = bytes.len();
    match random.below(9) {
        0 => {
            let at = random.below(length);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => drop(bytes.drain(random.range(length, 40))),
        2 => {
            let copied = bytes[random.range(length, 200)].to_vec();
            let at = random.below(length);
            bytes.splice(at..at, copied);
        }
        3 => {
            let at = random.below(length);
            bytes.splice(at..at, ODD[random.below(ODD.len())].bytes());
        }
        4 => bytes.truncate(random.below(length)),
        5 => {
            // A value in place of another one.
            let start = random.below(length);
            let colon = bytes[start..].iter().position(|byte| *byte == b':');
            let Some(at) = colon.map(|at| start + at + 1) else { return };
            let end = bytes[at..].iter().position(|byte| b",}]".contains(byte)).unwrap_or(0);
            bytes.splice(at..at + end, ODD[random.below(ODD.len())].bytes());
        }
        6 | 7 => {
            let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let (one, other) = (random.below(lines.len()), random.below(lines.len()));
            if lines.is_empty() {
                return;
            }
            match random.below(3) {
                0 => lines.swap(one, other),
                1 => drop(lines.remove(one)),
                _ => lines.insert(one, lines[other]),
            }
            *bytes = lines.concat();
        }
        _ => {
            let (_, other) = CORPUS[random.below(CORPUS.len())];
            let lines: Vec<&str> = other.split_inclusive('\n').collect();
            bytes.extend(lines[random.below(lines.len())].bytes());
        }
    }
}

fn run(files: &[&[u8]]) -> Run {
    let mut gathered = Gathered::default();
    for (number, bytes) in files.iter().enumerate() {
        gathered.take_in_bytes(Path::new(&format!("{number}-1.jsonl")), bytes);
    }
    gathered.finish()
}

/// Shows a run in every form.
fn show(run: Run) {
    let files = Files::default();
    let report = Report::new(vec![PathBuf::from("run")], run, files, Deny::Order);
    for format in Format::value_variants() {
        let mut out = Vec::new();
        let style = Style { colour: true, notes: true };
        let written = format::write(*format, &report, style, &mut out);
        assert!(written.is_ok() || *format == Format::Folded, "{format:?} {written:?}");
        assert!(String::from_utf8(out).is_ok(), "{format:?}");
    }
}

fn read_damaged(seed: u64, files: usize) {
    let mut random = Random(seed);
    for number in 0..files {
        let (_, text) = CORPUS[random.below(CORPUS.len())];
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=random.below(4) {
            damage(&mut bytes, &mut random);
        }
        let run = run(&[&bytes, CORPUS[2].1.as_bytes()]);
        assert_eq!(run.processes.len(), 2);
        for problem in &run.problems {
            assert!(problem.offset <= bytes.len() as u64, "{problem}");
            assert!(problem.to_string().starts_with("0-1.jsonl: byte "), "{problem}");
        }
        if number % SHOWN == 0 {
            show(run);
        }
    }
}

#[test]
fn a_hundred_thousand_damaged_files_are_read_without_a_panic() {
    std::thread::scope(|scope| {
        for seed in [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03] {
            scope.spawn(move || read_damaged(seed, FILES / 2));
        }
    });
}

#[test]
fn the_files_are_read_without_a_problem_as_they_are() {
    for (name, text) in CORPUS {
        let run = run(&[text.as_bytes()]);
        assert_eq!(run.problems, [], "{name}");
        show(run);
    }
}

/// What a run knows, for comparison.
fn known(run: &Run) -> (usize, usize, usize, Vec<String>) {
    let findings = run.findings.iter().map(|finding| finding.finding.fingerprint.clone());
    (run.classes.len(), run.orders.len(), run.declarations.len(), findings.collect())
}

#[test]
fn a_damaged_line_costs_nothing_but_itself() {
    for (name, text) in CORPUS {
        let whole = known(&run(&[text.as_bytes()]));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in 1..=lines.len() {
            for garbage in
                ["garbage\n", "{\"record\":\"class\"}\n", "\n", "{\"record\":7}\n", "\u{0}\u{7f}\n"]
            {
                let damaged = [&lines[..at], &[garbage], &lines[at..]].concat().concat();
                let run = run(&[damaged.as_bytes()]);
                assert_eq!(known(&run), whole, "{name}, line {at}");
                let offset = lines[..at].concat().len() as u64;
                assert_eq!(run.problems.len(), 1, "{:?}", run.problems);
                let told = run.problems[0].offset;
                assert!((offset..offset + garbage.len() as u64).contains(&told), "{told} {offset}");
            }
        }
    }
}

#[test]
fn of_a_file_that_is_cut_off_all_whole_lines_are_read() {
    for (name, text) in CORPUS {
        for end in (0..text.len()).step_by(7) {
            let bytes = &text.as_bytes()[..end];
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let run = run(&[bytes]);
            assert_eq!(known(&run), known(&self::run(&[&bytes[..whole]])), "{name} {end}");
            assert_eq!(run.problems.len(), usize::from(whole < end), "{name} {end}");
        }
    }
}
