//! `named!`, `untracked!` and `on_violation!` around everything that they take, wherever that may stand.
//! With tracing compiled out the same code compiles, around `std`'s own types.

use sync_trace::sync::{Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, mpsc};
use sync_trace::{OnViolation, named, on_violation, untracked};

static MUTEX: Mutex<&[u8]> = named!("a mutex", Mutex::new(&[1, 2]));
static RWLOCK: RwLock<Option<String>> = named!("a read-write lock", RwLock::new(None));
static CONDVAR: Condvar = named!("a condvar", Condvar::new());
static ONCE: Once = named!("a once", Once::new());
static CELL: OnceLock<Vec<u8>> = named!("a cell", OnceLock::new());
static LAZY: LazyLock<Vec<u32>> = named!("a lazy lock", LazyLock::new(|| vec![1, 2, 3]));
static BARRIER: Barrier = named!("a barrier", Barrier::new(1));
static UNTRACKED: LazyLock<u8> = untracked!(LazyLock::new(|| 7));
static LOUD: RwLock<u8> = on_violation!(OnViolation::Panic, untracked!(RwLock::new(8)));
#[expect(clippy::declare_interior_mutable_const, reason = "a lock of its own at each use is meant")]
const FRESH: Mutex<u8> = named!("fresh", Mutex::new(3));

#[test]
fn a_static_of_every_kind_takes_a_name() {
    assert_eq!(MUTEX.lock().unwrap().len() + LAZY.len(), 5);
    assert!(RWLOCK.read().unwrap().is_none());
    CONDVAR.notify_all();
    ONCE.call_once(|| ());
    assert_eq!(CELL.get_or_init(|| vec![9]), &[9]);
    assert!(BARRIER.wait().is_leader());
    let fresh = FRESH;
    assert_eq!(*UNTRACKED + *LOUD.read().unwrap() + *fresh.lock().unwrap(), 18);
}

trait Named {
    const NAME: &'static str;

    /// A name that depends on a type parameter, around a closure that has to become a trait object.
    fn make<T: Fn() -> u8 + 'static>(f: T) -> Mutex<Box<dyn Fn() -> u8>> {
        named!(Self::NAME, Mutex::new(Box::new(f)))
    }
}

struct Table;

impl Named for Table {
    const NAME: &'static str = "a row";
}

#[test]
fn an_expression_is_what_it_is_expected_to_be() {
    struct Shared {
        table: Arc<Mutex<Vec<u8>>>,
    }
    let shared = Shared { table: Arc::new(named!("table", Mutex::new(Vec::new()),)) };
    shared.table.lock().unwrap().push(Table::make(|| 4).lock().unwrap()());
    assert_eq!(*shared.table.lock().unwrap(), [4]);
    let reaction = OnViolation::Log;
    let chosen_at_run_time = on_violation!(reaction, Mutex::new(1));
    assert_eq!(*chosen_at_run_time.lock().unwrap(), 1);
}

#[test]
fn channels_too() {
    let (sender, receiver) = named!("jobs", mpsc::channel::<Box<dyn Fn() -> u8 + Send>>());
    sender.send(Box::new(|| 1)).unwrap();
    let (bounded, bounded_receiver) = untracked!(mpsc::sync_channel(1));
    bounded.send(2).unwrap();
    assert_eq!(receiver.recv().unwrap()() + bounded_receiver.recv().unwrap(), 3);
    let (zero, _receiver) = on_violation!(OnViolation::Log, mpsc::sync_channel::<u8>(0));
    assert!(zero.try_send(1).is_err());
}

#[test]
#[cfg(any(debug_assertions, feature = "always"))]
fn a_named_lock_is_called_so_and_an_untracked_one_is_not_on_record() {
    let _held = MUTEX.lock().unwrap();
    let _loud = LOUD.read().unwrap();
    let me = std::thread::current().name().map(str::to_owned);
    let agents = sync_trace::snapshot().agents;
    let mine = agents.iter().find(|state| state.agent.name.as_deref() == me.as_deref()).unwrap();
    let names: Vec<_> = mine.holds.iter().map(|hold| hold.lock.name).collect();
    assert_eq!(names, [Some("a mutex")]);
    assert_eq!(mine.holds[0].lock.created.file(), file!());
}
