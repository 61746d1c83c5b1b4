#[no_block]
fn run(self) -> ! {
    loop {}
}
