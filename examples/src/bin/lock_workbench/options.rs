//! What can be asked for.

use std::time::Duration;

use crate::measure::ROUNDS;

pub(crate) const HELP: &str = "\
Compares ways to share data between threads, under the same work.

usage: lock_workbench [--readers N] [--writers N] [--seconds S] [--section TIME] [--pause TIME]

  --readers N     threads that read (default 3)
  --writers N     threads that write (default 1)
  --seconds S     how long each kind is measured, such as 0.5 (default 0.4)
  --section TIME  how much work an operation does with the data, such as 500ns, 5us or 1ms (default 500ns)
  --pause TIME    how much work a thread does between two operations (default 500ns)
  --help          says this
";

/// Many more than there are processors only take turns.
const THREADS_MAX: usize = 256;
/// Within a turn there should be many operations.
const WORK_MAX: Duration = Duration::from_millis(100);
const SECONDS_MAX: f64 = 3_600.0;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) readers: usize,
    pub(crate) writers: usize,
    /// For each kind, in all rounds together.
    pub(crate) time: Duration,
    /// Of work with the data.
    pub(crate) section: Duration,
    /// Of work between two operations.
    pub(crate) pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let work = Duration::from_nanos(500);
        Self {
            readers: 3,
            writers: 1,
            time: Duration::from_millis(400),
            section: work,
            pause: work,
        }
    }
}

impl Options {
    /// How long one turn lasts.
    pub(crate) fn turn(&self) -> Duration {
        self.time / ROUNDS as u32
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Help,
    Run(Options),
}

/// Reads the arguments, without the program's name. An error says which of them is wrong, and what it may be.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, written) = match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        if name == "--help" || name == "-h" {
            return Ok(Command::Help);
        }
        let mut value = || {
            written.clone().or_else(|| arguments.next()).ok_or(format!("`{name}` needs a value"))
        };
        match name.as_str() {
            "--readers" => options.readers = threads(&name, &value()?)?,
            "--writers" => options.writers = threads(&name, &value()?)?,
            "--seconds" => options.time = seconds(&name, &value()?)?,
            "--section" => options.section = work(&name, &value()?)?,
            "--pause" => options.pause = work(&name, &value()?)?,
            _ => return Err(format!("there is no option `{name}`")),
        }
    }
    match options.readers + options.writers {
        0 => Err("without readers and writers nothing happens".to_owned()),
        _ => Ok(Command::Run(options)),
    }
}

fn threads(name: &str, value: &str) -> Result<usize, String> {
    let threads = value.parse().ok().filter(|threads| *threads <= THREADS_MAX);
    threads.ok_or(format!("`{name}` takes a number of threads from 0 to 256, not `{value}`"))
}

fn seconds(name: &str, value: &str) -> Result<Duration, String> {
    let seconds = value.parse::<f64>().ok();
    let seconds = seconds.filter(|seconds| (0.01..=SECONDS_MAX).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or(format!("`{name}` takes a number of seconds from 0.01 to 3600, not `{value}`"))
}

fn work(name: &str, value: &str) -> Result<Duration, String> {
    let unit = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (count, unit) = value.split_at(unit);
    let ns = match unit.trim() {
        "ns" => Some(1),
        "us" | "µs" => Some(1_000),
        "ms" => Some(1_000_000),
        _ => None,
    };
    let time = count.parse::<u64>().ok().zip(ns).and_then(|(count, ns)| count.checked_mul(ns));
    let time = time.map(Duration::from_nanos).filter(|time| *time <= WORK_MAX);
    time.ok_or(format!("`{name}` takes a time from 0ns to 100ms, such as 500ns, not `{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Command, String> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn each_option_is_read_with_a_space_or_an_equals_sign() {
        let expected = Options {
            readers: 7,
            writers: 0,
            time: Duration::from_millis(1_500),
            section: Duration::from_micros(5),
            pause: Duration::ZERO,
        };
        for text in [
            "--readers 7 --writers 0 --seconds 1.5 --section 5us --pause 0ns",
            "--readers=7 --writers=0 --seconds=1.5 --section=5000ns --pause=0ms",
        ] {
            assert_eq!(parsed(text), Ok(Command::Run(expected.clone())), "{text}");
        }
        assert_eq!(parsed(""), Ok(Command::Run(Options::default())));
        assert_eq!(parsed("--readers 2 --help"), Ok(Command::Help));
    }

    #[test]
    fn a_mistake_is_named_with_what_could_be_there() {
        for (text, start) in [
            ("--reader 3", "there is no option `--reader`"),
            ("7", "there is no option `7`"),
            ("--readers", "`--readers` needs a value"),
            ("--readers three", "`--readers` takes a number of threads from 0 to 256, not `three`"),
            ("--writers=257", "`--writers` takes a number of threads"),
            ("--readers -1", "`--readers` takes a number of threads"),
            ("--seconds 0", "`--seconds` takes a number of seconds"),
            ("--seconds NaN", "`--seconds` takes a number of seconds"),
            ("--section 5", "`--section` takes a time from 0ns to 100ms, such as 500ns, not `5`"),
            ("--section 101ms", "`--section` takes a time"),
            ("--pause 99999999999999999999ns", "`--pause` takes a time"),
            ("--readers 0 --writers 0", "without readers and writers"),
        ] {
            let error = parsed(text).unwrap_err();
            assert!(error.starts_with(start), "{text}: {error}");
        }
    }
}
