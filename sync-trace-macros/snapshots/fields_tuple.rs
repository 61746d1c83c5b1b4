#[derive(LockFields)]
#[lock(crate = "my::sync")]
struct Pair(std::sync::Mutex<u8>, #[lock] Foreign, u8);
