//! Programs in which threads wait for long while another one goes on, so that nothing is certain. All end by
//! themselves, some time after what lasts long has been told: with `stall=300ms`.

use std::time::Duration;

use sync_trace::finding::Op;
use sync_trace::sync::mpsc::channel;
use sync_trace::sync::{Arc, Condvar, Mutex, Semaphore};
use sync_trace::{named, thread};

use super::{Scene, until_asleep};

pub(crate) const SCENES: &[Scene] = &[
    ("stalled_reply", stalled_reply),
    ("stalled_without_a_giver", stalled_without_a_giver),
    ("stalled_behind_a_join", stalled_behind_a_join),
    ("idle_workers_at_one_receiver", idle_workers_at_one_receiver),
    ("idle_workers_at_two_lines", idle_workers_at_two_lines),
    ("idle_actors", idle_actors),
    ("long_work_for_a_holder", long_work_for_a_holder),
    ("idle_holders_of_permits", idle_holders_of_permits),
    ("joined_idle_workers", joined_idle_workers),
    ("thousand_idle_threads", thousand_idle_threads),
];

/// Several times as long as it takes until it is told. Whoever sleeps may do anything afterwards.
fn goes_on() {
    thread::sleep(Duration::from_millis(2500));
}

/// The heart beats on: what waits has to be let go by the end of the process.
fn end() -> ! {
    goes_on();
    std::process::exit(0)
}

/// A reply is awaited under the lock that the replier needs, who has replied before.
fn stalled_reply() {
    let table = Arc::new(named!("table", Mutex::new(0)));
    let (ask, requests) = channel::<()>();
    let (reply, replies) = channel();
    let server = {
        let table = Arc::clone(&table);
        thread::Builder::new().name("server".to_owned()).spawn(move || {
            for () in requests {
                reply.send(*table.lock().unwrap()).unwrap();
            }
        })
    };
    let client = thread::Builder::new().name("client".to_owned()).spawn(move || {
        ask.send(()).unwrap();
        replies.recv().unwrap();
        let held = table.lock().unwrap();
        ask.send(()).unwrap();
        replies.recv().unwrap();
        drop(held);
    });
    until_asleep(Op::Recv, 1);
    drop((server, client));
    end()
}

/// An acknowledgement that nobody has given yet, awaited under a lock that two others want.
fn stalled_without_a_giver() {
    let outer = Arc::new(named!("outer", Mutex::new(())));
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let waiting = Arc::clone(&outer);
    let waiter = thread::Builder::new().name("waiter".to_owned()).spawn(move || {
        let held = waiting.lock().unwrap();
        drop(pair.1.wait_while(pair.0.lock().unwrap(), |done| !*done).unwrap());
        drop(held);
    });
    until_asleep(Op::WaitWhile, 1);
    for name in ["worker", "second"] {
        let outer = Arc::clone(&outer);
        let worker = thread::Builder::new().name(name.to_owned());
        worker.spawn(move || drop(outer.lock().unwrap())).unwrap();
    }
    drop(waiter);
    end()
}

/// Who holds the lock joins a thread that waits for a message.
fn stalled_behind_a_join() {
    let state = Arc::new(named!("state", Mutex::new(())));
    let (sender, receiver) = channel::<()>();
    let other = Arc::clone(&state);
    let stopping = thread::Builder::new().name("stopping".to_owned()).spawn(move || {
        let held = other.lock().unwrap();
        let worker = thread::Builder::new().name("worker".to_owned());
        worker.spawn(move || _ = receiver.recv()).unwrap().join().unwrap();
        drop(held);
    });
    until_asleep(Op::Recv, 1);
    let reader = thread::Builder::new().name("reader".to_owned());
    reader.spawn(move || drop(state.lock().unwrap())).unwrap();
    drop(stopping);
    goes_on();
    drop(sender);
    std::process::exit(0)
}

fn idle_workers_at_one_receiver() {
    let (sender, receiver) = channel::<u32>();
    let receiver = Arc::new(Mutex::new((receiver, 0)));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || while { receiver.lock().unwrap().0.recv() }.is_ok() {})
        })
        .collect();
    (0..9).for_each(|job| sender.send(job).unwrap());
    goes_on();
    drop(sender);
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

fn idle_workers_at_two_lines() {
    let (sender, receiver) = channel::<u32>();
    let receiver = Arc::new(Mutex::new(receiver));
    let other = Arc::clone(&receiver);
    let one = thread::spawn(move || while { receiver.lock().unwrap().recv() }.is_ok() {});
    let two = thread::spawn(move || while { other.lock().unwrap().recv() }.is_ok() {});
    (0..9).for_each(|job| sender.send(job).unwrap());
    goes_on();
    drop(sender);
    one.join().unwrap();
    two.join().unwrap();
}

/// Each has sent to the other one last, and holds nothing that anybody wants.
fn idle_actors() {
    let (left, from_left) = channel::<u32>();
    let (right, from_right) = channel::<u32>();
    let first = left.clone();
    let one = thread::spawn(move || {
        from_left.iter().take_while(|&ball| ball > 0).for_each(|ball| _ = right.send(ball - 1));
    });
    let two = thread::spawn(move || {
        from_right.iter().take_while(|&ball| ball > 0).for_each(|ball| _ = left.send(ball - 1));
    });
    first.send(10).unwrap();
    goes_on();
    drop((first, one, two));
    std::process::exit(0)
}

/// Who gave the last result works on the next one.
fn long_work_for_a_holder() {
    let total = Arc::new(Mutex::new(0));
    let (result, results) = channel();
    let worker = thread::spawn(move || {
        result.send(1).unwrap();
        goes_on();
        result.send(2).unwrap();
    });
    let sum = Arc::clone(&total);
    let holder = thread::spawn(move || {
        let mut total = sum.lock().unwrap();
        results.iter().for_each(|part: u32| *total += part);
    });
    until_asleep(Op::Next, 1);
    assert_eq!(*total.lock().unwrap(), 3);
    worker.join().unwrap();
    holder.join().unwrap();
}

/// Connections wait for their clients, and the next one for one of their places.
fn idle_holders_of_permits() {
    let places = Arc::new(Semaphore::new(2));
    let (client, requests) = channel::<()>();
    let connection = Arc::clone(&places);
    let connected = thread::spawn(move || {
        let _place = connection.acquire_many(2).unwrap();
        _ = requests.recv();
    });
    until_asleep(Op::Recv, 1);
    let accepting = thread::spawn(move || drop(places.acquire().unwrap()));
    goes_on();
    drop(client);
    connected.join().unwrap();
    accepting.join().unwrap();
}

fn joined_idle_workers() {
    let (sender, receiver) = channel::<()>();
    thread::spawn(move || {
        goes_on();
        drop(sender);
    });
    thread::spawn(move || _ = receiver.recv()).join().unwrap();
}

/// Prints how many microseconds of the processor the process takes while nothing happens for two seconds.
fn thousand_idle_threads() {
    const THREADS: usize = 1000;
    let gate = Arc::new(Mutex::new(()));
    let ends: Vec<_> = (0..THREADS)
        .map(|at| {
            let (sender, receiver) = channel::<()>();
            let gate = Arc::clone(&gate);
            let idle = thread::Builder::new().stack_size(128 * 1024).spawn(move || {
                // Half of them keep something that nobody wants.
                let own = Mutex::new(());
                let held = (at % 2 == 0).then(|| own.lock().unwrap());
                drop(gate.lock().unwrap());
                _ = receiver.recv();
                drop(held);
            });
            (sender, idle.unwrap())
        })
        .collect();
    until_asleep(Op::Recv, THREADS);
    // Until the watch has seen that they are old.
    thread::sleep(Duration::from_millis(1000));
    let before = processor_time();
    thread::sleep(Duration::from_millis(2000));
    println!("{}", (processor_time() - before).as_micros());
    for (sender, idle) in ends {
        drop(sender);
        idle.join().unwrap();
    }
}

fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours to write.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
