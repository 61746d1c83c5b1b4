//! What the attributes for declared orders refuse to compile, and the words with which they do.
//!
//! In `ui/declared` is what the macros find alone, in `ui/declared/types` what the compiler finds with
//! their help, such as a field that does not exist.

#[cfg(debug_assertions)]
#[test]
fn each_mistake_has_its_message() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/declared/*.rs");
    cases.compile_fail("tests/ui/declared/types/*.rs");
}
