//! What the attributes for declared orders refuse to compile, and the words with which they do.
//!
//! Everything here is found by the macros alone. What the compiler finds with their help, such as a field
//! that does not exist, is in `ui/declared/types`.

#[cfg(debug_assertions)]
#[test]
fn each_mistake_has_its_message() {
    trybuild::TestCases::new().compile_fail("tests/ui/declared/*.rs");
}
