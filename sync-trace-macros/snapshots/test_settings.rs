#[sync_trace::test(expect = ["ST0101", "ST0102"], deadline = "1.5s", crate = "my::sync")]
fn adds_up() {
    work();
}
