//! OV1: random short waits of every kind, by the hundred thousand, of which none lasts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sync_trace::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use sync_trace::sync::{Barrier, Condvar, Mutex, RwLock, Semaphore};
use sync_trace::thread;

use super::Scene;

pub(crate) const SCENES: &[Scene] = &[("short_waits", short_waits)];

const THREADS: usize = 4;

/// How many waits, tried or begun, all threads come to together. An unoptimised build makes fewer.
const WAITS: u64 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

struct Shared {
    locks: [Mutex<u64>; 3],
    table: RwLock<u64>,
    turn: (Mutex<u64>, Condvar),
    /// How many rounds are over but for the meeting at their end.
    rounds: (Mutex<u64>, Condvar),
    all: Barrier,
    permits: Semaphore,
    waits: AtomicU64,
}

/// What one thread has of the ring: it sends to its right and receives from its left.
struct Ring {
    right: Sender<u64>,
    left: Receiver<u64>,
    bounded_right: SyncSender<u64>,
    bounded_left: Receiver<u64>,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

fn short_waits() {
    let seed = std::env::var("SEED").map_or(1, |seed| seed.parse().unwrap());
    let shared = Shared {
        locks: [(); 3].map(|()| Mutex::new(0)),
        table: RwLock::new(0),
        turn: (Mutex::new(0), Condvar::new()),
        rounds: (Mutex::new(0), Condvar::new()),
        all: Barrier::new(THREADS),
        permits: Semaphore::new(2),
        waits: AtomicU64::new(0),
    };
    let (mut rights, mut lefts): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel()).unzip();
    // Each has room for what is under way in a round, and one has none: a rendezvous.
    let bounded = (0..THREADS).map(|at| sync_channel(usize::from(at > 0)));
    let (mut bounded_rights, mut bounded_lefts): (Vec<_>, Vec<_>) = bounded.unzip();
    lefts.rotate_right(1);
    bounded_lefts.rotate_right(1);
    thread::scope(|scope| {
        for at in (0..THREADS).rev() {
            let ring = Ring {
                right: rights.pop().unwrap(),
                left: lefts.pop().unwrap(),
                bounded_right: bounded_rights.pop().unwrap(),
                bounded_left: bounded_lefts.pop().unwrap(),
            };
            let shared = &shared;
            let random = Random(seed * 1000 + at as u64);
            scope.spawn(move || play(at, shared, &ring, random));
        }
    });
    let waits = shared.waits.load(Ordering::Relaxed);
    assert!(waits >= WAITS, "{waits}");
    assert!(sync_trace::findings().is_empty());
}

/// All play the same rounds, so that each message and each arrival has its counterpart; what a round
/// consists of between the meetings is random.
fn play(at: usize, shared: &Shared, ring: &Ring, mut random: Random) {
    let Shared { locks, table, turn, rounds, all, permits, waits } = shared;
    for round in 0.. {
        for _ in 0..20 {
            let short = Duration::from_micros(random.below(60));
            match random.below(10) {
                0..3 => {
                    // In one order.
                    let from = random.below(3) as usize;
                    let held: Vec<_> =
                        locks[from..].iter().map(|lock| lock.lock().unwrap()).collect();
                    thread::yield_now();
                    waits.fetch_add(held.len() as u64, Ordering::Relaxed);
                    continue;
                }
                3 => *table.write().unwrap() += 1,
                4 => {
                    let _read = table.read().unwrap();
                    thread::yield_now();
                }
                5 => {
                    // Cancelled by time, or by whoever makes the next case.
                    let guard = turn.0.lock().unwrap();
                    let before = *guard;
                    drop(turn.1.wait_timeout_while(guard, short, |turn| *turn == before).unwrap());
                }
                6 => {
                    *turn.0.lock().unwrap() += 1;
                    turn.1.notify_all();
                }
                7 => {
                    let permit = permits.acquire_timeout(short);
                    thread::yield_now();
                    drop(permit);
                }
                8 => {
                    let permit = permits.acquire().unwrap();
                    thread::yield_now();
                    drop(permit);
                }
                _ => thread::spawn(thread::yield_now).join().unwrap(),
            }
            waits.fetch_add(1, Ordering::Relaxed);
        }
        // Around the ring: each waits for the one before it.
        if at == 0 {
            ring.right.send(round).unwrap();
            assert_eq!(ring.left.recv(), Ok(round));
            ring.bounded_right.send(round).unwrap();
            assert_eq!(ring.bounded_left.recv(), Ok(round));
        } else {
            assert_eq!(ring.left.recv(), Ok(round));
            ring.right.send(round).unwrap();
            assert_eq!(ring.bounded_left.recv(), Ok(round));
            ring.bounded_right.send(round).unwrap();
        }
        // One of them lets the others go on.
        let mut over = rounds.0.lock().unwrap();
        if at == (round as usize) % THREADS {
            *over = round + 1;
            rounds.1.notify_all();
        } else {
            over = rounds.1.wait_while(over, |over| *over <= round).unwrap();
        }
        drop(over);
        waits.fetch_add(5, Ordering::Relaxed);
        all.wait();
        // All see the same number, as nobody adds to it between the two meetings.
        let is_over = waits.load(Ordering::Relaxed) >= WAITS;
        all.wait();
        if is_over {
            return;
        }
    }
}
