//! Work that takes a known time, and numbers that look random.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::options::Options;

/// What a thread does with the data, and between two operations.
pub(crate) struct Load {
    section: u64,
    pause: u64,
}

impl Load {
    /// Finds out how much work takes so long here, in this build.
    pub(crate) fn calibrated(options: &Options) -> Self {
        const STEPS: u64 = 1 << 15;
        let time = |_| {
            let begun = Instant::now();
            black_box(mix(1, STEPS));
            begun.elapsed()
        };
        // The fastest try is the one in which nothing else came between.
        let fastest = (0..10).map(time).min().unwrap_or_default();
        let steps = |time: Duration| {
            (time.as_secs_f64() / fastest.as_secs_f64().max(1e-9) * STEPS as f64) as u64
        };
        Self { section: steps(options.section), pause: steps(options.pause) }
    }

    /// Works with what is shared; the result stands for what comes of it.
    pub(crate) fn section(&self, value: u64) -> u64 {
        black_box(mix(value, self.section))
    }

    /// Does something else.
    pub(crate) fn pause(&self) {
        black_box(mix(1, self.pause));
    }
}

/// Each step needs the result of the one before, so that they cannot be done at once.
fn mix(mut value: u64, steps: u64) -> u64 {
    for _ in 0..black_box(steps) {
        value = (value ^ value >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    value
}

/// A sequence of keys of its own for each thread (Marsaglia's xorshift).
pub(crate) struct Keys(u64);

impl Keys {
    pub(crate) fn of_thread(number: usize) -> Self {
        Self(mix(number as u64 + 1, 4) | 1)
    }

    pub(crate) fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as usize
    }
}
