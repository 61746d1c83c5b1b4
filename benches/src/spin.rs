//! Keeping a processor busy for a known time, without reading a clock.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

/// How many steps take a nanosecond when nothing disturbs.
static STEPS_PER_NS: LazyLock<f64> = LazyLock::new(|| {
    const STEPS: u64 = 20_000;
    let fastest = (0..200).map(|_| {
        let start = Instant::now();
        Spin { steps: STEPS }.run();
        start.elapsed().as_nanos()
    });
    STEPS as f64 / fastest.min().unwrap_or(1).max(1) as f64
});

/// A number of steps, each of which needs the one before.
#[derive(Clone, Copy, Debug)]
pub struct Spin {
    steps: u64,
}

impl Spin {
    /// About `ns` nanoseconds on an undisturbed processor.
    pub fn of_ns(ns: u64) -> Self {
        Self { steps: (ns as f64 * *STEPS_PER_NS).round() as u64 }
    }

    /// Takes the time.
    #[inline]
    pub fn run(self) {
        let mut state = black_box(1u64);
        for _ in 0..self.steps {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
        black_box(state);
    }
}
