#[sync_trace::test]
#[should_panic]
fn adds_up() -> Result<(), Error> {
    Ok(())
}
