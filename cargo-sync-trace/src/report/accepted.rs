//! What `sync-trace.toml` and the baseline accept, as the library reads them.

use super::item::Item;
use crate::merge::Run;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use sync_trace::__private::told::{Acceptance, Rules, Told, ToldLock};
use sync_trace::finding::Code;

/// The name of the file that people write.
pub const FILE: &str = "sync-trace.toml";
/// The name of the file that `baseline` writes.
pub const BASELINE: &str = "sync-trace-baseline.toml";

/// Why something is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// As the entry says.
    pub reason: String,
    /// Where the entry stands.
    pub origin: String,
}

/// The files that hold for a run: those that its processes would find from where they started.
#[derive(Debug, Default)]
pub struct Files {
    rules: Vec<Found>,
    /// What is wrong with them.
    pub mistakes: Vec<String>,
}

#[derive(Debug)]
struct Found {
    dir: PathBuf,
    file: Option<PathBuf>,
    baseline: Option<PathBuf>,
    rules: Rules,
}

impl Files {
    /// Those of the processes of a run, and of whoever is in `dir`. `baseline` stands for any other one.
    pub fn of(run: &Run, dir: &Path, baseline: Option<&Path>) -> Self {
        let of_processes = run.processes.iter().filter_map(|process| process.header.cwd.as_deref());
        let mut dirs: BTreeSet<PathBuf> = of_processes.map(PathBuf::from).collect();
        dirs.insert(dir.to_owned());
        let mut found = BTreeMap::new();
        for dir in dirs.into_iter().filter(|dir| dir.is_dir()) {
            let named = baseline.map(Path::to_owned);
            let key = (nearest(&dir, FILE), named.or_else(|| nearest(&dir, BASELINE)));
            found.entry(key).or_insert(dir);
        }
        let mut files = Self::default();
        for ((file, baseline_file), dir) in found {
            let (rules, mistakes) = Rules::find_from(&dir, baseline);
            for mistake in mistakes {
                if !files.mistakes.contains(&mistake) {
                    files.mistakes.push(mistake);
                }
            }
            files.rules.push(Found { dir, file, baseline: baseline_file, rules });
        }
        files
    }

    /// Why `item` is accepted, if it is.
    pub fn permit(&self, item: &Item) -> Option<Accepted> {
        let code = Code::all().iter().copied().find(|code| code.as_str() == item.code)?;
        let told = Told {
            code,
            fingerprint: u64::from_str_radix(&item.fingerprint, 16).ok()?,
            sites: item
                .steps()
                .map(|step| (&*step.site.file, step.site.line, step.site.column))
                .collect(),
            locks: item
                .locks
                .iter()
                .map(|lock| ToldLock {
                    name: lock.name.as_deref(),
                    label: &lock.label,
                    kind: lock.kind.clone(),
                })
                .collect(),
        };
        let mut accepted = None;
        // All are asked, so that each knows what it was of use for.
        for found in &self.rules {
            if let Some(Acceptance { reason, by }) = found.rules.permits(&told) {
                let origin = by.into_iter().next().unwrap_or_default();
                accepted.get_or_insert(Accepted { reason, origin });
            }
        }
        accepted
    }

    /// The entries of the files, and those of baselines, that were of no use to anybody: neither here nor to the
    /// processes, which have told what they `used`.
    pub fn unused(&self, used: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
        let mut unused = [BTreeMap::<String, usize>::new(), BTreeMap::new()];
        for found in &self.rules {
            let (of_file, of_baseline) = found.rules.unused();
            for (at, origins) in [of_file, of_baseline].into_iter().enumerate() {
                for origin in origins {
                    let origin = found.dir.join(origin).to_string_lossy().into_owned();
                    *unused[at].entry(origin).or_default() += 1;
                }
            }
        }
        let readers = |at: usize, origin: &str| {
            let path =
                |found: &Found| if at == 0 { found.file.clone() } else { found.baseline.clone() };
            let is_of = |path: PathBuf| origin.starts_with(&*path.to_string_lossy());
            self.rules.iter().filter_map(path).filter(|path| is_of(path.clone())).count()
        };
        let [file, baseline] = unused;
        let by_nobody = |at: usize, unused: BTreeMap<String, usize>| {
            let all = unused.into_iter().filter(|(origin, count)| *count >= readers(at, origin));
            all.map(|(origin, _)| origin).filter(|origin| !used.contains(origin)).collect()
        };
        (by_nobody(0, file), by_nobody(1, baseline))
    }
}

/// The file of this name in `dir`, or in the nearest folder around it that has one.
pub fn nearest(dir: &Path, name: &str) -> Option<PathBuf> {
    dir.ancestors().map(|dir| dir.join(name)).find(|path| path.symlink_metadata().is_ok())
}
