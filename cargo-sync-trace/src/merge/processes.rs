//! Who the processes of a run were.

use crate::read::record::Header;
use std::path::PathBuf;

/// The number of a process in a merged run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// A process of a run.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Its file.
    pub file: PathBuf,
    /// The first record, if there was one.
    pub header: Header,
    /// Whether it came to its end, and with which status.
    pub ended: Option<Option<i64>>,
}

impl Process {
    /// The test that it ran, if it ran one only.
    pub fn test(&self) -> Option<&str> {
        self.header.nextest.as_ref()?.test_name.as_deref()
    }

    /// The program or test binary, as short as it is known by.
    pub fn program(&self) -> String {
        let nextest = self.header.nextest.as_ref();
        if let Some(binary) = nextest.and_then(|nextest| nextest.binary_id.clone()) {
            return binary;
        }
        let path = self.header.exe.as_deref().or(self.header.argv0.as_deref()).unwrap_or_default();
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.strip_suffix(".exe").unwrap_or(name);
        // Cargo puts a hash behind the names of tests.
        let name = match name.rsplit_once('-') {
            Some((name, hash)) if self.header.test_harness && is_hash(hash) => name,
            _ => name,
        };
        match (name, &self.header.package) {
            ("", _) => "an unknown program".to_owned(),
            (name, Some(package)) if self.header.test_harness && package != name => {
                format!("{package}::{name}")
            }
            (name, _) => name.to_owned(),
        }
    }

    /// For a sentence: the program with its number.
    pub fn describe(&self) -> String {
        match self.header.pid {
            0 => self.program(),
            pid => format!("{} ({pid})", self.program()),
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A set of processes: a bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessSet(Vec<u64>);

impl ProcessSet {
    /// Adds one.
    pub fn insert(&mut self, process: ProcessId) {
        let (word, bit) = (process.0 as usize / 64, process.0 % 64);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << bit;
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Leaves only those that are in both.
    pub fn intersect(&mut self, other: &Self) {
        self.0.truncate(other.0.len());
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// The members.
    pub fn iter(&self) -> impl Iterator<Item = ProcessId> {
        let bits = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at as u32 * 64 + bit)
        };
        self.0.iter().enumerate().flat_map(bits).map(ProcessId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_does_what_a_set_does() {
        let (mut one, mut other) = (ProcessSet::default(), ProcessSet::default());
        assert!(one.is_empty());
        for n in [0, 63, 64, 200] {
            one.insert(ProcessId(n));
        }
        for n in [63, 64, 65] {
            other.insert(ProcessId(n));
        }
        assert_eq!(one.iter().map(|id| id.0).collect::<BTreeSet<_>>(), [0, 63, 64, 200].into());
        one.intersect(&other);
        assert_eq!(one.iter().map(|id| id.0).collect::<Vec<_>>(), [63, 64]);
        assert_eq!((one.len(), one.is_empty()), (2, false));
    }

    #[test]
    fn a_process_is_called_after_its_test_binary() {
        let mut process = Process::default();
        assert_eq!(process.describe(), "an unknown program");
        process.header.exe = Some("/t/debug/deps/bank-0123456789abcdef".to_owned());
        process.header.pid = 7;
        assert_eq!(process.describe(), "bank-0123456789abcdef (7)");
        process.header.test_harness = true;
        assert_eq!(process.describe(), "bank (7)");
        process.header.package = Some("money".to_owned());
        assert_eq!(process.describe(), "money::bank (7)");
    }
}
