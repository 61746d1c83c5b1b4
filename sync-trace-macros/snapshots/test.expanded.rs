#[::core::prelude::v1::test]
#[should_panic]
fn adds_up() -> Result<(), Error> {
    ::sync_trace::__private::run_test(|| -> Result<(), Error> { Ok(()) })
}
