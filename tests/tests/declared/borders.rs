//! What has to be held at the entry and the exit of a call.

use super::broken;
use sync_trace::finding::Broken;
use sync_trace::sync::{Mutex, MutexGuard, RwLock};
use sync_trace::{lock_acquires, lock_excludes, lock_only, lock_releases, lock_requires};

#[derive(Default)]
struct Store {
    map: RwLock<u8>,
    list: Mutex<u16>,
    log: Mutex<()>,
}

fn take<T: ?Sized>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Store {
    #[lock_requires(self.list)]
    fn sorts(&self) {}

    #[lock_requires(read(self.map))]
    fn looks(&self) {}

    #[lock_requires(write(self.map))]
    fn changes(&self) {}

    #[lock_requires(self.list)]
    fn gives_up(&self, guard: MutexGuard<'_, u16>) {
        drop(guard);
    }

    #[lock_requires(entry, self.list)]
    fn may_give_up(&self, guard: MutexGuard<'_, u16>) {
        drop(guard);
    }

    #[lock_excludes(self.list, self.log)]
    fn calls_back(&self) {}

    #[lock_only(self.list)]
    fn only_list(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_only()]
    fn no_locks(&self, f: impl FnOnce(&Self)) {
        f(self);
    }

    #[lock_acquires(self.list)]
    fn begin(&self) -> MutexGuard<'_, u16> {
        take(&self.list)
    }

    #[lock_acquires(self.list)]
    fn begins_badly(&self) -> u16 {
        *take(&self.list)
    }

    #[lock_releases(self.list)]
    fn end(&self, guard: MutexGuard<'_, u16>) {
        drop(guard);
    }

    #[lock_releases(self.list)]
    fn ends_badly<'a>(&self, guard: MutexGuard<'a, u16>) -> MutexGuard<'a, u16> {
        guard
    }
}

#[test]
fn what_is_required_is_held() {
    let store = Store::default();
    assert_eq!(broken(|| store.sorts()), [Broken::NotHeld]);
    let held = || {
        let _list = take(&store.list);
        store.sorts();
    };
    assert_eq!(broken(held), []);
    let other = Store::default();
    let others = || {
        let _list = take(&other.list);
        store.sorts();
    };
    assert_eq!(broken(others), [Broken::NotHeld], "another one's does not count");
}

#[test]
fn in_a_mode_that_is_enough() {
    let store = Store::default();
    let reading = |f: fn(&Store)| {
        let _map = store.map.read();
        f(&store);
    };
    let writing = |f: fn(&Store)| {
        let _map = store.map.write();
        f(&store);
    };
    assert_eq!(broken(|| reading(Store::looks)), []);
    assert_eq!(broken(|| writing(Store::looks)), []);
    assert_eq!(broken(|| writing(Store::changes)), []);
    assert_eq!(broken(|| reading(Store::changes)), [Broken::NotHeld]);
}

#[test]
fn and_still_held_at_the_exit() {
    let store = Store::default();
    assert_eq!(broken(|| store.gives_up(take(&store.list))), [Broken::NotHeldAtExit]);
    assert_eq!(broken(|| store.may_give_up(take(&store.list))), []);
}

#[test]
fn the_exit_by_a_panic_is_not_looked_at() {
    #[lock_requires(store.list)]
    fn panics(store: &Store, guard: MutexGuard<'_, u16>) {
        drop(guard);
        panic!("on purpose");
    }
    let store = Store::default();
    let caught = sync_trace::catch_findings(|| panics(&store, take(&store.list)));
    assert!(caught.result.is_err() && caught.findings.is_empty(), "{:?}", caught.findings);
}

#[test]
fn what_is_excluded_is_not_held() {
    let store = Store::default();
    assert_eq!(broken(|| store.calls_back()), []);
    let held = || {
        let _log = take(&store.log);
        store.calls_back();
    };
    assert_eq!(broken(held), [Broken::Held]);
    let reading = || {
        let _map = store.map.read();
        store.calls_back();
    };
    assert_eq!(broken(reading), []);
}

#[test]
fn nothing_else_is_taken() {
    let store = Store::default();
    let list = |store: &Store| drop(take(&store.list));
    let log = |store: &Store| drop(take(&store.log));
    assert_eq!(broken(|| store.only_list(list)), []);
    assert_eq!(broken(|| store.only_list(log)), [Broken::NotAllowed]);
    assert_eq!(broken(|| store.no_locks(list)), [Broken::NotAllowed]);
    assert_eq!(broken(|| store.no_locks(|_| ())), []);
    let tries = |store: &Store| drop(store.log.try_lock());
    assert_eq!(broken(|| store.only_list(tries)), [Broken::NotAllowed], "nor tried");
}

#[test]
fn what_was_taken_before_may_be_held() {
    let store = Store::default();
    let held = || {
        let _log = take(&store.log);
        store.only_list(|store| drop(take(&store.list)));
    };
    assert_eq!(broken(held), []);
}

#[test]
fn a_function_says_what_it_takes_and_what_it_gives_back() {
    let store = Store::default();
    assert_eq!(broken(|| store.end(store.begin())), []);
    assert_eq!(broken(|| assert_eq!(store.begins_badly(), 0)), [Broken::NotAcquired]);
    assert_eq!(broken(|| drop(store.ends_badly(take(&store.list)))), [Broken::NotReleased]);
    let other = Store::default();
    assert_eq!(broken(|| store.end(take(&other.list))), [Broken::NotHeld]);
}
