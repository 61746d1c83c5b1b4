//! The drop-in promise, held against `std`'s own examples and tests.
//!
//! Nothing of them is kept here. They are read from what is installed: the examples from the
//! toolchain's documentation (component `rust-docs`), the tests from the distribution's package of
//! Rust's source (Debian: `rust-src`, or a newer variant) or from the component `rust-src`. The paths
//! to `std::sync` and `std::thread` are swapped as a user would, and all of it has to compile and run
//! in a crate outside the workspace. What is absent is skipped, and says so.
// That crate is a debug build whatever this one is, so once is enough.
#![cfg(debug_assertions)]

#[path = "std_suites/examples.rs"]
mod examples;
#[path = "std_suites/exclusions.rs"]
mod exclusions;
#[path = "std_suites/outside.rs"]
mod outside;
#[path = "std_suites/paths.rs"]
mod paths;
#[path = "std_suites/sources.rs"]
mod sources;
#[path = "std_suites/stable.rs"]
mod stable;
#[path = "std_suites/suites.rs"]
mod suites;

use examples::Example;
use exclusions::Exclusions;
use outside::Crate;
use sources::{Docs, Library};

#[test]
fn the_documentation_examples_of_std_run_with_the_traced_types() {
    let Some(docs) = Docs::find() else { return };
    let mut exclusions = Exclusions::of(&docs.version);
    let all = examples::read(&docs);
    let (unstable, stable): (Vec<_>, Vec<_>) = all.into_iter().partition(Example::is_unstable);
    let (excluded, run): (Vec<_>, Vec<_>) =
        stable.into_iter().partition(|example| exclusions.has(&example.page, &example.name));

    let docs_crate = Crate::new("examples", "");
    docs_crate.write("src/lib.rs", &examples::documented(&run));
    // By itself: while the examples run, silence means that one hangs.
    docs_crate.cargo(&["build"]).expect_success("the crate builds");
    let outcome = docs_crate.cargo(&["test", "--doc"]);
    outcome.expect_all_ok(&run.iter().map(Example::id).collect::<Vec<_>>());

    println!(
        "documentation examples of Rust {}: {} run, {} excluded, {} unstable",
        docs.version,
        run.len(),
        excluded.len(),
        unstable.len(),
    );
    assert!(run.len() > unstable.len(), "most examples are of stable things");
    exclusions.expect_all_used_in("examples");
}

#[test]
fn examples_that_must_not_compile_fail_with_the_error_that_std_gives() {
    let Some(docs) = Docs::find() else { return };
    let all = examples::read(&docs);
    let mistakes =
        all.iter().filter(|example| example.must_not_compile() && !example.is_unstable());
    let mistakes_crate = Crate::new("mistakes", "");
    mistakes_crate.write("src/lib.rs", "");
    let mut count = 0;
    for example in mistakes {
        let errors = |form: &str, code: &str| {
            let name = format!("{}_{form}", example.id().replace("::", "_"));
            mistakes_crate.write(&format!("examples/{name}.rs"), &examples::in_main(code));
            let check = ["check", "--message-format=short", "--example", name.as_str()];
            mistakes_crate.cargo(&check).error_codes()
        };
        let with_std = errors("std", &example.code);
        assert!(!with_std.is_empty(), "{} compiles with std", example.id());
        assert_eq!(errors("traced", &paths::swapped(&example.code)), with_std, "{}", example.id());
        count += 1;
    }
    println!("examples of Rust {} that must not compile: {count}", docs.version);
}

#[test]
fn the_tests_of_std_pass_with_the_traced_types() {
    let Some(library) = Library::find() else { return };
    let mut exclusions = Exclusions::of(&library.version);
    let mut suites = suites::read(&library);
    let excluded = suites::exclude(&mut suites, &mut exclusions);

    let dependencies = "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n";
    let suites_crate = Crate::new("suites", dependencies);
    suites_crate.write("src/lib.rs", "");
    let unstable = stable::reduce(&mut suites, &suites_crate);
    suites::write(&suites, &suites_crate, "traced", paths::swapped);
    let build = ["test", "--no-run", "--message-format=short", "--test", "traced"];
    suites_crate.cargo(&build).expect_success("what compiles with std compiles with sync-trace");

    // Most of these tests wait rather than work.
    let arguments = ["test", "--test", "traced", "--", "--test-threads=8"];
    let listed = suites_crate.cargo(&[&arguments[..], &["--list"]].concat()).listed_tests();
    let outcome = suites_crate.cargo(&arguments);
    outcome.expect_all_ok(&listed);

    println!(
        "tests of Rust {}: {} run, {} excluded, {} of unstable things",
        library.version,
        listed.len(),
        excluded.len(),
        unstable.len(),
    );
    assert!(listed.len() > unstable.len(), "most tests are of stable things");
    exclusions.expect_all_used_in("tests");
}
