//! What of `std`'s material is not run, and why.

/// Examples and tests that need what no traced type can give. That something is unstable is no
/// reason to be here: that is seen by itself.
const TABLE: &[Exclusion] = &[Exclusion {
    version: "1.96",
    kind: "tests",
    place: "std/tests/sync/rwlock.rs",
    name: "test_rwlock_max_readers",
    reason: "forgets 2^30 guards of one lock, each of which stays on record as held",
}];

/// One example or test that is left out.
struct Exclusion {
    /// The Rust for which the row was written. With others it may match nothing.
    version: &'static str,
    /// `examples` or `tests`.
    kind: &'static str,
    /// The file, below `library`.
    place: &'static str,
    /// What [`examples`](crate::examples) or [`suites`](crate::suites) call it.
    name: &'static str,
    reason: &'static str,
}

/// The table, as one run uses it up.
pub(crate) struct Exclusions {
    version: String,
    used: Vec<bool>,
}

impl Exclusions {
    /// The table, for material of Rust `version`.
    pub(crate) fn of(version: &str) -> Self {
        Self { version: version.to_owned(), used: vec![false; TABLE.len()] }
    }

    /// Whether `name` in the file `place` is left out.
    pub(crate) fn has(&mut self, place: &str, name: &str) -> bool {
        let Some(row) = TABLE.iter().position(|row| row.place == place && row.name == name) else {
            return false;
        };
        println!("excluded: {place}, {name}: {}", TABLE[row].reason);
        self.used[row] = true;
        true
    }

    /// Fails if a row of `kind` that was written for this version matched nothing.
    #[track_caller]
    pub(crate) fn expect_all_used_in(&self, kind: &str) {
        for (row, used) in TABLE.iter().zip(&self.used) {
            let due = row.kind == kind && is_version(&self.version, row.version);
            assert!(*used || !due, "nothing matches the exclusion of {}, {}", row.place, row.name);
        }
    }
}

/// Whether `version` is `line` or a patch release of it.
fn is_version(version: &str, line: &str) -> bool {
    version.strip_prefix(line).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
