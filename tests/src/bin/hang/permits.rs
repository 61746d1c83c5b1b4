//! Semaphores.

use sync_trace::finding::Op;
use sync_trace::sync::{Arc, Mutex, Semaphore};
use sync_trace::{named, thread};

use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("one_permit_each", one_permit_each),
    ("third_holder_comes_too", third_holder_comes_too),
    ("second_permit_of_its_own", second_permit_of_its_own),
    ("permit_under_a_lock", permit_under_a_lock),
    ("forgotten_permits", forgotten_permits),
    ("waits_in_the_wrong_order", waits_in_the_wrong_order),
    ("third_holder_returns", third_holder_returns),
    ("outsider_adds_permits", outsider_adds_permits),
];

/// Each of these takes one permit, waits for the other one, and wants a second one.
fn each_wants_another(threads: usize) -> (Arc<Semaphore>, Vec<thread::JoinHandle<()>>) {
    let pool = Arc::new(named!("pool", Semaphore::new(threads)));
    let threads = (0..threads).map(|n| {
        let pool = Arc::clone(&pool);
        let thread = thread::Builder::new().name(format!("t{n}"));
        let body = move || {
            let one = pool.acquire().unwrap();
            while pool.available_permits() > 0 {
                std::thread::yield_now();
            }
            drop((pool.acquire().unwrap(), one));
        };
        thread.spawn(body).unwrap()
    });
    let threads = threads.collect();
    (pool, threads)
}

/// SE1.
fn one_permit_each() {
    let (_pool, threads) = each_wants_another(2);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// SE2, its second half: the third one holds a permit, runs on for a while, and wants another one then.
fn third_holder_comes_too() {
    let pool = Arc::new(named!("pool", Semaphore::new(3)));
    let third = pool.acquire().unwrap();
    let threads = [(); 2].map(|()| {
        let pool = Arc::clone(&pool);
        thread::spawn(move || {
            let one = pool.acquire().unwrap();
            while pool.available_permits() > 0 {
                std::thread::yield_now();
            }
            drop((pool.acquire().unwrap(), one));
        })
    });
    until_asleep(Op::Acquire, 2);
    drop((pool.acquire().unwrap(), third));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn second_permit_of_its_own() {
    let once = named!("once", Semaphore::new(1));
    let _first = once.acquire().unwrap();
    drop(once.acquire());
}

/// A connection is waited for under a lock that its holder needs.
fn permit_under_a_lock() {
    let stats = Arc::new(named!("stats", Mutex::new(0)));
    let connections = Arc::new(named!("connections", Semaphore::new(1)));
    let connection = connections.acquire().unwrap();
    let other = {
        let (stats, connections) = (Arc::clone(&stats), Arc::clone(&connections));
        thread::Builder::new().name("reporter".to_owned()).spawn(move || {
            let mut stats = stats.lock().unwrap();
            drop(connections.acquire().unwrap());
            *stats += 1;
        })
    };
    until_asleep(Op::Acquire, 1);
    *stats.lock().unwrap() += 1;
    drop(connection);
    other.unwrap().join().unwrap();
}

fn forgotten_permits() {
    let slots = Arc::new(named!("slots", Semaphore::new(2)));
    for _ in 0..3 {
        let slots = Arc::clone(&slots);
        // Whoever forgets a permit has to add one.
        thread::spawn(move || slots.acquire().unwrap().forget()).join().unwrap();
    }
}

/// A bounded buffer whose producer takes the lock before it waits for room.
fn waits_in_the_wrong_order() {
    let buffer = Arc::new(named!("buffer", Mutex::new(Vec::new())));
    let empty = Arc::new(named!("empty", Semaphore::new(1)));
    let full = Arc::new(named!("full", Semaphore::new(0)));
    let producer = {
        let (buffer, empty, full) = (Arc::clone(&buffer), Arc::clone(&empty), Arc::clone(&full));
        thread::Builder::new().name("producer".to_owned()).spawn(move || {
            for n in 0..3 {
                let mut buffer = buffer.lock().unwrap();
                empty.acquire().unwrap().forget();
                buffer.push(n);
                full.add_permits(1);
            }
        })
    };
    until_asleep(Op::Acquire, 1);
    for _ in 0..3 {
        full.acquire().unwrap().forget();
        buffer.lock().unwrap().pop();
        empty.add_permits(1);
    }
    producer.unwrap().join().unwrap();
}

/// SE2.
fn third_holder_returns() {
    let pool = Arc::new(Semaphore::new(3));
    let third = pool.acquire().unwrap();
    let threads = [(); 2].map(|()| {
        let pool = Arc::clone(&pool);
        thread::spawn(move || {
            let one = pool.acquire().unwrap();
            while pool.available_permits() > 0 {
                std::thread::yield_now();
            }
            drop((pool.acquire().unwrap(), one));
        })
    });
    until_asleep(Op::Acquire, 2);
    thread::sleep(super::fine::A_WHILE);
    drop(third);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// SE3.
fn outsider_adds_permits() {
    let (pool, threads) = each_wants_another(2);
    let outsider = std::thread::spawn(move || {
        std::thread::sleep(super::fine::A_WHILE);
        pool.add_permits(1);
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    outsider.join().unwrap();
}
