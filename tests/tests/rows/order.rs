//! Rows about what comes before what, and what happens inside whose section.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sync_trace::sync::{RwLock, mpsc};
use sync_trace::{Policy, order, thread};

use super::scene::{Lock, Mode, Scene, Segment, locks, nest, nesting, scenario};
use crate::POLICY;

#[test]
fn ld33_a_writer_that_comes_before_both_readers() {
    scenario("LD33", |scene| {
        let a = Arc::new(RwLock::new(()));
        let [b] = locks();
        let writer = Arc::clone(&a);
        thread::spawn(move || drop(writer.write().unwrap())).join().unwrap();
        let (first, second) = ((Arc::clone(&a), Arc::clone(&b)), (a, b));
        let segments: Vec<Segment> = vec![
            Box::new(move || {
                let _outer = first.0.read().unwrap();
                let _inner = first.1.lock().unwrap();
            }),
            Box::new(move || {
                let _outer = second.1.lock().unwrap();
                let _inner = second.0.read().unwrap();
            }),
        ];
        scene.play(Mode::Parallel, segments);
        let findings = scene.take_findings().len();
        assert!(POLICY == Policy::Order || findings == 0);
    });
}

#[test]
fn pr10_what_comes_before_a_spawn() {
    scenario("PR10", |scene| {
        let [a, b] = locks();
        nest([&a, &b]);
        thread::spawn(nesting([&b, &a])).join().unwrap();
        scene.expect_order_only();
    });
}

#[test]
fn pr11_what_comes_after_a_join() {
    scenario("PR11", |scene| {
        let [a, b] = locks();
        thread::spawn(nesting([&a, &b])).join().unwrap();
        nest([&b, &a]);
        scene.expect_order_only();
    });
}

#[test]
fn pr12_what_a_message_brings() {
    scenario("PR12", |scene| {
        let [a, b] = locks();
        let (sender, receiver) = mpsc::channel();
        let (forward, backward) = (nesting([&a, &b]), nesting([&b, &a]));
        let send: Segment = Box::new(move || {
            forward();
            sender.send(()).unwrap();
        });
        let receive: Segment = Box::new(move || {
            receiver.recv().unwrap();
            backward();
        });
        scene.play(Mode::Parallel, vec![send, receive]);
        scene.expect_order_only();
    });
}

/// Two nests with a flag between them.
fn flagged(scene: &Scene, publish: fn(&AtomicBool), observe: fn(&AtomicBool)) {
    let [a, b] = locks();
    let flag = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&flag);
    let (forward, backward) = (nesting([&a, &b]), nesting([&b, &a]));
    let set: Segment = Box::new(move || {
        forward();
        publish(&flag);
        flag.store(true, Ordering::Release);
    });
    let spin: Segment = Box::new(move || {
        while !seen.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        observe(&seen);
        backward();
    });
    scene.play(Mode::Parallel, vec![set, spin]);
}

#[test]
fn pr15_a_flag_that_was_told_of() {
    scenario("PR15", |scene| {
        flagged(scene, order::publish, order::observe);
        scene.expect_order_only();
    });
    scenario("PR15, not told", |scene| {
        flagged(scene, |_| (), |_| ());
        scene.take_predicted();
    });
}

#[test]
fn pr16_a_fresh_object() {
    scenario("PR16", |scene| {
        let [g] = locks();
        let theirs = Arc::clone(&g);
        let (sender, receiver) = mpsc::channel();
        let create: Segment = Box::new(move || {
            let [fresh]: [Lock; 1] = locks();
            nest([&fresh, &g]);
            sender.send(fresh).unwrap();
        });
        let use_it: Segment = Box::new(move || nest([&theirs, &receiver.recv().unwrap()]));
        scene.play(Mode::Parallel, vec![create, use_it]);
        scene.expect_order_only();
    });
}

/// Takes `outer`, and inside it has a thread do `inner`, which is joined before the release.
fn around(outer: &Lock, inner: Segment) -> Segment {
    let outer = Arc::clone(outer);
    Box::new(move || {
        let _section = outer.lock().unwrap();
        thread::spawn(inner).join().unwrap();
    })
}

/// Both orders of two segments.
fn in_both_orders(id: &str, make: fn() -> [Segment; 2], expect: fn(&Scene)) {
    for is_reversed in [false, true] {
        scenario(id, |scene| {
            let mut segments = Vec::from(make());
            if is_reversed {
                segments.reverse();
            }
            scene.play(Mode::Parallel, segments);
            expect(scene);
        });
    }
}

#[test]
fn pr17_a_thread_inside_a_section() {
    let make = || {
        let [a, b] = locks();
        [around(&a, nesting([&b])), nesting([&b, &a])]
    };
    in_both_orders("PR17", make, |scene| drop(scene.take_predicted()));
}

#[test]
fn pr18_a_gate_that_is_inherited() {
    let make = || {
        let [g, a, b] = locks();
        [around(&g, nesting([&a, &b])), nesting([&g, &b, &a])]
    };
    in_both_orders("PR18", make, Scene::expect_order_only);
}

#[test]
fn pr24_a_thread_that_had_ended_but_was_not_seen_to() {
    scenario("PR24", |scene| {
        let [a, b] = locks();
        // Not traced: it says that the thread has done its part, and orders nothing.
        let (sender, receiver) = std::sync::mpsc::channel();
        let first = nesting([&a, &b]);
        let dead = thread::spawn(move || {
            first();
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
        let second = thread::spawn(nesting([&b, &a]));
        dead.join().unwrap();
        second.join().unwrap();
        scene.take_predicted();
    });
}

#[test]
fn pr24_an_end_that_was_seen() {
    scenario("PR24, finished", |scene| {
        let [a, b] = locks();
        let dead = thread::spawn(nesting([&a, &b]));
        while !dead.is_finished() {
            thread::yield_now();
        }
        thread::spawn(nesting([&b, &a])).join().unwrap();
        scene.expect_order_only();
    });
    scenario("PR24, scope", |scene| {
        let [a, b] = locks();
        thread::scope(|scope| {
            scope.spawn(|| nest([&a, &b]));
        });
        thread::spawn(nesting([&b, &a])).join().unwrap();
        scene.expect_order_only();
    });
}
