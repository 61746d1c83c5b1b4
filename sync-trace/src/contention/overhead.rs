//! What tracing itself costs, measured on the machine that runs it.
//!
//! A lock that nobody waits for is taken and released many times, traced and not, in turns, and the fastest turns are
//! compared: in those nothing else came between. That is done once, when somebody first asks, and takes some 300 µs.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::current;
use crate::named;
use crate::perturb::SCHEDULE;

/// The name of the lock that is measured, which is nobody's business otherwise.
pub(super) const OWN: &str = "sync-trace measures itself";

/// The result and 1; 0 if there is none. A number of its own: Relaxed.
static MEASURED: AtomicU64 = AtomicU64::new(0);

/// By how many nanoseconds a lock and unlock takes longer than `std`'s, if that was measured.
pub(crate) fn known() -> Option<u64> {
    MEASURED.load(Ordering::Relaxed).checked_sub(1)
}

/// The same, measured now if it was not yet and can be.
pub(crate) fn measured() -> Option<u64> {
    known().or_else(measure)
}

#[cold]
fn measure() -> Option<u64> {
    // Threads that are held up at random show nothing, and there may be no more threads at a thread's end.
    let cannot = !crate::is_on()
        || SCHEDULE.is_on()
        || current::is_working()
        || current::is_in_allocator()
        || current::is_ending();
    if cannot {
        return None;
    }
    // In a thread that holds nothing, so that no order of locks comes of it.
    let thread = std::thread::Builder::new().spawn(difference_ns).ok()?;
    let ns = thread.join().ok()?;
    // Two may come here at once, and know it both.
    MEASURED.store(ns + 1, Ordering::Relaxed);
    Some(ns)
}

fn difference_ns() -> u64 {
    const TURNS: usize = 40;
    const PAIRS: u32 = 100;
    let traced = named!(OWN, crate::sync::Mutex::new(0_u64));
    let plain = std::sync::Mutex::new(0_u64);
    let (mut fastest_traced, mut fastest_plain) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        let begun = Instant::now();
        for _ in 0..PAIRS {
            _ = black_box(&traced).lock().map(|mut count| *count += 1);
        }
        let middle = Instant::now();
        for _ in 0..PAIRS {
            _ = black_box(&plain).lock().map(|mut count| *count += 1);
        }
        fastest_traced = fastest_traced.min(middle - begun);
        fastest_plain = fastest_plain.min(middle.elapsed());
    }
    let difference = fastest_traced.saturating_sub(fastest_plain) / PAIRS;
    u64::try_from(difference.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(all(test, any(debug_assertions, feature = "always")))]
mod tests {
    use super::*;

    #[test]
    fn it_is_measured_once_and_leaves_nothing_behind() {
        let first = crate::contention();
        let ns = first.overhead_ns.expect("it can be measured here");
        // Between nothing and what no machine needs: the rest is its own affair.
        assert!(ns < 100_000, "{ns} ns");
        let again = crate::contention();
        assert_eq!((again.overhead_ns, known()), (Some(ns), Some(ns)));
        assert_eq!(again.since(&first).overhead_ns, Some(ns));
        assert!(again.classes.iter().all(|class| class.name != Some(OWN)));
    }
}
