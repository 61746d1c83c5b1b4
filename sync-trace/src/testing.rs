//! What `#[sync_trace::test]` expands to.

use crate::api::take_findings_where;
use crate::current::{self, Working};
use crate::finding::TestId;
use crate::registry::next_number;

/// Runs the body of a test, and fails it if a finding was made in which its thread or one of its
/// descendants takes part, even if nobody noticed that thread's panic.
#[doc(hidden)]
#[track_caller]
pub fn run_test<R>(body: impl FnOnce() -> R) -> R {
    let test = TestId(next_number().get());
    let belongs = Belongs::to(test);
    let result = body();
    drop(belongs);
    let findings = take_findings_where(|finding| finding.tests.contains(&test));
    if !findings.is_empty() {
        let reports: Vec<String> = findings.iter().map(ToString::to_string).collect();
        panic!(
            "sync-trace made {} in this test's threads, and nothing else failed the test\n\n{}",
            match findings.len() {
                1 => "a finding".to_owned(),
                many => format!("{many} findings"),
            },
            reports.join("\n\n"),
        );
    }
    result
}

/// While this lives, the calling thread and the threads it starts belong to a test.
struct Belongs {
    test: TestId,
    before: Option<TestId>,
}

impl Belongs {
    fn to(test: TestId) -> Self {
        Self { test, before: set(Some(test)) }
    }
}

impl Drop for Belongs {
    fn drop(&mut self) {
        set(self.before);
        // A test that panics fails, or was expected to: either way its findings are noticed.
        if std::thread::panicking() {
            drop(take_findings_where(|finding| finding.tests.contains(&self.test)));
        }
    }
}

fn set(test: Option<TestId>) -> Option<TestId> {
    let agent = current::recording()?;
    let _working = Working::begin();
    let before = agent.identity().test;
    agent.set_test(test);
    before
}
