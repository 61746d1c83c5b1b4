//! quick
use std::hint::black_box;
use std::time::Instant;
fn med(f: &mut dyn FnMut(u32)) -> f64 {
    let n = 200_000;
    let t = Instant::now();
    f(n);
    t.elapsed().as_nanos() as f64 / n as f64
}
macro_rules! pair {
    ($name:literal, $s:expr, $t:expr) => {{
        let (mut a, mut b) = (vec![], vec![]);
        for _ in 0..31 {
            a.push(med(&mut $s));
            b.push(med(&mut $t));
        }
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        println!("{:30} std {:6.2} ours {:6.2} ratio {:.3}", $name, a[15], b[15], b[15] / a[15]);
    }};
}
fn main() {
    let s = std::sync::Mutex::new(0u64);
    let t = sync_trace::sync::Mutex::new(0u64);
    let s2 = std::sync::Mutex::new(0u64);
    let t2 = sync_trace::sync::Mutex::new(0u64);
    let sr = std::sync::RwLock::new(0u64);
    let tr = sync_trace::sync::RwLock::new(0u64);
    pair!(
        "mutex",
        |n| for _ in 0..n {
            *black_box(&s).lock().unwrap() += 1
        },
        |n| for _ in 0..n {
            *black_box(&t).lock().unwrap() += 1
        }
    );
    pair!(
        "nested",
        |n| for _ in 0..n {
            let _a = black_box(&s).lock().unwrap();
            *black_box(&s2).lock().unwrap() += 1
        },
        |n| for _ in 0..n {
            let _a = black_box(&t).lock().unwrap();
            *black_box(&t2).lock().unwrap() += 1
        }
    );
    pair!(
        "read",
        |n| for _ in 0..n {
            black_box(*black_box(&sr).read().unwrap());
        },
        |n| for _ in 0..n {
            black_box(*black_box(&tr).read().unwrap());
        }
    );
    pair!(
        "write",
        |n| for _ in 0..n {
            *black_box(&sr).write().unwrap() += 1
        },
        |n| for _ in 0..n {
            *black_box(&tr).write().unwrap() += 1
        }
    );
    pair!(
        "create",
        |n| for _ in 0..n {
            let m = std::sync::Mutex::new(1u64);
            black_box(&m).lock().unwrap();
        },
        |n| for _ in 0..n {
            let m = sync_trace::sync::Mutex::new(1u64);
            black_box(&m).lock().unwrap();
        }
    );
    println!(
        "sizes {} {} {}",
        size_of_val(&t),
        size_of::<sync_trace::sync::MutexGuard<u64>>(),
        size_of::<std::sync::MutexGuard<u64>>()
    );
}
