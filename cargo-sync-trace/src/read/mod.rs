//! Reading a run directory: files of processes, line by line, whatever state they are in.
//!
//! In reading order: [`record`] (what a line says), [`lines`] (where lines are), [`problem`] (what is wrong with
//! one). A file is read from its beginning to its end, and nothing of it is kept here.

pub mod lines;
pub mod problem;
pub mod record;

use lines::{LineEnd, Lines};
use problem::{Mistake, Problem};
use record::{Record, Undecoded};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// How many problems of one file are told.
const MOST_PROBLEMS: usize = 20;

/// Takes what a file says, in the order in which it stands there.
pub trait Visitor {
    /// The next record. A header is only ever the first one. The answer is what is wrong with the record, if
    /// anything is.
    fn record(&mut self, record: Record) -> Result<(), Mistake>;
}

/// What was wrong with a file, and what was left out of it.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// How many records of each kind were passed over because this version does not know them.
    pub unknown: BTreeMap<String, u64>,
    /// How many bytes the file has.
    pub bytes: u64,
}

/// The files of a run directory, in the order of their names.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if is_of_a_process(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether the name is one that a process gives its file: `<pid>-<start>.jsonl`.
fn is_of_a_process(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let parts = name.and_then(|name| name.strip_suffix(".jsonl")?.split_once('-'));
    parts.is_some_and(|(pid, start)| {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // `merge` puts something behind where two have one name.
        is_number(pid) && start.split('-').all(is_number)
    })
}

/// Reads one file.
pub fn read_file(path: &Path, visitor: &mut impl Visitor) -> Leftovers {
    match File::open(path) {
        Ok(file) => read(BufReader::with_capacity(1 << 16, file), path, visitor),
        Err(error) => {
            let mistake = Mistake::Unreadable(error.to_string());
            let problem = Problem { file: path.to_owned(), offset: 0, mistake };
            Leftovers { problems: vec![problem], ..Leftovers::default() }
        }
    }
}

/// Reads what stands in the file that is called `path`.
pub fn read(input: impl BufRead, path: &Path, visitor: &mut impl Visitor) -> Leftovers {
    let mut reading = Reading { path, leftovers: Leftovers::default(), is_first: true };
    let mut lines = Lines::new(input);
    loop {
        let offset = lines.offset();
        match lines.next_line() {
            Ok(Some(line)) => {
                let (offset, end) = (line.offset, line.end);
                if reading.line(line.bytes, offset, end, visitor).is_break() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                reading.problem(offset, Mistake::Unreadable(error.to_string()));
                break;
            }
        }
    }
    reading.leftovers.bytes = lines.offset();
    reading.leftovers
}

struct Reading<'a> {
    path: &'a Path,
    leftovers: Leftovers,
    is_first: bool,
}

impl Reading<'_> {
    fn line(
        &mut self,
        bytes: &[u8],
        offset: u64,
        end: LineEnd,
        visitor: &mut impl Visitor,
    ) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        match end {
            LineEnd::Whole => {}
            LineEnd::CutOff => {
                self.problem(offset, Mistake::CutOff);
                return Continue(());
            }
            LineEnd::TooLong => {
                self.problem(offset, Mistake::TooLong);
                return Continue(());
            }
        }
        let is_first = std::mem::take(&mut self.is_first);
        let record = match Record::decode(bytes) {
            Ok(record) => record,
            Err(Undecoded::Newer(format)) => {
                self.problem(offset, Mistake::Newer(format));
                return Break(());
            }
            Err(Undecoded::Damaged(at, why)) => {
                self.problem(offset + at as u64, Mistake::NoRecord(why));
                return Continue(());
            }
        };
        match (&record, is_first) {
            (Record::Header(_), false) => {
                self.problem(offset, Mistake::SecondHeader);
                return Continue(());
            }
            (Record::Header(_), true) | (_, false) => {}
            (_, true) => self.problem(offset, Mistake::NoHeader),
        }
        if let Record::Unknown(kind) = record {
            *self.leftovers.unknown.entry(kind).or_default() += 1;
        } else if let Err(mistake) = visitor.record(record) {
            self.problem(offset, mistake);
        }
        Continue(())
    }

    fn problem(&mut self, offset: u64, mistake: Mistake) {
        let problems = &mut self.leftovers.problems;
        let mistake = match problems.len() {
            0..MOST_PROBLEMS => mistake,
            MOST_PROBLEMS => Mistake::TooMany,
            _ => return,
        };
        problems.push(Problem { file: self.path.to_owned(), offset, mistake });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Count(usize);

    impl Visitor for Count {
        fn record(&mut self, _: Record) -> Result<(), Mistake> {
            self.0 += 1;
            Ok(())
        }
    }

    const HEADER: &str = "{\"record\":\"header\",\"format\":1,\"library\":\"0.1.0\",\"pid\":1}\n";
    const CLASS: &str = "{\"record\":\"class\",\"class\":1,\"key\":\"name:a\",\"label\":\"a\",\"kind\":\"mutex\"}\n";

    #[track_caller]
    fn check(text: &str, records: usize, problems: &[&str]) {
        let mut count = Count::default();
        let leftovers = read(text.as_bytes(), Path::new("f.jsonl"), &mut count);
        let told: Vec<_> = leftovers.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, problems, "{text}");
        assert_eq!(count.0, records, "{text}");
    }

    #[test]
    fn a_file_in_order_has_no_problems() {
        check("", 0, &[]);
        check(&format!("{HEADER}{CLASS}"), 2, &[]);
    }

    #[test]
    fn damage_is_told_with_the_file_and_the_byte_and_the_rest_is_read() {
        check(
            &format!("{HEADER}{{\"record\":\"class\",\"class\":}}\n{CLASS}"),
            2,
            &["f.jsonl: byte 83: this is no record: expected value; the line is left out"],
        );
        check(
            &format!("{HEADER}{}", &CLASS[..30]),
            1,
            &[
                "f.jsonl: byte 57: the last line is cut off; the line is left out; a process that is \
               killed may leave one",
            ],
        );
        check(
            &format!("{CLASS}{CLASS}"),
            2,
            &[
                "f.jsonl: byte 0: the file does not begin with a header; what follows is read, but it \
               is not known which process it is of",
            ],
        );
        check(
            &format!("{HEADER}{HEADER}{CLASS}"),
            2,
            &["f.jsonl: byte 57: a second header; the line is left out"],
        );
    }

    #[test]
    fn a_file_of_a_later_format_is_left_out_and_a_later_record_is_counted() {
        check(
            &format!("{}{CLASS}", HEADER.replace("\"format\":1", "\"format\":2")),
            0,
            &[
                "f.jsonl: byte 0: the file has format 2, and this cargo-sync-trace knows formats up to \
               1; install a newer one; this file is left out",
            ],
        );
        let mut count = Count::default();
        let text = format!("{HEADER}{{\"record\":\"later\",\"x\":1}}\n{CLASS}");
        let leftovers = read(text.as_bytes(), Path::new("f"), &mut count);
        assert_eq!((count.0, leftovers.unknown["later"]), (2, 1));
    }

    #[test]
    fn a_file_of_nothing_but_damage_does_not_make_endless_problems() {
        let mut count = Count::default();
        let leftovers = read("x\n".repeat(1_000).as_bytes(), Path::new("f"), &mut count);
        assert_eq!(leftovers.problems.len(), MOST_PROBLEMS + 1);
        assert_eq!(leftovers.problems.last().unwrap().mistake, Mistake::TooMany);
    }

    #[test]
    fn only_files_of_processes_are_read() {
        for (name, expected) in [
            ("4711-1796000000000000000.jsonl", true),
            ("4711-17-2.jsonl", true),
            ("findings.jsonl", false),
            ("4711.jsonl", false),
            ("-1.jsonl", false),
            ("4711-17.json", false),
        ] {
            assert_eq!(is_of_a_process(Path::new(name)), expected, "{name}");
        }
    }
}
