//! Which process this is.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::record::{Header, Started};
use crate::os;
use crate::perturb::SCHEDULE;

/// What nextest says of a test, and what that is called here.
const NEXTEST: [(&str, &str); 5] = [
    ("run_id", "NEXTEST_RUN_ID"),
    ("binary_id", "NEXTEST_BINARY_ID"),
    ("test_name", "NEXTEST_TEST_NAME"),
    ("attempt_id", "NEXTEST_ATTEMPT_ID"),
    ("workspace_root", "NEXTEST_WORKSPACE_ROOT"),
];

/// Nanoseconds since 1970, and the same moment as records have it.
pub(super) fn now() -> (u128, Started) {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let micros = u64::try_from(unix.as_micros()).unwrap_or_default();
    (unix.as_nanos(), Started { unix: micros, monotonic: os::monotonic_us() })
}

/// The process `pid`, a fork of that other one if there is one.
pub(super) fn of_process(pid: u32, forked_from: Option<u32>, started: Started) -> Header {
    let cwd = std::env::current_dir().ok();
    let manifest_dir = variable("CARGO_MANIFEST_DIR");
    let package = manifest_dir.as_deref().map(Path::new).or(cwd.as_deref());
    Header {
        pid,
        parent: os::parent_process(),
        forked_from,
        started,
        exe: std::env::current_exe().ok(),
        argv0: std::env::args_os().next().map(|arg| arg.to_string_lossy().into_owned()),
        workspace_root: package.and_then(workspace_root),
        cwd,
        manifest_dir,
        package: variable("CARGO_PKG_NAME"),
        source_dir: variable("SYNC_TRACE_SRC"),
        is_test_harness: os::is_test_harness(),
        nextest: NEXTEST
            .iter()
            .filter_map(|&(member, name)| Some((member, variable(name)?)))
            .collect(),
        settings: variable("SYNC_TRACE"),
        seed: SCHEDULE.seed(),
    }
}

fn variable(name: &str) -> Option<String> {
    Some(std::env::var_os(name)?.to_string_lossy().into_owned())
}

/// Cargo keeps the lock file where the workspace is.
fn workspace_root(package: &Path) -> Option<PathBuf> {
    let mut around = package.ancestors();
    around.find(|dir| dir.join("Cargo.lock").is_file()).map(Path::to_owned)
}
