//! What `std` rejects must be rejected with the traced types as well: a borrow that ends too early, a
//! lifetime stretched.
//!
//! Each such line stands in `rejected/lines.rs` with the error that it should give behind `//~`. The
//! file is compiled against `std` and against `sync_trace`, and in both cases these errors and no
//! others are expected.
// The compiler looks at the same types in every build that traces, so once is enough.
#![cfg(debug_assertions)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

const LINES: &str = include_str!("rejected/lines.rs");

#[test]
fn what_std_rejects() {
    assert_same(errors("with_std"), expected());
}

#[test]
fn is_rejected_with_the_traced_types_too() {
    assert_same(errors("traced"), expected());
}

type Errors = BTreeSet<(usize, String)>;

#[track_caller]
fn assert_same(errors: Errors, expected: Errors) {
    let (accepted, surplus) = (&expected - &errors, &errors - &expected);
    assert!(errors == expected, "accepted: {accepted:?}\nand rejected in its place: {surplus:?}");
}

/// The lines that are marked, each with its number and the error.
fn expected() -> Errors {
    let lines = LINES.lines().zip(1..);
    let marked = lines.filter_map(|(line, number)| Some((number, line.split_once("//~ ")?.1)));
    marked.map(|(number, error)| (number, error.to_owned())).collect()
}

/// The errors that the compiler finds in `rejected/lines.rs` when it compiles the binary `main`.
fn errors(main: &str) -> Errors {
    let text = check(main);
    let errors: Errors = text.lines().filter_map(error).collect();
    assert!(!errors.is_empty(), "{text}");
    errors
}

/// Of `…/lines.rs:7:13: error[E0597]: …` the line and the error, by its code if it has one.
fn error(line: &str) -> Option<(usize, String)> {
    let (_, place) = line.split_once("lines.rs:")?;
    let (place, error) = place.split_once(": error")?;
    let number = place.split_once(':')?.0.parse().ok()?;
    let error = match error.strip_prefix('[') {
        Some(code) => code.split(']').next()?,
        None => error.trim_start_matches(": ").split(':').next()?,
    };
    Some((number, error.to_owned()))
}

/// What cargo says about one of the two binaries, in a package of their own, without a network.
fn check(main: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = tests.parent().expect("a workspace");
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rejected_{main}"));
    let source = tests.join(format!("tests/rejected/{main}.rs"));
    let manifest = format!(
        "[package]\nname = \"rejected\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nsync-trace = {{ path = {library:?} }}\n\n\
         [[bin]]\nname = {main:?}\npath = {source:?}\n",
        library = workspace.join("sync-trace"),
    );
    fs::create_dir_all(&package).expect("it can be made");
    fs::write(package.join("Cargo.toml"), manifest).expect("it can be written");
    fs::copy(workspace.join("Cargo.lock"), package.join("Cargo.lock")).expect("it is there");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["check", "--offline", "--message-format=short"]).current_dir(&package);
    // Kept from run to run, and where other tests build it too, so that what the library needs is built once.
    cargo.env("CARGO_TARGET_DIR", package.with_file_name("outside"));
    cargo.env("CARGO_TERM_COLOR", "never");
    let output = cargo.output().expect("cargo runs");
    assert!(!output.status.success(), "all of it compiles");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
