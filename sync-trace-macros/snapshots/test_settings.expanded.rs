#[::core::prelude::v1::test]
fn adds_up() {
    my::sync::__private::run_test_with(
        my::sync::__private::Settings {
            expect: &["ST0101", "ST0102"],
            deadline: ::core::option::Option::Some(1500u64),
        },
        move || {
            work();
        },
    )
}
