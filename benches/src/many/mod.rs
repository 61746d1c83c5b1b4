//! What very many locks cost: orders that are new, and locks that live shortly.
//!
//! An order is new only once, graphs grow and never forget an order between locks that live, and some
//! peers forget no lock at all. So each sample is taken in a fresh process: the program starts itself with
//! [`FLAG`], and what it then does is [`serve`]. Within a round the families take turns, one process
//! each. What is done there is a [`Job`].

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::each_family;
use crate::family::{Demand, Family};
use crate::options::Options;

mod job;

pub use job::{Job, Sample};

/// The first argument of a process that is to take one sample.
pub const FLAG: &str = "--one-sample-of-many";

/// Whoever needs longer for a sample is not asked for another one.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// How often each family is asked.
const ROUNDS: usize = 5;

/// A family that is asked for samples.
struct Asked {
    name: &'static str,
    bears: fn(Demand) -> bool,
    run: fn(Job, usize) -> Sample,
}

/// The families in the order of the tables.
fn all() -> [Asked; 8] {
    each_family!(F => Asked { name: F::NAME, bears: F::bears, run: Job::run::<F> })
}

/// Lets all families that can do `job` in turn, in processes of their own: the samples of each. A process that
/// fails gives none, and says why on standard error.
pub fn measure(job: Job, options: &Options) -> Vec<(&'static str, Vec<Sample>)> {
    let locks = job.locks(options.effort);
    let able = all().into_iter().filter(|family| (family.bears)(job.demand()));
    let mut asked: Vec<_> =
        able.filter(|it| options.peers.want(it.name)).map(|it| (it.name, Vec::new())).collect();
    let mut is_patient = vec![true; asked.len()];
    for round in 0..options.effort.of(ROUNDS) {
        for turn in 0..asked.len() {
            let whose = if round % 2 == 0 { turn } else { asked.len() - 1 - turn };
            let (name, samples) = &mut asked[whose];
            if is_patient[whose] {
                let start = Instant::now();
                samples.extend(sample_elsewhere(job, name, locks));
                is_patient[whose] = start.elapsed() < PATIENCE;
            }
        }
    }
    asked
}

/// Takes a sample and prints it, if this process was started for that: then there is nothing else for
/// it to do.
#[must_use = "it says whether the process has done its work"]
pub fn serve() -> bool {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [flag, job, family, locks] = args.as_slice() else { return false };
    if flag != FLAG {
        return false;
    }
    let job = Job::ALL.into_iter().find(|it| it.name() == job).expect("a job's name");
    let asked = all().into_iter().find(|it| it.name == family).expect("a family's name");
    let sample = (asked.run)(job, locks.parse().expect("a number of locks"));
    assert!(sync_trace::findings().is_empty(), "all orders are consistent");
    println!("{}", sample.to_line());
    true
}

fn sample_elsewhere(job: Job, family: &str, locks: usize) -> Option<Sample> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args([FLAG, job.name(), family, &locks.to_string()])
        // Stacks of new orders are tracing-mutex's only where they are asked for.
        .env_remove("RUST_BACKTRACE")
        .stderr(Stdio::inherit())
        .output()
        .inspect_err(|error| eprintln!("no sample of {family}: {error}"))
        .ok()?;
    if !output.status.success() {
        eprintln!("no sample of {family}: {}", output.status);
        return None;
    }
    Sample::from_line(String::from_utf8_lossy(&output.stdout).lines().last()?)
}

impl Sample {
    fn to_line(self) -> String {
        format!("{} {} {}", self.first, self.again, self.bytes)
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut values = line.split(' ').map(str::parse);
        let mut next = || values.next()?.ok();
        Some(Self { first: next()?, again: next()?, bytes: next()? })
    }
}

/// How much of the process's memory is in use, where that can be told.
pub(crate) fn resident_bytes() -> f64 {
    let kilobytes = || {
        // Unlike `statm`, it is counted at the moment and not up to a few hundred kilobytes off.
        let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
        line.split_whitespace().next()?.parse::<f64>().ok()
    };
    kilobytes().map_or(f64::NAN, |kilobytes| kilobytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_does_every_job_that_it_can() {
        for job in Job::ALL {
            for family in all().into_iter().filter(|family| (family.bears)(job.demand())) {
                let sample = (family.run)(job, 50);
                assert!(sample.first > 0.0, "{} {job:?} {sample:?}", family.name);
            }
        }
    }

    #[test]
    fn a_sample_survives_the_way_between_processes() {
        let sample = Sample { first: 1.5, again: f64::NAN, bytes: -0.25 };
        let again = Sample::from_line(&sample.to_line()).unwrap();
        assert_eq!((again.first, again.bytes), (1.5, -0.25));
        assert!(again.again.is_nan());
        assert!(Sample::from_line("").is_none());
    }
}
