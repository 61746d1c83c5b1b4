//! What the examples say of themselves.
#![cfg(debug_assertions)]

use std::path::Path;
use std::process::Command;

const DECLARED_ORDER: &str = include_str!("../../examples/src/bin/declared_order.rs");

#[test]
fn the_report_in_the_documentation_of_declared_order_is_what_it_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace");
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "sync-trace-examples", "--bin", "declared_order"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let printed = String::from_utf8(run.stdout).expect("it prints text");
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{printed}{errors}");
    let start = printed.find("error[").unwrap_or_else(|| panic!("no report in {printed}{errors}"));
    assert_eq!(without_ids(&documented()), without_ids(printed[start..].trim_end()));
}

/// The text block of the documentation.
fn documented() -> String {
    let lines = DECLARED_ORDER.lines().map_while(|line| line.strip_prefix("//!"));
    let block = lines.skip_while(|line| *line != " ```text").skip(1);
    let block = block.take_while(|line| *line != " ```");
    block.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// The report without what differs from run to run: the number of the thread.
fn without_ids(report: &str) -> String {
    let mut text = String::new();
    let mut rest = report;
    while let Some(start) = rest.find('(') {
        let (before, after) = rest.split_at(start + 1);
        text += before;
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        rest =
            if digits > 0 && after[digits..].starts_with(')') { &after[digits..] } else { after };
    }
    let lines = (text + rest).lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines.join("\n")
}
